"""Messages that wait to be acknowledged: a table of the store, written together with what it tells of.

A message's name is (sign id, store epoch, seq); it is the same however often it is sent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from speedsign.model import Installation

AGGREGATE = "agg"  # a row's kind is the last word of its topic


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message that waits to be acknowledged."""

    seq: int
    kind: str
    body: bytes
    tries: int


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What a sign says about its store when it greets."""

    epoch: str  # 16 hex digits; another file is another epoch, so that a seq never means two messages
    boot: int  # how often this store was opened: one more at each start of the daemon
    installation_id: int | None
    installation: Installation | None


class Outbox(Protocol):
    """The part of a store that holds messages; blocking, used on the recorder's thread."""

    def facts(self) -> StoreFacts: ...

    def pending(self, after_seq: int, limit: int) -> list[OutboxRow]:
        """Messages that are not retired, oldest first, with a seq above `after_seq`."""
        ...

    def settle(self, retired: Sequence[int], refused: Sequence[int]) -> None:
        """Forget what was delivered; count a try for what was refused."""
        ...


def put(db: sqlite3.Connection, kind: str, now_ms: int, body: Callable[[int], bytes]) -> None:
    """Add a message that carries its own seq; inside the caller's transaction."""
    seq = db.execute(
        "INSERT INTO outbox (kind, created_ms, body) VALUES (?, ?, x'')", (kind, now_ms)
    ).lastrowid
    assert seq is not None  # noqa: S101  an INSERT was done
    db.execute("UPDATE outbox SET body = ? WHERE seq = ?", (body(seq), seq))


def trim(db: sqlite3.Connection, keep: int) -> int:
    """Drop what is older than the newest `keep` messages; how many. Inside the caller's transaction."""
    return db.execute("DELETE FROM outbox WHERE seq <= (SELECT max(seq) FROM outbox) - ?", (keep,)).rowcount


def pending(db: sqlite3.Connection, after_seq: int, limit: int) -> list[OutboxRow]:
    """Oldest first. Newest aggregates first, once raw data waits behind them, is a matter of this query."""
    rows = db.execute(
        "SELECT seq, kind, body, tries FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, limit)
    )
    return [OutboxRow(*row) for row in rows]


def settle(db: sqlite3.Connection, retired: Sequence[int], refused: Sequence[int]) -> None:
    """Inside the caller's transaction: one commit for a whole window."""
    db.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in retired])
    db.executemany("UPDATE outbox SET tries = tries + 1 WHERE seq = ?", [(seq,) for seq in refused])
