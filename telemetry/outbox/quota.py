"""An outbox that nobody empties stays within its quota: what is worth least goes first, and is reported.

Vehicles before aggregates, the oldest first. What was dropped is told in a message of its own, so that the
hub's gap has a reason and its acknowledgement can pass over it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from telemetry.message import messages
from telemetry.outbox.table import ROW_BYTES, put

DOWN_TO = 0.9  # of the quota, so that not each interval drops a few
_CHUNK = 500  # rows looked at together


@dataclass(frozen=True, slots=True)
class Quota:
    """How much may wait."""

    size_bytes: int
    aggregates: int


def keep(db: sqlite3.Connection, quota: Quota, at_ms: int) -> dict[str, int]:
    """Drop what is too much; how many by kind. Inside the caller's transaction."""
    dropped: list[tuple[int, str]] = []
    held = dict(db.execute("SELECT kind, n FROM tally"))
    too_many = held.get(messages.AGGREGATE, 0) - quota.aggregates
    if too_many > 0:
        dropped += _drop(db, messages.AGGREGATE, rows=too_many)
    if _size(db) > quota.size_bytes:
        for kind in (messages.VEHICLES, messages.AGGREGATE):
            dropped += _drop(db, kind, size_bytes=_size(db) - int(quota.size_bytes * DOWN_TO))
    return _told(db, dropped, at_ms)


def drop(db: sqlite3.Connection, kind: str, size_bytes: int, at_ms: int) -> int:
    """Drop the oldest of a kind until so many bytes are free; how many. Inside the caller's transaction."""
    return sum(_told(db, _drop(db, kind, size_bytes=size_bytes), at_ms).values())


def _told(db: sqlite3.Connection, dropped: list[tuple[int, str]], at_ms: int) -> dict[str, int]:
    """Report what was dropped; how many by kind."""
    if dropped:
        _report(db, sorted(dropped), at_ms)
    counts: dict[str, int] = {}
    for _, kind in dropped:
        counts[kind] = counts.get(kind, 0) + 1
    for kind, n in counts.items():
        _count(db, kind, n)
    return counts


def _size(db: sqlite3.Connection) -> int:
    size: int = db.execute("SELECT coalesce(sum(bytes), 0) FROM tally").fetchone()[0]
    return size


def _drop(
    db: sqlite3.Connection, kind: str, *, rows: int | None = None, size_bytes: int = 0
) -> list[tuple[int, str]]:
    """The oldest of a kind: so many rows, or until so many bytes are free."""
    gone: list[tuple[int, str]] = []
    freed = 0
    while len(gone) < rows if rows is not None else freed < size_bytes:
        found = db.execute(
            "SELECT seq, length(body) FROM outbox WHERE rank = ? AND kind = ? ORDER BY seq LIMIT ?",
            (messages.RANKS[kind], kind, _CHUNK),
        ).fetchall()
        if not found:
            break
        for seq, length in found:
            if len(gone) >= rows if rows is not None else freed >= size_bytes:
                break
            db.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
            gone.append((seq, kind))
            freed += length + ROW_BYTES
    return gone


def _count(db: sqlite3.Connection, kind: str, n: int) -> None:
    db.execute(
        "INSERT INTO meta (key, value) VALUES ('dropped_' || ?, ?)"
        " ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + excluded.value",
        (kind, str(n)),
    )


def _report(db: sqlite3.Connection, dropped: list[tuple[int, str]], at_ms: int) -> None:
    """Into the report that was not sent yet, where there is room in it; else into new ones."""
    entries = runs(db, dropped)
    last = db.execute(
        "SELECT seq, body FROM outbox WHERE rank = ? AND kind = ? AND tries = 0 ORDER BY seq DESC LIMIT 1",
        (messages.RANKS[messages.GAP], messages.GAP),
    ).fetchone()
    if last:
        entries = joined(db, json.loads(last[1])["dropped"], entries)
        db.execute(
            "UPDATE outbox SET body = ? WHERE seq = ?", (_body(entries[: messages.GAP_MAX_ENTRIES]), last[0])
        )
        entries = entries[messages.GAP_MAX_ENTRIES :]
    for first in range(0, len(entries), messages.GAP_MAX_ENTRIES):
        put(db, messages.GAP, at_ms, _body(entries[first : first + messages.GAP_MAX_ENTRIES]))


def _body(entries: list[dict[str, Any]]) -> bytes:
    return messages.encode(messages.gap(entries))


def runs(db: sqlite3.Connection, dropped: Iterable[tuple[int, str]]) -> list[dict[str, Any]]:
    """Entries of a report; no range reaches over a row that still waits: the hub would take it for gone."""
    return joined(db, [], [{"kind": kind, "first": seq, "last": seq, "n": 1} for seq, kind in dropped])


def joined(
    db: sqlite3.Connection, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Entries with neighbours of a kind made one, where nothing waits between them."""
    found: list[dict[str, Any]] = [dict(one) for one in before]
    for one in after:
        last = found[-1] if found else None
        if last and last["kind"] == one["kind"] and _nothing_waits(db, last["last"] + 1, one["first"] - 1):
            last["last"], last["n"] = one["last"], last["n"] + one["n"]
        else:
            found.append(dict(one))
    return found


def _nothing_waits(db: sqlite3.Connection, first: int, last: int) -> bool:
    if first > last:
        return first == last + 1
    return not db.execute("SELECT 1 FROM outbox WHERE seq BETWEEN ? AND ? LIMIT 1", (first, last)).fetchone()
