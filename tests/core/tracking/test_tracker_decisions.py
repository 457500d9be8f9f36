"""Scenes on the road: how many vehicles these readings are, and how fast."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from speedsign.model import Direction, Reading
from speedsign.tracking import Tracker, TrackingParams
from tests.core.tracking.cars import (
    ALL,
    EITHER,
    IN,
    OUT,
    approach,
    braking,
    coarse,
    depart,
    drive,
    easing,
    in_order,
    strongest,
    vehicles,
    vehicles_in_reports,
    with_range,
    without_direction,
    without_strength,
)

Foot = Callable[[float, float, float, float], Callable[[float], float]]

# ------------------------------------------------------------------ one car


@pytest.mark.parametrize("scene", [approach, depart])
@pytest.mark.parametrize("rate_hz", [4.0, 10.0, 20.0, 40.0])
@pytest.mark.parametrize("step_kmh", [0.1, 1.0])
def test_one_car_is_one_on_every_sensor(scene: type, rate_hz: float, step_kmh: float) -> None:
    [vehicle] = vehicles(coarse(scene(50, 100.0, rate_hz=rate_hz), step_kmh))
    assert vehicle.speed_kmh == pytest.approx(50, abs=0.3 + 0.4 * step_kmh)


@pytest.mark.parametrize("scene", [approach, depart])
@pytest.mark.parametrize("blind", [without_strength, without_direction])
def test_one_car_is_one_for_a_radar_that_tells_less(scene: type, blind: type) -> None:
    [vehicle] = vehicles(blind(scene(50, 100.0)))
    assert vehicle.speed_kmh == pytest.approx(50, abs=0.5)
    assert vehicle.direction is (next(scene(50, 0.0)).direction if blind is without_strength else EITHER)


@pytest.mark.parametrize("scene", [approach, depart])
@pytest.mark.parametrize("unseen_s", [0.5, 1.0, 1.2])
def test_a_drop_out_does_not_part_a_car(scene: type, unseen_s: float) -> None:
    held = [r for r in scene(50, 100.0) if not 101.0 < r.t_mono_s < 101.0 + unseen_s]
    [vehicle] = vehicles(held)
    assert vehicle.readings == len(held)
    assert vehicle.duration_s == pytest.approx(3.7, abs=0.01)


def test_a_rejoined_car_says_so() -> None:
    [vehicle] = vehicles([r for r in approach(50, 100.0) if not 101.0 < r.t_mono_s < 102.2])
    assert vehicle.flags == ("rejoined",)


def test_who_asks_is_told_which_tracks_have_become_one() -> None:
    tracker = Tracker(TrackingParams())
    for reading in approach(50, 100.0):
        if not 101.0 < reading.t_mono_s < 102.2:
            tracker.see([reading])
            tracker.settle()
    [vehicle] = tracker.flush()
    [(later_id, earlier_id)] = tracker.take_joined()
    assert earlier_id == vehicle.track_id
    assert later_id > earlier_id
    assert tracker.take_joined() == []


@pytest.mark.parametrize("foot", [braking, easing])
@pytest.mark.parametrize("mps2", [0.5, 1.0])
@pytest.mark.parametrize("begins_m", [60, 50, 40])
@pytest.mark.parametrize("rate_hz", [4.0, 10.0, 20.0])
def test_a_driver_who_brakes_is_one(foot: Foot, mps2: float, begins_m: float, rate_hz: float) -> None:
    readings = drive(foot(60, 48, mps2, begins_m), 100.0, from_m=80, rate_hz=rate_hz)
    assert len(vehicles(readings)) == 1


@pytest.mark.parametrize("foot", [braking, easing])
@pytest.mark.parametrize("rate_hz", [4.0, 10.0, 20.0])
def test_a_driver_who_brakes_harder_is_one(foot: Foot, rate_hz: float) -> None:
    """From 60 to 48 km/h at 2 m/s², seen from 60 m to 15 m."""
    readings = drive(foot(60, 48, 2.0, 60), 100.0, to_m=15, rate_hz=rate_hz)
    assert len(vehicles(readings)) == 1


@pytest.mark.parametrize("mps2", [0.5, 1.0, 2.0, 2.5])
def test_a_driver_who_speeds_up_is_one(mps2: float) -> None:
    def speed_at(left_m: float) -> float:
        return 3.6 * math.sqrt((30 / 3.6) ** 2 + 2 * mps2 * (60 - left_m))

    [vehicle] = vehicles(drive(speed_at, 100.0))
    assert vehicle.exit_kmh > vehicle.entry_kmh + 3


def bus(stands_s: float, *, at_m: float = 30.0) -> Iterator[Reading]:
    """It brakes at 1.2 m/s², stands, and goes on at 1 m/s²; slower than 3 km/h no radar sees it."""

    def to_a_halt(left_m: float) -> float:
        return min(3.6 * math.sqrt(2 * 1.2 * (left_m - at_m)), 40.0)

    def from_there(left_m: float) -> float:
        return min(3.6 * math.sqrt(2 * 1.0 * (at_m - left_m)), 40.0)

    came = list(drive(to_a_halt, 100.0, from_m=90, to_m=at_m + 0.3, loud=1e9))
    yield from came
    yield from drive(from_there, came[-1].t_mono_s + stands_s, from_m=at_m - 0.35, to_m=7, loud=1e9)


@pytest.mark.parametrize("stands_s", [2.0, 10.0, 35.0])
def test_a_bus_that_stops_and_goes_on_is_one(stands_s: float) -> None:
    [vehicle] = vehicles(bus(stands_s))
    assert vehicle.duration_s > stands_s + 6


def test_after_too_long_it_is_another_one() -> None:
    assert len(vehicles(bus(60.0))) == 2
    tracker = Tracker(TrackingParams(stands_s=80.0))
    assert len(vehicles(bus(60.0), tracker=tracker)) == 1


# ------------------------------------------------------------------ one behind the other


@pytest.mark.parametrize("speed_kmh", [30, 50, 70, 90])
@pytest.mark.parametrize("scene", [approach, depart])
@pytest.mark.parametrize("gap_s", [1.5, 2.0])
def test_a_follower_is_a_second_vehicle(speed_kmh: float, scene: type, gap_s: float) -> None:
    """The radar reports the stronger of the two alone: the follower is seen when the leader is gone."""
    found = vehicles(strongest(scene(speed_kmh, 100.0), scene(speed_kmh, 100.0 + gap_s)))
    assert len(found) == 2
    for vehicle in found:
        assert vehicle.speed_kmh == pytest.approx(speed_kmh, abs=1.0)


@pytest.mark.parametrize("scene", [approach, depart])
def test_a_follower_is_told_from_speeds_alone(scene: type) -> None:
    readings = strongest(scene(50, 100.0), scene(50, 101.5))
    assert len(vehicles(without_strength(readings))) == 2


@pytest.mark.parametrize("scene", [approach, depart])
def test_both_seen_all_the_time_they_are_two(scene: type) -> None:
    assert len(vehicles_in_reports(scene(50, 100.0), scene(54, 101.5))) == 2


@pytest.mark.parametrize("direction", [IN, OUT])
def test_a_follower_is_told_by_its_echo_alone(direction: Direction) -> None:
    """At the same speed, without a gap: the echo of the one has grown, that of the other begins."""
    levels = [100 * 4 ** (i / 15) for i in range(16)] * 2
    levels = levels if direction is IN else levels[::-1]
    found = vehicles([Reading(100 + i / 10, 50.0, direction, level) for i, level in enumerate(levels)])
    assert [vehicle.readings for vehicle in found] == [16, 16]


@pytest.mark.parametrize("follower_kmh", [46, 50, 54])
def test_the_leader_sweeps_through_the_followers_speed(follower_kmh: float) -> None:
    """56 km/h falls to 35 at the pole, past the follower's; then the follower is seen, and only then."""
    leader, follower = approach(56, 100.0, to_m=3), approach(follower_kmh, 101.4)
    first, second = vehicles(strongest(leader, follower))
    assert first.speed_kmh == pytest.approx(56, abs=0.7)
    assert second.speed_kmh == pytest.approx(follower_kmh, abs=1.0)


@pytest.mark.parametrize("params_hidden_s", [5.0, 1.0])
def test_a_car_hidden_by_a_lorry_goes_on(params_hidden_s: float) -> None:
    """For 3.5 s the lorry's echo is the stronger; who does not wait so long counts the car twice."""
    lorry = [Reading(102 + i / 10, 70 - 0.006 * i * i, IN, 1e6) for i in range(36)]
    car = [r for r in approach(40, 100.0, from_m=95) if not 102.0 < r.t_mono_s < 105.5]
    tracker = Tracker(TrackingParams(hidden_s=params_hidden_s))
    found = vehicles(car, lorry, tracker=tracker)
    assert len(found) == (2 if params_hidden_s == 5.0 else 3)
    assert any(vehicle.readings == len(car) for vehicle in found) is (params_hidden_s == 5.0)


@pytest.mark.parametrize(("gone_s", "counted"), [(1.4, 1), (2.0, 2)])
def test_without_a_lorry_nobody_is_waited_for_longer(gone_s: float, counted: int) -> None:
    readings = [r for r in approach(40, 100.0, from_m=95) if not 102.0 < r.t_mono_s < 102.0 + gone_s]
    assert len(vehicles(readings)) == counted


# ------------------------------------------------------------------ side by side


def test_two_places_are_two_vehicles() -> None:
    found = vehicles_in_reports(with_range(approach(50, 100.0)), with_range(approach(51, 100.9)))
    assert [round(vehicle.speed_kmh) for vehicle in found] == [50, 51]


@pytest.mark.parametrize(("faster_kmh", "n"), [(0.0, 1), (1.4, 1), (3.0, 2)])
def test_without_ranges_a_like_speed_is_a_side_line(faster_kmh: float, n: int) -> None:
    cars = approach(50, 100.0), approach(50 + faster_kmh, 100.0, loud=5e7)
    assert len(vehicles_in_reports(*cars)) == n


@pytest.mark.parametrize(("apart_m", "n"), [(3.0, 1), (12.0, 2)])
def test_with_ranges_a_like_speed_is_one_at_the_same_place_alone(apart_m: float, n: int) -> None:
    car = list(with_range(approach(50, 100.0)))
    side = [
        replace(
            r, speed_kmh=r.speed_kmh + 1, strength=(r.strength or 0) / 3, range_m=(r.range_m or 0) + apart_m
        )
        for r in car
    ]
    assert len(vehicles_in_reports(car, side)) == n


def test_two_directions_are_two() -> None:
    found = vehicles_in_reports(approach(50, 100.0), depart(50, 100.0))
    assert {vehicle.direction for vehicle in found} == {IN, OUT}


def test_a_vehicle_is_once_in_a_report() -> None:
    """On a sensor so noisy, 2 km/h lower could be the same one: but that one is in the report already."""
    tracker = Tracker()
    tracker._noise.speed_kmh = 1.5
    tracker.see([Reading(100 + i / 10, 50.0, IN, 90.0) for i in range(4)])
    tracker.see([Reading(100.4, 50.0, IN, 90.0), Reading(100.4, 48.0, IN, 60.0, rank=1)])
    assert [track.count for track in tracker._tracks] == [5, 1]


# ------------------------------------------------------------------ images


def images(of: list[Reading], factor: float, direction: Direction, weaker: float = 10.0) -> list[Reading]:
    return [
        replace(r, speed_kmh=factor * r.speed_kmh, direction=direction, strength=(r.strength or 0) / weaker)
        for r in of
    ]


@pytest.mark.parametrize(("factor", "direction"), [(1.0, OUT), (2.0, IN)])
@pytest.mark.parametrize("which", [slice(8, 15), slice(8, 30, 4)])
def test_an_image_now_and_then_is_nobody(factor: float, direction: Direction, which: slice) -> None:
    car = list(approach(50, 100.0))
    [vehicle] = vehicles_in_reports(car, images(car[which], factor, direction))
    assert vehicle.direction is IN
    assert vehicle.speed_kmh == pytest.approx(50, abs=0.5)


@pytest.mark.parametrize(("factor", "direction"), [(1.0, OUT), (2.0, IN)])
def test_an_image_that_insists_is_doubted(factor: float, direction: Direction) -> None:
    """It may be an oncoming car after all: counted, and flagged."""
    car = list(approach(50, 100.0))
    found = vehicles_in_reports(car, images(car[8:30], factor, direction))
    assert sorted(vehicle.flags for vehicle in found) == [(), ("image?",)]


@pytest.mark.parametrize(("factor", "direction"), [(1.0, OUT), (2.0, IN)])
def test_what_is_as_loud_is_no_image(factor: float, direction: Direction) -> None:
    car = list(approach(50, 100.0))
    found = vehicles_in_reports(car, images(car[8:15], factor, direction, weaker=1.2))
    assert [vehicle.flags for vehicle in found] == [("few",), ()]


def test_what_is_neither_as_fast_nor_twice_as_fast_is_no_image() -> None:
    car = list(approach(50, 100.0))
    for factor, direction in [(1.1, OUT), (1.8, IN)]:
        assert len(vehicles_in_reports(car, images(car[8:15], factor, direction))) == 2


@pytest.mark.parametrize(("factor", "direction"), [(1.0, OUT), (2.0, IN)])
def test_an_image_from_the_first_reading_on_is_doubted(factor: float, direction: Direction) -> None:
    car = list(approach(50, 100.0))
    found = vehicles_in_reports(car, images(car[:30], factor, direction))
    assert sum(not vehicle.flags for vehicle in found) == 1


# ------------------------------------------------------------------ nobody


def rain(per_s: float, for_s: float, seed: int) -> Iterator[Reading]:
    """Drops: any speed from 10 to 25 km/h, weak, either way."""
    rng, t_s = random.Random(seed), 100.0
    while t_s < 100.0 + for_s:
        t_s += rng.expovariate(per_s)
        yield Reading(t_s, round(rng.uniform(10, 25), 1), rng.choice([IN, OUT]), rng.uniform(10, 200))


@pytest.mark.parametrize("seed", range(5))
def test_a_little_rain_is_no_traffic(seed: int) -> None:
    assert len(vehicles(rain(0.5, 600.0, seed))) == 0


def test_a_shower_is_no_traffic() -> None:
    found = [vehicle for seed in range(3) for vehicle in vehicles(rain(2.0, 200.0, seed))]
    assert len(found) == 0


def test_a_car_in_the_rain_is_one_at_its_speed() -> None:
    found = [v for v in vehicles(approach(50, 120.0), rain(1.0, 40.0, 1)) if v.speed_kmh > 26]
    assert [vehicle.speed_kmh for vehicle in found] == [pytest.approx(50, abs=0.7)]


@pytest.mark.parametrize("speed_kmh", [0.0, 9.9, 200.1, 400.0])
def test_what_is_too_slow_or_too_fast_is_left_out(speed_kmh: float) -> None:
    tracker = Tracker()
    assert vehicles([Reading(100 + i / 10, speed_kmh, IN) for i in range(20)], tracker=tracker) == []
    assert tracker.counters.get("out_of_range") == 20


@pytest.mark.parametrize(("n", "every_s", "found"), [(3, 0.2, 0), (4, 0.05, 0), (4, 0.1, 1), (4, 0.6, 0)])
def test_a_vehicle_is_four_readings_over_a_quarter_of_a_second(n: int, every_s: float, found: int) -> None:
    assert len(vehicles([Reading(100 + i * every_s, 50.0, IN) for i in range(n)])) == found


# ------------------------------------------------------------------ when, and in what order


def test_two_reports_of_one_chunk_share_their_time() -> None:
    tracker = Tracker()
    for pair in range(19):
        one, other = list(approach(50, 100.0))[2 * pair : 2 * pair + 2]
        tracker.see([one, replace(other, t_mono_s=one.t_mono_s)])
    [vehicle] = tracker.flush()
    assert vehicle.readings >= 37
    assert vehicle.speed_kmh == pytest.approx(50, abs=0.5)


def test_vehicles_come_in_the_order_in_which_they_were_last_seen() -> None:
    found = vehicles_in_reports(
        approach(30, 100.0), depart(90, 101.0), approach(60, 101.5), depart(45, 102.0)
    )
    last_s = [vehicle.t_last_mono_s for vehicle in found]
    assert len(found) == 4
    assert last_s == sorted(last_s)


def test_a_vehicle_has_passed_a_gap_after_it_was_last_seen() -> None:
    for gap_s in (0.4, 1.5, 3.0):
        tracker, readings = Tracker(TrackingParams(gap_s=gap_s)), list(depart(50, 100.0))
        tracker.see(readings)
        last_s = readings[-1].t_mono_s
        assert tracker.advance(last_s + gap_s - 0.01) == []
        assert len(tracker.advance(last_s + gap_s + 0.01)) == 1


def test_has_passed_says_that_there_is_something() -> None:
    tracker, readings, told = Tracker(), list(depart(50, 100.0)), []
    for report in (readings, [Reading(readings[-1].t_mono_s + 2.0, 30.0, OUT)]):
        tracker.see(report)
        told.append(tracker.has_passed)
    assert told == [False, True]
    assert len(tracker.passed()) == 1
    assert not tracker.has_passed


def test_a_vehicle_keeps_the_number_that_the_display_knew() -> None:
    tracker, ids = Tracker(), set()
    for reading in in_order(approach(50, 100.0), depart(70, 101.0)):
        tracker.see([reading])
        target = tracker.target(reading.t_mono_s, ALL)
        ids |= {target.track_id} if target else set()
    assert {vehicle.track_id for vehicle in tracker.flush()} == ids


def test_an_unknown_direction_is_learnt_from_the_next_reading() -> None:
    readings = [replace(r, direction=EITHER) if i < 3 else r for i, r in enumerate(approach(50, 100.0))]
    [vehicle] = vehicles(readings)
    assert (vehicle.direction, vehicle.readings) == (IN, len(readings))
