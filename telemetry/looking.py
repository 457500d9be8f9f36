"""A database looked at so that nothing is changed: no file beside it is made, no lock keeps the sign waiting.

SQLite reads what a running sign writes by way of a file in shared memory (-shm), which an ordinary reader
makes where it is missing, as its own. A look by root could leave a file there that the sign cannot write.
(sqlite.org/wal.html, "Read-Only Databases"; uri.html, "immutable".)
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from speedsign.errors import StoreError
from telemetry.database import BUSY_TIMEOUT_S, sentences
from telemetry.schema import check_version


class Unmerged(StoreError):  # noqa: N818  the situation is its name
    """The sign ended hard, and what it wrote last cannot be read without changing something."""


@contextlib.contextmanager
def looking(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as it is, also of an older version; rows have names. Raises StoreError.

    What the library finds wrong inside the block becomes a StoreError too.
    """
    with sentences(path):
        db = _opened(path)
        try:
            check_version(db, path)
            db.row_factory = sqlite3.Row
            yield db
        finally:
            db.close()


def _opened(path: Path) -> sqlite3.Connection:
    beside = path.with_name(path.name + "-wal")
    if not _size(beside):
        return _connect(path, "mode=ro&immutable=1")
    db = _connect(path, "mode=ro&readonly_shm=1")
    try:
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        db.close()
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise
        raise Unmerged(f"{path}: what was written last waits beside it to be merged") from None
    except sqlite3.Error:
        db.close()
        raise
    return db


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _connect(path: Path, how: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{how}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
