"""Quality: what was not measured, not dated or not sure is counted and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest

from telemetry.quality import Gap, quality
from telemetry.query import read_installations
from tests.telemetry.filled import add_hours, add_installation, add_interval, in_memory, period_of
from tests.telemetry.samples import QUARTER, T0

HOUR = timedelta(hours=1)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    found = in_memory()
    yield found
    found.close()


def test_a_day_without_a_fault(db: sqlite3.Connection) -> None:
    start = T0 - timedelta(hours=10)  # midnight in Riga
    add_hours(db, start, 24, n=1)
    found = quality(period_of(db, start, start + 24 * HOUR))
    assert (found.coverage, found.measured_s, found.hours, found.hours_left_out) == (1.0, 86_400.0, 24, 0)
    assert (found.days, found.complete_days, found.gaps, found.assumed) == (1, 1, (), False)
    assert (found.undated, found.suspect, found.scaled, found.no_direction, found.fault) == (0,) * 5


def test_poor_hours_in_a_row_are_one_gap(db: sqlite3.Connection) -> None:
    add_hours(db, T0, 2)
    add_interval(db, T0 + 2 * HOUR, measured_s=100)
    add_hours(db, T0 + 5 * HOUR, 1)
    found = quality(period_of(db, T0, T0 + 7 * HOUR))
    assert found.gaps == (
        Gap(T0 + 2 * HOUR, T0 + 5 * HOUR, 100.0),
        Gap(T0 + 6 * HOUR, T0 + 7 * HOUR, 0.0),
    )
    assert (found.hours_left_out, found.hours) == (4, 7)


def test_an_hour_with_an_unsure_clock_is_no_gap_and_in_no_mean(db: sqlite3.Connection) -> None:
    """It was measured; only nobody knows whether in that hour."""
    add_hours(db, T0, 1)
    for quarter in range(4):
        at = T0 + HOUR + quarter * HOUR / 4
        add_interval(db, at, {("approaching", "shown"): {50: 1}}, clock="unknown")
    add_interval(db, T0 + 2 * HOUR, clock="unknown")
    found = quality(period_of(db, T0, T0 + 3 * HOUR))
    assert (found.hours_left_out, found.hours_undated, found.undated) == (1, 1, 4)
    assert found.gaps == (Gap(T0 + 2 * HOUR, T0 + 3 * HOUR, 0.0),)
    assert found.coverage == 0.75


def test_gaps_end_with_the_period(db: sqlite3.Connection) -> None:
    start, end = T0 + timedelta(minutes=20), T0 + timedelta(hours=2, minutes=40)
    add_hours(db, T0 + HOUR, 1)
    found = quality(period_of(db, start, end))
    assert [(gap.from_utc, gap.to_utc) for gap in found.gaps] == [(start, T0 + HOUR), (T0 + 2 * HOUR, end)]
    assert found.coverage == pytest.approx(60 / 140)


def test_hours_that_were_not_asked_for_are_no_gap_and_join_none(db: sqlite3.Connection) -> None:
    days = period_of(db, T0, T0 + 72 * HOUR).only(lambda hour: hour.start_utc.hour in (7, 8))
    found = quality(days)
    assert (found.hours, found.hours_left_out) == (6, 6)
    assert [(gap.from_utc, gap.to_utc) for gap in found.gaps] == [
        (T0 + timedelta(days=day), T0 + timedelta(days=day, hours=2)) for day in range(3)
    ]


def test_vehicles_that_need_a_remark_are_counted(db: sqlite3.Connection) -> None:
    cells = {
        ("approaching", "shown"): {50: 10},
        ("approaching", "fault"): {50: 4},
        ("unknown", "fault"): {60: 2},
    }
    add_interval(db, T0, cells, suspects={("approaching", "shown"): {50: 3}})
    add_interval(db, T0 + QUARTER, {("unknown", "dark"): {70: 5}}, clock="unknown", scaled=True)
    found = quality(period_of(db, T0, T0 + HOUR))
    assert (found.undated, found.suspect, found.scaled, found.no_direction, found.fault) == (5, 3, 5, 7, 6)
    assert found.measured_s == 1800.0  # undated time is time


@pytest.mark.parametrize(
    ("origin", "assumed", "fault"),
    [("imported", True, 0), ("recorded", True, 4), ("copied", False, 4), ("measured", False, 4)],
)
def test_of_a_file_is_known_what_it_says(
    db: sqlite3.Connection, origin: str, assumed: bool, fault: int
) -> None:
    number = add_installation(db, origin=origin)
    add_interval(db, T0, {("approaching", "fault"): {50: 4}}, installation=number)
    (standing,) = [one for one in read_installations(db) if one.id == number]
    assert standing.imported is (origin != "measured")
    found = quality(period_of(db, T0, T0 + QUARTER, number))
    assert (found.assumed, found.fault, found.coverage) == (assumed, fault, 1.0)


def test_no_time_at_all(db: sqlite3.Connection) -> None:
    found = quality(period_of(db, T0, T0))
    assert (found.coverage, found.hours, found.days, found.gaps) == (0.0, 0, 0, ())
