"""Intervals as a sign counts into them: found, opened, added to. All inside the caller's transaction.

An undated interval, of a start of the machine that does not know the time yet, is kept apart by its boot:
whatever begins at the same time is another interval, so that nothing undated ever gets into a dated one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from speedsign.model import ClockQuality
from telemetry.rows import SHORT_BOOT, packed_with

NOBODYS = "0" * SHORT_BOOT  # boot of what is undated, and of which no start of the machine is known
TRUST = (ClockQuality.OK, ClockQuality.CORRECTED, ClockQuality.UNKNOWN)  # from best to worst


class Slot(NamedTuple):
    """What makes an interval this one; `boot` is empty where it has its time."""

    start_s: int
    duration_s: int
    installation_id: int
    boot: str = ""


class Group(NamedTuple):
    """What makes a cell of an interval this one; as the table has it."""

    direction: str
    display: str


class Packed(NamedTuple):
    """The vehicles of a cell, and those of them that a flag is against (telemetry.rows.packed)."""

    speeds: str
    suspects: str


def start_of(ms: int, duration_s: int) -> int:
    """Start, in s since 1970, of the interval that a moment lies in."""
    seconds = ms // 1000
    return seconds - seconds % duration_s


def find(db: sqlite3.Connection, slot: Slot) -> tuple[int, float, str] | None:
    """Number, measured seconds and clock."""
    found: tuple[int, float, str] | None = db.execute(
        "SELECT id, measured_s, clock FROM interval"
        " WHERE start_s = ? AND duration_s = ? AND installation_id = ? AND boot = ?",
        slot,
    ).fetchone()
    return found


def opened(db: sqlite3.Connection, slot: Slot, clock: ClockQuality) -> int:
    """The interval's number; made or opened again, with the worst clock of all that went into it."""
    row = find(db, slot)
    if row is None:
        made = db.execute(
            "INSERT INTO interval (start_s, duration_s, installation_id, boot, clock) VALUES (?, ?, ?, ?, ?)",
            (*slot, clock.value),
        ).lastrowid
        assert made is not None  # noqa: S101  an INSERT was done
        return made
    worst = max(ClockQuality(row[2]), clock, key=TRUST.index)
    db.execute("UPDATE interval SET state = 'open', clock = ? WHERE id = ?", (worst.value, row[0]))
    return row[0]


def count(db: sqlite3.Connection, interval_id: int, group: Group, speed_kmh: int, *, suspect: bool) -> None:
    """One vehicle more in its cell."""
    speeds, suspects = _cell(db, interval_id, group)
    speeds = packed_with(speeds, speed_kmh)
    _put(db, interval_id, group, Packed(speeds, packed_with(suspects, speed_kmh) if suspect else suspects))


def add(db: sqlite3.Connection, interval_id: int, cells: Mapping[Group, Packed]) -> None:
    """Many vehicles more."""
    for group, more in cells.items():
        there = _cell(db, interval_id, group)
        joined = ("".join(sorted(old + new)) for old, new in zip(there, more, strict=True))
        _put(db, interval_id, group, Packed(*joined))


def _cell(db: sqlite3.Connection, interval_id: int, group: Group) -> Packed:
    found = db.execute(
        "SELECT speeds, suspects FROM cell WHERE interval_id = ? AND direction = ? AND display = ?",
        (interval_id, *group),
    ).fetchone()
    return Packed(*(found or ("", "")))


def _put(db: sqlite3.Connection, interval_id: int, group: Group, cell: Packed) -> None:
    db.execute(
        "INSERT INTO cell (interval_id, direction, display, speeds, suspects) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET speeds = excluded.speeds, suspects = excluded.suspects",
        (interval_id, *group, *cell),
    )


def cover(db: sqlite3.Connection, slot: Slot, measured_s: float, clock: ClockQuality) -> None:
    """Add measured seconds; never more than the interval's duration."""
    row = find(db, slot)
    if row and row[1] >= slot.duration_s:
        return  # full already: nothing would change, so a closed one stays closed
    db.execute(
        "UPDATE interval SET measured_s = min(measured_s + ?, duration_s) WHERE id = ?",
        (measured_s, opened(db, slot, clock)),
    )
