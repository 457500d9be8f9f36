"""A full card: the reserve beside the store lets counting go on, and what is raw goes first."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from speedsign.errors import StoreError
from telemetry.ballast import Ballast, ballast_path, free_bytes
from telemetry.database import StoreFull
from telemetry.message.messages import parse_gap
from telemetry.query import read_counts, vehicles_since
from telemetry.store import SqliteStore, open_or_replace
from tests.power.vfs import FULL, OK, noted_files
from tests.telemetry.samples import BAUSKA, QUARTER, T0, measured, passed

SIGN = "bauska-3"
MB = 1_000_000
TRIES = 3  # of an item, as the recorder tries it again


def store_at(path: Path, ballast: Ballast | None) -> SqliteStore:
    store, _ = open_or_replace(path, SIGN, at_utc=T0, vehicles=True, ballast=ballast)
    store.begin(BAUSKA, T0)
    return store


def small(path: Path) -> Ballast:
    return Ballast(path, size_bytes=MB, spare_bytes=MB)


def add(store: SqliteStore, at: datetime) -> bool:
    """As the recorder does; whether it was taken."""
    for _ in range(TRIES):
        with contextlib.suppress(StoreFull):
            store.add_vehicle(passed(50, at), [measured(at, 5)])
            return True
    return False


def close(store: SqliteStore, at: datetime) -> bool:
    for _ in range(TRIES):
        with contextlib.suppress(StoreFull):
            store.close_intervals(at, T0)
            return True
    return False


# --------------------------------------------------------------------------- on a card that is full


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "card"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(card: Path) -> Path:
    """Another program's log, to the last byte."""
    log = card / "other.log"
    with log.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    assert free_bytes(card) < 4096
    return log


def test_counting_goes_on_when_the_card_is_full(card: Path) -> None:
    path = card / "sign.db"
    ballast = small(path)
    with contextlib.closing(store_at(path, ballast)) as store:
        assert ballast_path(path).stat().st_size == MB
        assert ballast.faults() == []
        log, at = fill(card), T0
        for n in range(400):
            at += timedelta(seconds=9)
            assert add(store, at), f"vehicle {n}"
            assert n % 50 or close(store, at)
        assert [(fault.device, fault.code) for fault in ballast.faults()] == [("store", "full")]
        assert not ballast_path(path).exists()
        assert sum(read_counts(path, T0, at + QUARTER).counts["both"].values()) == 400
        log.unlink()
        assert close(store, at + QUARTER)
        assert ballast.faults() == []
        assert ballast_path(path).stat().st_size == MB


def test_without_a_reserve_nothing_is_taken_any_more(card: Path) -> None:
    """The other side of the one before."""
    path = card / "sign.db"
    with contextlib.closing(store_at(path, None)) as store:
        fill(card)
        taken = [add(store, T0 + timedelta(seconds=9 * n)) for n in range(100)]
        assert not all(taken)
        assert not taken[-1]


def test_a_start_on_a_full_card_is_possible(card: Path) -> None:
    """The daemon ended, or the power went, while it was full."""
    path = card / "sign.db"
    with contextlib.closing(store_at(path, small(path))) as store:
        assert add(store, T0)
    fill(card)
    ballast = small(path)
    assert ballast.keep(), "it is there from before"
    with contextlib.suppress(StoreFull):
        store_at(path, ballast).close()
    with contextlib.closing(store_at(path, ballast)) as store:
        assert add(store, T0 + QUARTER)
    assert len(vehicles_since(path, 0)) == 2


def test_a_card_that_is_full_from_the_first_day_is_a_sentence(card: Path) -> None:
    path = card / "sign.db"
    fill(card)
    with pytest.raises(StoreFull, match=r"sign\.db: the card is full .*make room"):
        store_at(path, small(path))
    assert not ballast_path(path).exists()


# --------------------------------------------------------------------------- what goes


def test_raw_goes_first_and_is_told(tmp_path: Path) -> None:
    """Refused by the card until the reserve is gone: without root."""
    path = tmp_path / "sign.db"
    ballast = small(path)
    with noted_files(keep=False) as noted, contextlib.closing(store_at(path, ballast)) as store:
        for n in range(200):
            add(store, T0 + timedelta(seconds=5 * n))
        assert close(store, T0 + 2 * QUARTER)
        before = dict(store.waiting().rows)
        assert before["raw"] == 2
        noted.refuse = lambda what, _name: FULL if what == "write" and ballast_path(path).exists() else OK
        at = T0 + 2 * QUARTER
        with pytest.raises(StoreFull):
            store.add_vehicle(passed(60, at), [])
        store.add_vehicle(passed(60, at), [])
        rows = store.pending(100)
        assert {row.kind for row in rows} == {"gap", "place", "agg"}
        (gap,) = (parse_gap(json.loads(row.body), row.seq) for row in rows if row.kind == "gap")
        assert [(one.kind, one.n) for one in gap] == [("raw", 2)]
        assert dict(store.waiting().dropped) == {"raw": 2}
        assert sum(row.kind == "agg" for row in rows) == before["agg"]
    assert len(vehicles_since(path, 0, 1000)) == 201, "the sign's own rows go after the messages"


def test_when_no_message_is_left_the_oldest_rows_go_and_no_interval(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    ballast = small(path)
    with noted_files(keep=False) as noted, contextlib.closing(store_at(path, ballast)) as store:
        with store.transaction():
            for n in range(5100):
                store.add_vehicle(passed(50, T0 + timedelta(milliseconds=n)), [])
        noted.refuse = lambda what, _name: FULL if what == "write" and ballast_path(path).exists() else OK
        assert add(store, T0 + timedelta(seconds=10))
    assert len(vehicles_since(path, 0, 10_000)) == 101
    assert sum(read_counts(path, T0, T0 + QUARTER).counts["both"].values()) == 5101


def test_nothing_is_dropped_where_that_would_make_no_room(tmp_path: Path) -> None:
    """The file has free pages already: the room lacks outside of it."""
    path = tmp_path / "sign.db"
    with contextlib.closing(store_at(path, small(path))) as store:
        with store.transaction():
            for n in range(12_000):
                store.add_vehicle(passed(50, T0 + timedelta(milliseconds=n)), [])
        for left in (7000, 2000, 2000):
            with pytest.raises(StoreFull), store.transaction():
                raise StoreFull("as if")
            assert len(vehicles_since(path, 0, 20_000)) == left


# --------------------------------------------------------------------------- the reserve itself


def test_the_reserve_is_not_made_where_it_would_fill_the_card(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    assert not Ballast(path, size_bytes=MB, spare_bytes=1 << 60).keep()
    assert list(tmp_path.iterdir()) == []


def test_a_reserve_that_cannot_be_made_or_deleted_stops_nothing(tmp_path: Path) -> None:
    gone = Ballast(tmp_path / "no" / "sign.db")
    assert not gone.keep()
    assert not gone.give()
    assert [fault.code for fault in gone.faults()] == ["full"]


def test_it_takes_room_and_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    assert small(path).keep()
    found = ballast_path(path).stat()
    assert found.st_blocks * 512 >= MB
    assert small(path).keep()
    assert ballast_path(path).stat().st_mtime_ns == found.st_mtime_ns
    ballast_path(path).write_bytes(b"cut off")
    assert small(path).keep()
    assert ballast_path(path).stat().st_size == MB


def test_a_full_store_is_one_that_can_be_tried_again() -> None:
    assert issubclass(StoreFull, StoreError)
