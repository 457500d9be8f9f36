"""A sign that starts with a store that is broken: the display is up, and the rest is put right or said."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from speedsign.errors import StoreError
from speedsign.model import Direction, Fault, Reading
from telemetry import database
from telemetry.database import StoreDamaged, move_aside, store_error
from telemetry.query import read_counts, vehicles_since
from telemetry.recorder import ThreadRecorder
from telemetry.store import SqliteStore, open_or_replace
from telemetry.wipe import files_of_store
from tests.core.street import START, Street
from tests.power.vfs import FULL, IOERR_READ, IOERR_WRITE, OK, Noted, noted_files
from tests.support import run, until
from tests.telemetry.samples import BAUSKA, QUARTER, T0, measured, passed
from tests.telemetry.test_database import OLD

SIGN = "virtual"
UP_WITHIN_S = 10.0


def filled(path: Path, vehicles: int = 300) -> str:
    """A store that was in use; its epoch."""
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        store.begin(BAUSKA, T0)
        with store.transaction():
            for _ in range(vehicles):
                store.add_vehicle(passed(50), [])
        return store.epoch


def unmerged(path: Path, logged: int) -> str:
    """One that a power cut ended: 20 vehicles are in the file, and the rest came through the log."""
    filled(path, vehicles=20)
    store = SqliteStore(path, SIGN)
    for n in range(logged):
        store.add_vehicle(passed(40 + n), [])
    kept = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    store.close()
    for name, data in kept.items():
        path.with_name(name).write_bytes(data)
    path.with_name(path.name + "-shm").unlink()
    return store.epoch


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --------------------------------------------------------------------------- the whole sign


async def up(street: Street) -> None:
    """Show 44 to a car; the panel has to be under control, and then lit, in time."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await until(lambda: street.display.lit() is not None, UP_WITHIN_S, "a panel under control")
    while street.panel.lit().strip() != "44":
        assert loop.time() - began_s < UP_WITHIN_S
        street.daemon._on_events([Reading(street.clock.monotonic(), 44.0, Direction.APPROACHING)] * 3)
        await asyncio.sleep(0.02)


@dataclass
class Seen:
    faults: list[Fault]
    done: int


def start(folder: Path, codes: set[str]) -> Seen:
    """Start a sign whose store is in `folder`, show a number, wait until it says exactly these faults."""

    async def main() -> Seen:
        opener = partial(open_or_replace, folder / "sign.db", SIGN, at_utc=START)
        recorder = ThreadRecorder(lambda old: opener(previous=old), stop_timeout_s=0.2)
        street = Street(folder, recorder=recorder)
        daemon = asyncio.create_task(street.daemon.run())
        failing = "failing" in codes
        settled = street.recorder.faults if failing else lambda: street.recorder.health()["done"] >= 2
        await asyncio.gather(up(street), until(settled, what="the store's answer"))
        assert {fault.code for fault in street.recorder.faults()} == codes
        assert not daemon.done(), "it goes on whatever the store says"
        seen = Seen(street.recorder.faults(), street.recorder.health()["done"])
        await street.stop(daemon)
        return seen

    return run(main())


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


def torn(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def torn_in_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 300)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize("damage", [garbage, torn, torn_in_a_page, zeroed])
def test_a_damaged_file_is_set_aside_while_the_display_is_up(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "sign.db"
    epoch = filled(path)
    damage(path)
    broken = digest(path)
    seen = start(tmp_path, {"damaged"})
    assert "is now" in seen.faults[0].text
    assert digest(path.with_name("sign.db.damaged-1")) == broken
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        assert store.epoch != epoch
        assert store.installation is not None, "counting has begun in the new one"
    assert start(tmp_path, set()).faults == [], "and the next start finds nothing wrong"
    assert not path.with_name("sign.db.damaged-2").exists()


@pytest.mark.parametrize("damage", ["empty", "first half", "half a frame", "garbage"])
def test_a_damaged_log_costs_what_was_in_it_and_no_more(damage: str, tmp_path: Path) -> None:
    """What was merged before is in the file; of the log all is taken that is whole (a checksum each)."""
    path, log = tmp_path / "sign.db", tmp_path / "sign.db-wal"
    epoch = unmerged(path, logged=8)
    size = log.stat().st_size
    if damage == "garbage":
        log.write_bytes(os.urandom(size))
    else:
        os.truncate(log, {"empty": 0, "first half": size // 2, "half a frame": size - 2000}[damage])
    start(tmp_path, set())
    least, most = {"half a frame": (27, 27), "first half": (21, 26)}.get(damage, (20, 20))
    assert least <= len(vehicles_since(path, 0)) <= most
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        assert store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert store.epoch == epoch


@pytest.mark.parametrize("tenths", range(10))
def test_a_log_that_is_shorter_than_what_was_merged_of_it_is_never_taken_for_whole(
    tenths: int, tmp_path: Path
) -> None:
    """A card that forgot what it had confirmed: old pages of the log over newer ones of the file."""
    path, log = tmp_path / "sign.db", tmp_path / "sign.db-wal"
    unmerged(path, logged=16)
    os.truncate(log, log.stat().st_size * tenths // 10)
    store, fault = open_or_replace(path, SIGN, at_utc=T0)
    store.close()
    kept = len(vehicles_since(path, 0, 1000))
    assert sum(read_counts(path, T0, T0 + QUARTER).counts["both"].values()) == kept
    assert (kept >= 20) != (fault is not None)
    assert len(aside(path)) == (fault is not None)


def test_nothing_and_an_older_version_are_no_damage(tmp_path: Path) -> None:
    (tmp_path / "sign.db").touch()
    start(tmp_path, set())
    for version, sql in OLD.items():
        folder = tmp_path / str(version)
        folder.mkdir()
        with contextlib.closing(sqlite3.connect(folder / "sign.db")) as db:
            db.executescript(sql.read_text())
        start(folder, set())
        assert vehicles_since(folder / "sign.db", 0)
    assert not list(tmp_path.rglob("*damaged*"))


def test_a_newer_version_is_left_alone_and_said(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    filled(path)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = digest(path)
    seen = start(tmp_path, {"failing"})
    assert "newer speedsign" in seen.faults[0].text
    assert digest(path) == before


@pytest.mark.parametrize(("what", "code"), [("write", IOERR_WRITE), ("write", FULL), ("sync", IOERR_WRITE)])
def test_a_card_that_refuses_is_said_and_nothing_is_set_aside(what: str, code: int, tmp_path: Path) -> None:
    filled(tmp_path / "sign.db")
    with noted_files(keep=False, refuse=refusing(what, code)):
        start(tmp_path, {"failing"})
    assert not list(tmp_path.glob("*damaged*"))
    start(tmp_path, set())


def refusing(what: str, code: int) -> Callable[[str, str], int]:
    return lambda asked, name: code if asked == what and name.startswith("sign.db") else OK


def test_a_card_that_refuses_for_a_while_loses_nothing(tmp_path: Path) -> None:
    """What waited meanwhile is kept, in order, when it works again."""
    path = tmp_path / "sign.db"

    async def main(noted: Noted) -> None:
        opener = partial(open_or_replace, path, SIGN, at_utc=START)
        street = Street(tmp_path, recorder=ThreadRecorder(lambda old: opener(previous=old)))
        daemon = asyncio.create_task(street.daemon.run())
        await until(lambda: street.recorder.health()["done"] >= 2)
        noted.refuse = refusing("write", IOERR_WRITE)
        record = passed(61, START)
        for _ in range(7):
            street.daemon._submit("vehicle", lambda store: store.add_vehicle(record, [measured(START, 1)]))
        await until(street.recorder.faults)
        noted.refuse = lambda _what, _name: OK
        await until(lambda: not street.recorder.faults())
        await street.stop(daemon)

    with noted_files(keep=False) as noted:
        run(main(noted))
    assert [record.vehicle.speed_kmh for _, record in vehicles_since(path, 0)] == [61.0] * 7


# --------------------------------------------------------------------------- cells that are gone


def test_a_file_that_cannot_be_read_back_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sign.db"
    filled(path)
    monkeypatch.setattr(database, "_is_unreadable", lambda name: name == path and not aside(path))
    with noted_files(keep=False) as noted:
        noted.refuse = lambda what, _name: IOERR_READ if what == "read" and not aside(path) else OK
        seen = start(tmp_path, {"damaged"})
    assert "cannot be read from the card" not in seen.faults[0].text
    assert len(aside(path)) == 1


def aside(path: Path) -> list[Path]:
    return list(path.parent.glob(f"{path.name}.damaged-*"))


def test_a_passing_fault_of_reading_sets_nothing_aside(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    epoch = filled(path)
    with noted_files(keep=False, refuse=refusing("read", IOERR_READ)):
        with pytest.raises(StoreError) as refused:
            open_or_replace(path, SIGN, at_utc=T0)
        assert not isinstance(refused.value, StoreDamaged)
    store, fault = open_or_replace(path, SIGN, at_utc=T0)
    with contextlib.closing(store):
        assert (store.epoch, fault) == (epoch, None)


class Worn:
    """A file of which the second half cannot be read."""

    def __init__(self) -> None:
        self._reads = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def read(self, _size: int) -> bytes:
        self._reads += 1
        if self._reads > 1:
            raise OSError(errno.EIO, "Input/output error")
        return b"x"


def test_a_plain_read_decides_whether_it_is_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sign.db"
    filled(path)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = IOERR_READ
    assert not isinstance(store_error(path, error), StoreDamaged)
    monkeypatch.setattr(Path, "open", lambda *_words, **_more: Worn())
    found = store_error(path, error)
    assert isinstance(found, StoreDamaged)
    assert "sign.db cannot be read from the card any more" in str(found)
    error.sqlite_errorcode = IOERR_WRITE
    assert not isinstance(store_error(path, error), StoreDamaged)


def test_a_card_that_became_read_only_is_said(tmp_path: Path) -> None:
    """ext4 with errors=remount-ro does that to itself."""
    if os.geteuid() != 0:
        pytest.skip("a file system can be made read-only by root alone")
    card = tmp_path / "card"
    card.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", card], check=False).returncode:
        pytest.skip("this root may not mount")
    try:
        epoch = filled(card / "sign.db")
        subprocess.run(["mount", "-o", "remount,ro", card], check=True)
        assert "sign.db cannot be used" in start(card, {"failing"}).faults[0].text
        subprocess.run(["mount", "-o", "remount,rw", card], check=True)
        assert start(card, set()).faults == []
        with contextlib.closing(SqliteStore(card / "sign.db", SIGN)) as store:
            assert store.epoch == epoch
    finally:
        subprocess.run(["umount", card], check=True)


# --------------------------------------------------------------------------- again and again


def test_a_sign_that_breaks_at_each_start_does_not_fill_the_card(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    largest = b""
    for n in range(8):
        size = 9000 if n == 2 else 5000 + n
        path.write_bytes(os.urandom(size))
        largest = path.read_bytes() if n == 2 else largest
        path.with_name("sign.db-wal").write_bytes(b"and its log")
        store, fault = open_or_replace(path, SIGN, at_utc=T0)
        store.close()
        assert fault is not None
        assert fault.text.count(f"damaged-{n + 1}") == 1
        assert path.with_name(f"sign.db.damaged-{n + 1}").exists(), "the newest is there"
    left = {file.name for file in aside(path) if file.suffix[-1].isdigit()}
    assert left == {f"sign.db.damaged-{n}" for n in (3, 7, 8)}
    assert path.with_name("sign.db.damaged-3").read_bytes() == largest, "and what holds most"
    assert {re.sub("-(wal|shm)$", "", file.name) for file in aside(path)} == left, "and no log of the others"


def test_what_was_set_aside_goes_with_a_wipe(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    path.write_bytes(b"broken")
    target = move_aside(path)
    assert target in files_of_store(path)


def test_a_power_cut_while_the_file_was_first_made_does_not_stop_counting(tmp_path: Path) -> None:
    """A journal is left beside a file with one page: nothing can be read before it is undone."""
    path = tmp_path / "sign.db"
    with noted_files() as noted, contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        journal = b"".join(change.data for change in noted.changes if change.name == "sign.db-journal")
    path.with_name("sign.db-journal").write_bytes(journal[512:] + journal[12:512])
    start(tmp_path, set())
    assert read_counts(path, T0, T0 + QUARTER).counts["both"] == {}
