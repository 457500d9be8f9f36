"""Sources: the database files of signs that the hub has heard, and which of their messages came.

A source is (sign, epoch). What is read once stays in memory; whoever else writes the file makes it forgotten.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from telemetry.hub.spans import Range, Spans
from telemetry.message.messages import ACK_MAX_RANGES, Ack

_MOST_IN_MEMORY = 20_000
_MOST_RANGES_IN_MEMORY = 500_000
_DAY_MS = 86_400_000

# A sign begins a new file when its card is replaced, or when a copy of it was in use. One that begins more
# is broken or hostile; what is beyond is neither stored nor acknowledged.
MOST_STORES_IN_DAY = 10
MOST_STORES = 200


Rank = tuple[int, int]


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
    refused: int = 0  # had a name and could not be read
    clashes: int = 0  # came again under a name and with another content
    clash_ms: int | None = None
    in_use: int = 0  # the higher, the later it greeted as another than the one before; 0: never did
    new: bool = False  # first heard in this batch
    had_gaps: bool = False  # when the batch began
    born: bool = False
    oldest: int = 0  # what it has not got any more, ends before; 0: not told
    heard: list[int] = field(default_factory=list)
    places: set[int] = field(default_factory=set)  # numbers of installations that counts came of

    def begin(self) -> None:
        """A batch begins."""
        self.new, self.born, self.had_gaps = False, False, len(self.spans) > 0
        self.heard, self.places, self.oldest = [], set(), 0

    @property
    def rank(self) -> Rank:
        """Of two, the higher one is nearer to what the sign uses now."""
        return self.in_use, self.id

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
        self._ranges = 0  # in memory, at most

    def begin(self) -> bool:
        """A transaction begins; whether what was kept in memory is still what the file says."""
        self._touched = {}
        version: int = self._db.execute("PRAGMA data_version").fetchone()[0]
        small = len(self._known) < _MOST_IN_MEMORY and self._ranges < _MOST_RANGES_IN_MEMORY
        if same := version == self._version and small:
            return same
        self._version = version
        self.forget()
        return same

    def forget(self) -> None:
        self._known.clear()
        self._touched = {}
        self._ranges = 0

    def of(self, sign: str, epoch: str, at_ms: int, *, live: bool = True) -> Source:
        """The source, made when it was never heard; `live`: it speaks now, and not long ago.

        ValueError where the sign has begun too many.
        """
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
            "SELECT id, last_ms, up_to, received, duplicates, refused, clashes, clash_ms, born FROM source"
            " WHERE sign = ? AND epoch = ?",
            (sign, epoch),
        ).fetchone()
        if row is None:
            return None
        number, last_ms, up_to, *counters = row
        ranges = self._db.execute(
            "SELECT first_seq, last_seq FROM span WHERE source_id = ? ORDER BY first_seq", (number,)
        ).fetchall()
        self._ranges += len(ranges)
        return Source(number, sign, epoch, Spans(up_to, ranges), last_ms, *counters)

    def _make(self, sign: str, epoch: str, at_ms: int) -> Source:
        self._allow(sign, at_ms // _DAY_MS)
        number = self._db.execute(
            "INSERT INTO source (sign, epoch, first_ms, last_ms) VALUES (?, ?, ?, ?)",
            (sign, epoch, at_ms, at_ms),
        ).lastrowid
        assert number is not None  # noqa: S101  an INSERT was done
        return Source(number, sign, epoch, Spans(), at_ms, 0, 0, new=True)

    def _allow(self, sign: str, day: int) -> None:
        """One more of this sign, unless it is too many."""
        row = self._db.execute("SELECT stores, stores_day, stores_in_day FROM sign WHERE id = ?", (sign,))
        stores, last_day, in_day = row.fetchone() or (0, 0, 0)
        in_day = in_day if day == last_day else 0
        if stores >= MOST_STORES:
            raise ValueError(f"is of a new store, and {MOST_STORES} of this sign are known; not acknowledged")
        if in_day >= MOST_STORES_IN_DAY:
            raise ValueError(
                f"is of a new store, and this sign has begun {MOST_STORES_IN_DAY} today; not acknowledged"
            )
        self._db.execute(
            "INSERT INTO sign (id, stores, stores_day, stores_in_day) VALUES (?, 1, ?, 1)"
            " ON CONFLICT DO UPDATE SET stores = stores + 1, stores_day = ?, stores_in_day = ?",
            (sign, day, day, in_day + 1),
        )

    def born(self, source: Source) -> bool:
        """It greeted: the sign uses it now. Whether it used another one before, or none was known."""
        row = self._db.execute("SELECT source_id, births FROM sign WHERE id = ?", (source.sign,)).fetchone()
        before, births = row or (None, 0)
        if before == source.id:
            return False
        source.in_use = births + 1
        self._db.execute("UPDATE source SET born = ? WHERE id = ?", (source.in_use, source.id))
        self._db.execute(
            "INSERT INTO sign (id, source_id, births) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET source_id = excluded.source_id, births = excluded.births",
            (source.sign, source.id, source.in_use),
        )
        return True

    def stores(self, sign: str) -> int:
        """How many database files of a sign were heard."""
        row = self._db.execute("SELECT stores FROM sign WHERE id = ?", (sign,)).fetchone()
        return row[0] if row else 0

    @property
    def touched(self) -> list[Source]:
        """Those that were heard in this transaction, in the order of their first message."""
        return list(self._touched.values())

    def save(self) -> None:
        """Write down what the transaction has changed."""
        self._db.executemany(
            "UPDATE source SET last_ms = ?, up_to = ?, received = ?, duplicates = ?, refused = ?,"
            " clashes = ?, clash_ms = ? WHERE id = ?",
            [
                (
                    *(one.last_ms, one.spans.up_to, one.received, one.duplicates),
                    *(one.refused, one.clashes, one.clash_ms, one.id),
                )
                for one in self._touched.values()
            ],
        )
        for source in self._touched.values():
            spans = source.spans
            self._ranges += len(spans.changed)
            self._db.executemany(
                "DELETE FROM span WHERE source_id = ? AND first_seq = ?",
                [(source.id, first) for first in spans.gone],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO span (source_id, first_seq, last_seq) VALUES (?, ?, ?)",
                [(source.id, first, spans.last_of(first)) for first in spans.changed],
            )
            spans.settled()
