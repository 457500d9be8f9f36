"""Between the model's shapes and the database's rows."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from speedsign.model import (
    Cell,
    ClockQuality,
    Direction,
    DisplayState,
    Installation,
    Interval,
    Vehicle,
    VehicleRecord,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

INSTALLATION_COLUMNS = (
    "site, limit_kmh, mounting_angle_deg, radar, timezone, approaching_name, receding_name, rounds"
)
VEHICLE_COLUMNS = (
    "first_ms, last_ms, clock, first_mono_s, last_mono_s, track_id, direction, speed_kmh, entry_kmh, "
    "exit_kmh, max_kmh, readings, strength, length_m, display, flags, tracker, face"
)


def to_ms(moment: datetime) -> int:
    """Whole ms since 1970, rounded down, so that a vehicle stays on its side of an interval's edge."""
    return (moment - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    return _EPOCH + ms * _MS


def from_s(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def speed_class(speed_kmh: float, *, rounds: bool) -> int:
    """The integer km/h a speed is counted under; ValueError when it is no speed."""
    if not 0 <= speed_kmh < 1000:  # NaN and infinity fail here too
        raise ValueError(f"{speed_kmh} is not a speed")
    return math.floor(speed_kmh + 0.5) if rounds else math.floor(speed_kmh)


def installation_row(facts: Installation) -> tuple[object, ...]:
    return (
        facts.site,
        facts.limit_kmh,
        float(facts.mounting_angle_deg),
        facts.radar,
        facts.timezone,
        facts.approaching_name,
        facts.receding_name,
        int(facts.rounds),
    )


def installation_of(row: tuple[object, ...]) -> Installation:
    """From INSTALLATION_COLUMNS."""
    *facts, rounds = row
    return Installation(*facts, bool(rounds))  # type: ignore[arg-type, call-arg]  # the table is STRICT


def vehicle_row(record: VehicleRecord) -> tuple[object, ...]:
    """In the order of VEHICLE_COLUMNS."""
    seen = record.vehicle
    return (
        to_ms(record.first_utc),
        to_ms(record.last_utc),
        record.clock.value,
        seen.t_first_mono_s,
        seen.t_last_mono_s,
        seen.track_id,
        seen.direction.value,
        seen.speed_kmh,
        seen.entry_kmh,
        seen.exit_kmh,
        seen.max_kmh,
        seen.readings,
        seen.strength,
        seen.length_m,
        record.display.value,
        json.dumps(seen.flags),
        record.tracker,
        record.face,
    )


def vehicle_of(row: sqlite3.Row) -> VehicleRecord:
    """From a row with VEHICLE_COLUMNS by name."""
    return VehicleRecord(
        vehicle=Vehicle(
            track_id=row["track_id"],
            direction=Direction(row["direction"]),
            t_first_mono_s=row["first_mono_s"],
            t_last_mono_s=row["last_mono_s"],
            speed_kmh=row["speed_kmh"],
            entry_kmh=row["entry_kmh"],
            exit_kmh=row["exit_kmh"],
            max_kmh=row["max_kmh"],
            readings=row["readings"],
            strength=row["strength"],
            length_m=row["length_m"],
            flags=tuple(json.loads(row["flags"])),
        ),
        first_utc=from_ms(row["first_ms"]),
        last_utc=from_ms(row["last_ms"]),
        clock=ClockQuality(row["clock"]),
        display=DisplayState(row["display"]),
        tracker=row["tracker"],
        face=row["face"],
    )


def _head(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(row)[:7]


def intervals_of(db: sqlite3.Connection, where: str, parameters: tuple[object, ...]) -> Iterator[Interval]:
    """Intervals with their cells, by start; an open one bears the revision that it will be closed with.

    `where` is SQL of ours about `interval`, never a user's text.
    """
    rows = db.execute(
        "SELECT interval.id, start_s, duration_s, installation_id, measured_s, clock,"  # noqa: S608  see above
        " revision + (state = 'open'), direction, display, speed_kmh, n"
        " FROM interval LEFT JOIN count ON count.interval_id = interval.id"
        f" WHERE {where} ORDER BY start_s, interval.id, direction, display, speed_kmh",
        parameters,
    )
    for head, of_interval in groupby(rows, key=_head):
        _, start_s, duration_s, installation_id, measured_s, clock, revision = head
        cells = tuple(
            Cell(Direction(direction), DisplayState(display), {row[9]: row[10] for row in of_cell})
            for (direction, display), of_cell in groupby(of_interval, key=lambda row: (row[7], row[8]))
            if direction is not None
        )
        yield Interval(
            start_utc=from_s(start_s),
            duration_s=duration_s,
            measured_s=measured_s,
            clock=ClockQuality(clock),
            installation_id=installation_id,
            revision=revision,
            cells=cells,
        )
