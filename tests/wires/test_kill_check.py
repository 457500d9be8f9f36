"""The judge of the kill matrix sees what it is there to see."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from telemetry.rows import VEHICLE_COLUMNS
from telemetry.store import SqliteStore
from tests.wires.kill_check import Verdict, judge
from tests.wires.kill_events import INTERVAL_S, PLACE, SIGN, T0, SideFile, start_of, vehicles_of

INTERVALS = 4
AGAIN = (
    f"INSERT INTO vehicle (installation_id, {VEHICLE_COLUMNS})"
    f" SELECT installation_id, {VEHICLE_COLUMNS} FROM vehicle WHERE id = 1"
)


def judged(folder: Path, *changes: str) -> Verdict:
    """A sign's file, and a hub's that has the same but for these changes."""
    with contextlib.closing(SqliteStore(folder / "sign.db", SIGN, INTERVAL_S)) as store:
        store.begin(PLACE, T0)
        for number in range(INTERVALS):
            for record, coverage in vehicles_of(number):
                store.add_vehicle(record, [coverage])
        store.close_intervals(start_of(INTERVALS), None)
    shutil.copy(folder / "sign.db", folder / "hub.db")
    with contextlib.closing(sqlite3.connect(folder / "hub.db")) as db, db:
        db.execute(
            "INSERT INTO source (sign, epoch, first_ms, last_ms, up_to) VALUES (?, 'e', 0, 0, 5)", (SIGN,)
        )
        for change in changes:
            db.execute(change)
    (folder / "sent.log").write_text("agg e 1\nagg e 2\nagg e 1\n")
    return judge(folder)


def test_the_same_is_good(tmp_path: Path) -> None:
    verdict = judged(tmp_path)
    assert verdict.good
    assert verdict.events == INTERVALS * 3
    assert (verdict.messages, verdict.sent, verdict.times_sent) == (2, 3, 1.5)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("DELETE FROM vehicle WHERE id = 2", "lost"),
        ("DELETE FROM cell WHERE interval_id = 2", "lost"),
        ("UPDATE cell SET speeds = speeds || speeds WHERE interval_id = 3", "lost"),
        ("UPDATE interval SET state = 'open' WHERE id = 1", "lost"),
        (AGAIN, "twice"),
        ("UPDATE vehicle SET last_ms = last_ms + 1 WHERE id = 1", "foreign"),
        ("INSERT INTO span VALUES (1, 8, 9)", "unordered"),
    ],
)
def test_what_is_wrong_is_seen(tmp_path: Path, change: str, field: str) -> None:
    verdict = judged(tmp_path, change)
    assert getattr(verdict, field) > 0
    assert not verdict.good


def test_what_was_told_as_committed_has_to_be_there(tmp_path: Path) -> None:
    with contextlib.closing(SideFile(tmp_path / "side.jsonl")) as side:
        side.write("interval", round(start_of(INTERVALS + 1).timestamp()))
    assert judged(tmp_path).uncommitted == 1
