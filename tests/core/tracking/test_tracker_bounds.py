"""Whatever comes, for however long: memory, time and steps are bounded, and nothing is raised."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from speedsign.model import Direction, Reading
from speedsign.tracking import Tracker, TrackingParams
from speedsign.tracking.params import MAX_READINGS, MAX_TRACKS
from tests.core.tracking.cars import IN, OUT, approach

N = 20_000
STEPS = 100  # deadlines between two reports, far more than there can be tracks


def assert_bounded(tracker: Tracker) -> None:
    assert len(tracker._tracks) <= MAX_TRACKS
    for track in tracker._tracks:
        series = track.series
        assert 1 <= len(series.times) == len(series.speeds) <= MAX_READINGS
        assert len(series.levels) in (0, len(series))
        assert len(series.ranges) in (0, len(series))
        assert track.count >= len(series)
        assert track.t_first_s <= track.t_last_s


def endless(seed: int) -> Iterator[list[Reading]]:
    """One that never leaves: a fan beside the road."""
    rng = random.Random(seed)
    for i in range(N):
        yield [Reading(100 + i / 10, 30.0 + rng.gauss(0, 0.3), IN, 50.0 * rng.uniform(0.8, 1.2), 20.0)]


def crowd(seed: int) -> Iterator[list[Reading]]:
    """A hundred targets in each report, a little different each time."""
    rng = random.Random(seed)
    for i in range(N // 200):
        speeds = [11.0 + 1.8 * rank + rng.uniform(-0.1, 0.1) for rank in range(100)]
        yield [Reading(100 + i / 10, v, IN, 1e4 - rank, None, rank) for rank, v in enumerate(speeds)]


def garbage(seed: int) -> Iterator[list[Reading]]:
    """Any speeds and strengths, ranges now and then, equal times, up to 40 reports a second, and gaps."""
    rng, t_s = random.Random(seed), 100.0
    speeds = [rng.uniform(10, 90) for _ in range(rng.choice([1, 3, 8]))]
    for _ in range(N // 4):
        t_s += rng.choice([0.0, 0.025, 0.025, 0.1, rng.uniform(0, 1.0)])
        yield [
            Reading(
                t_s,
                max(rng.choice(speeds) + rng.gauss(0, 0.5), 0.0)
                if rng.random() < 0.8
                else rng.uniform(0, 300),
                rng.choice([*Direction, IN, IN, OUT, OUT]),
                rng.choice([None, 0.0, 1e-6]) if rng.random() < 0.02 else rng.uniform(0, 1e6),
                None if rng.random() < 0.3 else rng.uniform(0, 200),
                rank,
            )
            for rank in range(rng.choice([1, 1, 2, 4]))
        ]


def jumps(seed: int) -> Iterator[list[Reading]]:
    """One target whose speed jumps every second: what is parted must not pile up."""
    rng = random.Random(seed)
    for i in range(N // 4):
        if i % 40 == 0:
            speed_kmh = rng.uniform(20, 90)
        speed_kmh = min(max(speed_kmh + rng.gauss(0, 1.0), 10.0), 200.0)
        yield [Reading(100 + i / 40, round(speed_kmh), IN, 50.0 * rng.uniform(0.1, 9.0))]


@pytest.mark.parametrize("scene", [endless, crowd, garbage, jumps])
@pytest.mark.parametrize("seed", [1, 2])
def test_memory_is_bounded(scene: Callable[[int], Iterator[list[Reading]]], seed: int) -> None:
    tracker, readings, counted = Tracker(), 0, 0
    for i, report in enumerate(scene(seed)):
        readings += len(report)
        counted += sum(vehicle.readings for vehicle in tracker.add(report))
        if i % 20 == 0:
            assert_bounded(tracker)
            tracker.target(report[0].t_mono_s, {IN, OUT})
    assert_bounded(tracker)
    counted += sum(vehicle.readings for vehicle in tracker.flush())
    assert counted <= readings
    assert tracker._tracks == []
    assert tracker.next_deadline_s is None


@pytest.mark.parametrize("odd", [-40.0, 1e-320])
def test_a_strength_on_an_odd_scale_stops_nothing(odd: float) -> None:
    tracker = Tracker()
    tracker.see([Reading(100 + i / 10, 50.0, IN, odd if i % 3 else 1e6) for i in range(20)])
    assert len(tracker.flush()) == 1


def test_more_than_can_be_followed_are_counted_as_such() -> None:
    tracker = Tracker()
    for report in crowd(1):
        tracker.see(report)
    assert len(tracker._tracks) == MAX_TRACKS
    assert tracker.counters.get("crowded_out") > 0


def test_known_vehicles_are_not_crowded_out() -> None:
    tracker = Tracker()
    for i, car in enumerate(approach(50, 100.0)):
        speeds = [60.0 + (7 * i + 5 * rank) % 137 for rank in range(30)] if i > 5 else []
        noise = [Reading(car.t_mono_s, speed, IN, 1.0, None, rank + 1) for rank, speed in enumerate(speeds)]
        tracker.see([car, *noise])
    assert any(abs(v.speed_kmh - 50) < 1 and v.readings > 30 for v in tracker.flush())


def sleeps_until_deadlines(tracker: Tracker, until_s: float, late_s: float = 0.0) -> int:
    """A daemon that sleeps until each deadline and lets the time pass; how often it woke."""
    steps, before_s = 0, float("-inf")
    while (due_s := tracker.next_deadline_s) is not None and due_s <= until_s:
        at_s = max(due_s, before_s) + late_s
        tracker.advance(at_s)
        before_s, steps = at_s, steps + 1
        assert steps < STEPS, f"still {tracker.next_deadline_s} at {at_s}"
    return steps


@pytest.mark.parametrize("scene", [garbage, jumps])
@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("late_s", [1e-3, 0.1])
def test_deadlines_are_dealt_with(
    scene: Callable[[int], Iterator[list[Reading]]], seed: int, late_s: float
) -> None:
    tracker = Tracker()
    for i, report in enumerate(scene(seed)):
        if i > 1500:
            break
        sleeps_until_deadlines(tracker, report[0].t_mono_s - late_s, late_s)
        tracker.see(report)
    sleeps_until_deadlines(tracker, float("inf"), late_s)
    assert tracker._tracks == []


def test_a_daemon_left_alone_with_a_standing_bus_wakes_once() -> None:
    tracker = Tracker()
    tracker.see([Reading(100 + i / 10, 20 - 0.43 * i, IN, 50.0) for i in range(20)])
    last_s = 100 + 18 / 10
    due_s = tracker.next_deadline_s
    assert due_s is not None
    assert due_s > last_s + 30
    assert sleeps_until_deadlines(tracker, float("inf")) == 1


def test_one_that_creeps_and_then_drives_on_is_waited_for_as_one_that_drives() -> None:
    tracker = Tracker()
    for i in range(80):
        tracker.see([Reading(100 + i / 10, 12.0 + max(0, i - 30) * 0.3, IN, 50.0)])
    due_s = tracker.next_deadline_s
    assert due_s == pytest.approx(107.9 + 1.5)
    assert due_s is not None
    assert len(tracker.advance(due_s)) == 1
    assert tracker.next_deadline_s is None


# Half a second added to it and taken off again is less than half a second.
UNEVEN_S = 255.6842580440455


@pytest.mark.parametrize(
    ("last_s", "gap_s", "n"),
    [
        (100.0, 1.5, 1),
        (100.0, 1.5, 3),
        (100.0, 0.4, 8),
        (UNEVEN_S, 1.5, 1),
        (UNEVEN_S, 0.4, 8),
        (UNEVEN_S, 1.5, 3),
        (100.0, 0.3, 1),
        (100.0, 0.3, 8),
    ],
)
def test_at_the_deadline_itself_something_is_done(last_s: float, gap_s: float, n: int) -> None:
    tracker = Tracker(TrackingParams(gap_s=gap_s))
    tracker.see([Reading(last_s - 0.1 * i, 50.0, IN) for i in reversed(range(n))])
    sleeps_until_deadlines(tracker, float("inf"))
    assert tracker._tracks == []
