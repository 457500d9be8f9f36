"""From when to when each installation measured, as far as its clock can be believed.

A sign without a battery clock can begin a boot in 2000 or in 2036: what it counts then has a time that is
none, and would make a period of decades of a fortnight.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from telemetry.query import Source, reading
from telemetry.rows import from_s, to_ms

# So much of nothing may lie between a time that is known and one that only follows from it: what is told of
# a longer silence is told by a clock that may say anything.
NEAR_S = 31 * 86_400

Span = tuple[int, int]  # start and end, s since 1970

# A count that was put into another time leaves an empty interval behind.
_UNDATED = (
    "clock = 'unknown' AND (measured_s > 0 OR EXISTS (SELECT 1 FROM cell WHERE interval_id = interval.id))"
)


def measured_spans(
    source: Source, from_utc: datetime | None = None, to_utc: datetime | None = None
) -> dict[int, tuple[datetime, datetime]]:
    """{installation: start of its first interval, end of its last one}, of those that start in [from, to).

    An interval without a trusted time makes it longer where no more than a month lies between. Blocking.
    Raises StoreError.
    """
    where, bounds = "TRUE", []
    for sign, moment in ((">=", from_utc), ("<", to_utc)):
        if moment is not None:
            where += f" AND start_s {sign} ?"
            bounds.append(-(-to_ms(moment) // 1000))
    with reading(source) as db:
        dated, any_undated = _dated(db, where, bounds)
        found = _widened(dated, _undated(db, where, bounds)) if any_undated else dated
    return {number: (from_s(first_s), from_s(end_s)) for number, (first_s, end_s) in found.items()}


def _dated(db: sqlite3.Connection, where: str, bounds: list[int]) -> tuple[dict[int, Span], bool]:
    """And whether there are undated ones as well: mostly there are none, and one look is enough."""
    dated = "FILTER (WHERE clock != 'unknown')"
    rows = db.execute(
        f"SELECT installation_id, min(start_s) {dated}, max(start_s + duration_s) {dated},"  # noqa: S608  ours
        f" max(clock = 'unknown') FROM interval WHERE {where} GROUP BY installation_id",
        bounds,
    ).fetchall()
    found = {number: (first_s, end_s) for number, first_s, end_s, _ in rows if first_s is not None}
    return found, any(undated for *_, undated in rows)


def _undated(db: sqlite3.Connection, where: str, bounds: list[int]) -> dict[int, list[Span]]:
    """By rising start."""
    rows = db.execute(
        "SELECT installation_id, start_s, start_s + duration_s FROM interval"  # noqa: S608  ours
        f" WHERE {where} AND {_UNDATED} ORDER BY start_s",
        bounds,
    )
    found: dict[int, list[Span]] = {}
    for number, first_s, end_s in rows:
        found.setdefault(number, []).append((first_s, end_s))
    return found


def _widened(dated: Mapping[int, Span], undated: Mapping[int, list[Span]]) -> dict[int, Span]:
    found = dict(dated)
    for number, spans in undated.items():
        first_s, end_s = found.get(number) or _busiest(spans)
        for start, end in spans:
            if start <= end_s + NEAR_S:
                end_s = max(end_s, end)
        for start, end in reversed(spans):
            if end >= first_s - NEAR_S:
                first_s = min(first_s, start)
        found[number] = first_s, end_s
    return found


def _busiest(spans: list[Span]) -> Span:
    """Where no time is known at all: the stretch that most intervals agree about."""
    groups: list[list[Span]] = []
    for span in spans:
        if groups and span[0] <= groups[-1][-1][1] + NEAR_S:
            groups[-1].append(span)
        else:
            groups.append([span])
    most = max(groups, key=len)
    return most[0][0], most[-1][1]
