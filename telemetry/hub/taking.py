"""One batch on its way into the tables; inside the store's transaction.

Each message is read, and stored or refused, by itself: what one sign sends wrong costs no other anything.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from telemetry.calibration.table import insert_heard
from telemetry.hub import losses
from telemetry.hub.counts import store_interval
from telemetry.hub.places import Places
from telemetry.hub.port import Heard, Taken
from telemetry.hub.presence import after_birth, after_state, read_presence, store_presence, store_text
from telemetry.hub.refusing import keep
from telemetry.hub.sources import Source, Sources
from telemetry.hub.vehicles import store_vehicles
from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.rows import to_ms

MOST_RANGES = 20_000  # of a source; what would be one more waits at the sign until the gaps close
MOST_REPLIES = 1000  # of a sign
REPLY_MAX_BYTES = 20_480
# Content that is looked at though its number came before.
_COUNTED = (messages.AGGREGATE, messages.VEHICLES, messages.PLACE)

# What a value that no table takes comes to: refused like one that no parser takes.
_UNFIT = (ValueError, OverflowError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)


class Taking:
    """Takes one message after the other; `result` says what became of them."""

    def __init__(
        self, db: sqlite3.Connection, sources: Sources, places: Places, *, pruned_ms: int = 0
    ) -> None:
        self._db, self._sources, self._places = db, sources, places
        self._pruned_ms = pruned_ms  # vehicles of before are forgotten
        self._now_ms = 0
        self._stored, self._duplicates = 0, 0
        self._refused: list[str] = []
        self._news: list[str] = []
        self._signs: set[str] = set()
        self._born: set[str] = set()

    def take(self, heard: Heard) -> None:
        """Never raises for what a sign sends; sqlite3.Error for what the disk does."""
        self._now_ms = heard.at_ms
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
        source.born, source.oldest = True, max(source.oldest, said.oldest)
        self._born.add(heard.sign)
        if self._sources.born(source):
            self._places.other_in_use(heard.sign)
        was = read_presence(self._db, heard.sign)
        now = after_birth(was, said.boot, heard.at_ms)
        if now != was:
            store_presence(self._db, heard.sign, now)
        if self._text(heard):
            self._stored += 1
        if said.place is not None:
            self._places.born(source, said.place)

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
            n = self._sources.stores(heard.sign)
            text = "first heard" if n == 1 else f"sends from another store, its {n}. here"
            self._news.append(f"{heard.sign}: {text} (epoch {epoch})")
        return source

    # ----------------------------------------------------------------------- what has a name

    def _named(self, heard: Heard) -> None:
        named = messages.parse_named(heard.payload, heard.kind, heard.sign)
        source = self._source(heard, named.epoch)
        if len(source.spans) >= MOST_RANGES and source.spans.opens(named.seq):
            raise ValueError(f"there are {MOST_RANGES} gaps before {named.seq}; it is not acknowledged")
        source.heard.append(named.seq)
        if named.seq in source.spans:
            source.duplicates += 1
            self._duplicates += 1
            self._again(heard, source, named)
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

    def _again(self, heard: Heard, source: Source, named: messages.Named) -> None:
        """Mostly the same once more. Not so what was told as lost; nor what a copy sends under our names."""
        if heard.kind not in _COUNTED:
            return
        try:
            with self._savepoint():
                changed = self._apply(heard, source, named.seq, named.body, again=True)
        except _UNFIT:
            return
        if not changed:
            return
        self._signs.add(heard.sign)
        self._stored += 1
        if losses.came_late(self._db, source, named.seq):
            source.received += 1
            return
        if not source.clashes:
            text = "came again with other content: is a copy of its card in use?"
            self._news.append(f"{heard.sign}: {heard.kind} {named.seq} {text}")
        source.clashes, source.clash_ms = source.clashes + 1, heard.at_ms

    def take_again(self, heard: Heard, epoch: str) -> bool:
        """One that was refused before; whether it could be read."""
        try:
            named = messages.parse_named(heard.payload, heard.kind, heard.sign)
            source = self._sources.of(heard.sign, epoch, heard.at_ms, live=False)
            with self._savepoint():
                self._apply(heard, source, named.seq, named.body)
        except _UNFIT:
            return False
        source.refused -= 1
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

    def _apply(
        self, heard: Heard, source: Source, seq: int, body: dict[str, Any], *, again: bool = False
    ) -> bool:
        """Whether it changed anything that is counted or shown; ValueError for a body that is none."""
        match heard.kind:
            case messages.AGGREGATE:
                return self._interval(source, body)
            case messages.VEHICLES:
                return self._vehicles(source, body, again=again)
            case messages.PLACE:
                return self._place(source, seq, body)
            case messages.GAP:
                self._gap(source, seq, body)
            case messages.REPLY:
                self._reply(source, seq, body, heard)
        return False

    def _place(self, source: Source, seq: int, body: dict[str, Any]) -> bool:
        place = messages.parse_place(body)
        calibrated = insert_heard(self._db, source.id, source.sign, place.calibrations)
        return self._places.told(source, place, seq) or calibrated

    def _interval(self, source: Source, body: dict[str, Any]) -> bool:
        interval = messages.parse_aggregate(body)
        known = self._places.of(source, interval.installation_id)
        changed = store_interval(self._db, known, interval, source)
        if interval.clock != "unknown":
            self._places.counted(source, interval.installation_id, to_ms(interval.start_utc))
        return changed

    def _vehicles(self, source: Source, body: dict[str, Any], *, again: bool) -> bool:
        batch = messages.parse_vehicles(body)
        records = batch.records
        if again:
            records = tuple(one for one in records if to_ms(one.last_utc) >= self._pruned_ms)
        known = self._places.of(source, batch.installation_id)
        return store_vehicles(self._db, known, records, again=again)

    def _gap(self, source: Source, seq: int, body: dict[str, Any]) -> None:
        lost = losses.dropped(self._db, source, messages.parse_gap(body, seq), self._now_ms)
        if lost:
            what = ", ".join(f"{n} {kind}" for kind, n in sorted(lost.items()))
            self._news.append(f"{source.sign}: dropped messages, being full: {what}")

    def _reply(self, source: Source, seq: int, body: dict[str, Any], heard: Heard) -> None:
        if len(heard.payload) > REPLY_MAX_BYTES:
            raise ValueError(f"a reply of {len(heard.payload)} bytes, where {REPLY_MAX_BYTES} are the most")
        text = messages.encode(messages.parse_reply(body)).decode()
        last = self._db.execute("SELECT max(number) FROM reply WHERE sign = ?", (source.sign,)).fetchone()[0]
        number = (last or 0) + 1
        self._db.execute(
            "INSERT INTO reply (sign, number, source_id, seq, at_ms, body) VALUES (?, ?, ?, ?, ?, ?)",
            (source.sign, number, source.id, seq, heard.at_ms, text),
        )
        self._db.execute(
            "DELETE FROM reply WHERE sign = ? AND number <= ?", (source.sign, number - MOST_REPLIES)
        )

    # ----------------------------------------------------------------------- what became of it

    def result(self) -> Taken:
        """To be asked once, after the last message."""
        acks: list[tuple[str, Ack]] = []
        for source in self._sources.touched:
            self._look_for_losses(source)
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

    def _look_for_losses(self, source: Source) -> None:
        """After all of the batch: what was on its way when the sign said what it still has, is here now."""
        if lost := losses.never_came(self._db, source, self._now_ms):
            first, last = lost
            what = "speedsign command resend asks its intervals of it again"
            self._news.append(f"{source.sign}: messages from {first} to {last} never came; {what}")


def _gap_news(source: Source) -> list[str]:
    has_gaps = len(source.spans) > 0
    if has_gaps and not source.had_gaps:
        first, last = source.spans.gaps()[0]
        return [f"{source.sign}: waits for messages {first} to {last}; later ones came first"]
    if source.had_gaps and not has_gaps:
        return [f"{source.sign}: nothing is missing any more, up to message {source.spans.up_to}"]
    return []
