"""Months with a bad clock: what is forgotten and what is not, and that the sign is never taken for stuck."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from speedsign.model import ClockQuality, Coverage, Direction, DisplayState, Vehicle, VehicleRecord
from telemetry import redate
from telemetry.store import PROGRESS_STEPS, SqliteStore
from tests.clock.pole import HERE, T0

DAY = timedelta(days=1)
HOUR_S = 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(tmp_path / "sign.db", "pole", vehicles=True)) as store:
        store.begin(HERE, T0)
        yield store


def boot(number: int) -> str:
    return f"b007{number:012x}{number:016x}"


def passed(store: SqliteStore, number: int, mono_s: float, wall: datetime, *, known: bool) -> None:
    clock = ClockQuality.OK if known else ClockQuality.UNKNOWN
    vehicle = Vehicle(1, Direction.APPROACHING, mono_s - 2, mono_s, 50.0, 52.0, 48.0, 53.0, 9)
    at = wall + timedelta(seconds=mono_s)
    covered = [Coverage(at, 60.0, clock, boot(number), mono_s)]
    first = at - timedelta(seconds=2)
    record = VehicleRecord(vehicle, first, at, clock, DisplayState.DARK, "1", boot=boot(number))
    store.add_vehicle(record, covered)


def rows(store: SqliteStore) -> list[tuple[str, int]]:
    with store.transaction() as db:
        return db.execute("SELECT clock, count(*) FROM vehicle GROUP BY clock ORDER BY clock").fetchall()


def counted(store: SqliteStore) -> list[tuple[str, int]]:
    with store.transaction() as db:
        return db.execute(
            "SELECT clock, sum(length(speeds)) FROM interval JOIN cell ON interval_id = interval.id"
            " GROUP BY clock ORDER BY clock"
        ).fetchall()


def test_dating_many_vehicles_says_all_the_while_that_it_works(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the supervisor would end the program in the middle, each time, and the rows stayed undated."""
    n, wrong = 12_000, T0 - 400 * DAY
    passed(store, 1, 500.0, wrong, known=False)
    with store.transaction() as db:  # as if so many had passed at the same time
        columns = ", ".join(row[1] for row in db.execute("PRAGMA table_info(vehicle)") if row[1] != "id")
        db.execute(
            f"INSERT INTO vehicle ({columns}) WITH RECURSIVE copy (k) AS"
            f" (SELECT 2 UNION ALL SELECT k + 1 FROM copy WHERE k < {n}) SELECT {columns} FROM vehicle, copy"
        )
        db.execute(f"UPDATE cell SET speeds = replace(hex(zeroblob({n})), '00', speeds)")
    since, longest = 0, 0
    taken = redate._take

    def counting(*of_row: object) -> bool:
        nonlocal since, longest
        since += 1
        longest = max(longest, since)
        return taken(*of_row)  # type: ignore[arg-type]

    def beat() -> None:
        nonlocal since
        since = 0

    monkeypatch.setattr(redate, "_take", counting)
    store.on_progress(beat)
    assert store.date_boot(boot(1), T0, T0 + timedelta(hours=1)) == n
    assert rows(store) == [("corrected", n)]
    assert counted(store) == [("corrected", n)]
    assert 0 < longest <= PROGRESS_STEPS / 20, "a row is some tens of steps"


def test_a_guess_deletes_no_single_vehicles(store: SqliteStore) -> None:
    """A clock that was kept over the winter by fake-hwclock: they passed yesterday, for all that is known."""
    for claims in (T0 - 40 * DAY, datetime(1970, 1, 1, tzinfo=UTC)):
        passed(store, 1, 500.0, claims, known=False)
    store.date_boot(boot(2), T0, T0 + timedelta(minutes=1))
    passed(store, 2, 90.0, T0, known=True)
    assert rows(store) == [("ok", 1), ("unknown", 2)]
    assert store.prune(T0 - 30 * DAY, T0 + timedelta(minutes=2)) == 0
    assert rows(store) == [("ok", 1), ("unknown", 2)]
    # They passed before this boot began, so they are old enough when that is.
    assert store.prune(T0 - timedelta(seconds=1)) == 0
    assert store.prune(T0 + timedelta(seconds=1)) == 2
    assert rows(store) == [("ok", 1)]


def day_on(store: SqliteStore, number: int, begin: datetime, hours: int = 12) -> None:
    """Power from six to six, and a time server at once."""
    store.date_boot(boot(number), begin, begin + timedelta(seconds=30))
    passed(store, number, 100.0, begin, known=True)
    for hour in range(2, hours + 1, 2):
        store.close_intervals(begin + timedelta(hours=hour), begin)


def test_a_sign_without_power_at_night_and_at_weekends_forgets_too(store: SqliteStore) -> None:
    """It never runs for a day, and on Monday the time that was known is older than a day."""
    monday = T0.replace(hour=6)
    days = [monday + (7 * week + day) * DAY for week in range(12) for day in range(5)]
    for number, begin in enumerate(days):
        day_on(store, number + 1, begin)
    end = days[-1] + timedelta(hours=12)
    assert store.known_until() == end
    store.prune(end - 30 * DAY, end)
    assert rows(store) == [("ok", 22)]


@pytest.mark.parametrize("ahead", [20, 3652])
def test_two_short_boots_that_say_another_time_do_not_vouch_for_each_other(
    store: SqliteStore, ahead: int
) -> None:
    """Not within a day, nor does the right time before them."""
    day_on(store, 1, T0)
    day_on(store, 2, T0 + DAY)
    known = T0 + DAY + timedelta(hours=12)
    for number in (3, 4):
        day_on(store, number, T0 + (ahead + 2) * DAY + timedelta(hours=3 * number), hours=2)
        assert store.known_until() == known
    assert store.prune(T0 + ahead * DAY, T0 + (ahead + 2) * DAY + timedelta(hours=14)) == 0
    day_on(store, 5, T0 + 2 * DAY)
    assert store.known_until() == T0 + 2 * DAY + timedelta(hours=12), "the right time goes on"
