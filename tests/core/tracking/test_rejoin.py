"""Whether what begins is an earlier vehicle that goes on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from speedsign.model import Direction, Reading
from speedsign.tracking import TrackingParams
from speedsign.tracking.noise import Noise
from speedsign.tracking.rejoin import misjoin
from speedsign.tracking.track import Track
from tests.core.tracking.cars import EITHER, IN, OUT, approach, depart, track_of, without_strength

NOISE = Noise(speed_kmh=0.2)


def split(readings: Iterable[Reading], after_s: float, unseen_s: float) -> tuple[Track, Track]:
    """One car's readings before and after it was out of sight."""
    held = list(readings)
    until_s = held[0].t_mono_s + after_s
    front = [r for r in held if r.t_mono_s < until_s]
    back = [r for r in held if r.t_mono_s >= until_s + unseen_s - 1e-6]
    return track_of(front), track_of(back, 2)


def fits(earlier: Track, later: Track) -> float | None:
    return misjoin(earlier, later, NOISE, TrackingParams())


@pytest.mark.parametrize("scene", [approach, depart])
@pytest.mark.parametrize("unseen_s", [0.5, 1.2])
def test_a_car_goes_on_where_it_was_lost(scene: type, unseen_s: float) -> None:
    fit = fits(*split(scene(50, 100.0), 1.0, unseen_s))
    assert fit is not None
    assert fit < 0.5


def test_it_goes_on_without_strengths_too() -> None:
    assert fits(*split(without_strength(approach(50, 100.0)), 1.0, 1.2)) is not None


@pytest.mark.parametrize("faster_kmh", [3.0, -9.0])
def test_another_speed_is_another_car(faster_kmh: float) -> None:
    earlier, _ = split(approach(50, 100.0), 1.0, 1.0)
    _, later = split(approach(50 + faster_kmh, 100.0), 1.0, 1.0)
    assert fits(earlier, later) is None


def test_one_that_is_far_away_again_is_the_next_car() -> None:
    """The same speed, but the echo of the first had grown twentyfold."""
    assert fits(track_of(approach(50, 100.0, to_m=25)), track_of(approach(50, 103.5), 2)) is None


def test_the_other_way_is_another_car() -> None:
    earlier, later = track_of(approach(50, 100.0, to_m=30)), track_of(depart(50, 104.0), 2)
    assert fits(earlier, later) is None
    later.direction = EITHER
    earlier.direction = EITHER
    assert fits(earlier, track_of([Reading(103 + i / 10, 49.5, IN, 90.0) for i in range(6)], 3)) is not None


def test_the_longer_unseen_the_better_it_has_to_fit() -> None:
    """0.5 km/h higher than it was: the same after half a second, maybe another one after two."""
    earlier = track_of(Reading(100 + i / 10, 50.0, IN) for i in range(10))
    fit = [
        fits(earlier, track_of((Reading(101 + s + i / 10, 50.5, IN) for i in range(10)), 2))
        for s in (0.2, 0.4, 1.0, 1.4)
    ]
    held = [one for one in fit if one is not None]
    assert held[0] == pytest.approx(held[1])
    assert held[1] < held[2] < held[3]


def test_few_readings_have_to_fit_better() -> None:
    earlier = track_of(Reading(100 + i / 10, 50.0, IN) for i in range(10))
    later = [Reading(101.2 + i / 10, 50.6, IN) for i in range(8)]
    assert fits(earlier, track_of(later, 2)) is not None
    assert fits(earlier, track_of(later[:2], 2)) is None
    exact = [replace(reading, speed_kmh=50.0) for reading in later]
    assert fits(earlier, track_of(exact[:2], 2)) is not None


# ------------------------------------------------------------------ both are seen, by turns


def by_turns(apart_kmh: float, *, apart_m: float | None = None) -> tuple[Track, Track]:
    """Readings 1, 3, 5, … and 2, 4, 6, … of a radar that tells one target at a time."""

    def place_m(i: int) -> float | None:
        return None if apart_m is None else 60 - 1.39 * i + apart_m * (i % 2)

    readings = [Reading(100 + i / 10, 50 + apart_kmh * (i % 2), IN, 50.0, place_m(i)) for i in range(20)]
    return track_of(readings[::2]), track_of(readings[1::2], 2)


def test_by_turns_at_the_same_speed_it_is_one() -> None:
    assert fits(*by_turns(0.0)) == pytest.approx(0.0, abs=0.01)
    assert fits(*by_turns(0.3)) is not None


@pytest.mark.parametrize("apart_kmh", [2.0, -2.0])
def test_by_turns_at_two_speeds_they_are_two(apart_kmh: float) -> None:
    assert fits(*by_turns(apart_kmh)) is None


def test_by_turns_a_noisy_sensor_says_less() -> None:
    earlier, later = by_turns(1.0)
    assert misjoin(earlier, later, Noise(speed_kmh=0.1), TrackingParams()) is None
    assert misjoin(earlier, later, Noise(speed_kmh=1.2), TrackingParams()) is not None


def test_by_turns_at_two_places_they_are_two() -> None:
    assert fits(*by_turns(0.0, apart_m=12.0)) is None
    assert fits(*by_turns(0.0, apart_m=3.0)) is not None


# ------------------------------------------------------------------ come to a halt


def halted(*, strength: float | None = 50.0, range_m: float | None = None) -> Track:
    """A bus that brakes at 1.2 m/s² until the radar does not see it any more."""
    speeds = [10 + 0.43 * i for i in range(20)][::-1]
    track = track_of(Reading(100 + i / 10, v, IN, strength, range_m) for i, v in enumerate(speeds))
    track.confirmed = True
    assert track.stands(TrackingParams())
    return track


def moving_off(
    from_kmh: float,
    *,
    after_s: float = 20.0,
    strength: float | None = 50.0,
    range_m: float | None = None,
    n: int = 8,
) -> Track:
    return track_of(
        (Reading(102 + after_s + i / 10, from_kmh + 0.43 * i, IN, strength, range_m) for i in range(n)), 2
    )


def test_what_had_stopped_moves_off_again() -> None:
    fit = fits(halted(), moving_off(10.4))
    assert fit is not None
    assert fit < 0.3


def test_who_drives_past_a_bus_stop_has_not_stood_there() -> None:
    assert fits(halted(), moving_off(35.0)) is None


@pytest.mark.parametrize(("strength", "one"), [(100.0, True), (20.0, True), (500.0, False), (5.0, False)])
def test_who_moves_off_is_as_loud_as_it_was(strength: float, one: bool) -> None:
    assert (fits(halted(), moving_off(10.4, strength=strength)) is not None) is one


@pytest.mark.parametrize(("range_m", "one"), [(31.0, True), (27.0, True), (38.0, False), (22.0, False)])
def test_who_moves_off_is_where_it_was(range_m: float, one: bool) -> None:
    assert (fits(halted(range_m=30.0), moving_off(10.4, range_m=range_m)) is not None) is one


def test_unheard_it_is_taken_for_the_same_but_not_gladly() -> None:
    fit = fits(halted(strength=None), moving_off(10.4, strength=None))
    assert fit is not None
    assert 0.5 < fit < 1.0


def test_two_readings_are_no_moving_off() -> None:
    assert fits(halted(), moving_off(10.4, n=2)) is None


def test_the_other_way_nobody_moves_off() -> None:
    later = moving_off(10.4)
    later.direction = Direction.RECEDING
    assert later.direction is OUT
    assert fits(halted(), later) is None
