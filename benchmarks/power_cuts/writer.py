"""The sign's store at work, in a process that is cut off: one line for each vehicle that it took for stored.

    python -m benchmarks.power_cuts.writer FILE JOURNAL SYNCHRONOUS

"own" and "own" leave the store's settings as they are.
"""

from __future__ import annotations

import sqlite3
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from telemetry.message.messages import Ack
from telemetry.outbox.outbox import RetireOn
from telemetry.store import SqliteStore
from tests.telemetry.samples import BAUSKA, T0, measured, passed

SIGN = "bauska-3"


def speed_of(number: int) -> float:
    return float(30 + number % 50)


def with_settings(
    journal: str, synchronous: str, checkpoint_pages: str = "400", page_bytes: str = "1024"
) -> None:
    """From now on these in the place of the store's own."""
    other = {
        "PRAGMA journal_mode": f"PRAGMA journal_mode = {journal}",
        "PRAGMA synchronous": f"PRAGMA synchronous = {synchronous}",
        "PRAGMA wal_autocheckpoint": f"PRAGMA wal_autocheckpoint = {checkpoint_pages}",
        "PRAGMA page_size": f"PRAGMA page_size = {page_bytes}",
    }

    class Changed(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            name, sets, _ = sql.partition(" = ")
            return super().execute(other.get(name, sql) if sets else sql, *parameters)

    sqlite3.connect = partial(sqlite3.connect, factory=Changed)  # type: ignore[assignment]


def work(path: Path) -> None:
    """For ever. A line: vehicles stored by now, messages acknowledged up to."""
    store = SqliteStore(path, SIGN, vehicles=True)
    store.begin(BAUSKA, T0)
    store.prepare(RetireOn.HUB)
    number = store._db.execute("SELECT coalesce(max(id), 0) FROM vehicle").fetchone()[0]
    retired = min((row.seq for row in store.pending(100_000)), default=1) - 1
    while True:
        at = T0 + timedelta(seconds=20 * number)
        store.add_vehicle(passed(speed_of(number), at), [measured(at, 20.0)])
        number += 1
        sys.stdout.write(f"{number} {retired}\n")
        sys.stdout.flush()
        if number % 23 == 0:
            store.close_intervals(at, T0)
            rows = store.take((), 5).rows
            if number % 2 and rows:
                up_to = min(row.seq for row in store.pending(1000))
                store.acknowledged(Ack(store.epoch, up_to))
                retired = up_to


if __name__ == "__main__":
    if sys.argv[2] != "own":
        with_settings(*sys.argv[2:4])
    work(Path(sys.argv[1]))
