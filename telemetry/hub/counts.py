"""What a sign measured, into the tables that a sign's own file has: intervals with cells, single vehicles.

Both say whether anything changed. What can come twice is the same interval under another number (asked for
again, or of a copy of the sign's file), and another one under the same number (of a copy that sends under
the name of the original).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from speedsign.model import Interval, VehicleRecord
from telemetry.hub.joining import SAME_VEHICLE, Version, stored_version
from telemetry.hub.places import Known
from telemetry.hub.sources import Source
from telemetry.rows import VEHICLE_COLUMNS, packed, to_ms, vehicle_row

_COLUMNS = VEHICLE_COLUMNS.split(", ")
_MARKS = ", ".join("?" * len(_COLUMNS))
_SETTERS = ", ".join(f"{name} = ?" for name in _COLUMNS)
_KEY = [_COLUMNS.index(name) for name in SAME_VEHICLE]
_ALIKE = " AND ".join(f"{name} IS ?" for name in SAME_VEHICLE)


def store_interval(db: sqlite3.Connection, known: Known, interval: Interval, source: Source) -> bool:
    """Put an interval in the place of an older one; in whatever order they come, the newest stays."""
    start_s = to_ms(interval.start_utc) // 1000
    found = stored_version(db, known.id, start_s, interval.duration_s)
    facts = (interval.measured_s, interval.clock.value, interval.revision, interval.scaled, source.id)
    if found is None:
        number = db.execute(
            "INSERT INTO interval"
            " (measured_s, clock, revision, scaled, heard_from, state, start_s, installation_id, duration_s)"
            " VALUES (?, ?, ?, ?, ?, 'closed', ?, ?, ?)",
            (*facts, start_s, known.id, interval.duration_s),
        ).lastrowid
    else:
        number = found[0]
        vehicles = sum(cell.n for cell in interval.cells)
        if not Version(interval.measured_s, vehicles, source.rank, interval.revision).replaces(found[1]):
            return False
        db.execute(
            "UPDATE interval SET measured_s = ?, clock = ?, revision = ?, scaled = ?, heard_from = ?"
            " WHERE id = ?",
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


def store_vehicles(
    db: sqlite3.Connection, known: Known, records: Sequence[VehicleRecord], *, again: bool = False
) -> bool:
    """Keep single vehicles; those that are there already are not kept twice.

    They can be where a copy of the file tells of them too, and where the message's number came before
    (`again`). What the file in use says, replaces what the others said: an angle that
    was put right changes speeds, and nothing else of a vehicle.
    """
    new, changed, taken = [], False, set[int]()
    for record in records:
        row = vehicle_row(record)
        number = _there(db, known.id, row, taken) if known.shared or again else None
        if number is None:
            new.append((known.id, *row))
            continue
        taken.add(number)
        if known.newest and not again:
            db.execute(f"UPDATE vehicle SET {_SETTERS} WHERE id = ?", (*row, number))  # noqa: S608  ours
            changed = True
    db.executemany(
        f"INSERT INTO vehicle (installation_id, {VEHICLE_COLUMNS}) VALUES (?, {_MARKS})",  # noqa: S608  ours
        new,
    )
    return changed or bool(new)


def _there(
    db: sqlite3.Connection, installation_id: int, row: tuple[object, ...], taken: set[int]
) -> int | None:
    """The number of the vehicle that this is; two that are alike in everything are two."""
    found = db.execute(
        f"SELECT id FROM vehicle WHERE installation_id = ? AND {_ALIKE} ORDER BY id",  # noqa: S608  ours
        (installation_id, *(row[place] for place in _KEY)),
    )
    return next((number for (number,) in found if number not in taken), None)
