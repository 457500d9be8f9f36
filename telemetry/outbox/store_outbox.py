"""A store's file and what it tells: its epoch, its boots, the messages that wait in it.

An epoch names one file's row of numbers. A file that turns out to be a copy of another one that went on
(a backup that was restored, a card that was cloned, a card that forgot what it had confirmed) begins an epoch
of its own, or its messages would be taken for those of the other.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from speedsign.model import Installation
from telemetry.database import open_for_writing, refuse_hubs, sentences
from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.outbox import announce, quota, table
from telemetry.outbox.outbox import AckOutcome, AckResult, Batch, OutboxRow, RetireOn, StoreFacts, Waiting
from telemetry.outbox.quota import Quota

_log = logging.getLogger(__name__)

# A vehicle touches five pages or more, and each of them goes to the card whole: benchmarks/wear measures it.
PAGE_BYTES = 1024
_EPOCH, _BOOT, _RETIRED_ON = "epoch", "boot", "retired_on"  # keys of meta


class StoreOutbox:
    """`telemetry.outbox.outbox.Outbox` on a file. Blocking; one thread at a time."""

    def __init__(self, path: Path, allowed: Quota, *, vehicles: bool) -> None:
        self.path = path
        self._allowed = allowed
        self._vehicles = vehicles
        self._installation_id: int | None = None
        self._installation: Installation | None = None
        self._said_full = False
        self._db = open_for_writing(path, refuse_hubs, PAGE_BYTES)
        try:
            with sentences(path):
                table.begin_tally(self._db)
            with self.transaction():
                self._begin_epoch()
                self.boot = int(self._meta(_BOOT) or 0) + 1
                self._set_meta(_BOOT, str(self.boot))
                announce.begin_vehicles(self._db, wanted=vehicles)
        except BaseException:
            self._db.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing, also of `put_message` inside it; the library's errors become ours."""
        if self._in_transaction():  # part of a larger one: that decides
            yield self._db
            return
        with sentences(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._in_transaction():
                    self._db.execute("ROLLBACK")
                raise

    def _in_transaction(self) -> bool:
        return self._db.in_transaction

    def _meta(self, key: str) -> str | None:
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    # ----------------------------------------------------------------------- epoch

    def _begin_epoch(self) -> None:
        """A new file, and a copy that `speedsign backup` made, have none yet."""
        self.epoch = self._meta(_EPOCH) or self._new_epoch()

    def _new_epoch(self) -> str:
        epoch = secrets.token_hex(8)
        self._set_meta(_EPOCH, epoch)
        self._set_meta(_RETIRED_ON, RetireOn.HUB.value)
        table.renumber(self._db)
        announce.forget_places(self._db)  # the hub knows places by epoch
        announce.places(self._db, 0)
        return epoch

    def renew(self) -> StoreFacts:
        """Begin a new epoch: what waits is named anew, from 1 on."""
        with self.transaction():
            epoch = self._new_epoch()
        _log.warning("%s: epoch %s ends, %s begins", self.path, self.epoch, epoch)
        self.epoch = epoch  # not before it is committed
        return self.facts()

    def prepare(self, retire_on: RetireOn) -> StoreFacts:
        """Before a connection. Where rows were retired on another's word, the hub is owed a new epoch.

        It would wait for ever for numbers that were given to somebody else.
        """
        if retire_on is RetireOn.HUB and self._meta_now(_RETIRED_ON) != RetireOn.HUB.value:
            with sentences(self.path):
                owed = table.has_holes(self._db)
            if owed:
                return self.renew()
            with self.transaction():
                self._set_meta(_RETIRED_ON, RetireOn.HUB.value)
        return self.facts()

    def _meta_now(self, key: str) -> str | None:
        with sentences(self.path):
            return self._meta(key)

    def facts(self) -> StoreFacts:
        """For the greeting at each connect."""
        with sentences(self.path):
            oldest = table.oldest(self._db)
        return StoreFacts(self.epoch, self.boot, self._installation_id, self._installation, oldest)

    # ----------------------------------------------------------------------- in

    def put_message(self, kind: str, body: bytes, at_ms: int = 0) -> int:
        """Put a message, a JSON object without its name, into the outbox; its seq.

        Inside `transaction()` it is there together with everything else of it, or not at all.
        """
        with self.transaction():
            return table.put(self._db, kind, at_ms, body)

    def places_again(self) -> int:
        """Put where and how the sign stands, and stood, into the outbox once more; how many places."""
        with self.transaction():
            announce.forget_places(self._db)
            return announce.places(self._db, 0)

    def resend(self, from_s: int, to_s: int, at_ms: int = 0) -> int:
        """Put the closed intervals that begin in [from, to), seconds since 1970, once more; how many.

        The places first, so that a hub which lost everything can read them.
        """
        with self.transaction():
            announce.forget_places(self._db)
            announce.places(self._db, at_ms)
            n = announce.again(self._db, from_s, to_s, at_ms)
            self._keep_quota(at_ms)
            return n

    def resend_count(self, from_s: int, to_s: int) -> int:
        """How many intervals `resend` would put."""
        with sentences(self.path):
            return announce.count_again(self._db, from_s, to_s)

    def _keep_quota(self, at_ms: int) -> None:
        """Inside a transaction that put something."""
        dropped = quota.keep(self._db, self._allowed, at_ms)
        level = logging.DEBUG if self._said_full else logging.WARNING  # once; then it is in the faults
        for kind, n in dropped.items():
            _log.log(level, "%s: the outbox is full: %d messages (%s) dropped", self.path, n, kind)
        self._said_full |= bool(dropped)

    # ----------------------------------------------------------------------- out

    def take(self, exclude: Collection[int], limit: int) -> Batch:
        """The most valuable rows but for these; from now on they count as given to the broker."""
        with sentences(self.path):
            rows = table.rows_of(self._db, table.by_value(self._db, exclude, limit))
        return self._given(rows)

    def probe(self) -> Batch:
        """One row: the newest aggregate, or what is most valuable where there is none."""
        with sentences(self.path):
            newest = table.newest_aggregate(self._db)
        return self._given([newest]) if newest else self.take((), 1)

    def _given(self, rows: list[OutboxRow]) -> Batch:
        if any(row.tries == 0 for row in rows):
            with self.transaction():
                table.mark_sent(self._db, rows)
        return Batch(self.epoch, rows, self.waiting())

    def acknowledged(self, told: Ack) -> AckResult:
        """Forget what the hub has stored."""
        if told.epoch != self.epoch:
            return AckResult(AckOutcome.OTHER_EPOCH, 0, self.waiting())
        with self.transaction():
            if table.is_of_a_copy(self._db, told):
                return AckResult(AckOutcome.COPY, 0, self.waiting())
            retired = table.acknowledge(self._db, told)
            lacks = told.up_to + 1 < table.oldest(self._db)
            lacks &= self._meta(_RETIRED_ON) != RetireOn.PUBACK.value  # else it may be at the broker
        waiting = self.waiting()
        self._said_full &= messages.GAP in waiting.rows
        return AckResult(AckOutcome.TAKEN, retired, waiting, lacks)

    def settle(self, retired: Sequence[int], refused: Sequence[int]) -> Waiting:
        """Forget what the broker took, where its word is enough; count a try for what it refused."""
        with self.transaction():
            table.settle(self._db, retired, refused)
            if retired and self._meta(_RETIRED_ON) != RetireOn.PUBACK.value:
                self._set_meta(_RETIRED_ON, RetireOn.PUBACK.value)
        return self.waiting()

    def waiting(self) -> Waiting:
        """How full the outbox is."""
        with sentences(self.path):
            return table.waiting(self._db)

    def pending(self, limit: int) -> list[OutboxRow]:
        """The most valuable rows, to look at."""
        with sentences(self.path):
            return table.rows_of(self._db, table.by_value(self._db, (), limit))

    def pending_count(self) -> int:
        return sum(self.waiting().rows.values())

    def close(self) -> None:
        """Close the file; harmless when closed already."""
        with sentences(self.path):
            self._db.close()
