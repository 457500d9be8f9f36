"""A radar that is turned so that cars are read at a wanted angle."""

from __future__ import annotations

from dataclasses import replace
from math import atan2, degrees, hypot

import pytest

from benchmarks.traffic_angle.roads import Mast, population_deg, record
from simulator.aim import aimed, heard_along, lanes
from simulator.radar_physics import TARGET_HEIGHT_M
from simulator.radars.catalogue import ANTENNAS, RADARS, SQUELCHES
from speedsign.model import Direction


@pytest.mark.parametrize("radar", ["ops243", "ld2415h", "ld2451"])
@pytest.mark.parametrize("angle_deg", [5, 10, 15, 20, 25])
def test_the_wanted_angle_is_that_of_a_quarter_of_the_way(radar: str, angle_deg: int) -> None:
    antenna, squelch = ANTENNAS[radar], SQUELCHES[radar]
    aim = aimed(antenna, angle_deg, squelch)
    assert aim.angle_deg == pytest.approx(angle_deg, abs=0.5)
    heard = heard_along(replace(antenna, aim_deg=aim.turned_deg), aim.offset_m, squelch)
    assert heard is not None
    assert heard.farthest_m - heard.nearest_m > 20
    beside_m = hypot(aim.offset_m, antenna.mounting_height_m - TARGET_HEIGHT_M)
    assert degrees(atan2(beside_m, heard.quarter_m)) == pytest.approx(aim.angle_deg)
    assert aim.turned_deg > aim.angle_deg  # the axis points nearer to the pole than most cars are read


@pytest.mark.parametrize("angle_deg", [8, 20])
def test_real_traffic_is_read_at_about_that_angle(angle_deg: int) -> None:
    antenna = ANTENNAS["ops243"]
    aim = aimed(antenna, angle_deg)
    mast = Mast("here", aim.offset_m, aim.turned_deg, height_m=antenna.mounting_height_m)
    assert population_deg(record(mast, 1, 60).angles_deg) == pytest.approx(angle_deg, abs=2.0)


@pytest.mark.parametrize("radar", RADARS)
def test_every_antenna_is_aimed_or_says_that_it_cannot_be(radar: str) -> None:
    assert aimed(ANTENNAS[radar], 15.0, SQUELCHES[radar]).offset_m > 0
    with pytest.raises(ValueError, match="does not read cars at 89 degrees; the nearest is"):
        aimed(ANTENNAS[radar], 89.0, SQUELCHES[radar])


def test_the_lanes_are_beside_each_other_and_the_first_two_are_those_of_cars() -> None:
    near, far, *verges = lanes(6.0)
    assert (near.direction, near.offset_m) == (Direction.APPROACHING, 6.0)
    assert (far.direction, far.offset_m) == (Direction.RECEDING, 9.5)
    assert sorted(one.offset_m for one in verges) == [4.5, 11.0]
