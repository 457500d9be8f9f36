"""What a sign measured, into the tables that a sign's own file has: intervals with cells, single vehicles.

Both say whether anything changed. The same number of a message never comes here twice; what can come twice is
the same interval under another number (asked for again, or of a copy of the sign's file).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from speedsign.model import Interval, VehicleRecord
from telemetry.hub.places import Known
from telemetry.rows import VEHICLE_COLUMNS, packed, to_ms, vehicle_row

_VEHICLE_MARKS = ", ".join("?" * len(VEHICLE_COLUMNS.split(",")))


def store_interval(db: sqlite3.Connection, known: Known, interval: Interval) -> bool:
    """Put an interval in the place of an older one; in whatever order they come, the newest stays.

    Revisions of one file count on. Those of a file and of its copy do not: of these the interval stays that
    was measured longer, and of equal ones the one with the higher revision.
    """
    start_s = to_ms(interval.start_utc) // 1000
    row = db.execute(
        "SELECT id, measured_s, revision FROM interval"
        " WHERE start_s = ? AND installation_id = ? AND duration_s = ?",
        (start_s, known.id, interval.duration_s),
    ).fetchone()
    facts = (interval.measured_s, interval.clock.value, interval.revision, interval.scaled)
    if row is None:
        number = db.execute(
            "INSERT INTO interval"
            " (measured_s, clock, revision, scaled, state, start_s, installation_id, duration_s)"
            " VALUES (?, ?, ?, ?, 'closed', ?, ?, ?)",
            (*facts, start_s, known.id, interval.duration_s),
        ).lastrowid
    else:
        number, measured_s, revision = row
        if not _better(interval, measured_s, revision, shared=known.shared):
            return False
        db.execute(
            "UPDATE interval SET measured_s = ?, clock = ?, revision = ?, scaled = ? WHERE id = ?",
            (*facts, number),
        )
        db.execute("DELETE FROM cell WHERE interval_id = ?", (number,))
    db.executemany(
        "INSERT INTO cell (interval_id, direction, display, speeds, suspects) VALUES (?, ?, ?, ?, ?)",
        [
            (number, cell.direction.value, cell.display.value, packed(cell.counts), packed(cell.suspects))
            for cell in interval.cells
        ],
    )
    return True


def _better(interval: Interval, measured_s: float, revision: int, *, shared: bool) -> bool:
    if shared:
        return (interval.measured_s, interval.revision) > (measured_s, revision)
    return interval.revision > revision


def store_vehicles(db: sqlite3.Connection, known: Known, records: Sequence[VehicleRecord]) -> bool:
    """Keep single vehicles; where a copy of the file tells of them too, only those that are not there yet."""
    rows = [(known.id, *vehicle_row(record)) for record in records]
    if known.shared:
        rows = [row for row, record in zip(rows, records, strict=True) if not _is_there(db, known, record)]
    db.executemany(
        f"INSERT INTO vehicle (installation_id, {VEHICLE_COLUMNS}) VALUES (?, {_VEHICLE_MARKS})",  # noqa: S608  ours
        rows,
    )
    return bool(rows)


def _is_there(db: sqlite3.Connection, known: Known, record: VehicleRecord) -> bool:
    seen = record.vehicle
    found = db.execute(
        "SELECT 1 FROM vehicle WHERE last_ms = ? AND installation_id = ? AND first_ms = ? AND direction = ?"
        " AND speed_kmh = ?",
        (to_ms(record.last_utc), known.id, to_ms(record.first_utc), seen.direction.value, seen.speed_kmh),
    ).fetchone()
    return found is not None
