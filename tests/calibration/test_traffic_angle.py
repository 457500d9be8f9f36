"""Many cars: the angle with its interval, or a sentence why traffic cannot tell it."""

from __future__ import annotations

from math import cos, nan, radians
from random import Random

import pytest

from speedsign.calibration.approach import Approach, Fits
from speedsign.calibration.traffic_angle import (
    LEAST_PASSAGES,
    CannotTell,
    TrafficAngle,
    lane_of,
    traffic_angle,
)
from tests.calibration.passes import approach, street


def told(cars: list[Approach]) -> TrafficAngle:
    found = traffic_angle(cars)
    assert isinstance(found, TrafficAngle), found
    return found


def refused(cars: list[Approach]) -> CannotTell:
    found = traffic_angle(cars)
    assert isinstance(found, CannotTell), found
    return found


@pytest.mark.parametrize(
    ("beside_m", "near_m", "far_m"), [(4.5, 10.0, 60.0), (6.0, 8.0, 45.0), (8.0, 8.0, 35.0), (9.0, 6.0, 26.0)]
)
def test_the_angle_is_found_and_lies_in_its_interval(beside_m: float, near_m: float, far_m: float) -> None:
    """From 6 to 25 degrees."""
    cars, truth = street(120, 3, beside_m=beside_m, near_m=near_m, far_m=far_m)
    found = told(cars)
    assert found.angle_deg == pytest.approx(truth, abs=1.0)
    assert found.low_deg <= truth <= found.high_deg
    assert found.half_width_deg < 2.0
    assert found.beside_m == pytest.approx(beside_m, rel=0.08)
    assert found.error_percent == pytest.approx(100 * (cos(radians(found.angle_deg)) - 1))
    assert found.passages + sum(found.rejected.values()) == 120


def test_more_cars_make_it_surer() -> None:
    few, _ = street(40, 5)
    many, _ = street(300, 5)
    assert told(many).half_width_deg < told(few).half_width_deg


def test_braking_drivers_and_two_in_one_track_are_left_out() -> None:
    cars, truth = street(100, 7)
    random = Random(7)
    hard = [approach(accel_mps2=-2.5, speed_kmh=70.0, noise_mps=0.06, random=random)[0] for _ in range(25)]
    two = []
    for _ in range(20):
        one, _ = approach(noise_mps=0.06, random=random)
        half = len(one.times_s) // 2
        two.append(one._replace(speeds_kmh=tuple(v - 6 * (i > half) for i, v in enumerate(one.speeds_kmh))))
    found = told([*cars, *hard, *two])
    assert found.angle_deg == pytest.approx(truth, abs=1.0)
    assert found.low_deg <= truth <= found.high_deg
    assert sum(found.rejected.values()) > 20


def test_no_cars_and_few_cars_are_refused_with_the_number() -> None:
    assert "no vehicle" in refused([]).reason
    cars, _ = street(12, 1)
    found = refused(cars)
    assert f"12 usable passages of 12; {LEAST_PASSAGES} are needed" in found.reason
    assert found.passages == 12


def test_speeds_that_stay_the_same_through_the_beam_are_refused() -> None:
    """A radar that looks along the road, and loses cars long before they come beside it."""
    cars, _ = street(80, 2, beside_m=3.0, near_m=55.0, far_m=110.0)
    found = refused(cars)
    assert "does not fall" in found.reason
    assert found.rejected["no fall"] > 50


def test_short_tracks_are_counted_as_such() -> None:
    cars, _ = street(60, 4)
    short = [Approach(one.times_s[:6], one.speeds_kmh[:6]) for one in cars]
    assert told([*cars, *short]).rejected["short"] == 60


def test_a_street_of_braking_drivers_is_refused() -> None:
    random = Random(9)
    hard = [approach(accel_mps2=-2.5, speed_kmh=75.0, noise_mps=0.05, random=random)[0] for _ in range(150)]
    cars, _ = street(35, 4)
    assert "can be used" in refused([*hard, *cars]).reason


def test_an_angle_that_the_sensor_corrects_for_leaves_the_angle_as_it_is() -> None:
    """Why it has to be asked for, or seen in ranges."""
    plain, _ = street(80, 6)
    corrected, _ = street(80, 6, corrected=1 / cos(radians(20.0)))
    assert told(corrected).angle_deg == pytest.approx(told(plain).angle_deg, abs=0.5)
    assert told(corrected).beside_m > 1.03 * told(plain).beside_m


def test_impossible_readings_are_refused() -> None:
    cars, _ = street(40, 1)
    with pytest.raises(ValueError, match="numbers"):
        traffic_angle([*cars, Approach((0.0, 0.1), (50.0, nan))])


def test_the_same_cars_tell_the_same() -> None:
    cars, _ = street(60, 8)
    assert traffic_angle(cars) == traffic_angle(tuple(cars))


def test_the_lane_is_near_that_of_most_cars() -> None:
    near, _ = street(60, 1, beside_m=5.0)
    far, _ = street(60, 2, beside_m=9.0)
    assert lane_of([Fits(one, 0.06) for one in near]) == pytest.approx(5.0, rel=0.05)
    assert lane_of([Fits(one, 0.06) for one in far]) == pytest.approx(9.0, rel=0.05)
    assert lane_of([Fits(one, 0.06) for one in [*near, *far[:15]]]) < 6.2
