"""What a sync does to what was kept before it: this boot, and those before it that never knew the time.

Inside the caller's transaction: all of it or nothing.
"""

from __future__ import annotations

import sqlite3

from speedsign.model import ClockQuality
from telemetry import begun, boots, closing
from telemetry.boots import Boot
from telemetry.outbox import announce
from telemetry.redate import Moved, move

_MS = 1000  # less than a second is no reason to move anything


def date_boot(
    db: sqlite3.Connection,
    boot_id: str,
    zero_ms: int,
    at_ms: int,
    filling: tuple[int, int, int] | None,
    *,
    vehicles: bool,
) -> int:
    """`telemetry.store.SqliteStore.date_boot`; how many vehicles have their time now.

    `filling`: installation, duration and end (s) of intervals to make where nothing is known; `vehicles`:
    single ones are told too.
    """
    boot = boots.boot_of(db, boot_id)
    moved = move(db, boot, zero_ms, ClockQuality.CORRECTED)
    _arrange(db, boot, zero_ms, at_ms, vehicles=vehicles)
    if begun.put_right(db, zero_ms, at_ms):
        announce.places(db, at_ms)
    boots.now_known(db, boot, zero_ms, at_ms)
    if filling and moved.filled:  # before they are closed: they are not what was known
        number, duration_s, before_s = filling
        closing.fill(db, number, duration_s, before_s, _first(db, moved))
    _close(db, moved, at_ms)
    if vehicles:
        announce.vehicles_again(db, boot.number, moved.last_row)
    return moved.vehicles


def _first(db: sqlite3.Connection, moved: Moved) -> int:
    """Start of the first interval that has something now."""
    starts = [
        db.execute("SELECT start_s FROM interval WHERE id = ?", (number,)).fetchone()[0]
        for number in moved.filled
    ]
    return int(min(starts))


def _arrange(db: sqlite3.Connection, boot: Boot, zero_ms: int, at_ms: int, *, vehicles: bool) -> None:
    """Boots that never knew the time lie between what was known before them and the start of this one."""
    bounds, undated = boots.undated_before(db, boot, zero_ms)
    guesses = boots.between(bounds, [(one.guess_ms or 0, one.seen_ms) for one in undated])
    for one, guess_ms in zip(undated, guesses, strict=True):
        if abs(guess_ms - (one.guess_ms or 0)) > _MS:
            moved = move(db, one, guess_ms, ClockQuality.UNKNOWN)
            _close(db, moved, at_ms, over=True)
            if vehicles:
                announce.vehicles_again(db, one.number, moved.last_row)


def _close(db: sqlite3.Connection, moved: Moved, at_ms: int, *, over: bool = False) -> None:
    """Close what has ended, or was closed before, and tell it; `over`: all of it has ended."""
    for number in moved.emptied:
        closing.close_one(db, number, at_ms)
    for number in moved.filled:
        end_s, revision = db.execute(
            "SELECT start_s + duration_s, revision FROM interval WHERE id = ?", (number,)
        ).fetchone()
        if over or revision or end_s * 1000 <= at_ms:
            closing.close_one(db, number, at_ms)
