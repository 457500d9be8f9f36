"""Databases for tests of reports: a sign's, made by the store, filled with counts that are known."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from speedsign.model import Installation
from telemetry.period import Period, read_period
from telemetry.query import read_installations
from telemetry.rows import packed, to_ms
from telemetry.store import SqliteStore

BAUSKA = Installation(
    site="Bauska, Rīgas iela",
    limit_kmh=50,
    mounting_angle_deg=0,
    radar="ops243",
    timezone="Europe/Riga",
    approaching_name="Virzienā uz centru",
    receding_name="Virzienā uz Rīgu",
)
QUARTER = timedelta(minutes=15)
Counts = Mapping[int, int]
Quarter = Callable[[datetime], Mapping[str, Counts]]  # local time -> {direction: {km/h: vehicles}}


def nothing(_local: datetime) -> Mapping[str, Counts]:
    return {}


def busy(local: datetime) -> Mapping[str, Counts]:
    """An ordinary street: most in the afternoon, faster at night, quieter on Sundays."""
    rush = max(0, 9 - abs(local.hour - 16)) * (1 if local.weekday() < 5 else 0)
    base = 40 + (6 if local.hour < 6 else 0)
    n = rush + (2 if 6 <= local.hour < 22 else local.minute // 30)
    spread = {base + (step * 7 + local.day + local.minute) % 27: 1 for step in range(n)}
    away = {base - 2 + (step * 5 + local.day) % 23: 1 for step in range(n // 2)}
    return {"approaching": spread, "receding": away}


def local(text: str, zone: str = "Europe/Riga") -> datetime:
    """A local time as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def sign(path: Path, facts: Installation = BAUSKA, began: datetime | None = None) -> Path:
    """A database with one installation and nothing measured."""
    store = SqliteStore(path, "test-sign")
    store.begin(facts, began or datetime(2026, 1, 1, tzinfo=UTC))
    store.close()
    return path


def quarters(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += QUARTER


def fill(
    path: Path,
    start: datetime,
    end: datetime,
    quarter: Quarter = busy,
    *,
    measured_s: float = 900.0,
    clock: str = "ok",
    display: str = "shown",
) -> Path:
    """Closed intervals from `start` to `end` (UTC) of the newest installation."""
    with closing(sqlite3.connect(path)) as db, db:
        number, zone = db.execute(
            "SELECT id, timezone FROM installation ORDER BY from_ms DESC, id DESC LIMIT 1"
        ).fetchone()
        for at in quarters(start, end):
            row = (to_ms(at) // 1000, 900, number, measured_s, clock)
            cursor = db.execute(
                "INSERT INTO interval (start_s, duration_s, installation_id, measured_s, clock, state,"
                " revision) VALUES (?, ?, ?, ?, ?, 'closed', 1)",
                row,
            )
            cells = (
                (cursor.lastrowid, direction, display, packed(counts))
                for direction, counts in quarter(at.astimezone(ZoneInfo(zone))).items()
                if counts
            )
            db.executemany(
                "INSERT INTO cell (interval_id, direction, display, speeds) VALUES (?, ?, ?, ?)", cells
            )
    return path


def street(path: Path, first: str = "2026-05-04", last: str = "2026-05-31", quarter: Quarter = busy) -> Path:
    """A sign that measured whole local days, both included."""
    end = local(last) + timedelta(days=1)
    return fill(sign(path), local(first), end, quarter)


def once(counts: Mapping[str, Counts], at: str = "2026-05-04T12:00") -> Quarter:
    """Nothing but these vehicles, in one quarter of an hour."""
    moment = datetime.fromisoformat(at)
    return lambda now: counts if now.replace(tzinfo=None) == moment else {}


def period(path: Path, start: datetime, end: datetime) -> Period:
    return read_period(path, read_installations(path)[-1], start, end)
