"""The hub's database: one SQLite file with the tables of a sign's own: what reads the one reads the other.

A batch is one transaction, committed to the disk before anything of it is acknowledged. A message is known by
(sign, epoch, seq): once received it changes nothing, however often it comes and by whatever way.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from speedsign.errors import StoreError
from telemetry.database import open_for_writing, sentences
from telemetry.hub.latest import read_latest
from telemetry.hub.places import Places
from telemetry.hub.port import Heard, Latest, Taken
from telemetry.hub.refusing import again, read_refused
from telemetry.hub.sources import Sources
from telemetry.hub.taking import Taking
from telemetry.rows import to_ms

_log = logging.getLogger(__name__)

# A sign's own file needs none of them: it holds one installation at a time.
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS interval_of_installation ON interval (installation_id, start_s)",
    "CREATE INDEX IF NOT EXISTS vehicle_of_installation ON vehicle (installation_id, last_ms)",
    "CREATE INDEX IF NOT EXISTS vehicle_of_boot ON vehicle (boot, first_mono_s) WHERE boot IS NOT NULL",
)
_CHECKPOINT_PAGES = 1000  # a hub has a disk and not a card


class SqliteHubStore:
    """`telemetry.hub.port.HubStore` on a file. Blocking; one thread at a time, one process a file."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._db = open_for_writing(self.path)
        self._sources, self._places = Sources(self._db), Places(self._db)
        self._pruned_ms = 0
        try:
            with sentences(self.path):
                self._db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            with self._transaction():
                self._refuse_signs_own()
                for statement in _INDEXES:
                    self._db.execute(statement)
                self._read_again()
        except BaseException:
            self._db.close()
            raise

    def _refuse_signs_own(self) -> None:
        """A sign goes on counting in its own file: what others send has no place there."""
        if self._db.execute(
            "SELECT 1 FROM installation WHERE origin = 'measured' AND source_id IS NULL LIMIT 1"
        ).fetchone():
            raise StoreError(f"{self.path} is a sign's own database; give the hub another one")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing; the library's errors become ours, and what was in memory is read anew."""
        try:
            with sentences(self.path):
                self._db.execute("BEGIN IMMEDIATE")
                if not self._sources.begin():
                    self._places.forget()
                yield
                self._db.execute("COMMIT")
        except BaseException:
            self._sources.forget()
            self._places.forget()
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            raise

    def _read_again(self) -> None:
        """What an older version could not read, this one perhaps can."""
        refused = read_refused(self._db)
        if not refused:
            return
        taking = Taking(self._db, self._sources, self._places)
        read = sum(again(self._db, taking.take_again, one) for one in refused)
        self._sources.save()
        if read:
            _log.info("%s: %d messages that were refused before can be read now", self.path, read)

    def take(self, batch: Sequence[Heard]) -> Taken:
        """See `HubStore.take`."""
        with self._transaction():
            taking = Taking(self._db, self._sources, self._places, pruned_ms=self._pruned_ms)
            # A birth says which run of a sign a state is of, in whatever order the broker gives them.
            for heard in sorted(batch, key=lambda one: one.kind != "birth"):
                taking.take(heard)
            taken = taking.result()
            self._sources.save()
        return taken

    def latest(self, sign: str) -> Latest:
        """See `HubStore.latest`."""
        with sentences(self.path):
            return read_latest(self._db, sign)

    def prune(self, before_utc: datetime) -> int:
        """Delete single vehicles that passed before then; intervals are kept for ever. How many went.

        Of one without a time it is told what time was known before it, and that is what counts.
        """
        before_ms = to_ms(before_utc.astimezone(UTC))
        with self._transaction():
            n = self._db.execute(
                "DELETE FROM vehicle WHERE last_ms < ? AND (clock != 'unknown' OR boot IS NULL"
                " OR boot IN (SELECT number FROM boot WHERE known_ms IS NULL))",
                (before_ms,),
            ).rowcount
            n += self._db.execute(
                "DELETE FROM vehicle WHERE clock = 'unknown'"
                " AND boot IN (SELECT number FROM boot WHERE known_ms < ?)",
                (before_ms,),
            ).rowcount
        self._pruned_ms = before_ms
        return n

    def note(self, key: str, value: str) -> None:
        """See `HubStore.note`."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def noted(self, key: str) -> str | None:
        """What `note` wrote; None: nothing yet."""
        with sentences(self.path):
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Close the file; harmless when closed already."""
        with sentences(self.path):
            self._db.close()
