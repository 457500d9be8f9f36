"""A reserve on the card: a file beside the store that is deleted when the card is full.

A store on a full card can neither add nor delete: both write a log first. What the reserve held lets the
last transactions through, and those that drop single vehicles, the raw that intervals were made of, so that
counting goes on inside the file as it is (sqlite.org/wal.html: a log is used again once it is in the
database).
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

from speedsign.model import Fault
from telemetry.message import messages
from telemetry.outbox import quota

_log = logging.getLogger(__name__)

SIZE_BYTES = 4_000_000
SPARE_BYTES = 4 * SIZE_BYTES  # free beside it before it is made again: else it would fill the card itself
_AT_ONCE_BYTES = 1_000_000  # dropped in one transaction, whose log has to fit into the reserve
_VEHICLES_AT_ONCE = 5_000  # rows of about 200 bytes


def ballast_path(store_path: Path) -> Path:
    return store_path.with_name(store_path.name + ".ballast")


class Ballast:
    """The reserve of one store. Used on the store's thread; `faults` may be asked from another."""

    def __init__(
        self, store_path: Path, size_bytes: int = SIZE_BYTES, spare_bytes: int = SPARE_BYTES
    ) -> None:
        self.path = ballast_path(store_path)
        self._size_bytes = size_bytes
        self._spare_bytes = spare_bytes
        self._used = False  # the card was full, and has not been emptier since

    def keep(self) -> bool:
        """Make the reserve if it is not there and there is room; whether it is there. Never raises."""
        try:
            there = self.path.stat().st_size if self.path.exists() else 0
            if there < self._size_bytes:
                if free_bytes(self.path.parent) < self._size_bytes + self._spare_bytes:
                    return False
                self._make()
        except OSError as error:
            _log.debug("%s: no reserve can be made: %s", self.path, error)
            return False
        if self._used:
            _log.info("%s: there is room on the card again, the reserve is made anew", self.path)
        self._used = False
        return True

    def _make(self) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(file, 0, self._size_bytes)  # blocks are taken, hardly any is written
        except OSError:
            self.path.unlink()
            raise
        finally:
            os.close(file)

    def give(self) -> bool:
        """The card is full: delete the reserve; whether there was one. Never raises."""
        if not self._used:
            _log.warning("%s: the card is full, the reserve is used", self.path)
        self._used = True
        try:
            self.path.unlink()
        except OSError:
            return False
        return True

    def faults(self) -> list[Fault]:
        """That the card is full, from the moment on when the reserve is used until it is there again."""
        if not self._used:
            return []
        text = f"the card of {self.path.parent} is full: single vehicles are dropped first; make room on it"
        return [Fault("store", "full", text)]


def free_bytes(folder: Path) -> int:
    """What this user may still write there."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def drop_raw(db: sqlite3.Connection, at_ms: int) -> int:
    """Make pages in the file free, inside the caller's transaction; how many messages or vehicles went.

    Messages of single vehicles that wait first, the oldest first; they are told to the hub as dropped. Then
    rows of single vehicles. Nothing, where enough is free already: the room then lacks outside of this file.
    """
    page = db.execute("PRAGMA page_size").fetchone()[0]
    if db.execute("PRAGMA freelist_count").fetchone()[0] * page >= _AT_ONCE_BYTES:
        return 0
    if gone := quota.drop(db, messages.VEHICLES, _AT_ONCE_BYTES, at_ms):
        return gone
    return db.execute(
        "DELETE FROM vehicle WHERE id IN (SELECT id FROM vehicle ORDER BY id LIMIT ?)", (_VEHICLES_AT_ONCE,)
    ).rowcount
