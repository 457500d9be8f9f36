"""speedsign.calibration.curve: a point found by eye among those that are there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.calibration.curve import MOST_LX, NEAR_TIMES, STANDARD, Contradiction, with_point
from speedsign.config.load import parse_config

LUX = st.floats(0, MOST_LX)
LEVEL = st.floats(0, 1)


def test_points_of_the_standard_give_way_and_the_others_stay() -> None:
    night = with_point((), 0.00065, 0.143)
    assert night == [(0.00065, 0.143), (4_000.0, 0.177), (40_000.0, 1.0)]
    both = with_point(night, 44_800.0, 0.857)
    assert both == [(0.00065, 0.143), (4_000.0, 0.177), (45_000.0, 0.857)]


def test_a_point_near_in_light_is_replaced() -> None:
    mine = [(4.0, 0.1), (1_000.0, 0.5), (50_000.0, 0.9)]
    assert with_point(mine, 1_000.0 * NEAR_TIMES, 0.6) == [(4.0, 0.1), (2_500.0, 0.6), (50_000.0, 0.9)]
    assert len(with_point(mine, 1_100.0 * NEAR_TIMES, 0.6)) == 4


def test_a_contradiction_is_named_and_taken_out_only_when_told_so() -> None:
    mine = [(4.0, 0.1), (1_000.0, 0.5), (50_000.0, 0.9)]
    with pytest.raises(
        Contradiction, match=r"0.3 at 10000 lx does not go with 0.5 at 1000 lx, which was"
    ) as told:
        with_point(mine, 10_000.0, 0.3)
    assert told.value.points == ((1_000.0, 0.5),)
    assert with_point(mine, 10_000.0, 0.3, replace=True) == [(4.0, 0.1), (10_000.0, 0.3), (50_000.0, 0.9)]


@pytest.mark.parametrize(
    ("lux", "level", "said"),
    [
        (-1.0, 0.5, "light is 0"),
        (3e5, 0.5, "light is 0"),
        (float("nan"), 0.5, "light"),
        (1.0, 1.1, "a level is"),
    ],
)
def test_what_is_no_light_or_level_is_refused(lux: float, level: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        with_point((), lux, level)


@given(st.lists(st.tuples(LUX, LEVEL), min_size=1, max_size=12))
def test_whatever_is_set_one_after_the_other_is_a_curve_that_a_config_takes(
    points: list[tuple[float, float]],
) -> None:
    curve: list[tuple[float, float]] = []
    for lux, level in points:
        curve = with_point(curve, lux, level, replace=True)
        assert any(abs(one[1] - level) <= 0.0005 for one in curve)
    text = f"[brightness]\ncurve = {[list(one) for one in curve]}\n"
    config = parse_config(
        f'[sign]\nid = "abc"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "x"\n{text}', "written"
    )
    assert config.brightness.curve == tuple(curve)


def test_the_standard_itself_is_a_curve() -> None:
    assert list(STANDARD) == sorted(STANDARD)
    assert with_point((), 4_000.0, 0.177) == list(STANDARD)
