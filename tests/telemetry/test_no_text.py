"""Bytes that are no UTF-8 where a database has a text: damage, also where SQLite cannot put it into words."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from telemetry.database import StoreDamaged, open_for_reading
from telemetry.store import SqliteStore, open_or_replace
from tests.telemetry.samples import BAUSKA, T0


def store_with(path: Path, old: bytes, new: bytes) -> None:
    """A store in whose file these bytes stand instead."""
    with contextlib.closing(SqliteStore(path, "bauska-1")) as store:
        store.begin(BAUSKA, T0)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"Europe/Riga", b"Europe/\xff\xfe\xfda"), (b"CREATE TABLE cell (", b"CREATE TABLE \xff\xff\xff\xff (")],
    ids=["in a row", "in the schema"],
)
def test_a_sign_sets_it_aside_and_counts_on(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "sign.db"
    store_with(path, old, new)
    store, fault = open_or_replace(path, "bauska-1", at_utc=T0)
    with contextlib.closing(store):
        assert fault is not None
        assert fault.code == "damaged"
        assert store.begin(BAUSKA, T0) == 1
    assert path.with_name("sign.db.damaged-1").exists()


def test_a_reader_says_that_it_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    store_with(path, b"CREATE TABLE cell (", b"CREATE TABLE \xff\xff\xff\xff (")
    with pytest.raises(StoreDamaged, match=r"sign\.db is damaged"):
        open_for_reading(path)
