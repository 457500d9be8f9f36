"""One car: the angle at which it was seen, from its radial speeds alone."""

from __future__ import annotations

from math import cos, inf, nan, radians

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.calibration.approach import LANES_M, Approach, Fits, checked, representative
from speedsign.calibration.line import line_of, rows_of
from speedsign.model import Direction
from speedsign.tracking.speeds import speeds_of
from tests.calibration.passes import approach, stands_for


@settings(max_examples=25, deadline=None)
@given(
    beside_m=st.floats(3.0, 10.0),
    speed_kmh=st.floats(25.0, 110.0),
    from_m=st.floats(45.0, 90.0),
    to_m=st.floats(6.0, 12.0),
)
def test_a_steady_car_tells_its_angle_its_lane_and_its_speed(
    beside_m: float, speed_kmh: float, from_m: float, to_m: float
) -> None:
    one, angles = approach(beside_m=beside_m, speed_kmh=speed_kmh, from_m=from_m, to_m=to_m)
    seen = Fits(one, 0.05).seen(beside_m)
    assert seen.angle_deg == pytest.approx(angles[stands_for(one)], abs=0.4)
    assert seen.along_kmh == pytest.approx(speed_kmh, rel=0.01)
    assert seen.beside_m == pytest.approx(beside_m, rel=0.1)
    assert abs(seen.accel_mps2) < 0.1


def test_the_lane_that_fits_best_is_the_one_it_drove_in() -> None:
    one, _ = approach(beside_m=6.0, noise_mps=0.02)
    fits = Fits(one, 0.05)
    scores = fits.against(LANES_M)
    best = LANES_M[scores.index(min(scores))]
    assert best == pytest.approx(6.0, rel=0.1)
    assert fits.without_lane() > min(scores) + 100


def test_a_driver_who_brakes_is_told_apart_from_a_far_lane() -> None:
    one, angles = approach(beside_m=6.0, accel_mps2=-0.5, speed_kmh=60.0)
    seen = Fits(one, 0.05).seen(6.0)
    assert seen.accel_mps2 == pytest.approx(-0.5, abs=0.1)
    assert seen.angle_deg == pytest.approx(angles[stands_for(one)], abs=0.3)


def test_a_radial_speed_that_does_not_fall_is_explained_without_a_lane() -> None:
    times = tuple(i / 10 for i in range(40))
    fits = Fits(Approach(times, (50.0,) * 40), 0.05)
    assert fits.without_lane() < 1.0
    assert min(fits.against(LANES_M)) > -1.0


def test_a_wild_reading_changes_little() -> None:
    one, angles = approach(beside_m=6.0)
    speeds = list(one.speeds_kmh)
    speeds[20] += 30.0
    seen = Fits(one._replace(speeds_kmh=speeds), 0.05).seen(6.0)
    assert seen.angle_deg == pytest.approx(angles[stands_for(one)], abs=1.0)


def test_ranges_hold_the_last_distance() -> None:
    one, angles = approach(beside_m=8.0, noise_mps=0.3, ranges=True)
    seen = Fits(one, 0.3).seen(8.0)
    assert seen.angle_deg == pytest.approx(angles[stands_for(one)], abs=0.7)
    alone = Fits(one._replace(ranges_m=()), 0.3).seen(8.0)
    assert seen.sd_deg < alone.sd_deg


def test_noise_makes_it_less_sure() -> None:
    quiet, loud = (
        Fits(approach(noise_mps=noise)[0], max(noise, 0.05)).seen(6.0).sd_deg for noise in (0.0, 0.25)
    )
    assert loud > 1.1 * quiet


def test_the_noise_of_readings_is_found() -> None:
    one, _ = approach(noise_mps=0.2, speed_kmh=25.0)
    assert Fits(one).own_noise_mps() == pytest.approx(0.2, rel=0.4)


def test_the_representative_speed_is_the_one_that_the_tracker_corrects() -> None:
    one, _ = approach(to_m=30.0, from_m=70.0, noise_mps=0.05)
    short = Approach(one.times_s[:9], one.speeds_kmh[:9])  # too few for a passage: the plain rule
    tracked = speeds_of(short.times_s, short.speeds_kmh, Direction.APPROACHING, 12.0)
    _, radial_kmh = representative(short.times_s, short.speeds_kmh)
    assert tracked.radial_kmh == radial_kmh
    assert tracked.speed_kmh == pytest.approx(radial_kmh / cos(radians(12.0)))


def test_the_representative_angle_makes_the_representative_speed_right() -> None:
    one, angles = approach(beside_m=8.0, from_m=35.0, to_m=8.0, speed_kmh=50.0)
    which, radial_kmh = representative(one.times_s, one.speeds_kmh)
    assert radial_kmh / cos(radians(angles[which])) == pytest.approx(50.0, rel=0.005)


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (Approach((), ()), "as many speeds"),
        (Approach((0.0, 0.1), (50.0,)), "as many speeds"),
        (Approach((0.0, 0.1), (50.0, 49.0), (30.0,)), "as many ranges"),
        (Approach((0.0, nan), (50.0, 49.0)), "numbers"),
        (Approach((0.0, 0.1), (50.0, inf)), "numbers"),
        (Approach((0.1, 0.0), (50.0, 49.0)), "order of time"),
        (Approach((0.0, 0.1), (50.0, -49.0)), "negative"),
        (Approach((0.0, 0.1), (50.0, 49.0), (-1.0, 1.0)), "negative"),
    ],
)
def test_impossible_readings_are_refused_in_a_sentence(one: Approach, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        checked(one)
    with pytest.raises(ValueError, match=what):
        Fits(one)


def test_few_readings_a_short_time_or_a_standing_car_are_not_usable() -> None:
    one, _ = approach()
    assert not Fits(Approach(one.times_s[:9], one.speeds_kmh[:9])).usable
    assert not Fits(Approach(tuple(i / 100 for i in range(30)), (50.0,) * 30)).usable
    assert not Fits(Approach(one.times_s, (*one.speeds_kmh[:-1], 0.0))).usable
    assert not Fits(Approach((1.0,) * 20, (50.0,) * 20)).usable


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.5, 300.0), min_size=12, max_size=60))
def test_whatever_the_speeds_nothing_breaks(speeds: list[float]) -> None:
    fits = Fits(Approach(tuple(i / 10 for i in range(len(speeds))), tuple(speeds)))
    seen = fits.seen(6.0)
    assert 0.0 <= seen.angle_deg <= 90.0
    assert seen.sd_deg >= 0.0
    assert fits.own_noise_mps() > 0.0


def test_a_line_with_the_right_lane_and_place_leaves_nothing() -> None:
    one, _ = approach(beside_m=6.0, to_m=10.0)
    radial = [speed / 3.6 for speed in one.speeds_kmh]
    ahead = [0.0] * len(radial)
    for i in range(len(radial) - 2, -1, -1):
        ahead[i] = ahead[i + 1] + (radial[i] + radial[i + 1]) / 2 * 0.1
    rows = rows_of(radial, ahead, radial)
    last_x_m = 60.0 - 50.0 / 36.0 * (len(radial) - 1)
    right = line_of(rows, 6.0, last_x_m, 0.05)
    assert right.misfit / len(rows) < 1e-4
    assert right.v2**0.5 * 3.6 == pytest.approx(50.0, rel=1e-3)
    assert line_of(rows, 9.0, last_x_m, 0.05).misfit > 100 * right.misfit
