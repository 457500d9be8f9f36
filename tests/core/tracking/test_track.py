"""One thing that moves: which reading can be its next one, and what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from math import inf

import pytest

from speedsign.model import Direction, Reading
from speedsign.tracking import TrackingParams
from speedsign.tracking.noise import Noise
from speedsign.tracking.track import Track
from tests.core.tracking.cars import (
    EITHER,
    IN,
    OUT,
    approach,
    braking,
    depart,
    drive,
    track_of,
    with_range,
    without_strength,
)

PARAMS, NOISE = TrackingParams(), Noise(speed_kmh=0.1)


def fits(track: Track, reading: Reading, noise: Noise = NOISE) -> bool:
    return track.misfit(reading, PARAMS, noise) is not None


def steady(
    direction: Direction = IN, *, strength: float | None = None, range_m: float | None = None
) -> Track:
    """Seen for 1.5 s at 50 km/h, last at 101.4 s."""
    return track_of(Reading(100 + i / 10, 50.0, direction, strength, range_m) for i in range(15))


def confirmed(track: Track) -> Track:
    track.confirmed = True
    return track


# ------------------------------------------------------------------ the next reading


@pytest.mark.parametrize("speed_kmh", [12, 30, 50, 70])
@pytest.mark.parametrize("scene", [approach, depart])
@pytest.mark.parametrize("rate_hz", [10.0, 40.0])
def test_each_reading_of_a_car_continues_it(speed_kmh: float, scene: type, rate_hz: float) -> None:
    """Faster ones bend too sharply beside the pole: what is left of them is joined again."""
    first, *others = scene(speed_kmh, 100.0, rate_hz=rate_hz)
    track = Track(1, first)
    for reading in others:
        assert fits(track, reading), reading
        track.add(reading)


@pytest.mark.parametrize(
    ("direction", "jump_kmh", "one"),
    [
        (IN, 1.0, True),
        (IN, 3.0, False),
        (IN, -1.5, True),
        (IN, -6.0, False),
        (OUT, 1.5, True),
        (OUT, 6.0, False),
        (OUT, -1.0, True),
        (OUT, -3.0, False),
        (EITHER, 1.5, True),
        (EITHER, -1.0, True),
        (EITHER, 6.0, False),
        (EITHER, -6.0, False),
    ],
)
def test_a_jump_that_no_engine_and_no_tyre_makes(direction: Direction, jump_kmh: float, one: bool) -> None:
    assert fits(steady(direction), Reading(101.5, 50 + jump_kmh, direction)) is one


def test_the_other_way_is_somebody_else() -> None:
    assert not fits(steady(IN), Reading(101.5, 50.0, OUT))
    assert fits(steady(IN), Reading(101.5, 50.0, EITHER))
    assert fits(steady(EITHER), Reading(101.5, 50.0, OUT))


def test_the_first_known_direction_is_kept() -> None:
    track = steady(EITHER)
    track.add(Reading(101.5, 50.0, OUT))
    track.add(Reading(101.6, 50.0, EITHER))
    assert track.direction is OUT


def test_a_noisy_sensor_is_given_more_room() -> None:
    reading = Reading(101.5, 52.2, IN)
    assert not fits(steady(), reading)
    assert fits(steady(), reading, Noise(speed_kmh=1.2))


def test_a_fit_is_better_the_nearer() -> None:
    parts = [steady().misfit(Reading(101.5, 50 - off, IN), PARAMS, NOISE) for off in (0.0, 0.5, 1.0)]
    assert parts[0] == pytest.approx(0.0)
    assert all(a is not None and b is not None and a < b <= 1.0 for a, b in pairwise(parts))


def test_the_strength_does_not_jump_from_one_reading_to_the_next() -> None:
    track = steady(strength=100.0)
    assert fits(track, Reading(101.5, 50.0, IN, 300.0))
    assert not fits(track, Reading(101.5, 50.0, IN, 900.0))
    assert not fits(track, Reading(101.5, 50.0, IN, 11.0))
    assert fits(track, Reading(101.5, 50.0, IN, None))


def test_an_echo_that_has_fallen_and_rises_again_is_somebody_elses() -> None:
    levels = [20, 40, 80, 160, 320, 320, 160, 80, 40, 20, 10, 5, 5]
    track = track_of(Reading(100 + i / 10, 50.0, IN, float(level)) for i, level in enumerate(levels))
    assert fits(track, Reading(101.3, 50.0, IN, 40.0))
    assert not fits(track, Reading(101.3, 50.0, IN, 60.0))


def test_where_the_range_is_told_it_has_to_be_there() -> None:
    track = track_of(with_range(approach(50, 100.0, to_m=30)))
    nexts = list(with_range(approach(50, 100.0)))[track.count]
    assert fits(track, nexts)
    assert nexts.range_m is not None
    assert fits(track, replace(nexts, strength=(nexts.strength or 0) * 50)), "the range says more"
    assert not fits(track, replace(nexts, range_m=nexts.range_m + 8))
    assert not fits(track, replace(nexts, range_m=nexts.range_m - 8))


def test_its_place_is_its_last_range_and_its_way_since() -> None:
    assert steady(range_m=40.0).place_m(101.4 + 0.36) == pytest.approx(35.0)
    assert steady(OUT, range_m=40.0).place_m(101.4 + 0.36) == pytest.approx(45.0)
    assert steady().place_m(101.5) is None


def test_out_of_sight_it_has_to_prove_who_it_is() -> None:
    track = steady()
    assert track.away_s == pytest.approx(0.4)
    assert fits(track, Reading(101.79, 50.0, IN))
    assert not fits(track, Reading(101.81, 50.0, IN))


def test_a_slow_radar_is_given_more_time() -> None:
    """At four a second, two readings left out are no reason to ask."""
    track = track_of(Reading(100 + i / 4, 50.0, IN) for i in range(30))
    assert track.away_s == pytest.approx(2.5 * 0.25, rel=0.1)


def test_met_again_it_is_known_by_its_speed() -> None:
    track = confirmed(steady())
    assert track.misfit_again(Reading(102.4, 50.0, IN), NOISE) == pytest.approx(0.0, abs=0.01)
    assert track.misfit_again(Reading(102.4, 51.0, IN), NOISE) == pytest.approx(4.0, abs=0.1)
    assert track.misfit_again(Reading(102.4, 50.0, OUT), NOISE) == inf
    assert track.misfit_again(Reading(101.5, 50.0, IN), NOISE) == inf, "it is still in sight"
    assert steady().misfit_again(Reading(102.4, 50.0, IN), NOISE) == inf, "it was no vehicle"
    placed = confirmed(steady(range_m=40.0))
    assert placed.misfit_again(Reading(102.4, 50.0, IN, None, 95.0), NOISE) == inf


# ------------------------------------------------------------------ the filter


def test_the_filter_follows_a_driver_who_brakes() -> None:
    track = track_of(Reading(100 + i / 10, 60 - 0.72 * i, IN) for i in range(15))
    assert track.speed_kmh == pytest.approx(60 - 0.72 * 14, abs=0.4)
    assert track.slope_kmh_s == pytest.approx(-7.2, rel=0.1)
    assert track.expected_kmh(0.1) == pytest.approx(60 - 0.72 * 15, abs=0.5)


def test_over_a_long_gap_the_slope_tells_nothing() -> None:
    track = track_of(Reading(100 + i / 10, 60 - 0.72 * i, IN) for i in range(15))
    assert track.expected_kmh(5.0) == track.expected_kmh(0.4)


def test_one_outlier_does_not_carry_it_away() -> None:
    track = steady()
    track.add(Reading(101.5, 51.5, IN))
    assert track.speed_kmh < 50.8
    track.add(Reading(101.6, 50.0, IN))
    assert track.speed_kmh == pytest.approx(50.0, abs=0.6)


def test_a_quick_sensor_moves_the_filter_no_faster() -> None:
    """What four readings in a tenth of a second say is what one says."""
    quick, slow = (track_of(approach(50, 100.0, rate_hz=rate, to_m=12)) for rate in (40.0, 10.0))
    assert quick.speed_kmh == pytest.approx(slow.speed_kmh, abs=0.5)
    assert quick.slope_kmh_s == pytest.approx(slow.slope_kmh_s, abs=2.0)


def test_readings_of_the_same_moment_do_not_break_it() -> None:
    track = track_of([Reading(100.0, 50.0, IN)] * 5)
    assert (track.count, track.speed_kmh, track.slope_kmh_s) == (5, 50.0, 0.0)


def test_a_slope_is_never_steeper_than_anything_on_wheels() -> None:
    track = track_of(Reading(100 + i / 1000, 50.0 + 100 * (i % 2), IN) for i in range(50))
    assert abs(track.slope_kmh_s) <= 60.0


# ------------------------------------------------------------------ past, standing, confirmed


def test_a_car_is_past_when_its_echo_has_collapsed() -> None:
    levels = [50, 100, 200, 200, 100, 50, 30, 20, 20]
    track = track_of(Reading(100 + i / 10, 50.0, IN, float(level)) for i, level in enumerate(levels))
    assert track.is_past
    assert not steady(strength=100.0).is_past
    leaving = track_of(Reading(100 + i / 10, 50.0, OUT, float(level)) for i, level in enumerate(levels))
    assert not leaving.is_past, "receding, an echo fades all the way"


def test_a_car_is_past_when_the_cosine_has_swept_it() -> None:
    assert track_of(without_strength(approach(50, 100.0, to_m=2))).is_past
    assert not track_of(without_strength(approach(50, 100.0, to_m=15))).is_past


def test_a_car_is_past_when_both_fall() -> None:
    falls = [
        Reading(100 + i / 10, 50 - 0.5 * max(i - 5, 0), IN, 100.0 - 6 * max(i - 5, 0)) for i in range(14)
    ]
    assert track_of(falls).is_past
    assert not track_of(replace(reading, strength=100.0) for reading in falls).is_past
    assert not track_of(replace(reading, speed_kmh=50.0) for reading in falls).is_past


def test_a_bus_that_comes_to_a_halt_stands() -> None:
    halting = [Reading(100 + i / 10, 20 - 0.43 * i, IN, 50.0) for i in range(20)]
    assert confirmed(track_of(halting)).stands(PARAMS)
    assert not track_of(halting).stands(PARAMS), "nobody knows yet that it is a vehicle"
    assert not confirmed(track_of(halting[:5])).stands(PARAMS), "it still drives"
    swept = [Reading(100 + i / 10, 50 - 0.1 * i * i, IN) for i in range(20)]
    assert not confirmed(track_of(swept)).stands(PARAMS), "that is the cosine"
    moving_off = [Reading(100 + i / 10, 10.2 + 0.8 * i, IN) for i in range(6)]
    assert not confirmed(track_of(moving_off)).stands(PARAMS)


def test_three_readings_within_a_second_confirm() -> None:
    def confirms(*times: float) -> bool:
        return track_of(Reading(t, 50.0, IN) for t in times).confirms(PARAMS)

    assert not confirms(100.0, 100.1)
    assert confirms(100.0, 100.1, 100.2)
    assert confirms(100.0, 100.5, 101.0)
    assert not confirms(100.0, 100.5, 101.1)
    assert confirms(100.0, 100.9, 101.5, 101.8), "the last three"


def test_an_image_has_to_insist() -> None:
    readings = [Reading(100 + i / 10, 50.0, OUT) for i in range(8)]
    image = Track(2, readings[0], image_of=1)
    for reading in readings[1:]:
        assert not image.confirms(PARAMS)
        image.add(reading)
    assert image.confirms(PARAMS)


# ------------------------------------------------------------------ parted and joined


def test_parted_each_half_keeps_what_is_its_own() -> None:
    one, other = list(approach(50, 100.0)), list(approach(54, 103.8, to_m=40))
    track = track_of([*one, *other])
    track.flags.add("rejoined")
    later = track.part(len(one), 7)
    assert (track.id, later.id) == (1, 7)
    assert (track.count, later.count) == (len(one), len(other))
    assert (track.t_first_s, track.t_last_s) == (one[0].t_mono_s, one[-1].t_mono_s)
    assert (later.t_first_s, later.t_last_s) == (other[0].t_mono_s, other[-1].t_mono_s)
    assert track.peak_strength is not None
    assert later.peak_strength is not None
    assert track.peak_strength > 10 * later.peak_strength
    assert later.speed_kmh == pytest.approx(54, abs=0.5)
    assert (track.flags, later.flags) == ({"rejoined"}, set())


def test_parted_and_joined_again_it_is_what_it_was() -> None:
    readings = list(with_range(approach(50, 100.0)))
    whole, track = track_of(readings), track_of(readings)
    track.absorb(track.part(15, 2))
    for name in ("count", "t_first_s", "t_last_s", "speed_kmh", "slope_kmh_s", "range_m"):
        assert getattr(track, name) == getattr(whole, name)
    assert track.series.times == whole.series.times
    assert track.strength == pytest.approx(whole.strength)


def test_joined_it_goes_on_as_the_later_one() -> None:
    earlier, later = track_of(approach(50, 100.0, to_m=40)), track_of(approach(50, 102.0, to_m=20), 2)
    later.flags.add("image?")
    later.confirmed = True
    earlier.absorb(later)
    assert (earlier.id, earlier.confirmed, earlier.flags) == (1, True, {"image?"})
    assert (earlier.t_first_s, earlier.t_last_s) == (100.0, later.t_last_s)
    assert earlier.speed_kmh == later.speed_kmh
    assert earlier.count == len(earlier.series)


def test_joined_by_turns_the_one_seen_last_says_how_it_is_now() -> None:
    readings = [Reading(100 + i / 10, 50.0 + 0.2 * (i % 2), IN, 50.0) for i in range(20)]
    longer, shorter = track_of(readings[::2]), track_of(readings[1:9:2], 2)
    longer.absorb(shorter)
    assert longer.t_last_s == readings[18].t_mono_s
    assert longer.speed_kmh == pytest.approx(50.0)


# ------------------------------------------------------------------ what the driver is shown


def shown(readings: Iterable[Reading], smoothing: int = 3) -> list[float]:
    """The live speed after each reading."""
    first, *others = readings
    track = Track(1, first)
    speeds = [track.live_speed_kmh(smoothing)]
    for reading in others:
        track.add(reading)
        speeds.append(track.live_speed_kmh(smoothing))
    return speeds


@pytest.mark.parametrize("speed_kmh", [30, 50, 70, 90])
@pytest.mark.parametrize("beside_m", [3.0, 5.0, 7.0])
@pytest.mark.parametrize("strength", [True, False])
def test_the_number_does_not_fall_with_the_cosine(speed_kmh: float, beside_m: float, strength: bool) -> None:
    """Down to 10 m before the pole a driver is shown what he drives, or hardly less."""
    readings = list(approach(speed_kmh, 100.0, beside_m=beside_m, to_m=10))
    for speed in shown(readings if strength else without_strength(readings)):
        assert speed == pytest.approx(speed_kmh, abs=2.7)


@pytest.mark.parametrize("speed_kmh", [50, 90])
def test_the_number_stays_where_the_echo_leaves_the_beam(speed_kmh: float) -> None:
    """From 15 m on the beam does not hold it any more: speed and strength fall together."""
    held = list(approach(speed_kmh, 100.0, to_m=15))
    left = list(approach(speed_kmh, 100.0, to_m=4))[len(held) :]
    strength = held[-1].strength or 0.0
    fading = [replace(r, strength=strength * 0.5 ** (i + 1)) for i, r in enumerate(left)]
    assert min(r.speed_kmh for r in fading) < speed_kmh - 8
    assert min(shown([*held, *fading])) > speed_kmh - 4


def test_the_number_falls_when_the_driver_brakes() -> None:
    readings = list(drive(braking(60, 40, 3.0, 50), 100.0, to_m=15))
    speeds = shown(readings)
    assert speeds[0] == pytest.approx(60, abs=0.5)
    assert speeds[-1] == pytest.approx(40, abs=2.2)


@pytest.mark.parametrize("mps2", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("begins_m", [60, 45, 30])
def test_nobody_is_shown_more_than_he_drove(mps2: float, begins_m: float) -> None:
    """A car that brakes looks as if it passed in a farther lane: what was shown before is the most."""
    readings = drive(braking(60, 45, mps2, begins_m), 100.0, from_m=80)
    assert max(shown(readings)) <= 60.2


def test_without_smoothing_the_last_reading_is_shown() -> None:
    readings = [Reading(100 + i / 10, 50.0 + (i == 5), IN) for i in range(6)]
    assert shown(readings, 1)[-1] == 51.0
    assert shown(readings, 3)[-1] == 50.0


def test_receding_the_number_is_what_is_read() -> None:
    readings = list(depart(50, 100.0))
    assert shown(readings, 1) == [reading.speed_kmh for reading in readings]
