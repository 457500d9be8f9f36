"""A database with damaged bytes: opened, or refused in a sentence, or set aside for a new one that counts."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from speedsign.errors import StoreError
from telemetry.calibration.table import read_proofs
from telemetry.hub.store import SqliteHubStore
from telemetry.query import read_counts
from telemetry.store import SqliteStore, open_or_replace
from tests.fuzz.kit import one_sentence
from tests.fuzz.scratch import scratch
from tests.telemetry.samples import BAUSKA, QUARTER, T0, passed

LONGEST = 400
WORDS = (
    b"SQLite format 3\x00",
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x0d",
    b"\x05",
    b"\x02",
    b"\x0a",
    b"CREATE TABLE ",
)
SMALL = 1024  # bytes of a page, as a sign's are
NUMBERS = itertools.count()


@cache
def here() -> Path:
    return scratch()


@cache
def filled() -> tuple[bytes, bytes]:
    """A store of a few vehicles, and the log that was not merged into it yet."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sign.db")
        with contextlib.closing(SqliteStore(path, "bauska-1")) as store:
            store.begin(BAUSKA, T0)
            store.add_vehicle(passed(50), [])
        with contextlib.closing(SqliteStore(path, "bauska-1")) as store:
            for n in range(5):
                store.add_vehicle(passed(40 + n), [])
            return path.read_bytes(), path.with_name("sign.db-wal").read_bytes()


def damaged(whole: bytes, changes: bytes) -> bytes:
    """In each six bytes: a place (three of them), how many bytes change there, to what, whether it is cut."""
    found = bytearray(whole)
    for at in range(0, len(changes) - 5, 6):
        place = int.from_bytes(changes[at : at + 3], "big") % max(len(found), 1)
        n = changes[at + 3] % 17
        found[place : place + n] = changes[at + 6 : at + 6 + n] or bytes([changes[at + 4]]) * n
        if changes[at + 5] > 250:
            del found[place:]
    return bytes(found)


def target(data: bytes) -> None:
    """The first byte says what is damaged: the database, its log, or both; or that the bytes are the file."""
    if not data:
        return
    folder = here() / str(next(NUMBERS))
    folder.mkdir()
    try:
        path, (whole, log) = folder / "sign.db", filled()
        which = data[0] % 4
        path.write_bytes(data[1:] if which == 3 else damaged(whole, data[1:]) if which != 1 else whole)
        path.with_name("sign.db-wal").write_bytes(damaged(log, data[1:]) if which else log)
        read(path)
        written(path)
    finally:
        shutil.rmtree(folder)


def read(path: Path) -> None:
    """Officers' commands read, or say a sentence."""
    for look in (lambda: read_counts(path, T0, T0 + 90 * QUARTER), lambda: read_proofs(path)):
        with contextlib.suppress(StoreError):
            look()
    with contextlib.suppress(StoreError):
        SqliteHubStore(path).close()


def written(path: Path) -> None:
    """The sign counts on, in this file or in a new one; or it says why not, and the file is as it was."""
    try:
        store, fault = open_or_replace(path, "bauska-1", at_utc=T0)
    except StoreError as error:
        one_sentence(error)
        return
    with contextlib.closing(store):
        set_aside = list(path.parent.glob("sign.db.damaged-*"))
        assert bool(fault) == bool(set_aside), "a file was set aside and nobody was told"
        try:
            store.begin(BAUSKA, T0)
            store.add_vehicle(passed(77), [])
        except StoreError:
            return  # damage that shows only there; the recorder opens it anew


def seeds() -> Iterator[bytes]:
    """Whole; damaged in the header, in the schema, in a table; cut; no database at all; an empty one."""
    places = (0, 16, 18, 24, 28, 40, 44, 60, 96, 100, 103, 105, 110, 1024, 1029, 2048, 4096, 9000)
    yield from (bytes([which]) for which in range(4))
    for which in (0, 1, 2):
        for place in places:
            yield bytes([which]) + place.to_bytes(3, "big") + b"\x02\xff\x00"
            yield bytes([which]) + place.to_bytes(3, "big") + b"\x00\x00\xff"
    yield b"\x03SQLite format 3\x00" + bytes(84)
    yield b"\x03no database"
