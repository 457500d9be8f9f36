"""Readings in, vehicles out: small scenes with a known answer."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.model import Direction, Reading
from speedsign.tracking import Tracker, TrackingParams
from speedsign.tracking.params import MAX_READINGS, MAX_TRACKS
from tests.core.tracking.cars import BOTH, IN, OUT, approach, depart, vehicles


@pytest.mark.parametrize("speed_kmh", [12, 30, 50, 90, 130])
@pytest.mark.parametrize("scene", [approach, depart])
def test_one_car_is_one_vehicle_at_its_speed(speed_kmh: float, scene: type) -> None:
    [vehicle] = vehicles(scene(speed_kmh, 100.0))
    assert vehicle.speed_kmh == pytest.approx(speed_kmh, abs=max(0.7, 0.01 * speed_kmh))
    assert vehicle.direction is (IN if scene is approach else OUT)
    assert vehicle.max_kmh <= 1.01 * speed_kmh


def test_two_directions_at_once_are_two_vehicles() -> None:
    found = vehicles(approach(52, 100.0), depart(47, 100.05))
    assert sorted(vehicle.direction for vehicle in found) == [IN, OUT]


def test_a_drop_out_does_not_cut_a_car_in_two() -> None:
    readings = [reading for reading in approach(50, 100.0) if not 101.0 < reading.t_mono_s < 102.2]
    assert len(vehicles(iter(readings))) == 1


def test_a_car_that_follows_later_is_counted_again() -> None:
    assert len(vehicles(approach(50, 100.0), approach(50, 106.0))) == 2


def test_a_follower_is_told_apart_by_its_jump() -> None:
    """The leader's radial speed has fallen at the pole; the follower's higher one cannot be its."""
    leader = list(approach(50, 100.0, to_m=5.0))
    follower = [reading for reading in approach(48, 102.0) if reading.t_mono_s > leader[-1].t_mono_s]
    assert len(vehicles(iter(leader), iter(follower))) == 2


def test_spikes_are_nothing() -> None:
    spikes = [Reading(100.0 + 0.7 * i, 20.0 + 13 * (i % 5), IN) for i in range(40)]
    tracker = Tracker()
    assert tracker.add(spikes) + tracker.flush() == []
    assert tracker.counters.get("short_tracks") > 30


def test_a_mirror_image_is_no_oncoming_car() -> None:
    car = list(approach(50, 100.0))
    image = [
        Reading(reading.t_mono_s, reading.speed_kmh, OUT, (reading.strength or 0) / 50, rank=1)
        for reading in car[8:20:3]
    ]
    found = vehicles(iter(car), iter(image))
    assert [vehicle.direction for vehicle in found] == [IN]


def test_readings_of_one_report_are_different_vehicles() -> None:
    tracker = Tracker()
    for step in range(20):
        t_s = 100 + step / 10
        tracker.add([Reading(t_s, 50.0, IN, 90, rank=0), Reading(t_s, 54.0, IN, 40, rank=1)])
    assert len(tracker.flush()) == 2


def test_the_side_lines_of_one_vehicle_are_no_vehicles() -> None:
    tracker = Tracker()
    for step in range(20):
        t_s = 100 + step / 10
        lines = [(50.0, 90), (50.4, 60), (49.6, 55)]
        tracker.add([Reading(t_s, speed, IN, strength, rank=i) for i, (speed, strength) in enumerate(lines)])
    assert len(tracker.flush()) == 1


def test_reports_that_were_read_together_are_not_one_report() -> None:
    """A busy controller reads several reports at once, and they share their time."""
    tracker = Tracker()
    for step in range(20):
        tracker.add([Reading(100 + step / 4, 50.0, IN)] * 3)
    [vehicle] = tracker.flush()
    assert vehicle.readings == 60


def test_the_target_comes_with_the_confirming_reading() -> None:
    tracker, readings = Tracker(), list(approach(50, 100.0))
    tracker.add(readings[:2])
    assert tracker.target(readings[1].t_mono_s, BOTH) is None
    tracker.add(readings[2:3])
    target = tracker.target(readings[2].t_mono_s, BOTH)
    assert target is not None
    assert target.speed_kmh == pytest.approx(50, abs=0.5)


def test_the_display_stays_with_one_of_two_cars() -> None:
    """A radar that reports the strongest flips between two; the number must not."""
    tracker, shown = Tracker(), set()
    tracker.add([Reading(99.0 + i / 10, 50.0, IN, 100.0) for i in range(5)])
    for step in range(20):
        t_s = 99.6 + step / 10
        tracker.add([Reading(t_s, (62.0, 50.0)[step % 2], IN, 100.0)])
        target = tracker.target(t_s, BOTH)
        assert target is not None
        shown.add(round(target.speed_kmh))
    assert shown == {50}


def test_the_angle_is_corrected_once() -> None:
    tracker = Tracker(TrackingParams(mounting_angle_deg=20.0))
    readings = [Reading(100 + i / 10, 50 * math.cos(math.radians(20)), IN) for i in range(20)]
    tracker.add(readings)
    target = tracker.target(102.0, BOTH)
    assert target is not None
    assert target.speed_kmh == pytest.approx(50)
    assert tracker.flush()[0].speed_kmh == pytest.approx(50)


def test_time_alone_ends_a_vehicle() -> None:
    tracker, readings = Tracker(), list(depart(50, 100.0))
    tracker.add(readings)
    deadline_s = tracker.next_deadline_s
    assert deadline_s is not None
    assert deadline_s == pytest.approx(readings[-1].t_mono_s + 1.5)
    assert tracker.advance(deadline_s - 0.01) == []
    assert len(tracker.advance(deadline_s + 0.01)) == 1
    assert tracker.next_deadline_s is None


readings_strategy = st.lists(
    st.builds(
        Reading,
        t_mono_s=st.floats(0, 100),
        speed_kmh=st.floats(0, 400),
        direction=st.sampled_from(Direction),
        strength=st.none() | st.floats(0, 1e9),
        range_m=st.none() | st.floats(0, 300),
        rank=st.just(0),
    ),
    max_size=200,
).map(lambda readings: sorted(readings, key=lambda reading: reading.t_mono_s))


@given(readings_strategy)
@settings(max_examples=60)
def test_whatever_comes_is_bounded_and_adds_up(readings: list[Reading]) -> None:
    tracker = Tracker()
    found = []
    for reading in readings:
        found += tracker.add([reading])
        assert len(tracker._tracks) <= MAX_TRACKS
    found += tracker.flush()
    assert sum(vehicle.readings for vehicle in found) <= len(readings)
    for vehicle in found:
        assert 10 <= vehicle.speed_kmh <= 200
        assert vehicle.t_first_mono_s <= vehicle.t_last_mono_s


@given(readings_strategy, st.integers(1, 50))
@settings(max_examples=30)
def test_the_same_readings_give_the_same_vehicles_however_they_are_handed_over(
    readings: list[Reading], size: int
) -> None:
    at_once = Tracker()
    whole = at_once.add(readings) + at_once.flush()
    piecewise, parts = Tracker(), []
    for start in range(0, len(readings), size):
        part = readings[start : start + size]
        parts += piecewise.add(part)
    assert parts + piecewise.flush() == whole


def test_a_bus_that_stands_in_the_beam_for_an_hour_costs_no_memory() -> None:
    tracker = Tracker()
    for i in range(36_000):
        tracker.add([Reading(100 + i / 10, 20.0, IN)])
    [vehicle] = tracker.flush()
    assert vehicle.readings == 36_000
    assert vehicle.speed_kmh == 20.0
    assert MAX_READINGS < 2000
