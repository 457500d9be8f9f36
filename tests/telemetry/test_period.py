"""Periods by local clock hours: every vehicle in one hour, days of 23 and 25 hours, and what has no time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.errors import StoreError
from speedsign.model import Installation
from telemetry.local_time import day_start, hours_of_day, iso_local, local_hours
from telemetry.period import read_period
from telemetry.query import read_installations
from telemetry.store import SqliteStore
from tests.telemetry.filled import add_hours, add_installation, add_interval, in_memory, period_of
from tests.telemetry.samples import BAUSKA, QUARTER, T0, measured, passed

RIGA = ZoneInfo("Europe/Riga")
HOUR = timedelta(hours=1)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    found = in_memory()
    yield found
    found.close()


def local(text: str, zone: str = "Europe/Riga") -> datetime:
    """That local time in UTC; with an offset, that very moment."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


# --------------------------------------------------------------------------- local time


@pytest.mark.parametrize("zone", ["Europe/Riga", "Europe/Vilnius"])
@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 4), 24)]
)
def test_days_have_as_many_hours_as_the_clocks_say(zone: str, day: date, hours: int) -> None:
    place = ZoneInfo(zone)
    assert hours_of_day(day, place) == hours
    start, end = day_start(day, place), day_start(day + timedelta(days=1), place)
    found = list(local_hours(start, end, place))
    assert len(found) == hours
    assert [b - a for a, b in pairwise(found)] == [HOUR] * (hours - 1)
    labels = [moment.astimezone(place).hour for moment in found]
    assert labels.count(3) == {23: 0, 24: 1, 25: 2}[hours]


def test_the_repeated_hour_is_told_apart() -> None:
    first, second = local("2026-10-25T03:00+03:00"), local("2026-10-25T03:00+02:00")
    assert second - first == HOUR
    assert [iso_local(moment, RIGA) for moment in (first, second)] == [
        "2026-10-25T03:00:00+03:00",
        "2026-10-25T03:00:00+02:00",
    ]
    found = [moment.astimezone(RIGA) for moment in local_hours(first, second + HOUR, RIGA)]
    assert [(moment.hour, moment.fold) for moment in found] == [(3, 0), (3, 1)]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns"])
def test_zones_whose_hours_begin_between_those_of_utc(zone: str) -> None:
    place = ZoneInfo(zone)
    start = local("2026-05-04T00:00", zone)
    found = list(local_hours(start + timedelta(minutes=20), start + timedelta(hours=3), place))
    assert [moment.astimezone(place).strftime("%H:%M") for moment in found] == ["00:00", "01:00", "02:00"]


@given(st.integers(0, 10 * 365 * 86_400), st.integers(1, 80 * 3600))
def test_hours_cover_a_stretch_once(later_s: int, seconds: int) -> None:
    begin = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=later_s)
    end = begin + timedelta(seconds=seconds)
    found = list(local_hours(begin, end, RIGA))
    assert found[0] <= begin < found[0] + HOUR
    assert found[-1] < end <= found[-1] + HOUR
    assert all(b - a == HOUR for a, b in pairwise(found))


# --------------------------------------------------------------------------- hours of a period


def test_every_hour_is_there_whether_measured_or_not(db: sqlite3.Connection) -> None:
    add_interval(db, T0, {("approaching", "shown"): {50: 2}, ("receding", "dark"): {60: 1}})
    add_interval(db, T0 + timedelta(hours=2), measured_s=300)
    found = period_of(db, T0 - HOUR, T0 + 3 * HOUR)
    assert [(hour.n(), hour.measured_s, hour.coverage) for hour in found.hours] == [
        (0, 0.0, 0.0),
        (3, 900.0, 0.25),
        (0, 0.0, 0.0),
        (0, 300.0, 300 / 3600),
    ]
    assert found.hours[1].n("receding") == 1
    assert found.counts() == {50: 2, 60: 1}
    assert found.counts("approaching") == {50: 2}
    assert found.counts(displays=["dark"]) == {60: 1}
    assert found.counts(hours=found.hours[2:]) == {}
    assert found.coverage == 1200 / (4 * 3600)
    assert found.directions() == ["approaching", "receding"]


def test_hours_that_the_period_cuts_are_not_whole(db: sqlite3.Connection) -> None:
    add_hours(db, T0, 3)
    found = period_of(db, T0 + timedelta(minutes=30), T0 + timedelta(hours=2, minutes=15))
    assert [(hour.duration_s, hour.whole, hour.coverage) for hour in found.hours] == [
        (1800.0, False, 1.0),
        (3600.0, True, 1.0),
        (900.0, False, 1.0),
    ]


@pytest.mark.parametrize(("seconds", "enough"), [(0, False), (674.9, False), (675, True), (900, True)])
def test_three_quarters_of_an_hour_are_enough(db: sqlite3.Connection, seconds: float, enough: bool) -> None:
    add_hours(db, T0, 1, measured_s=seconds)
    assert period_of(db, T0, T0 + HOUR).hours[0].enough is enough


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_on_which_the_clocks_change_can_be_complete(
    db: sqlite3.Connection, day: str, hours: int
) -> None:
    start = local(f"{day}T00:00")
    add_hours(db, start, hours, n=1)
    found = period_of(db, start, start + hours * HOUR)
    (only,) = found.days()
    assert (len(only.hours), only.whole, only.complete, only.n()) == (hours, True, True, hours)
    assert sum(hour.n() for hour in found.hours if hour.local.hour == 3) == {23: 0, 25: 2}[hours]
    short = period_of(db, start, start + (hours - 1) * HOUR)
    assert [(day.whole, day.complete) for day in short.days()] == [(False, False)]


def test_one_poor_hour_makes_a_day_incomplete(db: sqlite3.Connection) -> None:
    start = local("2026-05-04T00:00")
    add_hours(db, start, 24)
    db.execute("UPDATE interval SET measured_s = 0 WHERE start_s = ?", (int(T0.timestamp()),))
    assert period_of(db, start, start + 24 * HOUR).days()[0].complete  # three quarters are enough
    db.execute("UPDATE interval SET measured_s = 890 WHERE start_s = ?", (int((T0 + QUARTER).timestamp()),))
    day = period_of(db, start, start + 24 * HOUR).days()[0]
    assert (day.whole, day.complete) == (True, False)


# --------------------------------------------------------------------------- what is read


def test_undated_vehicles_are_in_totals_and_in_no_hour(db: sqlite3.Connection) -> None:
    add_interval(db, T0, {("approaching", "shown"): {50: 2}}, clock="corrected")
    add_interval(db, T0 + QUARTER, {("unknown", "shown"): {70: 3}}, clock="unknown", measured_s=450)
    found = period_of(db, T0, T0 + HOUR)
    assert found.counts() == {50: 2, 70: 3}
    assert [hour.n() for hour in found.hours] == [2]
    assert (found.n(), found.n("unknown"), found.undated_measured_s) == (5, 3, 450.0)
    assert found.directions() == ["approaching", "receding", "unknown"]
    assert found.measured_s == 1350.0
    narrowed = found.only(lambda hour: True)
    assert (narrowed.n(), narrowed.undated, narrowed.narrowed) == (2, (), True)


def test_scaled_speeds_are_counted_in_their_hours(db: sqlite3.Connection) -> None:
    add_interval(db, T0 + QUARTER, {("approaching", "shown"): {50: 2}})
    add_interval(db, T0, {("approaching", "shown"): {60: 3}}, scaled=True)
    add_interval(db, T0 + HOUR, {("approaching", "shown"): {70: 4}}, scaled=True)
    add_interval(
        db, T0 + HOUR, {("approaching", "shown"): {80: 5}}, scaled=True, clock="unknown", duration_s=300
    )
    found = period_of(db, T0, T0 + 2 * HOUR)
    assert found.scaled == 12
    assert [part.start_s for part in found.hours[0].parts] == sorted(p.start_s for p in found.hours[0].parts)
    assert [hour.n() for hour in found.hours] == [5, 4]
    assert found.only(lambda hour: hour.start_utc == T0).scaled == 3


def test_intervals_of_two_lengths_share_an_hour(db: sqlite3.Connection) -> None:
    """A sign that was set from quarters to five minutes counts on in the same hour."""
    add_interval(db, T0, {("approaching", "shown"): {50: 1}}, measured_s=200)
    add_interval(db, T0, {("approaching", "shown"): {51: 1}}, measured_s=300, duration_s=300)
    add_interval(db, T0 + timedelta(minutes=5), measured_s=300, duration_s=300)
    (hour,) = period_of(db, T0, T0 + HOUR).hours
    assert (hour.n(), hour.measured_s, hour.longest_s) == (2, 800.0, 900)


def test_an_interval_belongs_to_the_period_that_it_starts_in(db: sqlite3.Connection) -> None:
    for quarter in range(-1, 5):
        add_interval(db, T0 + quarter * QUARTER, {("approaching", "shown"): {50 + quarter: 1}})
    assert period_of(db, T0, T0 + HOUR).counts() == {50: 1, 51: 1, 52: 1, 53: 1}
    just_after = T0 + timedelta(milliseconds=1)
    assert period_of(db, just_after, T0 + HOUR + timedelta(milliseconds=1)).counts() == {
        51: 1, 52: 1, 53: 1, 54: 1,
    }  # fmt: skip


def test_other_installations_are_never_in_it(db: sqlite3.Connection) -> None:
    other = add_installation(db, sign="rokiskis-2")
    add_interval(db, T0, {("approaching", "shown"): {50: 1}})
    add_interval(db, T0, {("approaching", "shown"): {90: 7}}, installation=other)
    assert period_of(db, T0, T0 + HOUR).counts() == {50: 1}
    assert period_of(db, T0, T0 + HOUR, other).counts() == {90: 7}


def test_a_period_without_a_second_is_empty(db: sqlite3.Connection) -> None:
    add_hours(db, T0, 1, n=1)
    found = period_of(db, T0, T0)
    assert (list(found.hours), found.n(), found.coverage, found.days()) == ([], 0, 0.0, [])


def test_a_value_that_nobody_knows_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    store = SqliteStore(path, "bauska-1")
    store.begin(BAUSKA, T0)
    store.add_vehicle(passed(50), [measured(T0, 900)])
    store._db.execute("UPDATE cell SET direction = 'sideways'")
    store.close()
    (standing,) = read_installations(path)
    with pytest.raises(StoreError, match="holds a value that this version does not know"):
        read_period(path, standing, T0, T0 + HOUR)


def test_what_the_store_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    store = SqliteStore(path, "bauska-1")
    store.begin(BAUSKA, T0)
    for minute in range(0, 60, 7):
        at = T0 + timedelta(minutes=minute)
        store.add_vehicle(passed(50 + minute, at), [measured(at, 300)])
    store.close_intervals(T0 + timedelta(minutes=31), None)
    (standing,) = read_installations(path)
    found = read_period(path, standing, T0, T0 + HOUR)  # the last half-hour is still open
    store.close()
    assert found.counts() == {50 + minute: 1 for minute in range(0, 60, 7)}
    assert found.measured_s == 9 * 300


CELLS = st.dictionaries(
    st.tuples(
        st.sampled_from(["approaching", "receding", "unknown"]),
        st.sampled_from(["shown", "word", "blank", "dark", "fault"]),
    ),
    st.dictionaries(st.integers(0, 300), st.integers(1, 4), max_size=3),
    max_size=4,
)
INTERVALS = st.dictionaries(
    st.integers(0, 200),
    st.tuples(CELLS, st.floats(0, 900), st.sampled_from(["ok", "corrected", "unknown"]), st.booleans()),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(INTERVALS, st.sampled_from(["Europe/Riga", "Asia/Kathmandu"]))
def test_a_period_against_a_plain_walk_through_its_intervals(
    intervals: dict[int, tuple[dict[tuple[str, str], dict[int, int]], float, str, bool]], zone: str
) -> None:
    """Fifty hours around the autumn change."""
    db = in_memory(Installation("x", 50, 0.0, "ops243", zone))
    begin = local("2026-10-24T12:00")
    expected: dict[tuple[str, str], dict[int, int]] = {}
    hours: dict[str, int] = {}
    scaled_n = undated_n = 0
    for place, (cells, seconds, clock, scaled) in intervals.items():
        start = begin + place * QUARTER
        add_interval(db, start, cells, measured_s=seconds, clock=clock, scaled=scaled)
        for key, counts in cells.items():
            n = sum(counts.values())
            scaled_n += n * scaled
            if clock == "unknown":
                undated_n += n
            else:
                label = start.astimezone(ZoneInfo(zone)).strftime("%d %H %z")
                hours[label] = hours.get(label, 0) + n
            for speed, many in counts.items():
                of_key = expected.setdefault(key, {})
                of_key[speed] = of_key.get(speed, 0) + many
    found = period_of(db, begin, begin + 201 * QUARTER)
    db.close()
    for (direction, display), counts in expected.items():
        assert found.counts(direction, displays=[display]) == dict(sorted(counts.items()))
    assert found.n() == sum(n for counts in expected.values() for n in counts.values())
    assert {hour.local.strftime("%d %H %z"): hour.n() for hour in found.hours if hour.n()} == {
        label: n for label, n in hours.items() if n
    }
    assert (found.scaled, sum(len(part.speeds) for part in found.undated)) == (scaled_n, undated_n)
    assert found.measured_s == pytest.approx(sum(seconds for _, seconds, _, _ in intervals.values()))
