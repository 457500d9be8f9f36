"""What never came: the sign dropped it, being full, or has it no more; and what of that came all the same."""

from __future__ import annotations

import sqlite3

from telemetry.hub.sources import Source
from telemetry.hub.spans import Range
from telemetry.message.heard import Dropped

_MOST_AT_ONCE = 200  # rows; what is more stands in the last one
_LOOKED_AT = 1000  # of the newest: nobody can make it slow by telling of very many


def dropped(db: sqlite3.Connection, source: Source, told: tuple[Dropped, ...], at_ms: int) -> dict[str, int]:
    """What was dropped need not be waited for; {kind: messages} of what never came."""
    found: dict[str, tuple[int, int, int]] = {}
    for one in told:
        if new := source.spans.add(one.first, one.last):
            first, last, n = found.get(one.kind, (one.first, one.last, 0))
            found[one.kind] = min(first, one.first), max(last, one.last), n + min(new, one.n)
    for kind, (first, last, n) in found.items():
        _put(db, source, at_ms, kind, [(first, last, n)])
    return {kind: n for kind, (_, _, n) in found.items()}


def never_came(db: sqlite3.Connection, source: Source, at_ms: int) -> Range | None:
    """What the sign has no more and the hub never got; from which message to which."""
    last = source.oldest - 1
    if last <= source.spans.up_to:
        return None
    gaps = source.spans.gaps_to(last)
    if not gaps:
        return None
    rows = [(a, b, b - a + 1) for a, b in gaps]
    rest = rows[_MOST_AT_ONCE - 1 :]
    if len(rest) > 1:
        rows = [*rows[: _MOST_AT_ONCE - 1], (rest[0][0], rest[-1][1], sum(n for _, _, n in rest))]
    _put(db, source, at_ms, "", rows)
    source.spans.add(1, last)
    return gaps[0][0], gaps[-1][1]


def came_late(db: sqlite3.Connection, source: Source, seq: int) -> bool:
    """Whether it was among what never came; then it is no more."""
    row = db.execute(
        "SELECT id FROM (SELECT * FROM loss WHERE source_id = ? ORDER BY id DESC LIMIT ?)"
        " WHERE first_seq <= ? AND last_seq >= ? AND messages > 0 LIMIT 1",
        (source.id, _LOOKED_AT, seq, seq),
    ).fetchone()
    if row is None:
        return False
    db.execute("UPDATE loss SET messages = messages - 1 WHERE id = ?", row)
    db.execute("DELETE FROM loss WHERE id = ? AND messages = 0", row)
    return True


def _put(
    db: sqlite3.Connection, source: Source, at_ms: int, kind: str, rows: list[tuple[int, int, int]]
) -> None:
    db.executemany(
        "INSERT INTO loss (source_id, at_ms, kind, first_seq, last_seq, messages) VALUES (?, ?, ?, ?, ?, ?)",
        [(source.id, at_ms, kind, *row) for row in rows],
    )
