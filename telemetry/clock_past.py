"""What a sign's database knows of its clock: what has no time, and which was the last that was known."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from speedsign.errors import StoreError
from telemetry.database import open_for_reading
from telemetry.rows import SHORT_BOOT

_OWN = "origin = 'measured' AND source_id IS NULL"
_ANY = "(measured_s > 0 OR EXISTS (SELECT 1 FROM cell WHERE interval_id = interval.id))"  # not withdrawn


@dataclass(frozen=True, slots=True)
class ClockPast:
    """Of a sign's own file."""

    known_s: int | None = None  # the last time that was believed and has held, s since 1970; None: none yet
    boots: int = 0  # starts of the machine of which something is undated
    vehicles: int = 0  # undated ones: in totals, in no hour or day
    this_boot: int = 0  # of them, of the start that was asked about


def read_clock_past(db: sqlite3.Connection, boot_id: str = "") -> ClockPast:
    """`boot_id`: this start of the machine (speedsign.ports.Clock.boot_id). Empty in a file of before."""
    if not _has_boots(db):
        return ClockPast()
    cells = "SELECT sum(length(speeds)) FROM cell WHERE interval_id = interval.id"
    rows = db.execute(
        f"SELECT boot, coalesce(sum(({cells})), 0) FROM interval WHERE clock = 'unknown' AND {_ANY}"  # noqa: S608
        f" AND installation_id IN (SELECT id FROM installation WHERE {_OWN}) GROUP BY boot",
    ).fetchall()
    vehicles = {str(boot): int(n) for boot, n in rows}
    return ClockPast(
        last_known_s(db),
        len(vehicles),
        sum(vehicles.values()),
        vehicles.get(boot_id[:SHORT_BOOT], 0) if boot_id else 0,
    )


def last_known_s(db: sqlite3.Connection) -> int | None:
    """The last time that was believed and has held, s since 1970; None: none yet."""
    if not _has_boots(db):
        return None
    known_ms: int | None = db.execute("SELECT max(known_ms) FROM boot").fetchone()[0]
    return None if known_ms is None else known_ms // 1000


def _has_boots(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'boot'").fetchone() is not None


def clock_past(path: Path) -> ClockPast | None:
    """From a sign's database; None when it cannot be read. Blocking; never raises StoreError."""
    with contextlib.suppress(StoreError), contextlib.closing(open_for_reading(path)) as db:
        return read_clock_past(db)
    return None
