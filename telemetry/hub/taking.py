"""One batch on its way into the tables; inside the store's transaction.

Each message is read, and stored or refused, by itself: what one sign sends wrong costs no other anything.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from telemetry import messages
from telemetry.hub.counts import store_interval, store_vehicles
from telemetry.hub.places import Places
from telemetry.hub.port import Heard, Taken
from telemetry.hub.presence import after_birth, after_state, read_presence, store_presence, store_text
from telemetry.hub.refusing import keep
from telemetry.hub.sources import Source, Sources
from telemetry.messages import Ack
from telemetry.rows import to_ms

# What a value that no table takes comes to: refused like one that no parser takes.
_UNFIT = (ValueError, OverflowError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)


class Taking:
    """Takes one message after the other; `result` says what became of them."""

    def __init__(self, db: sqlite3.Connection, sources: Sources, places: Places) -> None:
        self._db, self._sources, self._places = db, sources, places
        self._stored, self._duplicates = 0, 0
        self._refused: list[str] = []
        self._news: list[str] = []
        self._signs: set[str] = set()
        self._born: set[str] = set()

    def take(self, heard: Heard) -> None:
        """Never raises for what a sign sends; sqlite3.Error for what the disk does."""
        try:
            match heard.kind:
                case "state":
                    self._state(heard)
                case "birth":
                    self._birth(heard)
                case "health":
                    self._health(heard)
                case _:
                    self._named(heard)
        except ValueError as error:
            self._refused.append(f"{heard.sign}: {heard.kind}: {error}")

    # ----------------------------------------------------------------------- what has no name

    def _state(self, heard: Heard) -> None:
        said = messages.parse_state(heard.payload)
        was = read_presence(self._db, heard.sign)
        now = after_state(was, said, heard.at_ms)
        if now != was:
            store_presence(self._db, heard.sign, now)
            self._signs.add(heard.sign)
            self._stored += 1

    def _birth(self, heard: Heard) -> None:
        said = messages.parse_birth(heard.payload, heard.sign)
        source = self._source(heard, said.epoch)
        source.born = True
        self._born.add(heard.sign)
        was = read_presence(self._db, heard.sign)
        now = after_birth(was, said.boot, heard.at_ms)
        if now != was:
            store_presence(self._db, heard.sign, now)
        if self._text(heard):
            self._stored += 1
        if said.place is not None:
            self._places.born(source, said.place, heard.at_ms)

    def _health(self, heard: Heard) -> None:
        said = messages.parse_health(heard.payload, heard.sign)
        self._source(heard, said.epoch)
        if self._text(heard):
            self._stored += 1

    def _text(self, heard: Heard) -> bool:
        self._signs.add(heard.sign)
        text = heard.payload.decode()
        return store_text(self._db, heard.kind, heard.sign, text, heard.at_ms, live=not heard.retained)

    def _source(self, heard: Heard, epoch: str) -> Source:
        source = self._sources.of(heard.sign, epoch, heard.at_ms, live=not heard.retained)
        if source.new:
            source.new = False
            before = self._db.execute("SELECT count(*) FROM source WHERE sign = ?", (heard.sign,)).fetchone()[
                0
            ]
            self._db.execute("INSERT OR IGNORE INTO sign (id) VALUES (?)", (heard.sign,))
            text = "first heard" if before == 1 else f"sends from another store, its {before}. here"
            self._news.append(f"{heard.sign}: {text} (epoch {epoch})")
        return source

    # ----------------------------------------------------------------------- what has a name

    def _named(self, heard: Heard) -> None:
        named = messages.parse_named(heard.payload, heard.kind, heard.sign)
        source = self._source(heard, named.epoch)
        source.heard.append(named.seq)
        if named.seq in source.spans:
            source.duplicates += 1
            self._duplicates += 1
            return
        try:
            with self._savepoint():
                changed = self._apply(heard, source, named.seq, named.body)
        except _UNFIT as error:
            keep(self._db, source, named.seq, heard, str(error))
            self._refused.append(f"{heard.sign}: {heard.kind} {named.seq}: {error}")
            changed = False
        source.spans.add(named.seq)
        source.received += 1
        self._stored += 1
        if changed:
            self._signs.add(heard.sign)

    def take_again(self, heard: Heard, epoch: str) -> bool:
        """One that was refused before; whether it could be read."""
        try:
            named = messages.parse_named(heard.payload, heard.kind, heard.sign)
            source = self._sources.of(heard.sign, epoch, heard.at_ms, live=False)
            with self._savepoint():
                self._apply(heard, source, named.seq, named.body)
        except _UNFIT:
            return False
        return True

    @contextlib.contextmanager
    def _savepoint(self) -> Iterator[None]:
        self._db.execute("SAVEPOINT message")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # a full disk may have ended all of it
                self._db.execute("ROLLBACK TO message")
                self._db.execute("RELEASE message")
                self._places.forget()
            raise
        self._db.execute("RELEASE message")

    def _apply(self, heard: Heard, source: Source, seq: int, body: dict[str, Any]) -> bool:
        """Whether it changed anything that is counted or shown; ValueError for a body that is none."""
        match heard.kind:
            case messages.AGGREGATE:
                return self._interval(source, body, heard.at_ms)
            case messages.VEHICLES:
                batch = messages.parse_vehicles(body)
                known = self._places.of(source, batch.installation_id, heard.at_ms)
                return store_vehicles(self._db, known, batch.records)
            case messages.PLACE:
                self._places.told(source, messages.parse_place(body), seq)
            case messages.GAP:
                self._gap(source, seq, body)
                return False
            case messages.REPLY:
                self._reply(source, seq, body, heard.at_ms)
                return False
        return True

    def _interval(self, source: Source, body: dict[str, Any], at_ms: int) -> bool:
        interval = messages.parse_aggregate(body)
        known = self._places.of(source, interval.installation_id, at_ms)
        if interval.clock != "unknown":
            self._places.measured_at(known, to_ms(interval.start_utc))
        return store_interval(self._db, known, interval)

    def _gap(self, source: Source, seq: int, body: dict[str, Any]) -> None:
        """What was dropped need not be waited for; only what never came is counted as lost."""
        lost: dict[str, int] = {}
        for one in messages.parse_gap(body, seq):
            if new := source.spans.add(one.first, one.last):
                lost[one.kind] = lost.get(one.kind, 0) + min(new, one.n)
        self._db.executemany(
            "INSERT OR REPLACE INTO loss (source_id, seq, kind, messages) VALUES (?, ?, ?, ?)",
            [(source.id, seq, kind, n) for kind, n in lost.items()],
        )
        if lost:
            what = ", ".join(f"{n} {kind}" for kind, n in sorted(lost.items()))
            self._news.append(f"{source.sign}: dropped messages, being full: {what}")

    def _reply(self, source: Source, seq: int, body: dict[str, Any], at_ms: int) -> None:
        text = json.dumps(messages.parse_reply(body), ensure_ascii=False, separators=(",", ":"))
        self._db.execute(
            "INSERT OR REPLACE INTO reply (source_id, seq, at_ms, body) VALUES (?, ?, ?, ?)",
            (source.id, seq, at_ms, text),
        )

    # ----------------------------------------------------------------------- what became of it

    def result(self) -> Taken:
        """To be asked once, after the last message."""
        acks: list[tuple[str, Ack]] = []
        for source in self._sources.touched:
            if source.heard or source.born:
                wanted = self._places.unknown(source)
                acks += [(source.sign, ack) for ack in source.acks(places_wanted=wanted)]
            self._news += _gap_news(source)
        return Taken(
            tuple(acks),
            self._stored,
            self._duplicates,
            tuple(self._refused),
            tuple(self._news),
            frozenset(self._signs),
            frozenset(self._born),
        )


def _gap_news(source: Source) -> list[str]:
    has_gaps = len(source.spans) > 0
    if has_gaps and not source.had_gaps:
        first, last = source.spans.gaps()[0]
        return [f"{source.sign}: waits for messages {first} to {last}; later ones came first"]
    if source.had_gaps and not has_gaps:
        return [f"{source.sign}: nothing is missing any more, up to message {source.spans.up_to}"]
    return []
