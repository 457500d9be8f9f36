"""Tuning forks: frequencies, and the judgement of what a radar read of one."""

from __future__ import annotations

from math import hypot, inf, nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.calibration.fork import (
    USUAL_KMH,
    USUAL_MPH,
    ForkReading,
    ForkVerdict,
    hertz_of,
    judge,
    kmh_of,
    kmh_on,
    obstacles,
    table,
)
from speedsign.model import Direction, Unit
from speedsign.registry import load_radar, radar_names


@pytest.mark.parametrize(
    ("kmh", "ghz", "hertz"),
    [
        (50.0, 24.125, 2235.3),  # 44.71 Hz for one km/h
        (100.0, 24.15, 4475.3),
        (35 * 1.609344, 24.15, 2520.8),  # stamped K 35 mph
        (50 * 1.609344, 10.525, 1569.4),  # stamped X 50 mph
    ],
)
def test_the_forks_that_are_sold(kmh: float, ghz: float, hertz: float) -> None:
    assert hertz_of(kmh, ghz) == pytest.approx(hertz, abs=0.2)


@given(st.floats(0.1, 400.0), st.floats(5.0, 80.0))
def test_there_and_back(kmh: float, ghz: float) -> None:
    assert kmh_of(hertz_of(kmh, ghz), ghz) == pytest.approx(kmh)
    assert kmh_on(kmh, ghz, ghz) == pytest.approx(kmh)


def test_a_fork_of_another_band_reads_otherwise() -> None:
    assert kmh_on(100.0, 10.525) == pytest.approx(43.63, abs=0.01)


def test_the_table_has_both_units() -> None:
    in_kmh, in_mph = table(USUAL_KMH), table(USUAL_MPH, Unit.MPH)
    assert [line.kmh for line in in_kmh] == list(USUAL_KMH)
    assert [round(line.mph, 9) for line in in_mph] == list(USUAL_MPH)
    assert all(line.hertz == pytest.approx(hertz_of(line.kmh)) for line in in_kmh + in_mph)
    assert table([50.0], carrier_ghz=24.0)[0].hertz < table([50.0])[0].hertz


@pytest.mark.parametrize("bad", [0.0, -1.0, nan, inf])
def test_impossible_numbers_are_refused(bad: float) -> None:
    for ask in (
        lambda: hertz_of(bad),
        lambda: kmh_of(bad),
        lambda: hertz_of(50.0, bad),
        lambda: judge([], bad),
    ):
        with pytest.raises(ValueError, match="above 0"):
            ask()


def test_impossible_readings_are_refused() -> None:
    with pytest.raises(ValueError, match="readings"):
        judge([50.0, nan], 50.0)
    with pytest.raises(ValueError, match="readings"):
        judge([50.0, -1.0], 50.0)


def held(mean: float, n: int = 40, spread: float = 0.15, seed: int = 1) -> list[float]:
    random = Random(seed)
    return [random.gauss(mean, spread) for _ in range(n)]


def swaying(readings: list[float], seed: int = 2) -> list[Direction]:
    random = Random(seed)
    return [random.choice((Direction.APPROACHING, Direction.RECEDING)) for _ in readings]


def of_fork(readings: list[float], expected: float, tolerance: float = 1.0) -> ForkReading:
    return judge(readings, expected, tolerance, directions=swaying(readings))


def test_a_right_radar_is_within() -> None:
    found = of_fork(held(50.2), 50.0)
    assert found.verdict is ForkVerdict.WITHIN
    assert found.mean_kmh == pytest.approx(50.2, abs=0.1)
    assert found.low_kmh is not None
    assert found.high_kmh is not None
    assert found.low_kmh < 50.2 < found.high_kmh
    assert found.spread_kmh == pytest.approx(0.15, rel=0.3)
    assert not found.stuck


def test_a_radar_that_is_off_is_outside() -> None:
    assert of_fork(held(51.6), 50.0).verdict is ForkVerdict.OUTSIDE
    assert of_fork(held(51.6), 50.0, 2.0).verdict is ForkVerdict.WITHIN


def test_a_wrong_unit_is_outside_and_not_absent() -> None:
    assert of_fork(held(50 / 1.609344), 50.0).verdict is ForkVerdict.OUTSIDE


def test_at_the_edge_it_is_not_yet_known() -> None:
    assert judge(held(51.0, n=12, spread=0.4), 50.0).verdict is ForkVerdict.NOT_YET_KNOWN


def test_nothing_and_little() -> None:
    assert judge([], 50.0).verdict is ForkVerdict.ABSENT
    assert judge(held(50.0, n=9), 50.0).verdict is ForkVerdict.NOT_YET_KNOWN


def test_a_car_that_passes_meanwhile_is_left_out() -> None:
    found = of_fork([*held(50.0), 83.0, 82.0, 81.0], 50.0)
    assert found.verdict is ForkVerdict.WITHIN
    assert found.stray == 3
    assert found.readings == 43


def test_much_else_makes_it_unsteady() -> None:
    assert judge([*held(50.0), *held(70.0, n=20)], 50.0).verdict is ForkVerdict.UNSTEADY
    assert judge([float(speed) for speed in range(90, 130)], 50.0).verdict is ForkVerdict.UNSTEADY


ONE_WAY = [Direction.APPROACHING] * 200


def passing(kmh: float, beside_m: float = 4.0, from_m: float = 120.0, to_m: float = 8.0) -> list[float]:
    """What a radar reads of a car that comes at a steady speed, ten times a second, noise included."""
    random, along_m, found = Random(3), from_m, []
    while along_m > to_m:
        found.append(kmh * along_m / hypot(along_m, beside_m) + random.gauss(0.0, 0.18))
        along_m -= kmh / 36.0
    return found


@pytest.mark.parametrize("kmh", [30.0, 45.0, 50.0, 60.0, 90.0])
@pytest.mark.parametrize("to_m", [100.0, 60.0, 20.0, 4.0])
@pytest.mark.parametrize("directions", [ONE_WAY, [Direction.UNKNOWN] * 200, []])
def test_a_car_is_no_fork_wherever_it_is_when_the_time_is_over(
    kmh: float, to_m: float, directions: list[Direction]
) -> None:
    car = passing(kmh, to_m=to_m)
    found = judge(car, 45.0, directions=directions[: len(car)])
    assert found.verdict in (ForkVerdict.PERHAPS_A_CAR, ForkVerdict.UNSTEADY, ForkVerdict.NOT_YET_KNOWN)


def test_a_car_that_brakes_is_seen_to_move_whatever_anybody_says() -> None:
    car = [60.0 - 0.025 * n for n in range(60)]
    assert judge(car, 45.0, alone=True).verdict is ForkVerdict.UNSTEADY
    assert judge(held(58.8, spread=0.45), 45.0, alone=True).verdict is ForkVerdict.OUTSIDE


def test_cars_that_come_and_go_one_after_the_other_sway_as_little_as_one() -> None:
    there = [Direction.APPROACHING] * 20
    back = [Direction.RECEDING] * 20
    assert judge([60.0] * 40, 45.0, directions=there + back).verdict is ForkVerdict.PERHAPS_A_CAR
    image = [Direction.RECEDING if n % 10 == 5 else Direction.APPROACHING for n in range(40)]
    assert judge([60.0] * 40, 45.0, directions=image).verdict is ForkVerdict.PERHAPS_A_CAR
    assert judge([60.0] * 40, 45.0, directions=swaying([60.0] * 40)).verdict is ForkVerdict.OUTSIDE


def test_a_radar_that_tells_no_direction_needs_a_person_to_say_that_there_was_no_car() -> None:
    readings = held(50.1)
    assert judge(readings, 50.0).verdict is ForkVerdict.PERHAPS_A_CAR
    found = judge(readings, 50.0, alone=True)
    assert (found.verdict, found.alone, found.sways) == (ForkVerdict.WITHIN, True, False)


def test_whole_numbers_that_never_change_are_as_good_as_their_step() -> None:
    found = judge([50.0] * 30, 50.0, step_kmh=1.0, alone=True)
    assert found.stuck
    assert found.verdict is ForkVerdict.WITHIN
    assert (found.low_kmh, found.high_kmh) == (49.5, 50.5)
    assert judge([51.0] * 30, 50.0, step_kmh=1.0, alone=True).verdict is ForkVerdict.NOT_YET_KNOWN


@pytest.mark.parametrize("name", radar_names())
def test_every_radar_says_in_sentences_what_may_hide_a_fork(name: str) -> None:
    facts = load_radar(name).facts
    found = obstacles(facts, 50.0, 8.0, 200.0)
    assert any("ranges" in one for one in found) == facts.gives_range
    assert any("both ways" in one for one in found) == (facts.direction != "not at all")
    assert any("from 60" in one for one in obstacles(facts, 50.0, 60.0))
    assert any("up to 40" in one for one in obstacles(facts, 50.0, 8.0, 40.0))
