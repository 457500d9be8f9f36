"""Sources: the database files of signs that the hub has heard, and which of their messages came.

A source is (sign, epoch). What is read once stays in memory; whoever else writes the file makes it forgotten.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from telemetry.hub.spans import Range, Spans
from telemetry.messages import ACK_MAX_RANGES, Ack

_MOST_IN_MEMORY = 20_000


@dataclass(slots=True)
class Source:
    """One of them. `heard`, `born` and `places` are of the batch that is being stored."""

    id: int
    sign: str
    epoch: str
    spans: Spans
    last_ms: int  # by the hub's clock
    received: int
    duplicates: int
    new: bool = False  # first heard in this batch
    had_gaps: bool = False  # when the batch began
    born: bool = False
    heard: list[int] = field(default_factory=list)
    places: set[int] = field(default_factory=set)  # numbers of installations that counts came of

    def begin(self) -> None:
        """A batch begins."""
        self.new, self.born, self.had_gaps = False, False, len(self.spans) > 0
        self.heard, self.places = [], set()

    def acks(self, *, places_wanted: bool) -> list[Ack]:
        """What to tell it: mostly one; a further one where there are more ranges than one can hold."""
        ranges: list[Range] = self.spans.around(self.heard)
        if self.born:
            ranges = sorted({*ranges, *self.spans.newest(ACK_MAX_RANGES)})
        parts = [ranges[low : low + ACK_MAX_RANGES] for low in range(0, len(ranges), ACK_MAX_RANGES)] or [[]]
        return [Ack(self.epoch, self.spans.up_to, tuple(part), places_wanted) for part in parts]


class Sources:
    """Those of one database. Used inside the store's transactions; `forget` after one that failed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[tuple[str, str], Source] = {}
        self._touched: dict[tuple[str, str], Source] = {}
        self._version = -1

    def begin(self) -> bool:
        """A transaction begins; whether what was kept in memory is still what the file says."""
        self._touched = {}
        version: int = self._db.execute("PRAGMA data_version").fetchone()[0]
        if same := version == self._version and len(self._known) < _MOST_IN_MEMORY:
            return same
        self._version = version
        self.forget()
        return same

    def forget(self) -> None:
        self._known.clear()
        self._touched = {}

    def of(self, sign: str, epoch: str, at_ms: int, *, live: bool = True) -> Source:
        """The source, made when it was never heard; `live`: it speaks now, and not long ago."""
        key = (sign, epoch)
        source = self._touched.get(key)
        if source is None:
            source = self._known.get(key) or self._read(sign, epoch) or self._make(sign, epoch, at_ms)
            new = source.new
            source.begin()
            source.new = new
            self._known[key] = self._touched[key] = source
        if live:
            source.last_ms = max(source.last_ms, at_ms)
        return source

    def _read(self, sign: str, epoch: str) -> Source | None:
        row = self._db.execute(
            "SELECT id, last_ms, up_to, received, duplicates FROM source WHERE sign = ? AND epoch = ?",
            (sign, epoch),
        ).fetchone()
        if row is None:
            return None
        number, last_ms, up_to, received, duplicates = row
        ranges = self._db.execute(
            "SELECT first_seq, last_seq FROM span WHERE source_id = ? ORDER BY first_seq", (number,)
        ).fetchall()
        return Source(number, sign, epoch, Spans(up_to, ranges), last_ms, received, duplicates)

    def _make(self, sign: str, epoch: str, at_ms: int) -> Source:
        number = self._db.execute(
            "INSERT INTO source (sign, epoch, first_ms, last_ms) VALUES (?, ?, ?, ?)",
            (sign, epoch, at_ms, at_ms),
        ).lastrowid
        assert number is not None  # noqa: S101  an INSERT was done
        return Source(number, sign, epoch, Spans(), at_ms, 0, 0, new=True)

    @property
    def touched(self) -> list[Source]:
        """Those that were heard in this transaction, in the order of their first message."""
        return list(self._touched.values())

    def save(self) -> None:
        """Write down what the transaction has changed."""
        self._db.executemany(
            "UPDATE source SET last_ms = ?, up_to = ?, received = ?, duplicates = ? WHERE id = ?",
            [
                (one.last_ms, one.spans.up_to, one.received, one.duplicates, one.id)
                for one in self._touched.values()
            ],
        )
        for source in self._touched.values():
            spans = source.spans
            self._db.executemany(
                "DELETE FROM span WHERE source_id = ? AND first_seq = ?",
                [(source.id, first) for first in spans.gone],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO span (source_id, first_seq, last_seq) VALUES (?, ?, ?)",
                [(source.id, first, spans.last_of(first)) for first in spans.changed],
            )
            spans.settled()
