"""The sign's own tracker hands over the readings of those who approach."""

from __future__ import annotations

from itertools import pairwise

from speedsign.calibration.collect import MOST_KEPT, CollectingTracker
from speedsign.model import Direction, Reading
from speedsign.tracking import Tracker
from tests.calibration.passes import approach


def readings(n: int, direction: Direction = Direction.APPROACHING, *, ranges: bool = False) -> list[Reading]:
    found = []
    for car in range(n):
        one, _ = approach(ranges=True)
        for t_s, speed, away in zip(one.times_s, one.speeds_kmh, one.ranges_m, strict=True):
            found.append(Reading(10.0 * car + t_s, speed, direction, None, away if ranges else None))
    return found


def test_each_approaching_car_is_one_approach() -> None:
    tracker, plain = CollectingTracker(), Tracker()
    for reading in readings(3):
        assert tracker.add([reading]) == plain.add([reading])
    assert len(tracker.flush()) == len(plain.flush()) == 1
    taken = tracker.take_approaches()
    assert len(taken) == 3
    assert all(earlier < later for one in taken for earlier, later in pairwise(one.times_s))
    assert taken[0].speeds_kmh == approach()[0].speeds_kmh
    assert tracker.take_approaches() == []


def test_ranges_come_with_it() -> None:
    tracker = CollectingTracker()
    tracker.add(readings(1, ranges=True))
    tracker.flush()
    (one,) = tracker.take_approaches()
    assert len(one.ranges_m) == len(one.times_s)


def test_who_drives_away_and_who_has_no_direction_is_none() -> None:
    for direction in (Direction.RECEDING, Direction.UNKNOWN):
        tracker = CollectingTracker()
        tracker.add(readings(1, direction))
        tracker.flush()
        assert tracker.take_approaches() == []


def test_what_nobody_takes_is_bounded() -> None:
    tracker = CollectingTracker()
    tracker.add(readings(1))
    (track,) = tracker._tracks
    for _ in range(MOST_KEPT + 10):
        tracker._end([track])
    assert len(tracker.take_approaches()) == MOST_KEPT
