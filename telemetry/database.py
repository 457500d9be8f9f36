"""Opening the database file: checked, brought forward, set so that a power cut loses nothing."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from speedsign.errors import StoreError
from telemetry.schema import SCHEMA_VERSION, check_version, migrate

_log = logging.getLogger(__name__)

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NO_TEXT = "Could not decode to UTF-8"
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNREAD = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_SHORT_READ}
_READ_BYTES = 1 << 20
_FULL_BYTES = 65_536  # less is free: a new file or a longer one fails with any of many errors
_DAMAGED_KEPT = 3  # files that were moved aside: a dying card would fill itself with them
_SIDE_FILES = ("-wal", "-shm", "-journal")
_LOG_BYTES = 409_600  # before it is merged into the file: the least written to the card, measured
BUSY_TIMEOUT_S = 5.0


class StoreDamaged(StoreError):  # noqa: N818  the situation is its name
    """The file's content is broken: nothing more can be done with it but to move it aside."""


class StoreRejected(StoreError):  # noqa: N818  the situation is its name
    """The store works, but can never take this item: trying again makes no sense."""


class StoreBusy(StoreError):  # noqa: N818  the situation is its name
    """Somebody else is writing, and goes on for longer than we wait."""


class StoreFull(StoreError):  # noqa: N818  the situation is its name
    """There is no room on the card."""


def store_error(path: Path, error: sqlite3.Error | UnicodeDecodeError) -> StoreError:
    """One sentence about a library error, as the class that says what can be done.

    A text that is none (all of ours are UTF-8) is damage: of a row it comes as an error without a code, of
    the schema as one that could not even be put into words.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, UnicodeDecodeError) or (code is None and _NO_TEXT in str(error)):
        return StoreDamaged(f"{path} is damaged: a text in it is none; restore it or move it away")
    if code is not None and code & 0xFF in _DAMAGE:
        return StoreDamaged(f"{path} is damaged or not a database ({error}); restore it or move it away")
    if code is not None and code & 0xFF in _BUSY:
        return StoreBusy(f"{path} is in use by another program ({error}); end that one, or try again later")
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return StoreRejected(f"{path} does not take this: {error}")
    return _of_card(path, code, error)


def _of_card(path: Path, code: int | None, error: sqlite3.Error) -> StoreError:
    """What the card's own state says about an error that could be anything."""
    if code in _UNREAD and _is_unreadable(path):
        return StoreDamaged(f"{path} cannot be read from the card any more ({error}); move it away")
    of_files = code is not None and code & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    if code == sqlite3.SQLITE_FULL or (of_files and _is_full(path.parent)):
        return StoreFull(f"{path}: the card is full ({error}); make room on it")
    return StoreError(f"{path} cannot be used: {error}; check free space, permissions and the card")


def _is_unreadable(path: Path) -> bool:
    """Whether a plain read of all of it fails too: cells of the card are gone, it is no passing fault."""
    for name in (path, path.with_name(path.name + "-wal")):
        try:
            with name.open("rb", buffering=0) as file:
                while file.read(_READ_BYTES):
                    pass
        except OSError as error:
            if error.errno == errno.EIO:
                return True
    return False


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _FULL_BYTES


@contextlib.contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn the library's errors into ours."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise store_error(path, error) from error


def refuse_hubs(db: sqlite3.Connection, path: Path) -> None:
    """A sign that counted in a hub's file would make it useless for the hub, which takes no sign's own.

    Its rows tell, or (before it has heard anything) an index that only a hub makes.
    """
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    heard = "source" in names and db.execute("SELECT 1 FROM source LIMIT 1").fetchone()
    if heard or "interval_of_installation" in names:
        raise StoreError(f"{path} is a hub's database; give [store] path another name")


def open_for_writing(
    path: Path,
    refuse: Callable[[sqlite3.Connection, Path], None] | None = None,
    page_bytes: int = 4096,
) -> sqlite3.Connection:
    """Our database at `path`, made when there is none, then with pages of this size.

    A file of another program or of a newer version is refused and left as it is; so is one that `refuse`,
    which may only read it, raises a StoreError for.
    """
    if not path.parent.is_dir():
        raise StoreError(f"{path}: the folder {path.parent} does not exist; create it or change [store] path")
    with sentences(path):
        if path.exists() and path.stat().st_size:
            _look(path, refuse)
        db = _connect(path, "rwc")
        try:
            _prepare(db, path, page_bytes)
        except BaseException:
            db.close()
            raise
    return db


def _look(path: Path, refuse: Callable[[sqlite3.Connection, Path], None] | None) -> None:
    """Refuse what is not ours; looking must change nothing.

    But for what was cut off in the middle when the file was made: until its journal has been undone nobody
    can look into it, and a sign that only tried to would never count again.
    """
    mode = "ro"
    while True:
        with contextlib.closing(_connect(path, mode)) as db:
            try:
                check_version(db, path)
                if refuse:
                    refuse(db, path)
            except sqlite3.OperationalError as error:
                if mode == "rw" or error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                    raise
                mode = "rw"
            else:
                return


def open_beside(path: Path) -> sqlite3.Connection:
    """A sign's database for one short write beside whoever runs it: nothing is made or brought forward.

    StoreError when there is none, or it is foreign, a hub's, damaged or of another version than ours.
    """
    if not path.is_file():
        raise StoreError(f"{path} does not exist; the sign makes it when it starts")
    with sentences(path):
        db = _connect(path, "rw")
        try:
            _refuse_older(_check_filled(db, path), path)
            refuse_hubs(db, path)
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            db.close()
            raise
    return db


def _refuse_older(version: int, path: Path) -> None:
    if version < SCHEMA_VERSION:
        raise StoreError(f"{path} was written by an older speedsign; the sign brings it forward at its start")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,  # transactions are ours, written out
        check_same_thread=False,  # opened on one thread, then owned by another; never shared
    )


def _prepare(db: sqlite3.Connection, path: Path, page_bytes: int) -> None:
    db.execute(f"PRAGMA page_size = {page_bytes}")  # of a file that is still empty
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(
        "PRAGMA synchronous = FULL"
    )  # NORMAL loses acknowledged commits at a power cut (sqlite.org/wal)
    pages = _LOG_BYTES // db.execute("PRAGMA page_size").fetchone()[0]
    db.execute(f"PRAGMA wal_autocheckpoint = {pages}")
    db.execute("PRAGMA journal_size_limit = 1048576")
    db.execute("PRAGMA foreign_keys = ON")
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreDamaged(f"{path} is damaged ({found}); restore it or move it away")
    migrate(db, check_version(db, path))


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The database, read only, while a daemon may be writing it; rows have names.

    The file of an older version is read from a copy in memory that was brought forward; it stays as it is.
    StoreError with a sentence when it is missing, foreign, damaged or newer than this program.
    """
    if not path.is_file():
        raise StoreError(f"{path} does not exist; check [store] path, or start the sign once")
    with sentences(path):
        db = _connect_reader(path)
        try:
            version = _check_filled(db, path)
            if version < SCHEMA_VERSION:
                db = _brought_forward(db, version)
        except BaseException:
            db.close()
            raise
    db.row_factory = sqlite3.Row
    return db


def _check_filled(db: sqlite3.Connection, path: Path) -> int:
    version = check_version(db, path)
    if version == 0:
        raise StoreError(f"{path} is empty; start the sign once, or name another file")
    return version


def _brought_forward(old: sqlite3.Connection, version: int) -> sqlite3.Connection:
    """A copy in memory, as this version would have written it."""
    new = sqlite3.connect(":memory:", isolation_level=None)
    try:
        with contextlib.closing(old):
            old.backup(new)
        migrate(new, version)
    except BaseException:
        new.close()
        raise
    return new


def _connect_reader(path: Path) -> sqlite3.Connection:
    db = _connect(path, "ro")
    try:
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        db.close()
        wal = path.with_name(path.name + "-wal")
        if not isinstance(error, sqlite3.OperationalError) or (wal.exists() and wal.stat().st_size):
            raise
        # A stopped sign's file in a folder we may not write to: nobody changes it, so it is safe to read.
        db = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, isolation_level=None)
    return db


def move_aside(path: Path) -> Path:
    """Rename a damaged database and what belongs to it to name.damaged-N; the new name.

    Of several such files the largest stay, as they hold most, and the newest: at most three.
    """
    before = _moved_aside(path)
    target = path.with_name(f"{path.name}.damaged-{max(before, default=0) + 1}")
    for side in _SIDE_FILES:
        beside = path.with_name(path.name + side)
        if beside.exists():
            beside.rename(target.with_name(target.name + side))
    path.rename(target)
    _log.warning("%s is damaged and was moved to %s", path, target)
    by_size = sorted(before.values(), key=lambda file: file.stat().st_size, reverse=True)
    for smaller in by_size[_DAMAGED_KEPT - 1 :]:
        _log.warning("%s is deleted: there are larger ones and a newer one", smaller)
        for name in ("", *_SIDE_FILES):
            smaller.with_name(smaller.name + name).unlink(missing_ok=True)
    return target


def _moved_aside(path: Path) -> dict[int, Path]:
    """By their number."""
    pattern = re.compile(re.escape(path.name) + r"\.damaged-(\d+)")
    found = ((pattern.fullmatch(file.name), file) for file in path.parent.iterdir())
    return {int(match[1]): file for match, file in found if match}
