"""The same readings give the same vehicles: at once or one by one, live with timers or replayed without."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.model import Direction, Reading, Vehicle
from speedsign.tracking import Tracker
from tests.core.tracking.cars import (
    ALL,
    IN,
    OUT,
    approach,
    braking,
    depart,
    drive,
    in_order,
    strongest,
    vehicles,
)

SPREAD_S = st.sampled_from([0.0, 0.025, 0.1, 0.25, 0.7, 2.0])
GARBAGE = st.lists(
    st.builds(
        lambda after_s, speed, way, strength, range_m: (after_s, Reading(0.0, speed, way, strength, range_m)),
        SPREAD_S,
        st.sampled_from([20.0, 20.6, 21.5, 40.0, 41.0, 50.0, 52.0]) | st.floats(0, 250),
        st.sampled_from(Direction),
        st.none() | st.just(0.0) | st.floats(1, 1e6),
        st.none() | st.floats(0, 200),
    ),
    max_size=120,
)


def timed(garbage: list[tuple[float, Reading]]) -> list[Reading]:
    t_s, readings = 100.0, []
    for after_s, reading in garbage:
        t_s += after_s
        readings.append(replace(reading, t_mono_s=t_s))
    return readings


def traffic(seed: int, for_s: float = 60.0) -> list[Reading]:
    """Cars either way, some of them close together, one target a report; noise, drop-outs and rain."""
    rng, t_s, cars = random.Random(seed), 100.0, []
    while t_s < 100.0 + for_s:
        t_s = round(t_s + rng.choice([0.8, 1.5, 2.5, 6.0]), 1)
        speed_kmh = rng.uniform(30, 70)
        cars.append(
            rng.choice(
                [
                    approach(speed_kmh, t_s),
                    depart(speed_kmh, t_s),
                    drive(braking(speed_kmh, 0.8 * speed_kmh, 1.5, 50), t_s),
                ]
            )
        )
    seen = [r for r in strongest(*cars) if rng.random() > 0.1]
    rain = [
        Reading(100 + for_s * rng.random(), rng.uniform(10, 25), rng.choice([IN, OUT]), 20.0)
        for _ in range(40)
    ]
    return in_order([replace(r, speed_kmh=round(r.speed_kmh + rng.gauss(0, 0.3), 1)) for r in seen], rain)


def one_by_one(readings: list[Reading]) -> list[Vehicle]:
    tracker, found = Tracker(), []
    for reading in readings:
        found += tracker.add([reading])
    return found + tracker.flush()


def live(readings: list[Reading], late_s: float = 0.001) -> list[Vehicle]:
    """As the daemon does it: a timer a millisecond after each deadline, the display asked each time."""
    tracker, found = Tracker(), []
    for reading in readings:
        while (due_s := tracker.next_deadline_s) is not None and due_s + late_s <= reading.t_mono_s:
            found += tracker.advance(due_s + late_s)
        tracker.see([reading])
        tracker.target(reading.t_mono_s, ALL)
        found += tracker.passed()
    return found + tracker.flush()


@pytest.mark.parametrize("seed", range(8))
def test_traffic_is_the_same_live_and_replayed(seed: int) -> None:
    readings = traffic(seed)
    whole = vehicles(readings)
    assert len(whole) > 5
    assert one_by_one(readings) == whole
    assert live(readings) == whole


@given(GARBAGE)
@settings(max_examples=60, deadline=None)
def test_garbage_is_the_same_at_once_and_one_by_one(garbage: list[tuple[float, Reading]]) -> None:
    readings = timed(garbage)
    assert one_by_one(readings) == vehicles(readings)


def test_garbage_is_the_same_live_and_replayed() -> None:
    for seed in range(12):
        rng = random.Random(seed)
        spread = [0.0, 0.025, 0.1, 0.25, rng.uniform(0, 2)]
        speeds = [rng.uniform(10, 90) for _ in range(4)]
        readings = timed(
            [
                (
                    rng.choice(spread),
                    Reading(0.0, rng.choice(speeds) + rng.gauss(0, 0.5), IN, rng.uniform(1, 1e3)),
                )
                for _ in range(400)
            ]
        )
        assert live(readings) == vehicles(readings)


@pytest.mark.parametrize("seed", range(4))
def test_time_that_passes_meanwhile_changes_nothing(seed: int) -> None:
    """Asked at any moment, as often as one likes."""
    readings, rng, tracker, found = traffic(seed), random.Random(seed), Tracker(), []
    before_s = 0.0
    for reading in readings:
        for share in sorted(rng.random() for _ in range(3)):
            found += tracker.advance(before_s + share * (reading.t_mono_s - before_s))
        found += tracker.add([reading])
        before_s = reading.t_mono_s
    assert found + tracker.flush() == vehicles(readings)


def test_a_report_is_handed_over_whole() -> None:
    """Its readings share their time and are ranked; any number of reports at a time."""
    reports = [
        [Reading(100 + i / 10, 50.0, IN, 90, rank=0), Reading(100 + i / 10, 54.0, IN, 40, rank=1)]
        for i in range(20)
    ]
    at_once, apart = Tracker(), Tracker()
    found = at_once.add([reading for report in reports for reading in report]) + at_once.flush()
    each = [vehicle for report in reports for vehicle in apart.add(report)] + apart.flush()
    assert len(found) == 2
    assert each == found
