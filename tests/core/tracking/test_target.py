"""Which of the vehicles in sight is shown."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from speedsign.model import Direction, Reading, Target
from speedsign.tracking import Tracker, TrackingParams
from tests.core.tracking.cars import ALL, BOTH, IN, OUT, approach, depart


class Scene:
    """Reports ten a second; each has (speed, strength) or (speed, strength, range), strongest first."""

    def __init__(self, params: TrackingParams | None = None) -> None:
        self.tracker = Tracker(params)
        self.t_s = 100.0

    def see(self, *targets: tuple[float, ...], n: int = 1, direction: Direction = IN) -> Scene:
        for _ in range(n):
            self.t_s += 0.1
            self.tracker.see(
                Reading(
                    self.t_s, target[0], direction, target[1], target[2] if len(target) > 2 else None, rank
                )
                for rank, target in enumerate(targets)
            )
        return self

    def shown(self, directions: Collection[Direction] = BOTH, later_s: float = 0.0) -> Target | None:
        return self.tracker.target(self.t_s + later_s, directions)

    @property
    def shown_kmh(self) -> int | None:
        target = self.shown()
        return None if target is None else round(target.speed_kmh)


def test_nobody_is_nobody() -> None:
    assert Scene().shown() is None


def test_a_target_tells_what_is_known() -> None:
    scene = Scene().see((50.0, 80.0, 40.0), n=5)
    target = scene.shown()
    assert target is not None
    assert (target.speed_kmh, target.direction, target.readings) == (50.0, IN, 5)
    assert (target.t_last_mono_s, target.strength, target.range_m) == (scene.t_s, 80.0, 40.0)


def test_two_readings_are_not_shown_three_are() -> None:
    scene = Scene().see((50.0, 80.0), n=2)
    assert scene.shown() is None
    assert scene.see((50.0, 80.0)).shown_kmh == 50


def test_only_the_directions_asked_for_are_shown() -> None:
    scene = Scene().see((50.0, 80.0), n=5, direction=OUT)
    assert scene.shown({IN}) is None
    assert scene.shown({OUT}) is not None
    assert scene.shown(ALL) is not None


def test_one_not_seen_for_long_is_not_shown() -> None:
    scene = Scene().see((50.0, 80.0), n=5)
    assert scene.shown(later_s=0.69) is not None
    assert scene.shown(later_s=0.71) is None


def test_a_number_stays_where_it_is_while_both_are_seen() -> None:
    scene = Scene().see((50.0, 80.0), n=5)
    assert scene.shown_kmh == 50
    assert scene.see((62.0, 120.0), (50.0, 80.0), n=6).shown_kmh == 50


def test_one_more_than_twice_as_strong_takes_over() -> None:
    scene = Scene().see((50.0, 80.0), n=5)
    assert scene.shown_kmh == 50
    assert scene.see((62.0, 170.0), (50.0, 80.0), n=6).shown_kmh == 62


def test_nobody_shown_before_the_strongest_is() -> None:
    assert Scene().see((62.0, 90.0), (50.0, 80.0), n=5).shown_kmh == 62


def test_three_reports_without_the_one_shown_hand_it_on() -> None:
    scene = Scene().see((62.0, 80.0), (50.0, 79.0), n=5)
    assert scene.shown_kmh == 62
    numbers = [scene.see((50.0, 79.0)).shown_kmh for _ in range(4)]
    assert numbers == [62, 62, 50, 50]


def test_handed_on_it_stays_there() -> None:
    scene = Scene().see((62.0, 80.0), (50.0, 79.0), n=5)
    assert scene.shown_kmh == 62
    assert scene.see((50.0, 79.0), n=4).shown_kmh == 50
    assert scene.see((62.0, 80.0), (50.0, 79.0), n=2).shown_kmh == 50


def test_where_ranges_are_told_the_nearest_is_shown() -> None:
    """And a nearer one takes over, however weak: a motorcycle in front of a lorry."""
    scene = Scene().see((50.0, 900.0, 60.0), n=3).see((50.0, 900.0, 56.0), n=1)
    assert scene.shown_kmh == 50
    for i in range(6):
        scene.see((50.0, 900.0, 55.0 - 1.39 * i), (62.0, 90.0, 40.0 - 1.72 * i))
    assert scene.shown_kmh == 62


def test_the_strongest_may_be_asked_for_instead() -> None:
    """The lorry behind the motorcycle, where the officer wants that; the ranges are told all the same."""
    scene = Scene(TrackingParams(prefer="strongest"))
    scene.see((62.0, 90.0, 40.0), n=4)
    assert scene.shown_kmh == 62
    for i in range(6):
        scene.see((50.0, 170.0, 55.0 - 1.39 * i), (62.0, 90.0, 38.0 - 1.72 * i))
    assert scene.shown_kmh == 62, "a little stronger is not enough to change"
    for i in range(6):
        scene.see((50.0, 190.0, 46.0 - 1.39 * i), (62.0, 90.0, 27.0 - 1.72 * i))
    assert scene.shown_kmh == 50


def test_the_strongest_without_strengths_is_the_nearest() -> None:
    tracker, t_s = Tracker(TrackingParams(prefer="strongest")), 100.0
    for i in range(8):
        t_s = 100 + i / 10
        far, near = (
            Reading(t_s, 50.0, IN, range_m=60 - 1.4 * i),
            Reading(t_s, 62.0, IN, range_m=40 - 1.7 * i, rank=1),
        )
        tracker.see([far, near])
    target = tracker.target(t_s, BOTH)
    assert target is not None
    assert target.speed_kmh == 62.0


def test_without_strengths_the_one_shown_stays() -> None:
    tracker = Tracker()
    for i in range(12):
        t_s = 100 + i / 10
        late = [Reading(t_s, 62.0, IN, rank=1)] if i > 4 else []
        tracker.see([Reading(t_s, 50.0, IN), *late])
        target = tracker.target(t_s, BOTH)
        assert target is None or target.speed_kmh == 50.0


def test_a_car_that_is_found_again_keeps_the_display() -> None:
    """Lost for a second, it begins a track of its own that is then joined to the one before."""
    tracker, ids = Tracker(), set()
    for reading in approach(50, 100.0):
        if 101.0 < reading.t_mono_s < 102.0:
            continue
        tracker.see([reading])
        target = tracker.target(reading.t_mono_s, BOTH)
        if target is not None:
            ids.add(target.track_id)
    [vehicle] = tracker.flush()
    assert vehicle.track_id in ids
    assert tracker.target(reading.t_mono_s, BOTH) is None


def test_joined_the_shown_one_is_still_the_shown_one() -> None:
    """A weaker car stays on the display although its track has been joined to its earlier one meanwhile."""
    scene = Scene().see((50.0, 80.0), n=12)
    assert scene.shown_kmh == 50
    scene.t_s += 0.9
    scene.see((50.0, 80.0), n=4)
    before = scene.shown()
    assert before is not None
    scene.see((62.0, 120.0), (50.0, 80.0), n=12)
    after = scene.shown()
    assert after is not None
    assert round(after.speed_kmh) == 50
    assert after.track_id < before.track_id, "renamed"


def test_the_shown_speed_is_put_right_for_the_mounting_angle() -> None:
    target = Scene(TrackingParams(mounting_angle_deg=20.0)).see((47.0, 80.0), n=5).shown()
    assert target is not None
    assert target.speed_kmh == pytest.approx(50.0, abs=0.02)


@pytest.mark.parametrize("scene", [approach, depart])
def test_a_passing_car_is_shown_without_a_break(scene: type) -> None:
    tracker, numbers = Tracker(), []
    for reading in scene(50, 100.0):
        tracker.see([reading])
        target = tracker.target(reading.t_mono_s, BOTH)
        numbers.append(None if target is None else target.speed_kmh)
    assert numbers[:2] == [None, None]
    assert None not in numbers[2:]
