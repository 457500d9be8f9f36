"""The columns of the readings of a track: of one length, never too long, and the lines through their ends."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.model import Direction, Reading
from speedsign.tracking.junction import WINDOW_S
from speedsign.tracking.noise import Noise
from speedsign.tracking.params import MAX_READINGS
from speedsign.tracking.series import Series
from tests.core.tracking.cars import EITHER, IN, OUT, approach, depart, with_range


def series_of(readings: Iterable[Reading]) -> Series:
    series = Series()
    for reading in readings:
        series.add(reading)
    return series


def rows(series: Series) -> list[tuple[float, float]]:
    return list(zip(series.times, series.speeds, strict=True))


def worst(series: Series, direction: Direction) -> tuple[float, int]:
    return series.worst_breach(direction, Noise(), len(series))


def assert_sound(series: Series) -> None:
    n = len(series)
    assert len(series.speeds) == n <= MAX_READINGS
    assert len(series.levels) in (0, n)
    assert len(series.ranges) in (0, n)
    assert series.times == sorted(series.times)


def test_columns_hold_what_was_read() -> None:
    series = series_of([Reading(100.0, 50.0, IN, 20.0, 40.0), Reading(100.1, 49.8, IN, 22.0, 38.6)])
    assert rows(series) == [(100.0, 50.0), (100.1, 49.8)]
    assert series.levels == [log(20.0), log(22.0)]
    assert series.ranges == [40.0, 38.6]


@pytest.mark.parametrize("at", [0, 1, 5])
def test_one_reading_without_strength_or_range_ends_the_column_for_good(at: int) -> None:
    for strength in (None, 0.0):
        readings = [Reading(100 + i / 10, 50.0, IN, 20.0, 40.0) for i in range(9)]
        readings[at] = Reading(100 + at / 10, 50.0, IN, strength, None)
        series = series_of(readings)
        assert (len(series), series.levels, series.ranges) == (9, [], [])


def test_an_endless_series_keeps_its_ends_and_an_even_spacing() -> None:
    series = series_of(Reading(100 + i / 10, 20.0, IN, 5.0, 9.0) for i in range(20_000))
    assert_sound(series)
    assert len(series) >= MAX_READINGS // 2
    assert series.times[0] == 100.0
    assert series.times[-1] > 100 + 2000 - 4
    steps = {round(later - before, 1) for before, later in zip(series.times, series.times[1:], strict=False)}
    assert max(steps) <= 2 * min(steps)


def test_of_a_quick_sensor_every_second_reading_is_kept_but_for_the_first() -> None:
    series = Series()
    kept = [series.add(Reading(100 + i / 40, 50.0, IN)) for i in range(16)]
    assert kept == [True] * 6 + [False, True] * 5


def test_merged_readings_are_in_order_of_time() -> None:
    one = series_of(Reading(100 + i / 5, 50.0 + i, IN, 10.0 + i, 30.0 - i) for i in range(5))
    other = series_of(Reading(100.1 + i / 5, 60.0 + i, IN, 20.0 + i, 40.0 - i) for i in range(5))
    one.merge(other)
    assert_sound(one)
    assert one.speeds == [50, 60, 51, 61, 52, 62, 53, 63, 54, 64]
    assert one.levels[:2] == [log(10.0), log(20.0)]
    assert one.ranges[:2] == [30.0, 40.0]


@pytest.mark.parametrize("mute_first", [True, False])
def test_merged_with_one_that_has_no_strengths_there_are_none(mute_first: bool) -> None:
    loud = series_of(Reading(100 + i / 10, 50.0, IN, 10.0) for i in range(5))
    mute = series_of(Reading(101 + i / 10, 50.0, IN) for i in range(5))
    one, other = (mute, loud) if mute_first else (loud, mute)
    one.merge(other)
    assert (len(one), one.levels) == (10, [])


def test_merging_long_ones_keeps_the_bound() -> None:
    one = series_of(Reading(100 + i / 10, 50.0, IN) for i in range(1000))
    one.merge(series_of(Reading(200 + i / 10, 50.0, IN) for i in range(1000)))
    assert_sound(one)


def test_a_cut_loses_nothing() -> None:
    whole = series_of(with_range(approach(50, 100.0)))
    front = series_of(with_range(approach(50, 100.0)))
    back = front.cut(12)
    assert len(front) == 12
    for column in ("times", "speeds", "levels", "ranges"):
        assert getattr(front, column) + getattr(back, column) == getattr(whole, column)


def test_what_was_cut_from_a_thinned_series_is_thinned_as_before() -> None:
    series = series_of(Reading(100 + i / 10, 20.0, IN) for i in range(1100))
    later = series.cut(len(series) - 10)
    before = len(later)
    for i in range(10):
        later.add(Reading(300 + i / 10, 20.0, IN))
    assert len(later) == before + 5


def test_lines_through_the_ends_see_the_window_alone() -> None:
    """20 km/h for a second, then faster by 10 km/h a second: the end knows nothing of the beginning."""
    series = series_of(Reading(100 + i / 10, 20.0 + max(i - 10, 0), IN, 8.0) for i in range(31))
    assert WINDOW_S < 2.0
    begin, end = series.beginning(IN), series.end(IN)
    assert (begin.t_s, begin.speed_kmh, begin.slope_kmh_s) == pytest.approx((100.0, 20.0, 0.0), abs=1e-9)
    assert (end.t_s, end.speed_kmh, end.slope_kmh_s) == pytest.approx((103.0, 40.0, 10.0))
    assert end.level == pytest.approx(log(8.0))
    assert end.range_m is None


def test_of_a_slow_radar_the_runs_are_longer() -> None:
    """Two or three readings a second tell a slope, if they are not older than two seconds."""
    for every_s, told in [(0.45, True), (1.1, False)]:
        series = series_of(Reading(100 + i * every_s, 50 - 4.5 * i * every_s, IN) for i in range(12))
        for run in (series.beginning(IN), series.end(IN)):
            assert run.slope_kmh_s == (pytest.approx(-4.5) if told else 0.0)
            assert (run.slope_variance < inf) is told


@pytest.mark.parametrize(("direction", "way"), [(IN, -1), (OUT, 1)])
def test_one_garbled_range_does_not_move_a_junction(direction: Direction, way: int) -> None:
    """36 km/h are 10 m a second; of three ranges, taken to the junction, the middle one counts."""
    readings = [
        Reading(100 + i / 10, 36.0, direction, 8.0, 50.0 + way * i + 70 * (i in (0, 9))) for i in range(10)
    ]
    series = series_of(readings)
    assert series.beginning(direction).range_m == pytest.approx(50.0)
    assert series.end(direction).range_m == pytest.approx(50.0 + way * 9)


def test_an_end_where_no_slope_can_be_told_parts_nothing() -> None:
    """Two readings of another car are not enough to say that it is one; four are."""
    series = series_of([*approach(50, 100.0), *approach(70, 104.0)][:42])
    assert series.breach_at(40, IN, Noise()) == 0.0
    assert series.breach_at(38, IN, Noise()) > 1.0


@pytest.mark.parametrize("speed_kmh", [20, 50, 90])
@pytest.mark.parametrize("scene", [approach, depart])
def test_one_car_has_no_bad_junction(speed_kmh: float, scene: type) -> None:
    readings = list(scene(speed_kmh, 100.0))
    bad, _ = worst(series_of(readings), readings[0].direction)
    assert bad < 1.0


@pytest.mark.parametrize("scene", [approach, depart])
def test_the_worst_junction_of_two_cars_is_between_them(scene: type) -> None:
    one, other = list(scene(50, 100.0)), list(scene(54, 103.9))
    bad, cut = worst(series_of([*one, *other]), one[0].direction)
    assert bad > 1.3
    assert abs(cut - len(one)) <= 1


readings_lists = st.lists(
    st.builds(
        Reading,
        t_mono_s=st.floats(0, 50),
        speed_kmh=st.floats(0, 250),
        direction=st.just(EITHER),
        strength=st.none() | st.just(0.0) | st.floats(1e-3, 1e9),
        range_m=st.none() | st.floats(0, 300),
    ),
    min_size=2,
    max_size=30,
).map(lambda readings: sorted(readings, key=lambda reading: reading.t_mono_s))


@given(readings_lists, readings_lists, st.data())
@settings(max_examples=60, deadline=None)
def test_columns_stay_of_one_length_whatever_is_done(
    some: list[Reading], more: list[Reading], data: st.DataObject
) -> None:
    one, other = series_of(some), series_of(more)
    one.merge(other)
    assert_sound(one)
    later = one.cut(data.draw(st.integers(1, len(one) - 1)))
    for series in (one, later):
        assert_sound(series)
        series.add(Reading(51.0, 50.0, EITHER, 5.0, 5.0))
        assert_sound(series)
        for direction in (IN, OUT, EITHER):
            assert worst(series, direction)[0] >= 0.0
