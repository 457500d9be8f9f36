"""Installations that were begun while no time was known: since when they stand, once it is.

A sign that gets a new config and starts without a clock begins an installation in 2000 or in an hour that
was before. What was counted tells better. All inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3

_OWN = "origin = 'measured' AND source_id IS NULL"
_DATED = "boot = '' AND clock != 'unknown'"


def put_right(db: sqlite3.Connection, zero_ms: int, at_ms: int) -> int:
    """Of a boot that began at `zero_ms` and knows the time since `at_ms`; how many installations were wrong.

    One that counted nothing before this boot with a known time was perhaps begun without one. It cannot
    stand since before the one that stood before it counted last, nor since after its own first count.
    """
    rows = db.execute(
        f"SELECT id, from_ms FROM installation WHERE {_OWN} AND NOT EXISTS (SELECT 1 FROM interval"  # noqa: S608
        f" WHERE installation_id = installation.id AND {_DATED} AND start_s + duration_s <= ?) ORDER BY id",
        (zero_ms // 1000,),
    ).fetchall()
    changed = 0
    for number, from_ms in rows:
        right_ms = _since(db, number, from_ms, zero_ms, at_ms)
        if right_ms != from_ms:
            db.execute("UPDATE installation SET from_ms = ?, announced = 0 WHERE id = ?", (right_ms, number))
            changed += 1
    return changed


def _since(db: sqlite3.Connection, number: int, from_ms: int, zero_ms: int, at_ms: int) -> int:
    first = db.execute(
        "SELECT start_s, start_s + duration_s FROM interval WHERE installation_id = ? AND (measured_s > 0"
        " OR EXISTS (SELECT 1 FROM cell WHERE interval_id = interval.id)) ORDER BY start_s LIMIT 1",
        (number,),
    ).fetchone()
    (before_s,) = db.execute(
        f"SELECT max(start_s + measured_s) FROM interval WHERE {_DATED} AND measured_s > 0 AND start_s <= ?"  # noqa: S608
        f" AND installation_id IN (SELECT id FROM installation WHERE {_OWN} AND id < ?)",
        (at_ms // 1000, number),
    ).fetchone()
    first_ms, end_ms = (1000 * first[0], 1000 * first[1]) if first else (zero_ms, at_ms)
    earliest_ms = first_ms if before_s is None else round(1000 * before_s)
    return from_ms if earliest_ms <= from_ms <= end_ms else max(first_ms, earliest_ms)
