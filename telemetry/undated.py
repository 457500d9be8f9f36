"""Between which known times undated vehicles passed: all that can be said of when they did.

A boot that never knew the time lies after the last time that was known before it, and before the first
moment that a later boot measured (the sign's boots come one after the other).
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from telemetry.query import Standing
from telemetry.rows import AFTER, SHORT_BOOT, from_s

_NOBODYS = "0" * SHORT_BOOT  # of a start of the machine that is not known


class Between(NamedTuple):
    """Undated vehicles of one boot, or of several in a row. None: no time is known on that side."""

    after_utc: datetime | None
    before_utc: datetime | None
    n: int


def between(
    cursor: sqlite3.Cursor, standing: Standing, where: str, bounds: tuple[int, ...]
) -> tuple[Between, ...]:
    """Of an installation's undated intervals for which `where` (SQL of ours) holds; by time.

    What came from a file has lost the boots around it, and an older version did not tell them: then nothing
    is said.
    """
    if standing.imported:
        return ()
    of_boots = (
        "SELECT boot, max(heard_from) AS heard_from, sum(length(speeds)) AS n FROM interval"  # noqa: S608  ours
        f" JOIN cell ON interval_id = interval.id WHERE clock = 'unknown' AND {where}"
        f" AND boot NOT IN ('', '{_NOBODYS}') GROUP BY boot"
    )
    rows = cursor.execute(
        f"SELECT {AFTER} AS after_s, sum(n) FROM ({of_boots}) AS interval GROUP BY after_s ORDER BY after_s",  # noqa: S608
        bounds,
    ).fetchall()
    return tuple(_merged(cursor, standing, rows))


def _merged(
    cursor: sqlite3.Cursor, standing: Standing, rows: list[tuple[int | None, int]]
) -> Iterator[Between]:
    for after_s, n in rows:
        if n:
            after = None if after_s is None else from_s(after_s)
            yield Between(after, _next_known(cursor, standing.sign, after_s), n)


def _next_known(cursor: sqlite3.Cursor, sign: str, after_s: int | None) -> datetime | None:
    """When a later boot had begun to measure, at the latest; to the second."""
    row = cursor.execute(
        "SELECT start_s + duration_s - measured_s FROM interval WHERE start_s > ? AND clock != 'unknown'"
        " AND measured_s > 0 AND installation_id IN"
        " (SELECT id FROM installation WHERE sign = ? AND origin = 'measured') ORDER BY start_s LIMIT 1",
        (-1 if after_s is None else after_s, sign),
    ).fetchone()
    return None if row is None else from_s(math.ceil(row[0]))
