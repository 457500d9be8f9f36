"""Intervals that end: closed and put into the outbox, the missing ones made.

Inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3

from speedsign.model import ClockQuality, Interval
from telemetry.outbox import announce
from telemetry.rows import intervals_of

DAY_S = 86_400
FILL_AT_MOST_S = 31 * DAY_S
# What was imported into a sign's database says nothing about when this sign was measuring.
_OWN = "installation_id IN (SELECT id FROM installation WHERE origin = 'measured' AND source_id IS NULL)"


def close_one(db: sqlite3.Connection, number: int, now_ms: int) -> Interval:
    db.execute("UPDATE interval SET state = 'closed', revision = revision + 1 WHERE id = ?", (number,))
    (interval,) = intervals_of(db, "interval.id = ?", (number,))
    announce.interval(db, interval, now_ms)
    return interval


def close_due(db: sqlite3.Connection, before_s: int, now_ms: int) -> list[Interval]:
    """What ended by then, and what begins more than a day later: it would wait for years."""
    due = "state = 'open' AND (start_s + duration_s <= ? OR start_s > ?)"
    found = db.execute(
        f"SELECT id FROM interval WHERE {due} ORDER BY start_s, id",  # noqa: S608  the line above
        (before_s, before_s + DAY_S),
    ).fetchall()
    return [close_one(db, row[0], now_ms) for row in found]


def fill(
    db: sqlite3.Connection, installation_id: int, duration_s: int, before_s: int, since_s: int | None
) -> None:
    """Make the missing intervals that ended by `before_s`, at most 31 days back.

    From the last one on that was closed with a believable time; where there is none, from `since_s` (None:
    not at all). What is undated fills no gap: nobody knows whether it lies there.
    """
    first = known_until_s(db, before_s) or since_s
    if first is None:
        return
    first = max(first, before_s - FILL_AT_MOST_S)
    first -= first % duration_s
    taken = db.execute(
        "SELECT start_s, start_s + duration_s FROM interval"  # noqa: S608  ours
        f" WHERE start_s + duration_s > ? AND start_s < ? AND boot = '' AND {_OWN}",
        (first, before_s),
    ).fetchall()
    step = duration_s
    covered = {start for low, high in taken for start in range(low - low % step, high, step)}
    db.executemany(
        "INSERT INTO interval (start_s, duration_s, installation_id, clock) VALUES (?, ?, ?, ?)",
        [
            (start, step, installation_id, ClockQuality.OK.value)
            for start in range(first, before_s - step + 1, step)
            if start not in covered
        ],
    )


def known_until_s(db: sqlite3.Connection, before_s: int) -> int:
    """End of the last interval that was closed with a believable time; 0: there is none."""
    found: int = db.execute(
        "SELECT coalesce(max(start_s + duration_s), 0) FROM interval"  # noqa: S608  ours
        f" WHERE revision > 0 AND clock != 'unknown' AND start_s < ? AND {_OWN}",
        (before_s,),
    ).fetchone()[0]
    return found
