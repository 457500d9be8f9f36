"""No power cut loses what was acknowledged: tens of thousands of cards that a cut can leave are opened."""

from __future__ import annotations

import random
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.power.card import Card
from tests.power.cuts import Verdict, try_cuts
from tests.power.vfs import Change, noted_files

STATES = 20_000
WAL, FULL = "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"


def test_no_cut_loses_what_was_acknowledged() -> None:
    verdict = try_cuts(vehicles=162, seed=8)
    assert verdict.good, verdict
    assert verdict.states >= STATES, verdict


@pytest.mark.parametrize(
    ("journal", "synchronous", "worst"),
    [
        ("WAL", "NORMAL", 10),  # loses all since the last checkpoint
        ("DELETE", "FULL", 1),  # Python's default: the last commit, when its journal comes back
    ],
)
def test_the_same_cuts_find_what_other_settings_lose(
    journal: str, synchronous: str, worst: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = under(journal, synchronous, monkeypatch)
    assert verdict.lost, verdict
    assert verdict.worst >= worst, verdict


def test_these_fewer_cuts_find_our_own_settings_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side: a test that calls everything lost would prove nothing."""
    assert under("WAL", "FULL", monkeypatch).good


def under(journal: str, synchronous: str, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """The verdict on our store with another setting in the place of its own."""
    changed: set[str] = set()

    class Changed(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            mode, level = f"PRAGMA journal_mode = {journal}", f"PRAGMA synchronous = {synchronous}"
            other = {WAL: mode, FULL: level}.get(sql, sql)
            if other is not sql:
                changed.add(sql)
            return super().execute(other, *parameters)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Changed))
    verdict = try_cuts(vehicles=40, seed=8, every=8)
    assert changed == {WAL, FULL}, "the store sets its pragmas in other words now"
    return verdict


# --------------------------------------------------------------------------- the tools themselves


def write(name: str, offset: int, data: bytes) -> Change:
    return Change("write", name, offset, data)


def cards(*changes: Change, n: int = 200) -> set[tuple[tuple[str, bytes], ...]]:
    """All that can be found after these changes."""
    card = Card()
    for change in changes:
        card.take(change)
    rng = random.Random(1)
    return {tuple(sorted(disk.items())) for _ in range(n) for disk in card.images(rng)}


def test_what_was_synced_is_there_and_what_was_not_may_be_in_part() -> None:
    old, new = b"a" * 1024, b"b" * 1024
    found = cards(Change("make", "f"), write("f", 0, old), Change("sync", "f"), write("f", 0, new))
    assert found == {
        (("f", content),) for content in (old, new, old[:512] + new[512:], new[:512] + old[512:])
    }


def test_a_file_that_was_never_synced_may_not_be_there() -> None:
    assert cards(Change("make", "f"), write("f", 0, b"abc")) == {(), (("f", b""),), (("f", b"abc"),)}


def test_a_deleted_file_may_come_back_until_something_is_synced() -> None:
    made = [Change("make", "j"), write("j", 0, b"abc"), Change("sync", "j")]
    assert cards(*made, Change("delete", "j")) == {(), (("j", b"abc"),)}
    assert cards(*made, Change("delete", "j", 1)) == {()}
    made += [Change("delete", "j"), Change("make", "d"), Change("sync", "d")]
    assert cards(*made) == {(("d", b""),)}


def test_every_change_of_a_database_is_noted(tmp_path: Path) -> None:
    """Put onto an empty card in their order, they make the same file."""
    with noted_files() as noted:
        db = sqlite3.connect(tmp_path / "some.db")
        db.execute("CREATE TABLE t (x)")
        db.executemany("INSERT INTO t VALUES (?)", [("x" * n,) for n in range(500)])
        db.commit()
        db.execute("DELETE FROM t WHERE rowid > 20")
        db.commit()
        db.execute("VACUUM")
        db.close()
    card = Card()
    for change in noted.changes:
        card.take(change)
    (disk,) = card.images(random.Random(1), ["all"])
    assert disk == {"some.db": (tmp_path / "some.db").read_bytes()}
    assert {change.what for change in noted.changes} == {"make", "write", "sync", "delete", "truncate"}


def test_what_is_opened_outside_is_not_noted(tmp_path: Path) -> None:
    with noted_files() as noted:
        pass
    sqlite3.connect(tmp_path / "some.db").execute("CREATE TABLE t (x)").connection.close()
    assert noted.changes == []
