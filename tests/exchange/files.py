"""CSV files, and databases made of them, for these tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import Result

from speedsign.model import (
    ClockQuality,
    Coverage,
    Direction,
    DisplayState,
    Installation,
    Vehicle,
    VehicleRecord,
)
from telemetry.database import open_for_reading
from telemetry.store import SqliteStore
from tests.cli.command import speedsign

HEADER = "time,direction,speed_kmh"
MONDAY = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)  # 7:00 in Riga
_MADE: dict[tuple[int, Installation], bytes] = {}  # each vehicle is a commit that waits for the disk
HERE = Installation("bridge", 50, 0.0, "ld2415h", "Europe/Riga", "to town", "out of town")


def csv_file(folder: Path, rows: Iterable[str], header: str = HEADER, name: str = "old.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def imported(path: Path, *args: str | Path, db: Path | None = None) -> Result:
    """Into street.db beside the file, at limit 50, in Riga."""
    database = db or path.with_name("street.db")
    return speedsign("import", path, "--db", database, "--limit", "50", "--timezone", "Europe/Riga", *args)


def ask(db: Path, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    connection = open_for_reading(db)
    try:
        return [tuple(row) for row in connection.execute(sql, parameters)]
    finally:
        connection.close()


def counts(db: Path) -> list[tuple[Any, ...]]:
    """(start, direction, display, speed, n) of everything."""
    return ask(
        db,
        "SELECT start_s, direction, display, speed_kmh, n FROM speed_count"
        " JOIN interval ON interval.id = interval_id ORDER BY 1, 2, 3, 4",
    )


def sign(db: Path, minutes: int = 300, facts: Installation = HERE) -> Path:
    """A sign's own database: a vehicle a minute; half of the second hour is measured."""
    if (minutes, facts) in _MADE:
        db.write_bytes(_MADE[minutes, facts])
        return db
    store = SqliteStore(db, "north-3")
    store.begin(facts, MONDAY - timedelta(days=1))
    for minute in range(minutes):
        at = MONDAY + timedelta(minutes=minute, seconds=3, milliseconds=250)
        measured = [] if 60 <= minute < 120 and minute % 2 else [Coverage(at, 60.0)]
        store.add_vehicle(vehicle(minute, at), measured)
    store.close_intervals(MONDAY + timedelta(minutes=minutes, hours=1), None)
    store.close()
    _MADE[minutes, facts] = db.read_bytes()
    return db


def vehicle(number: int, at: datetime) -> VehicleRecord:
    """Speeds with more decimals than are written, some right at the edge of a class."""
    speed = 35 + number * 7 % 31 + (0.4999 if number % 3 else 0.123456)
    flags = ("few", "long?") if number % 10 == 0 else ("joined",) if number % 7 == 0 else ()
    seen = Vehicle(
        track_id=number,
        direction=Direction.APPROACHING if number % 5 else Direction.RECEDING,
        t_first_mono_s=100.0 + number,
        t_last_mono_s=102.5 + number,
        speed_kmh=speed,
        entry_kmh=speed + 3,
        exit_kmh=speed - 2,
        max_kmh=speed + 4,
        readings=5 + number % 40,
        strength=None if number % 2 else 17.25,
        length_m=4.5 if number % 4 else None,
        flags=flags,
        radial_kmh=speed - 1,
        along_kmh=speed if number % 6 else None,
    )
    state = list(DisplayState)[number % 5]
    return VehicleRecord(seen, at - timedelta(seconds=2.5), at, ClockQuality.OK, state, "2", "over")
