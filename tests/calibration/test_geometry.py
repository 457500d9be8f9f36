"""The angle from a tape measure, the error at each range, and the drawing of it."""

from __future__ import annotations

from math import atan, cos, degrees, hypot, inf, nan, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.calibration.geometry import RANGES_M, Mounting, Place, aimed_at, error_at, turned_by
from speedsign.calibration.sketch import Labels, sketch

PLACE = Place(5.0, 2.5)
LEVEL = Place(5.0, 0.7)  # as high as echoes: all in the plane


@pytest.mark.parametrize(("along_m", "low_percent"), [(60, 0.3), (30, 1.4), (15, 5.1), (10, 10.6)])
def test_the_cosine_of_a_sign_five_metres_beside_the_lane(along_m: float, low_percent: float) -> None:
    assert -error_at(LEVEL, 0.0, along_m).uncorrected_percent == pytest.approx(low_percent, abs=0.05)


@pytest.mark.parametrize(("angle", "low"), [(5, 0.4), (10, 1.5), (15, 3.4), (20, 6.0), (25, 9.4), (30, 13.4)])
def test_the_cosine_by_angle(angle: float, low: float) -> None:
    found = error_at(LEVEL, angle, 5.0 / (1 / cos(radians(angle)) ** 2 - 1) ** 0.5, 100.0)
    assert -found.uncorrected_percent == pytest.approx(low, abs=0.05)
    assert found.left_percent == pytest.approx(0.0, abs=1e-9)
    assert found.left_kmh == pytest.approx(0.0, abs=1e-9)


@given(st.floats(0.5, 15.0), st.floats(0.7, 6.0), st.floats(12.0, 80.0))
def test_aiming_and_turning_agree(lateral_m: float, height_m: float, aim_m: float) -> None:
    place = Place(lateral_m, height_m)
    aimed = aimed_at(place, aim_m)
    turned = turned_by(place, aimed.horizontal_deg, aimed.down_deg)
    assert turned.angle_deg == pytest.approx(aimed.angle_deg, abs=1e-6)
    assert turned.aim_m == pytest.approx(aim_m)
    assert aimed.angle_deg == pytest.approx(degrees(atan(hypot(lateral_m, height_m - 0.7) / aim_m)))


@given(st.floats(1.0, 10.0), st.floats(1.0, 5.0), st.floats(15.0, 60.0))
def test_nearer_is_too_slow_and_farther_too_fast(lateral_m: float, height_m: float, aim_m: float) -> None:
    mounting = aimed_at(Place(lateral_m, height_m), aim_m, ranges_m=(aim_m / 2, aim_m, 2 * aim_m))
    near, at, far = mounting.table
    assert near.left_percent < at.left_percent < far.left_percent
    assert at.left_percent == pytest.approx(0.0, abs=1e-9)
    assert far.left_kmh == pytest.approx(far.left_percent / 100 * 50)


def test_the_table_has_the_ranges_asked_for() -> None:
    assert tuple(line.along_m for line in aimed_at(PLACE, 30.0).table) == RANGES_M


def test_a_beam_along_the_road_never_meets_the_lane() -> None:
    along = turned_by(PLACE, 0.0)
    assert (along.angle_deg, along.aim_m, along.lands_m) == (0.0, inf, inf)
    assert turned_by(PLACE, 0.0, 5.0).lands_m == pytest.approx(1.8 / 0.0875, rel=1e-3)


@pytest.mark.parametrize(
    ("lateral_m", "height_m", "what"),
    [(-1, 2, "middle of the lane"), (nan, 2, "lane"), (5, -1, "height"), (5, inf, "height")],
)
def test_impossible_places(lateral_m: float, height_m: float, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Place(lateral_m, height_m)


@pytest.mark.parametrize("bad", [0.0, -5.0, nan, inf])
def test_impossible_ways(bad: float) -> None:
    with pytest.raises(ValueError, match="along the road"):
        aimed_at(PLACE, bad)


@pytest.mark.parametrize(("horizontal", "down"), [(90, 0), (-1, 0), (nan, 0), (10, 50), (10, nan)])
def test_impossible_angles(horizontal: float, down: float) -> None:
    with pytest.raises(ValueError, match="angle"):
        turned_by(PLACE, horizontal, down)


def test_an_angle_that_the_config_does_not_take() -> None:
    with pytest.raises(ValueError, match="aim farther"):
        aimed_at(PLACE, 2.0)
    with pytest.raises(ValueError, match="mounting angle"):
        error_at(PLACE, 61.0, 30.0)
    with pytest.raises(ValueError, match="speed"):
        aimed_at(PLACE, 30.0, speed_kmh=0.0)


SKETCH = """\
  from above                    10.0 deg
  S . . sign, 5 m
        . .
            . . .
                  . .
                      . . .
                            . .
  ==============================X=======
  0 m                         30 m
  = middle of the lane

  from the side                  3.4 deg
  S . . . sign, 2.5 m
          . . . .
                  . . . .
                          . . .
  ==============================X=======
  0 m                         30 m"""


def test_the_drawing_on_a_phone() -> None:
    assert "\n".join(sketch(PLACE, aimed_at(PLACE, 30.0), 40)) == SKETCH


@given(
    st.integers(32, 120),
    st.floats(0.5, 20.0),
    st.floats(0.0, 10.0),
    st.floats(0.0, 45.0),
    st.floats(-20.0, 20.0),
)
def test_no_line_is_too_long_and_the_radar_is_there(
    columns: int, lateral_m: float, height_m: float, horizontal: float, down: float
) -> None:
    place = Place(round(lateral_m, 1), round(height_m, 1))
    mounting: Mounting = turned_by(place, horizontal, down)
    lines = sketch(place, mounting, columns)
    assert max(map(len, lines)) <= columns
    assert sum(line.startswith("  S") for line in lines) == 2
    assert all(line.isascii() for line in lines)


def test_the_beam_meets_the_lane_where_the_dots_lead() -> None:
    for columns in (40, 80, 120):
        lines = sketch(PLACE, aimed_at(PLACE, 25.0), columns)
        road = next(line for line in lines if "X" in line)
        above = lines[lines.index(road) - 1]
        assert 0 < road.index("X") - above.rindex(".") <= 2


def test_the_words_can_be_other_ones() -> None:
    words = Labels("no augšas", "no sāna", "zīme", "joslas vidus", "auto")
    drawn = "\n".join(sketch(PLACE, aimed_at(PLACE, 30.0), 80, words))
    assert all(word in drawn for word in ("no augšas", "no sāna", "zīme", "joslas vidus", "auto"))


def test_a_drawing_needs_room() -> None:
    with pytest.raises(ValueError, match="32 columns"):
        sketch(PLACE, aimed_at(PLACE, 30.0), 20)
