"""A look at a database changes nothing: no file is made, touched or locked."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from speedsign.errors import StoreError
from telemetry.database import StoreDamaged, open_for_writing
from telemetry.looking import Unmerged, looking

KILLED = """
import os, sys
from pathlib import Path
from telemetry.database import open_for_writing
db = open_for_writing(Path(sys.argv[1]))
db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
db.execute("INSERT INTO meta VALUES ('last', 'words')")
os.kill(os.getpid(), 9)
"""


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {one.name: (one.stat().st_mtime_ns, one.read_bytes()) for one in folder.iterdir()}


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    path = tmp_path / "sign.db"
    with contextlib.closing(open_for_writing(path)) as db:
        db.execute("INSERT INTO meta VALUES ('last', 'words')")
    return path


def last_words(path: Path) -> str:
    with looking(path) as db:
        word: str = db.execute("SELECT value FROM meta WHERE key = 'last'").fetchone()["value"]
    return word


def test_of_a_stopped_sign(stopped: Path) -> None:
    before = snapshot(stopped.parent)
    assert list(before) == ["sign.db"]
    assert last_words(stopped) == "words"
    assert snapshot(stopped.parent) == before


def test_of_a_running_sign_with_what_it_wrote_last(stopped: Path) -> None:
    with contextlib.closing(open_for_writing(stopped)) as sign:
        sign.execute("UPDATE meta SET value = 'new' WHERE key = 'last'")
        before = snapshot(stopped.parent)
        with looking(stopped) as db:
            assert db.execute("SELECT value FROM meta WHERE key = 'last'").fetchone()[0] == "new"
            sign.execute("UPDATE meta SET value = 'newer' WHERE key = 'last'")  # nobody waits for us
        assert set(snapshot(stopped.parent)) == set(before)
        assert last_words(stopped) == "newer"


@pytest.mark.wires
def test_of_a_sign_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert path.with_name("sign.db-wal").stat().st_size
    before = snapshot(tmp_path)
    assert last_words(path) == "words"
    assert snapshot(tmp_path) == before
    Path(f"{path}-shm").unlink()  # now it could only be read by making something
    before = snapshot(tmp_path)
    with pytest.raises(Unmerged), looking(path):
        pass
    assert snapshot(tmp_path) == before


def test_what_is_wrong_is_a_sentence(stopped: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError), looking(tmp_path / "none.db"):
        pass
    foreign = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(foreign)) as db:
        db.execute("CREATE TABLE a (b)")
    with pytest.raises(StoreError, match="another program"), looking(foreign):
        pass
    stopped.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreDamaged), looking(stopped) as db:
        db.execute("SELECT * FROM meta").fetchall()
