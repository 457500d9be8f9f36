"""Numbers of weighted counts: the same as those of the statistics where the weights are one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.compare.lanes import lanes_of, spread
from telemetry.compare.measures import MEASURES, Road, measure
from telemetry.rows import packed
from telemetry.statistics import compute

COUNTS = st.dictionaries(st.integers(0, 200), st.integers(1, 50), min_size=1, max_size=30)


def dense(counts: dict[int, int]) -> list[int]:
    return [counts.get(speed, 0) for speed in range(max(counts) + 1)]


@given(COUNTS, st.booleans(), st.integers(5, 130))
def test_unweighted_numbers_are_those_of_the_statistics(
    counts: dict[int, int], rounds: bool, limit: int
) -> None:
    found = measure(dense(counts), Road(limit, rounds), 2.0)
    assert found is not None
    by_name = dict(zip(MEASURES, found, strict=True))
    wanted = compute(counts, limit, rounds=rounds)
    assert by_name["mean_kmh"] == pytest.approx(wanted.mean_kmh)
    assert by_name["v50_kmh"] == pytest.approx(wanted.percentiles_kmh[50])
    assert by_name["v85_kmh"] == pytest.approx(wanted.percentiles_kmh[85])
    assert by_name["over_limit_share"] == pytest.approx(wanted.over_limit_share)
    assert by_name["over_limit_10_share"] == pytest.approx(wanted.over_limit_10_share)
    assert by_name["vehicles_per_hour"] == sum(counts.values()) / 2


@given(COUNTS, st.integers(2, 60))
def test_a_weight_on_everything_changes_nothing_but_the_volume(counts: dict[int, int], n: int) -> None:
    """Thirds and sevenths have no last digit: a share that is just reached must stay reached."""
    road = Road(50)
    whole, part = (measure([c / d for c in dense(counts)], road, 1.0) for d in (1, n))
    assert whole is not None
    assert part is not None
    assert part[:-1] == pytest.approx(whole[:-1])
    assert part[-1] == pytest.approx(whole[-1] / n)


@pytest.mark.parametrize("n", [7, 15, 17, 49])  # of the last three the 85 % come out a digit too high
def test_a_share_that_ends_with_a_class_does_not_jump_to_the_next(n: int) -> None:
    counts = [0.0] * 71
    counts[50], counts[70] = 85 / n, 15 / n
    found = measure(counts, Road(50), 1.0)
    assert found is not None
    assert found[MEASURES.index("v85_kmh")] == pytest.approx(50.5)


@pytest.mark.parametrize("counts", [[], [0, 0, 0]])
def test_without_a_vehicle_there_are_no_numbers(counts: list[int]) -> None:
    assert measure(counts, Road(50), 1.0) is None


@given(st.lists(st.dictionaries(st.integers(0, 250), st.integers(1, 500), max_size=20), max_size=10))
def test_lanes_add_up_as_counts_do(many: list[dict[int, int]]) -> None:
    added = spread(sum(lanes_of(packed(counts)) for counts in many))
    wanted: dict[int, int] = {}
    for counts in many:
        for speed, n in counts.items():
            wanted[speed] = wanted.get(speed, 0) + n
    assert {speed: n for speed, n in enumerate(added) if n} == wanted
