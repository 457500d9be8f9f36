"""The numbers against computations of another kind on random counts; published ones: test_published.py."""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.percentiles import (
    Rule,
    classes,
    grouped_percentile,
)
from telemetry.statistics import (
    Band,
    Sample,
    Statistics,
    bands,
    compute,
    merge,
    merged_bands,
    method,
    pace,
)

histograms = st.dictionaries(st.integers(0, 200), st.integers(0, 30), max_size=40)


def brute_force_percentile(counts: dict[int, int], percent: int, low_edge: Fraction) -> Fraction:
    """Each vehicle spread evenly over its own n-th of the class; exact fractions, one vehicle at a time."""
    target = Fraction(percent * sum(counts.values()), 100)
    passed = 0
    for speed in sorted(counts):
        for place in range(counts[speed]):
            if passed + 1 >= target:
                part = (place + (target - passed)) / counts[speed]
                return speed + low_edge + part
            passed += 1
    raise AssertionError("no vehicle")


@settings(deadline=None)
@given(histograms, st.integers(1, 99), st.booleans())
def test_percentiles_against_brute_force(counts: dict[int, int], percent: int, rounds: bool) -> None:
    found = grouped_percentile(classes(counts, rounds=rounds), percent)
    if not any(counts.values()):
        assert found is None
        return
    edge = Fraction(-1, 2) if rounds else Fraction(0)
    assert found == pytest.approx(float(brute_force_percentile(counts, percent, edge)), abs=1e-9)


@settings(deadline=None)
@given(histograms)
def test_mean_and_deviation_against_the_standard_library(counts: dict[int, int]) -> None:
    raw = [speed for speed, n in counts.items() for _ in range(n)]
    found = compute(counts, 50)
    assert found.n == len(raw)
    assert found.mean_kmh == (pytest.approx(statistics.fmean(raw)) if raw else None)
    assert found.sd_kmh == (pytest.approx(statistics.stdev(raw)) if len(raw) > 1 else None)
    assert found.max_kmh == max(raw, default=None)


@settings(deadline=None)
@given(histograms, st.integers(10, 130))
def test_shares_and_bands_add_up(counts: dict[int, int], limit: int) -> None:
    raw = [speed for speed, n in counts.items() for _ in range(n)]
    found = compute(counts, limit)
    assert sum(band.n for band in found.bands) == len(raw)
    if raw:
        assert found.over_limit_share == sum(speed > limit for speed in raw) / len(raw)
        assert found.over_limit_10_share == sum(speed > limit + 10 for speed in raw) / len(raw)
        assert found.over_limit_20_share == sum(speed > limit + 20 for speed in raw) / len(raw)


@settings(deadline=None)
@given(histograms)
def test_no_window_holds_more_than_the_pace(counts: dict[int, int]) -> None:
    window = pace(counts)
    raw = [speed for speed, n in counts.items() for _ in range(n)]
    if window is None:
        assert not raw
        return
    held = {low: sum(low <= speed <= low + 14 for speed in raw) for low in range(201)}
    assert window.n == max(held.values())
    assert window.low_kmh == min(low for low, n in held.items() if n == window.n)
    assert window.high_kmh - window.low_kmh == 14


@settings(deadline=None)
@given(st.lists(histograms, max_size=4))
def test_merging_is_counting_together(parts: list[dict[int, int]]) -> None:
    raw = sorted(speed for counts in parts for speed, n in counts.items() for _ in range(n))
    assert [speed for speed, n in merge(parts).items() for _ in range(n)] == raw


def test_a_share_reached_at_a_gap_is_the_upper_edge_of_the_class_before_it() -> None:
    groups = classes({40: 1, 60: 1}, rounds=True)
    assert [grouped_percentile(groups, percent) for percent in (0, 25, 50, 75, 100)] == [
        39.5, 40.0, 40.5, 60.0, 60.5,
    ]  # fmt: skip


def test_the_limit_itself_is_not_over_it() -> None:
    found = compute({50: 1, 51: 1, 60: 1, 61: 1, 70: 1, 71: 1, 100: 1, 101: 3}, 50)
    assert found.over_limit_share == 0.9
    assert [(band.name, band.n) for band in found.bands] == [
        ("within limit", 1), ("1-10", 2), ("11-20", 2), ("21-30", 1), ("31-40", 0), ("41-50", 1),
        ("51-60", 3), ("61-70", 0), (">70", 0),
    ]  # fmt: skip


def test_a_radar_that_truncates_is_half_a_kmh_up() -> None:
    counts = {47: 30, 50: 70}
    cut, rounded = compute(counts, 50, rounds=False), compute(counts, 50)
    assert cut.mean_kmh is not None
    assert rounded.mean_kmh is not None
    assert cut.mean_kmh - rounded.mean_kmh == pytest.approx(0.5)
    assert "[k, k+1)" in method(rounds=False)
    assert "[k-0.5, k+0.5)" in method(rounds=True)


def test_no_vehicle_is_no_error() -> None:
    found = compute({50: 0}, 50)
    assert (found.n, found.mean_kmh, found.max_kmh, found.pace, found.over_limit_share) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert set(found.percentiles_kmh.values()) == {None}
    assert all(band.share is None for band in bands({}, 50))


# --------------------------------------------------------------------------- every figure once more, by numpy


PERCENTS = (0.5, 7, 15, 50, 85, 93, 99.9)


def raw_speeds(counts: dict[int, int]) -> np.ndarray:
    return np.repeat(np.array(list(counts), dtype=int), np.array(list(counts.values()), dtype=int))


def binned(raw: np.ndarray, width: int, low_edge: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges of all classes from 0 up, and vehicles in each: whole speeds, so no edge is ever hit."""
    classes_n = raw.max() // width + 1
    edges = np.arange(classes_n + 1) * width + low_edge
    return edges, np.histogram(raw + 0.25, edges + (0.0 if low_edge == 0 else 0.5))[0]


def by_rule(raw: np.ndarray, rule: Rule, width: int, low_edge: float, percent: float) -> float:
    edges, n = binned(raw, width, low_edge)
    passed = np.cumsum(n)
    if rule is Rule.GROUPED:
        place = int(np.searchsorted(passed, percent / 100 * len(raw) - 1e-9))
        before = passed[place] - n[place]
        return float(edges[place] + (percent / 100 * len(raw) - before) / n[place] * width)
    middles = (edges[:-1] + width / 2)[n > 0]
    if rule is Rule.VALUE:
        return float(np.interp(percent / 100 * len(raw), passed[n > 0], middles))
    rank = min(max(math.floor(percent * len(raw) / 100 + 0.5), 1), len(raw))
    return float(np.sort(np.repeat(middles, n[n > 0]))[rank - 1])


@settings(deadline=None)
@given(histograms, st.booleans(), st.sampled_from(Rule), st.integers(1, 20))
def test_mean_deviation_and_percentiles_with_their_ranges(
    counts: dict[int, int], rounds: bool, rule: Rule, width: int
) -> None:
    found = compute(counts, 50, rounds=rounds, percents=PERCENTS, rule=rule, class_width=width)
    raw = raw_speeds(counts)
    n = len(raw)
    if n == 0:
        return
    low_edge = -0.5 if rounds else 0.0
    middles = raw // width * width + low_edge + width / 2
    assert found.mean_kmh == pytest.approx(np.mean(middles))
    if n > 1:
        error = np.std(middles, ddof=1) / np.sqrt(n)
        assert found.sd_kmh == pytest.approx(np.std(middles, ddof=1), abs=1e-9)
        assert found.mean_se_kmh == pytest.approx(error, abs=1e-9)
        assert found.mean_low_kmh == pytest.approx(np.mean(middles) - 1.96 * error)
        assert found.mean_high_kmh == pytest.approx(np.mean(middles) + 1.96 * error)
    edges, of_class = binned(raw, width, low_edge)
    for percent in PERCENTS:
        speed = by_rule(raw, rule, width, low_edge, percent)
        assert found.percentiles_kmh[percent] == pytest.approx(speed, abs=1e-6)
        share_error = np.sqrt(percent / 100 * (1 - percent / 100) / n)
        place = int(np.searchsorted(np.cumsum(of_class), percent / 100 * n - 1e-9))
        density = of_class[place] / n / width
        assert found.percentile_ses_kmh[percent] == pytest.approx(share_error / density)
        ends = (max(percent - 196 * share_error, 0), min(percent + 196 * share_error, 100))
        expected = [by_rule(raw, rule, width, low_edge, end) for end in ends if end > 0]
        if ends[0] == 0:  # nothing is below: the lower edge of the slowest class, or its middle
            lowest = edges[int(np.argmax(of_class > 0))]
            expected.insert(0, lowest if rule is Rule.GROUPED else lowest + width / 2)
        assert found.percentile_ranges_kmh[percent] == pytest.approx(tuple(expected), abs=1e-4)


@settings(deadline=None)
@given(histograms, st.booleans(), st.sampled_from(Rule))
def test_the_skewness_index(counts: dict[int, int], rounds: bool, rule: Rule) -> None:
    found = compute(counts, 50, rounds=rounds, rule=rule).skewness
    raw = raw_speeds(counts)
    ends = [by_rule(raw, rule, 1, -0.5 if rounds else 0.0, p) for p in (7, 50, 93)] if len(raw) else [0, 0, 0]
    if ends[2] - ends[0] < 1e-9:
        assert found is None
    else:
        assert found == pytest.approx(2 * (ends[2] - ends[1]) / (ends[2] - ends[0]))


def test_even_speeds_have_a_skewness_of_one() -> None:
    assert compute(dict.fromkeys(range(30, 71), 10), 50).skewness == pytest.approx(1)
    fast_tail = {50: 900, 60: 50, 80: 50}
    assert (compute(fast_tail, 50).skewness or 0) > 1


@settings(deadline=None)
@given(histograms, st.integers(5, 130))
def test_within_the_limit_is_what_is_not_over(counts: dict[int, int], limit: int) -> None:
    found = compute(counts, limit)
    raw = raw_speeds(counts)
    if not len(raw):
        assert found.within_limit_share is None
        return
    assert found.within_limit_share == pytest.approx(float(np.mean(raw <= limit)))
    assert found.within_limit_share == found.bands[0].share
    for band in found.bands[1:]:
        inside = (raw >= band.from_kmh) & (raw <= (10_000 if band.to_kmh is None else band.to_kmh))
        assert band.n == inside.sum()


def test_a_range_holds_the_truth_in_about_95_of_100_samples() -> None:
    """Seeded samples of 200 whole speeds against the mean and V85 of the road that they come from."""
    chance = random.Random(5)
    road = statistics.NormalDist(50, 8)
    true_v85 = road.inv_cdf(0.85)
    held = Counter[str]()
    for _ in range(400):
        sample = Counter(math.floor(chance.gauss(50, 8) + 0.5) for _ in range(200))
        found = compute(sample, 50)
        held["mean"] += (found.mean_low_kmh or 0) <= 50 <= (found.mean_high_kmh or 0)
        low, high = found.percentile_ranges_kmh[85]
        held["v85"] += (low or 0) <= true_v85 <= (high or 0)
    assert 0.92 <= held["mean"] / 400 <= 0.98
    assert 0.92 <= held["v85"] / 400 <= 0.98


# --------------------------------------------------------------------------- support, suspects, bands


@pytest.mark.parametrize(
    ("n", "sample"), [(0, "few"), (1, "few"), (29, "few"), (30, "low"), (99, "low"), (100, "ok")]
)
def test_few_vehicles_are_said_to_be_few(n: int, sample: str) -> None:
    assert compute({50: n}, 50).sample is Sample(sample)


@pytest.mark.parametrize(
    ("suspects", "fastest"),
    [({}, 180), ({180: 1}, 90), ({180: 1, 90: 1}, 90), ({180: 1, 90: 2, 50: 5}, None)],
)
def test_the_fastest_is_one_that_no_flag_is_against(suspects: dict[int, int], fastest: int | None) -> None:
    found = compute({50: 5, 90: 2, 180: 1}, 50, suspects=suspects)
    assert found.max_kmh == fastest
    assert (found.n, found.suspects) == (8, sum(suspects.values()))
    assert found.over_limit_share == 3 / 8  # suspects are counted


def test_lithuania_has_one_band_above_50_over() -> None:
    found = bands({50: 4, 101: 1, 112: 2, 150: 3}, 50)
    assert merged_bands(found, "lv") == found
    assert merged_bands(found, "other") == found
    merged = merged_bands(found, "lt")
    assert merged[:-1] == found[:6]
    assert merged[-1] == Band(">50", 101, None, 6, 0.6)
    assert sum(band.n for band in merged) == 10
    assert merged_bands(bands({}, 50), "lt")[-1] == Band(">50", 101, None, 0, None)


@pytest.mark.parametrize("width", [1, 3, 5, 10, 20])
@pytest.mark.parametrize("rounds", [True, False])
def test_classes_begin_at_multiples_of_their_width(width: int, rounds: bool) -> None:
    groups = classes(dict.fromkeys(range(121), 1), rounds=rounds, width=width)
    below = 0.5 if rounds else 0.0
    assert [group.low + below for group in groups] == list(range(0, 121, width))
    assert {group.width for group in groups} == {float(width)}
    assert sum(group.n for group in groups) == 121


def test_a_rule_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="nearest"):
        compute({50: 1}, 50, rule="nearest")


@pytest.mark.parametrize(
    ("rounds", "rule", "width", "said"),
    [
        (True, "grouped", 1, "grouped by integer km/h with classes [k-0.5, k+0.5), the radar rounds"),
        (False, "grouped", 1, "classes [k, k+1), the radar truncates"),
        (True, "grouped", 5, "grouped by 5 km/h with classes [k-0.5, k+4.5), k a multiple of 5"),
        (False, "value", 10, "value-plotted: linear between the mid-points of classes [k, k+10)"),
        (True, "counted", 1, "counted: the mid-point of the class [k-0.5, k+0.5)"),
    ],
)
def test_the_method_names_rule_edges_and_what_ranges_leave_out(
    rounds: bool, rule: str, width: int, said: str
) -> None:
    text = method(rounds=rounds, rule=rule, class_width=width)
    assert said in text
    assert "take vehicles as independent" in text


def test_no_vehicle_has_no_range() -> None:
    empty: Statistics = compute({}, 50)
    assert (empty.mean_se_kmh, empty.mean_low_kmh, empty.skewness, empty.within_limit_share) == (None,) * 4
    assert set(empty.percentile_ses_kmh.values()) == {None}
    assert set(empty.percentile_ranges_kmh.values()) == {(None, None)}
    one = compute({50: 1}, 50)
    assert (one.mean_kmh, one.mean_se_kmh, one.mean_low_kmh) == (50.0, None, None)
