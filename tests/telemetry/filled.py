"""Databases with intervals written straight into their tables: any coverage, clock and state in a line."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from speedsign.model import Installation
from telemetry.period import Period, read_period
from telemetry.query import read_installations
from telemetry.rows import INSTALLATION_COLUMNS, installation_row, packed, to_ms
from telemetry.schema import migrate
from tests.telemetry.samples import BAUSKA

Cells = Mapping[tuple[str, str], Mapping[int, int]]  # (direction, display) -> counts
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


def in_memory(facts: Installation = BAUSKA) -> sqlite3.Connection:
    """Our tables, with one installation that has the id 1."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, 0)
    add_installation(db, facts)
    return db


def add_installation(
    db: sqlite3.Connection,
    facts: Installation = BAUSKA,
    begins: datetime = LONG_AGO,
    *,
    sign: str = "bauska-1",
    origin: str = "measured",
) -> int:
    """Its id."""
    row = (to_ms(begins), sign, origin, *installation_row(facts))
    cursor = db.execute(
        f"INSERT INTO installation (from_ms, sign, origin, {INSTALLATION_COLUMNS})"
        f" VALUES ({', '.join('?' for _ in row)})",
        row,
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def add_interval(
    db: sqlite3.Connection,
    start: datetime,
    cells: Cells | None = None,
    *,
    measured_s: float | None = None,
    duration_s: int = 900,
    clock: str = "ok",
    suspects: Cells | None = None,
    scaled: bool = False,
    state: str = "closed",
    installation: int = 1,
    boot: str = "",
    stepped: bool = False,
) -> None:
    """One interval; without `measured_s`, measured all the time."""
    interval = db.execute(
        "INSERT INTO interval"
        " (start_s, duration_s, installation_id, measured_s, clock, state, revision, scaled, boot, stepped)"
        " VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
        (
            int(start.timestamp()),
            duration_s,
            installation,
            float(duration_s if measured_s is None else measured_s),
            clock,
            state,
            scaled,
            boot,
            stepped,
        ),
    ).lastrowid
    for (direction, display), counts in (cells or {}).items():
        of_cell = (suspects or {}).get((direction, display), {})
        db.execute(
            "INSERT INTO cell (interval_id, direction, display, speeds, suspects) VALUES (?, ?, ?, ?, ?)",
            (interval, direction, display, packed(counts), packed(of_cell)),
        )


def add_hours(
    db: sqlite3.Connection,
    start: datetime,
    hours: int,
    n: int = 0,
    speed_kmh: int = 50,
    *,
    measured_s: float | None = None,
    installation: int = 1,
) -> None:
    """Quarters in a row; the first of each four has the hour's `n` approaching vehicles."""
    for quarter in range(4 * hours):
        cells = {("approaching", "shown"): {speed_kmh: n}} if n and quarter % 4 == 0 else {}
        at = start + timedelta(minutes=15 * quarter)
        add_interval(db, at, cells, measured_s=measured_s, installation=installation)


def period_of(
    db: sqlite3.Connection, start: datetime, end: datetime, number: int = 1, sign: str | None = None
) -> Period:
    standing = next(one for one in read_installations(db, sign) if one.id == number)
    return read_period(db, standing, start, end)
