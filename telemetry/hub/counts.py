"""Intervals that a sign measured, into the tables that a sign's own file has.

What can come twice is the same interval under another number (asked for again, or of a copy of the sign's
file), and another one under the same number (of a copy that sends under the name of the original).
"""

from __future__ import annotations

import sqlite3

from speedsign.model import Interval
from telemetry.hub.joining import Version, place_of, stored_version
from telemetry.hub.places import Known
from telemetry.hub.sources import Source
from telemetry.rows import boot_number, packed, to_ms


def store_interval(db: sqlite3.Connection, known: Known, interval: Interval, source: Source) -> bool:
    """Put an interval in the place of an older one; in whatever order they come, the newest stays.

    Undated ones are apart from all others, each start of the sign's machine by itself. One that was withdrawn
    stays as an empty row, so that what comes late is not counted after all. Whether anything changed.
    """
    place = place_of(interval)
    _keep_bound(db, interval)
    found = stored_version(db, known.id, place)
    facts = (
        *(interval.measured_s, interval.clock.value, interval.revision, interval.scaled, interval.stepped),
        source.id,
    )
    if found is None:
        number = db.execute(
            "INSERT INTO interval (measured_s, clock, revision, scaled, stepped, heard_from, state,"
            " start_s, duration_s, boot, installation_id) VALUES (?, ?, ?, ?, ?, ?, 'closed', ?, ?, ?, ?)",
            (*facts, place.start_s, place.duration_s, place.boot, known.id),
        ).lastrowid
    else:
        number = found[0]
        vehicles = sum(cell.n for cell in interval.cells)
        told = Version(interval.measured_s, vehicles, source.rank, interval.revision, interval.boot)
        if not told.replaces(found[1]):
            return False
        db.execute(
            "UPDATE interval SET measured_s = ?, clock = ?, revision = ?, scaled = ?, stepped = ?,"
            " heard_from = ? WHERE id = ?",
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


def _keep_bound(db: sqlite3.Connection, interval: Interval) -> None:
    """The last time that the sign knew before this start of its machine; of several the earliest is true."""
    if interval.boot and interval.after_utc is not None:
        db.execute(
            "UPDATE boot SET known_ms = min(coalesce(known_ms, ?1), ?1) WHERE number = ?2",
            (to_ms(interval.after_utc), boot_number(db, interval.boot)),
        )
