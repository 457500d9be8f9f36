"""Lux of the sun's height, and the luminance that EN 12966 asks for in it."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.daylight import DEFAULT_CURVE, EN_12966_L3_CD_M2, SUNLIGHT_LX, level_of, sunlight_lx

# The least cd/m2 of class L3 in three colours: every colour asks for the same ratios.
WHITE = {40_000: 12_400, 4_000: 2_200, 400: 600, 40: 250, 4: 75}
YELLOW = {40_000: 7_440, 4_000: 1_320, 400: 360, 40: 150, 4: 45}
RED = {40_000: 3_100, 4_000: 550, 400: 150, 40: 63, 4: 19}


@pytest.mark.parametrize("lux", WHITE)
def test_the_standards_table_is_met_at_its_points(lux: float) -> None:
    assert level_of(lux) * 12_400 == pytest.approx(WHITE[int(lux)], rel=1e-12)


@pytest.mark.parametrize(("colour", "rel"), [(YELLOW, 1e-9), (RED, 0.02)])
def test_other_colours_have_the_same_shares(colour: dict[int, float], rel: float) -> None:
    for lux, minimum in colour.items():
        assert level_of(lux) * colour[40_000] == pytest.approx(minimum, rel=rel)


def test_between_two_points_it_is_straight_on_log_scales() -> None:
    middle = math.sqrt(400 * 4_000)
    assert level_of(middle) * 12_400 == pytest.approx(math.sqrt(600 * 2_200))


def test_beyond_the_table_its_ends_hold() -> None:
    assert level_of(0.0) == level_of(4.0) == pytest.approx(75 / 12_400)
    assert level_of(150_000) == 1.0


def test_day_to_night_is_165_to_1() -> None:
    assert level_of(40_000) / level_of(4) == pytest.approx(165.3, abs=0.1)


@given(st.floats(0, 200_000), st.floats(0, 200_000))
def test_more_light_is_never_a_dimmer_panel(one: float, other: float) -> None:
    assert level_of(min(one, other)) <= level_of(max(one, other)) + 1e-12


CURVES = st.lists(
    st.tuples(st.floats(0, 200_000), st.floats(0, 1)),
    min_size=2,
    max_size=8,
    unique_by=lambda point: point[0],
).map(sorted)


@given(CURVES, st.floats(0, 200_000))
def test_any_curve_gives_a_level_between_its_own(curve: list[tuple[float, float]], lux: float) -> None:
    levels = [level for _, level in curve]
    assert min(levels) - 1e-3 <= level_of(lux, curve) <= max(levels) + 1e-3


@given(CURVES)
def test_a_curve_is_met_at_its_own_points(curve: list[tuple[float, float]]) -> None:
    for lux, level in curve:
        if lux > 0.001 and sum(abs(math.log(lux / max(other, 1e-3))) < 1e-9 for other, _ in curve) == 1:
            assert level_of(lux, curve) == pytest.approx(level, abs=1.1e-3)


def test_a_level_of_zero_is_zero_at_its_point() -> None:
    curve = ((10.0, 0.0), (10_000.0, 1.0))
    assert level_of(5, curve) == 0.0
    assert 0.0 < level_of(20, curve) < level_of(1000, curve) < 1.0


def test_the_default_can_be_written_down_as_a_curve_of_ones_own() -> None:
    own = [(4, 0.00605), (40, 0.02016), (400, 0.04839), (4_000, 0.17742), (40_000, 1.0)]
    for lux in (1, 4, 17, 100, 900, 12_345, 40_000, 90_000):
        assert level_of(lux, own) == pytest.approx(level_of(lux), rel=1e-3)


# ---------------------------------------------------------------------- the sun


def recommended_practice_lx(elevation_deg: float) -> float:
    """IES 1984, clear sky: the beam on a face turned to the sun, and the skylight on the level ground."""
    sine = math.sin(math.radians(elevation_deg))
    beam = 127_500 * math.exp(-0.21 / sine)
    return beam + 800 + 15_500 * math.sqrt(sine)


def overcast_lx(elevation_deg: float) -> float:
    """The same practice under a closed cover of cloud."""
    return 300 + 21_000 * math.sin(math.radians(elevation_deg))


# The Explanatory Supplement's polynomials in (height / 90 degrees) give log10 lux.
TWILIGHT = {
    (-18, -12): (13.84, 262.72, 1447.42, 2797.93),
    (-12, -5): (2.70, 12.17, -431.69, -1899.83),
    (-5, 0): (2.88, 21.81, -258.11, -858.36),
}


@pytest.mark.parametrize("degrees", [deg for deg, _ in SUNLIGHT_LX if deg > 0])
def test_daylight_is_the_recommended_practice(degrees: float) -> None:
    assert sunlight_lx(degrees) == pytest.approx(recommended_practice_lx(degrees), rel=0.02)


@pytest.mark.parametrize("degrees", [-18, -12, -9, -6, -4, -2, 0])
def test_twilight_is_the_almanacs(degrees: int) -> None:
    coefficients = next(of for (low, high), of in TWILIGHT.items() if low <= degrees <= high)
    exponent = sum(factor * (degrees / 90) ** power for power, factor in enumerate(coefficients))
    assert sunlight_lx(degrees) == pytest.approx(10**exponent, rel=0.05)


@given(st.floats(-90, 90), st.floats(-90, 90))
def test_a_higher_sun_is_never_a_darker_day(one: float, other: float) -> None:
    assert sunlight_lx(min(one, other)) <= sunlight_lx(max(one, other)) * (1 + 1e-9)


def test_the_night_is_below_the_table_and_full_daylight_above_it() -> None:
    assert sunlight_lx(-90) == pytest.approx(0.00065)
    assert level_of(sunlight_lx(-6)) == level_of(0)
    assert level_of(sunlight_lx(10)) == 1.0


@pytest.mark.parametrize("tenths", range(0, 581, 2))
def test_under_clouds_it_is_hardly_brighter_than_the_standard_allows(tenths: int) -> None:
    """The standard's maxima are five times its minima, so one table serves the sun on the face and clouds."""
    needed = level_of(overcast_lx(tenths / 10))
    given_ = level_of(sunlight_lx(tenths / 10))
    assert needed <= given_ <= 5 * 1.2 * needed


def test_the_curve_and_the_table_rise() -> None:
    for points in (SUNLIGHT_LX, EN_12966_L3_CD_M2, DEFAULT_CURVE):
        for before, after in pairwise(points):
            assert before[0] < after[0]
            assert before[1] < after[1]
