"""Volumes: means of what was measured enough, by local hours, and the busiest hour."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from speedsign.model import Installation
from telemetry.period import Period
from telemetry.volume import HourMean, volume, volumes
from tests.telemetry.filled import add_hours, add_interval, in_memory, period_of
from tests.telemetry.samples import QUARTER

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 5, 3, 21, tzinfo=UTC)  # midnight in Riga


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    found = in_memory()
    yield found
    found.close()


def days_of(db: sqlite3.Connection, days: int, start: datetime = MONDAY) -> Period:
    return period_of(db, start, start + timedelta(days=days))


def test_vehicles_a_day_are_of_complete_days_alone(db: sqlite3.Connection) -> None:
    for day, n in enumerate([10, 20, 30, 40, 50, 6, 8]):  # Monday to Sunday, vehicles an hour
        add_hours(db, MONDAY + timedelta(days=day), 24, n=n)
    db.execute("UPDATE interval SET measured_s = 600 WHERE start_s = ?", (int(MONDAY.timestamp()),))
    whole = volume(days_of(db, 7))
    assert (whole.adt, whole.complete_days) == (24 * 164 / 7, 7)  # 3300 of 3600 s are enough
    assert (whole.weekday_mean, whole.weekdays) == (24 * 30, 5)
    assert (whole.weekend_mean, whole.weekend_days) == (24 * 7, 2)
    db.execute("UPDATE interval SET measured_s = 0 WHERE start_s < ?", (int((MONDAY + HOUR).timestamp()),))
    without_monday = volume(days_of(db, 7))
    assert (without_monday.adt, without_monday.complete_days) == (24 * 154 / 6, 6)
    assert (without_monday.weekday_mean, without_monday.weekdays) == (24 * 35, 4)


def test_a_part_of_a_day_is_no_day(db: sqlite3.Connection) -> None:
    add_hours(db, MONDAY, 24, n=10)
    cut = period_of(db, MONDAY, MONDAY + timedelta(hours=23, minutes=59))
    found = volume(cut)
    assert (found.adt, found.complete_days, found.weekday_mean, found.weekend_mean) == (None, 0, None, None)
    assert found.by_hour[22] == HourMean(1, 10, 10.0, 0)
    assert found.by_hour[23] == HourMean(0, 0, None, 0)  # cut by the period, so in no mean


def test_poor_hours_are_left_out_and_counted(db: sqlite3.Connection) -> None:
    add_hours(db, MONDAY, 24, n=10)
    add_hours(db, MONDAY + timedelta(days=1), 24, n=30, measured_s=600)
    found = volume(days_of(db, 2))
    assert found.by_hour[8] == HourMean(1, 10, 10.0, 1)
    assert found.by_hour_of_week[0, 8] == HourMean(1, 10, 10.0, 0)
    assert found.by_hour_of_week[1, 8] == HourMean(0, 0, None, 1)
    assert found.busiest is not None
    assert found.busiest.n == 10


@pytest.mark.parametrize("zone", ["Europe/Riga", "Europe/Vilnius"])
@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_days_on_which_the_clocks_change(zone: str, day: date, hours: int) -> None:
    db = in_memory(Installation("x", 50, 0.0, "ops243", zone))
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    add_hours(db, start, hours, n=7)
    found = volume(period_of(db, start, start + hours * HOUR))
    db.close()
    assert (found.adt, found.complete_days, found.weekend_days) == (7.0 * hours, 1, 1)
    # The repeated hour is in hour 3 twice, the one that spring leaves out is in it never.
    assert found.by_hour[3] == (HourMean(2, 14, 7.0, 0) if hours == 25 else HourMean(0, 0, None, 0))
    assert found.by_hour[2] == found.by_hour[4] == HourMean(1, 7, 7.0, 0)


def test_directions_are_counted_apart_and_together(db: sqlite3.Connection) -> None:
    cells = {("approaching", "shown"): {50: 3}, ("receding", "dark"): {50: 4}, ("unknown", "dark"): {50: 5}}
    for quarter in range(96):
        add_interval(db, MONDAY + quarter * QUARTER, cells)
    period = days_of(db, 1)
    found = volumes(period, ["approaching", "receding", "unknown", "both"])
    assert {name: one.adt for name, one in found.items()} == {
        "approaching": 288.0, "receding": 384.0, "unknown": 480.0, "both": 1152.0,
    }  # fmt: skip
    assert found == {name: volume(period, name) for name in found}


# --------------------------------------------------------------------------- peaks


def test_the_busiest_hour_and_its_quarters(db: sqlite3.Connection) -> None:
    """V60 over four times the busiest clock quarter: 100 / (4 * 40)."""
    for quarter, n in enumerate([10, 40, 30, 20]):
        add_interval(db, MONDAY + 8 * HOUR + quarter * QUARTER, {("approaching", "shown"): {50: n}})
    add_hours(db, MONDAY, 8, n=99)
    found = volume(days_of(db, 1))
    assert found.busiest is not None
    assert (found.busiest.start.isoformat(), found.busiest.n, found.busiest.phf) == (
        "2026-05-04T08:00:00+03:00", 100, 0.625,
    )  # fmt: skip
    assert found.peak_hour == 8
    assert volume(days_of(db, 1), "receding").busiest is None
    assert volume(days_of(db, 1), "receding").peak_hour is None


@pytest.mark.parametrize(("duration_s", "phf"), [(60, 1.0), (300, 1.0), (900, 1.0), (3600, None)])
def test_quarters_come_from_shorter_intervals_and_not_from_longer_ones(
    db: sqlite3.Connection, duration_s: int, phf: float | None
) -> None:
    for step in range(3600 // duration_s):
        at = MONDAY + timedelta(seconds=step * duration_s)
        add_interval(db, at, {("approaching", "shown"): {50: duration_s // 60}}, duration_s=duration_s)
    found = volume(days_of(db, 1)).busiest
    assert found is not None
    assert (found.n, found.phf) == (60, phf)


def test_the_earliest_of_equal_peaks(db: sqlite3.Connection) -> None:
    add_hours(db, MONDAY, 48, n=5)
    found = volume(days_of(db, 2))
    assert found.busiest is not None
    assert (found.busiest.start.day, found.busiest.start.hour, found.peak_hour) == (4, 0, 0)


def test_the_weekend_has_no_say_in_the_peak_hour(db: sqlite3.Connection) -> None:
    friday = MONDAY + timedelta(days=4)
    add_hours(db, friday + 7 * HOUR, 1, n=50)
    add_hours(db, friday + timedelta(days=1, hours=12), 1, n=500)
    found = volume(days_of(db, 3, friday))
    assert found.peak_hour == 7
    assert found.busiest is not None
    assert found.busiest.n == 500


def test_chosen_hours_have_no_days(db: sqlite3.Connection) -> None:
    add_hours(db, MONDAY, 24, n=10)
    mornings = days_of(db, 1).only(lambda hour: hour.local.hour in (7, 8))
    found = volume(mornings)
    assert (found.adt, found.complete_days) == (None, 0)
    assert [hour for hour, mean in found.by_hour.items() if mean.hours] == [7, 8]
    mondays = days_of(db, 1).only(lambda hour: hour.local.weekday() == 0)
    assert volume(mondays).adt == 240.0


def test_nothing_at_all(db: sqlite3.Connection) -> None:
    found = volume(period_of(db, MONDAY, MONDAY))
    assert (found.adt, found.peak_hour, found.busiest, len(found.by_hour)) == (None, None, None, 24)
    assert set(found.by_hour_of_week.values()) == {HourMean(0, 0, None, 0)}


def test_five_random_weeks_once_more_by_numpy(db: sqlite3.Connection) -> None:
    """April 2026 in Riga: no change of clocks, so that an array of days and hours is enough."""
    chance = random.Random(11)
    start = datetime(2026, 3, 30, tzinfo=ZoneInfo("Europe/Riga")).astimezone(UTC)  # a Monday
    n = np.array([[[chance.randrange(20) for _ in range(4)] for _ in range(24)] for _ in range(35)])
    seconds = np.array(
        [[[chance.choice([900] * 60 + [0]) for _ in range(4)] for _ in range(24)] for _ in range(35)]
    )
    for day in range(35):
        for quarter in range(96):
            count = int(n[day, quarter // 4, quarter % 4])
            add_interval(
                db,
                start + timedelta(days=day) + quarter * QUARTER,
                {("receding", "dark"): {50: count}} if count else {},
                measured_s=float(seconds[day, quarter // 4, quarter % 4]),
            )
    db.execute("UPDATE interval SET measured_s = 0 WHERE start_s / 3600 % 29 = 3")
    enough = seconds.sum(axis=2) >= 2700
    first_hour = int(start.timestamp()) // 3600
    enough &= ((first_hour + np.arange(35 * 24)) % 29 != 3).reshape(35, 24)
    found = volume(period_of(db, start, start + timedelta(days=35)), "receding")
    hourly = n.sum(axis=2)
    complete = enough.all(axis=1)
    weekend = np.arange(35) % 7 >= 5
    assert found.complete_days == complete.sum() > 2
    assert found.adt == pytest.approx(hourly.sum(axis=1)[complete].mean())
    assert found.weekdays == (complete & ~weekend).sum()
    if found.weekdays:
        assert found.weekday_mean == pytest.approx(hourly.sum(axis=1)[complete & ~weekend].mean())
    masked = np.ma.masked_array(hourly, ~enough)
    assert [found.by_hour[hour].mean for hour in range(24)] == pytest.approx(masked.mean(axis=0).tolist())
    by_week = masked.reshape(5, 7, 24).mean(axis=0)
    for (weekday, hour), mean in found.by_hour_of_week.items():
        assert mean.mean == pytest.approx(by_week[weekday, hour])
        assert mean.hours + mean.left_out == 5
    assert found.peak_hour == int(masked[~weekend].mean(axis=0).argmax())
    assert found.busiest is not None
    day, hour = divmod(int(masked.filled(-1).argmax()), 24)
    assert found.busiest.n == hourly[day, hour]
    assert found.busiest.phf == pytest.approx(hourly[day, hour] / (4 * n[day, hour].max()))
