"""Single vehicles that a sign measured, into the table that a sign's own file has; none of them twice.

They can be there already where a copy of the file tells of them too, where the message's number came before
(`again`), and where the sign told of them before it knew the time (telemetry.message.vehicles).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from speedsign.model import ClockQuality, VehicleRecord
from telemetry.hub.joining import HALF_MS, SAME_VEHICLE, SEEN_MS
from telemetry.hub.places import Known
from telemetry.rows import VEHICLE_COLUMNS, boot_number, vehicle_row

_COLUMNS = VEHICLE_COLUMNS.split(", ")
_MARKS = ", ".join("?" * len(_COLUMNS))
_SETTERS = ", ".join(f"{name} = ?" for name in _COLUMNS)
_KEY = [_COLUMNS.index(name) for name in SAME_VEHICLE]
_ALIKE = " AND ".join(f"{name} IS ?" for name in SAME_VEHICLE)

_Row = tuple[object, ...]


def store_vehicles(
    db: sqlite3.Connection, known: Known, records: Sequence[VehicleRecord], *, again: bool = False
) -> bool:
    """Keep single vehicles; those that are there already are not kept twice. Whether anything changed.

    What the file in use says, replaces what the others said: an angle that was put right changes speeds, and
    nothing else of a vehicle. One that got its time replaces what was told before that, and never the other
    way round.
    """
    new, changed, taken = [], False, set[int]()
    boots: dict[str, int] = {}
    for record in records:
        row = vehicle_row(record)
        boot = _boot(db, boots, record.boot)
        found = _there(db, known, record, row, boot, taken, again=again)
        if found is None:
            new.append((known.id, boot, *row))
            continue
        number, clock = found
        taken.add(number)
        if _replaces(record.clock, clock, known, again=again):
            db.execute(f"UPDATE vehicle SET {_SETTERS} WHERE id = ?", (*row, number))  # noqa: S608  ours
            changed = True
    db.executemany(
        f"INSERT INTO vehicle (installation_id, boot, {VEHICLE_COLUMNS}) VALUES (?, ?, {_MARKS})",  # noqa: S608
        new,
    )
    return changed or bool(new)


def _boot(db: sqlite3.Connection, boots: dict[str, int], name: str) -> int | None:
    if name and name not in boots:
        boots[name] = boot_number(db, name)
    return boots.get(name)


def _replaces(new: ClockQuality, kept: str, known: Known, *, again: bool) -> bool:
    dated, was_dated = new is not ClockQuality.UNKNOWN, kept != ClockQuality.UNKNOWN
    if dated != was_dated:
        return dated
    return known.newest and not again


def _there(
    db: sqlite3.Connection,
    known: Known,
    record: VehicleRecord,
    row: _Row,
    boot: int | None,
    taken: set[int],
    *,
    again: bool,
) -> tuple[int, str] | None:
    """Number and clock of the vehicle that this is; two that are alike in everything are two."""
    if boot is not None:
        found = _by_boot(db, known.id, record, row, boot)
    elif known.shared or again:
        found = db.execute(
            f"SELECT id, clock FROM vehicle WHERE installation_id = ? AND {_ALIKE} ORDER BY id",  # noqa: S608
            (known.id, *(row[place] for place in _KEY)),
        ).fetchall()
    else:
        return None
    return next(((number, clock) for number, clock in found if number not in taken), None)


def _by_boot(
    db: sqlite3.Connection, installation_id: int, record: VehicleRecord, row: _Row, boot: int
) -> list[tuple[int, str]]:
    """Those first seen at the same boot time; the one that has no time yet first, then the likest."""
    first_s = record.vehicle.t_first_mono_s
    first_ms, last_ms = row[:2]
    return db.execute(
        "SELECT id, clock FROM vehicle WHERE boot = ? AND first_mono_s BETWEEN ? AND ?"
        " AND installation_id = ? AND direction = ? AND abs(last_ms - first_ms - ? + ?) <= ?"
        " ORDER BY clock != 'unknown', abs(last_ms - first_ms - ? + ?), id",
        (
            *(boot, first_s - HALF_MS, first_s + HALF_MS, installation_id, record.vehicle.direction.value),
            *(last_ms, first_ms, SEEN_MS, last_ms, first_ms),
        ),
    ).fetchall()
