"""The four speeds of a vehicle that has passed, and its flags."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.model import Direction, Reading
from speedsign.tracking import TrackingParams
from speedsign.tracking.passage import Lanes
from speedsign.tracking.speeds import Speeds, far_part, smoothed, speeds_of, vehicle_of
from tests.core.tracking.cars import (
    EITHER,
    IN,
    OUT,
    approach,
    braking,
    depart,
    drive,
    in_order,
    track_of,
    vehicles,
)


def of(readings: Iterable[Reading], mounting_angle_deg: float = 0.0, *, lanes: Lanes | None = None) -> Speeds:
    held = in_order(readings)
    times, speeds = [r.t_mono_s for r in held], [r.speed_kmh for r in held]
    return speeds_of(times, speeds, held[0].direction, mounting_angle_deg, lanes)


# ------------------------------------------------------------------ the parts


def test_the_far_part_leaves_out_the_pole() -> None:
    times, speeds = [i / 10 for i in range(20)], [float(i) for i in range(20)]
    assert far_part(times, speeds, IN) == speeds[:15]
    assert far_part(times, speeds, OUT) == speeds[5:]
    assert far_part(times, speeds, EITHER) == speeds
    assert far_part(times[:4], speeds[:4], IN) == speeds[:2], "at least half is kept"
    assert far_part(times[:4], speeds[:4], OUT) == speeds[2:4]


def test_smoothing_takes_out_one_spike() -> None:
    assert smoothed([50, 50, 90, 50, 50]) == [50, 50, 50, 50, 50]
    assert smoothed([50, 51]) == [50.5, 50.5]
    assert smoothed([50]) == [50]


# ------------------------------------------------------------------ along the road


@pytest.mark.parametrize("speed_kmh", [20, 30, 50, 70, 90])
@pytest.mark.parametrize("beside_m", [3.0, 5.0, 8.0])
def test_a_steady_car_has_one_speed(speed_kmh: float, beside_m: float) -> None:
    speeds = of(approach(speed_kmh, 100.0, beside_m=beside_m))
    for found in (speeds.speed_kmh, speeds.entry_kmh, speeds.exit_kmh, speeds.max_kmh):
        assert found == pytest.approx(speed_kmh, abs=0.02 * speed_kmh)


def test_the_cosine_of_the_pass_is_put_right() -> None:
    """8 m beside the road the highest reading of all is 49.6; the car drives 50."""
    readings = list(approach(50, 100.0, beside_m=8.0, from_m=50))
    assert max(r.speed_kmh for r in readings) < 49.5
    assert of(readings).speed_kmh == pytest.approx(50.0, abs=0.2)


BRAKES = [(1.5, 60), (2.0, 60), (3.0, 50)]  # m/s², and how far before the pole: from 60 to 48 km/h


@pytest.mark.parametrize(("mps2", "begins_m"), BRAKES)
def test_a_driver_who_brakes_enters_faster_than_he_leaves(mps2: float, begins_m: float) -> None:
    speeds = of(drive(braking(60, 48, mps2, begins_m), 100.0, from_m=80, to_m=12))
    assert speeds.entry_kmh == pytest.approx(60, abs=1.2)
    assert speeds.max_kmh == pytest.approx(60, abs=1.7)
    assert speeds.exit_kmh < 57
    assert speeds.exit_kmh <= speeds.speed_kmh <= speeds.max_kmh


@pytest.mark.parametrize(("mps2", "begins_m"), BRAKES)
def test_by_how_much_he_brakes_is_the_difference(mps2: float, begins_m: float) -> None:
    """Taken alone he looks like one in a farther lane; where the lane is, those before him have told.

    What is left of the mistake makes two thirds of the 12 km/h at least.
    """
    lanes = Lanes()
    for speed_kmh in range(40, 70):
        of(approach(speed_kmh, 10.0), lanes=lanes)
    speeds = of(drive(braking(60, 48, mps2, begins_m), 100.0, from_m=80, to_m=12), lanes=lanes)
    assert 7.8 < speeds.entry_kmh - speeds.exit_kmh < 13
    alone = of(drive(braking(60, 48, mps2, begins_m), 100.0, from_m=80, to_m=12))
    assert alone.entry_kmh - alone.exit_kmh < 7


def test_a_driver_who_speeds_up_leaves_faster() -> None:
    speeds = of(drive(lambda left_m: 30 + 0.4 * (60 - left_m), 100.0, to_m=12))
    assert speeds.entry_kmh == pytest.approx(31, abs=2.0)
    assert speeds.exit_kmh - speeds.entry_kmh == pytest.approx(15, abs=3.0)


def test_no_single_reading_is_a_maximum() -> None:
    readings = [Reading(100 + i / 10, 50.0 + 30 * (i == 8), IN) for i in range(20)]
    assert of(readings).max_kmh == 50.0
    two = [Reading(100 + i / 10, 50.0 + 4 * (8 <= i < 10), IN) for i in range(20)]
    assert of(two).max_kmh == pytest.approx(54.0, abs=0.5)


def test_at_the_pole_no_maximum_is_made() -> None:
    """There a small error of the angle is a large one of the speed."""
    for beside_m in (4.0, 6.0, 8.0):
        assert of(approach(50, 100.0, beside_m=beside_m, to_m=5)).max_kmh < 50.8


# ------------------------------------------------------------------ where no pass is to be seen


def test_without_a_pass_the_upper_quartile_of_the_far_readings_counts() -> None:
    """A direction that nobody knows, 20 readings: the 16th of them in order."""
    readings = [Reading(100 + i / 10, 40.0 + i, EITHER) for i in range(20)]
    assert of(readings) == Speeds(55.0, entry_kmh=42.0, exit_kmh=57.0, max_kmh=58.0, radial_kmh=55.0)


def test_without_a_pass_the_end_near_the_pole_is_left_out() -> None:
    """Too few readings for a pass; the last half second is the cosine's."""
    readings = [Reading(100 + i / 8, 50.0 - 9 * (i > 4), IN) for i in range(9)]
    assert of(readings).speed_kmh == 50.0
    assert of(readings).exit_kmh == 50.0


@pytest.mark.parametrize("angle_deg", [0, 10, 20, 35])
@pytest.mark.parametrize("direction", list(Direction))
def test_the_mounting_angle_is_put_right_once(angle_deg: float, direction: Direction) -> None:
    """A radial speed that does not change has been made by the angle of the beam alone."""
    radial = 50 * math.cos(math.radians(angle_deg))
    speeds = of([Reading(100 + i / 10, radial, direction) for i in range(20)], angle_deg)
    assert astuple(speeds)[:4] == pytest.approx((50.0, 50.0, 50.0, 50.0))


def test_forty_seven_at_twenty_degrees_is_fifty() -> None:
    assert of([Reading(100 + i / 10, 47.0, IN) for i in range(20)], 20.0).speed_kmh == pytest.approx(
        50.0, abs=0.02
    )


def test_beside_a_pass_the_larger_angle_counts() -> None:
    """The mounting angle and the angle of the pass are the same thing: never both."""
    readings = list(approach(50, 100.0))
    plain, mounted = of(readings), of(readings, 15.0)
    assert plain.speed_kmh == pytest.approx(50, abs=0.3)
    assert plain.speed_kmh < mounted.speed_kmh <= plain.speed_kmh / math.cos(math.radians(15)) + 1e-9


@given(
    st.lists(st.floats(10, 200), min_size=1, max_size=60),
    st.sampled_from(Direction),
    st.floats(0, 45),
    st.sampled_from([0.025, 0.1, 0.25]),
)
@settings(max_examples=100, deadline=None)
def test_putting_right_never_makes_a_speed_lower_than_it_was_read(
    speeds: list[float], direction: Direction, angle_deg: float, every_s: float
) -> None:
    times = [100 + i * every_s for i in range(len(speeds))]
    found = speeds_of(times, speeds, direction, angle_deg)
    mounting = math.cos(math.radians(angle_deg))
    for speed in (found.speed_kmh, found.entry_kmh, found.exit_kmh, found.max_kmh):
        assert min(speeds) / mounting - 1e-9 <= speed <= max(speeds) / min(mounting, 0.8) + 1e-9


def test_no_other_speed_is_above_the_maximum() -> None:
    speeds = of([Reading(100 + i / 10, v, IN) for i, v in enumerate([23.0, 17.9, 17.0, 17.0])])
    assert speeds.max_kmh >= max(speeds.speed_kmh, speeds.entry_kmh, speeds.exit_kmh)


@given(st.lists(st.floats(-1.5, 1.5), min_size=12, max_size=40), st.floats(20, 120), st.floats(3, 12))
@settings(max_examples=60, deadline=None)
def test_a_wrong_pass_never_adds_much(errors: list[float], speed_kmh: float, beside_m: float) -> None:
    n = len(errors)
    left = [(n - i) / 10 + 0.4 for i in range(n)]
    seen = [
        speed_kmh * (x := speed_kmh / 3.6 * s) / math.hypot(x, beside_m) + error
        for s, error in zip(left, errors, strict=True)
    ]
    found = speeds_of([100 - s for s in left], seen, IN)
    assert found.speed_kmh <= 1.08 * max(smoothed(seen)) + 1e-9


# ------------------------------------------------------------------ the record


def test_the_record_says_when_how_often_and_how_loud() -> None:
    readings = list(approach(50, 100.0))
    vehicle = vehicle_of(track_of(readings, 7), TrackingParams())
    assert (vehicle.track_id, vehicle.direction, vehicle.readings) == (7, IN, len(readings))
    assert (vehicle.t_first_mono_s, vehicle.t_last_mono_s) == (100.0, readings[-1].t_mono_s)
    assert vehicle.strength == pytest.approx(readings[-1].strength, rel=0.4)
    assert vehicle.flags == ()


def test_few_readings_are_said_to_be_few() -> None:
    readings = list(approach(50, 100.0))
    assert vehicle_of(track_of(readings[:7]), TrackingParams()).flags == ("few",)
    assert vehicle_of(track_of(readings[:8]), TrackingParams()).flags == ()


def test_one_that_was_seen_farther_than_any_radar_sees_may_be_two() -> None:
    readings = [Reading(100 + i / 10, 50.0, IN) for i in range(200)]
    assert vehicle_of(track_of(readings), TrackingParams()).flags == ("long?",)
    assert vehicle_of(track_of(readings[:150]), TrackingParams()).flags == ()


def test_flags_are_in_order() -> None:
    track = track_of([*(Reading(100 + i, 90.0, IN) for i in range(7)), Reading(110.0, 90.0, IN)])
    track.flags |= {"rejoined", "image?"}
    assert vehicle_of(track, TrackingParams()).flags == ("image?", "long?", "rejoined")


def test_the_mounting_angle_of_the_config_reaches_the_record() -> None:
    readings = [Reading(100 + i / 10, 47.0, OUT) for i in range(20)]
    found = vehicle_of(track_of(readings), TrackingParams(mounting_angle_deg=20.0))
    assert found.speed_kmh == pytest.approx(50.0, abs=0.02)


@pytest.mark.parametrize("scene", [approach, depart])
def test_coming_and_going_the_same_car_has_the_same_speed(scene: type) -> None:
    [found] = vehicles(scene(50, 100.0))
    assert found.speed_kmh == pytest.approx(50, abs=0.3)
