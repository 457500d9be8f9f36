"""Some hours of a sign's store: vehicles, closings, sending, acknowledging, commands, restarts, pruning.

Each step is one call that the sign takes for done when it returns. Beside the store a plain model counts what
has to be there, so that what the store says of itself is not believed on its own word.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from speedsign.model import ClockQuality, Coverage, Direction, VehicleRecord
from telemetry.command import ledger
from telemetry.message.messages import REPLY, Ack
from telemetry.outbox.outbox import RetireOn
from telemetry.rows import to_ms
from telemetry.store import SqliteStore, open_or_replace
from tests.power.vfs import Noted
from tests.telemetry.samples import BAUSKA, T0, measured, passed

SIGN = "bauska-3"
QUOTA_MB = 0.014  # so little that it drops something
KEY = bytes(range(32))
UNDATED = range(20, 34)  # vehicles that pass before the clock is set
BOOT = "b007" * 8
ZERO = T0 - timedelta(minutes=10)
LATE = timedelta(days=1)  # by so much the clock is behind until then
_TABLES = (
    "installation", "vehicle", "interval", "cell", "outbox", "command_counter", "command", "calibration",
    "sqlite_sequence", "boot", "boot_coverage",
)  # fmt: skip


def opened(path: Path) -> tuple[SqliteStore, bool]:
    """By the code that the sign opens with; whether the file was found damaged."""
    store, fault = open_or_replace(path, SIGN, at_utc=T0, vehicles=True, quota_mb=QUOTA_MB)
    return store, fault is not None


def content(db: sqlite3.Connection) -> str:
    """A fingerprint of all that is kept, but for how often the file was opened."""
    rows = [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in _TABLES]
    rows.append(db.execute("SELECT * FROM meta WHERE key != 'boot' ORDER BY key").fetchall())
    return hashlib.blake2b(repr(rows).encode(), digest_size=16).hexdigest()


def _quarter(at: datetime) -> int:
    return int(at.timestamp()) // 900 * 900


class Course:
    """Runs once, and is then what a cut is judged by: `contents[n]` is what was there after n steps."""

    def __init__(self, path: Path, noted: Noted, vehicles: int, seed: int) -> None:
        self._path, self._noted, self._rng = path, noted, random.Random(seed)
        self._vehicles = vehicles
        self.contents: list[str] = []
        self.boots: list[int] = []
        self._kept: list[VehicleRecord] = []  # that were not pruned
        self._counted: Counter[tuple[int, str, int]] = Counter()
        self._measured: Counter[int] = Counter()
        self._retired: set[int] = set()
        self._told: set[int] = set()  # as dropped
        self._commands = 0

    def run(self) -> None:
        self._store, damaged = opened(self._path)
        assert not damaged
        self._acknowledged()
        for what in self._steps():
            what(self._store)
            self._acknowledged()
        self._store.close()

    def _acknowledged(self) -> None:
        """From here on this is promised."""
        self._noted.note("ack", "", len(self.contents))
        self.check(self._store)
        self.contents.append(content(self._store._db))
        self.boots.append(self._store.boot)

    # ------------------------------------------------------------------ what is done

    def _steps(self) -> Iterator[Callable[[SqliteStore], object]]:
        yield lambda store: store.begin(BAUSKA, T0)
        yield lambda store: store.prepare(RetireOn.HUB)
        at = T0
        for n in range(self._vehicles):
            at += timedelta(seconds=self._rng.randint(5, 90))
            yield partial(self._pass_undated if n in UNDATED else self._pass, at)
            if n == UNDATED.stop:
                yield partial(self._date, at)
            if n % 11 == 10:
                yield partial(self._close, at)
            if n % 16 == 15:
                yield lambda store: store.take((), 8)
                yield self._hear
            if n % 30 == 29:
                yield partial(self._command, at)
            if n % 67 == 66:
                yield self._restart
            if n % 50 == 49:
                yield partial(self._prune, at - timedelta(minutes=20))
            if n == self._vehicles * 3 // 4:
                yield self._renew

    def _pass(self, at: datetime, store: SqliteStore) -> None:
        speed = self._rng.randint(20, 90)
        record = passed(speed, at, direction=self._rng.choice((Direction.APPROACHING, Direction.RECEDING)))
        parts: list[Coverage] = [measured(at, 3.0)]
        store.add_vehicle(record, parts)
        self._kept.append(record)
        start_s = _quarter(at)
        self._counted[start_s, record.vehicle.direction.value, speed] += 1
        self._measured[start_s] += 3

    def _pass_undated(self, at: datetime, store: SqliteStore) -> None:
        """As `_pass`, while the clock says that it is yesterday."""
        speed, mono_s = self._rng.randint(20, 90), (at - ZERO).total_seconds()
        record = passed(speed, at - LATE, clock=ClockQuality.UNKNOWN)
        seen = replace(record.vehicle, t_first_mono_s=mono_s - 3.25, t_last_mono_s=mono_s)
        record = replace(record, vehicle=seen, boot=BOOT)
        store.add_vehicle(record, [Coverage(at - LATE, 3.0, ClockQuality.UNKNOWN, BOOT, mono_s)])
        self._kept.append(record)
        self._counted[_quarter(at - LATE), record.vehicle.direction.value, speed] += 1
        for second in range(3):
            self._measured[_quarter(at - LATE + timedelta(seconds=second))] += 1

    def _date(self, at: datetime, store: SqliteStore) -> None:
        """The clock is set: what was counted yesterday was counted today."""
        assert store.date_boot(BOOT, ZERO, at) == len(UNDATED)
        self._kept = [
            replace(one, first_utc=one.first_utc + LATE, last_utc=one.last_utc + LATE) if one.boot else one
            for one in self._kept
        ]
        late_s = int(LATE.total_seconds())
        for key in [key for key in self._counted if key[0] < _quarter(T0)]:
            self._counted[key[0] + late_s, key[1], key[2]] += self._counted.pop(key)
        for start_s in [start_s for start_s in self._measured if start_s < _quarter(T0)]:
            self._measured[start_s + late_s] += self._measured.pop(start_s)

    def _close(self, at: datetime, store: SqliteStore) -> None:
        store.close_intervals(at - timedelta(seconds=15), T0)

    def _hear(self, store: SqliteStore) -> None:
        """The hub's word comes for some that went out."""
        sent = sorted(row.seq for row in store.pending(1000) if row.tries)
        if sent and self._rng.random() < 0.7:
            several = self._rng.sample(sent, (len(sent) + 1) // 2)
            also = tuple((seq, seq) for seq in sorted(several))
            store.acknowledged(Ack(store.epoch, 0, also))
            self._retired.update(several)

    def _command(self, at: datetime, store: SqliteStore) -> None:
        self._commands += 1
        with store.transaction() as db:
            ledger.use(db, KEY, self._commands)
            entry = ledger.Entry(to_ms(at), "ok", "office", self._commands, "ping", "{}", "done")
            ledger.record(db, entry)
            store.put_message(REPLY, b'{"outcome":"done"}', to_ms(at))

    def _prune(self, before: datetime, store: SqliteStore) -> None:
        store.prune(before)
        self._kept = [record for record in self._kept if record.last_utc >= before]

    def _renew(self, store: SqliteStore) -> None:
        store.renew()
        self._retired, self._told = set(), set()  # names of the epoch before

    def _restart(self, store: SqliteStore) -> None:
        store.close()
        self._store, damaged = opened(self._path)
        assert not damaged

    # ------------------------------------------------------------------ what has to be there

    def check(self, store: SqliteStore) -> None:
        """The store holds what the model says."""
        db = store._db
        assert db.execute("SELECT last_ms, speed_kmh FROM vehicle ORDER BY id").fetchall() == [
            (to_ms(record.last_utc), record.vehicle.speed_kmh) for record in self._kept
        ]
        counted = db.execute(
            "SELECT start_s, direction, speed_kmh, sum(n) FROM interval JOIN speed_count"
            " ON interval_id = interval.id GROUP BY 1, 2, 3"
        ).fetchall()
        assert {row[:3]: row[3] for row in counted} == self._counted
        rows = db.execute("SELECT start_s, measured_s FROM interval WHERE measured_s > 0").fetchall()
        assert dict(rows) == pytest.approx(self._measured)
        assert ledger.floor(db, KEY) == self._commands
        self._check_outbox(store)

    def _check_outbox(self, store: SqliteStore) -> None:
        """Every number that was given waits, was acknowledged, or is told as dropped; within the quota."""
        waiting = store.pending(10_000)
        gaps = [json.loads(row.body)["dropped"] for row in waiting if row.kind == "gap"]
        told = {seq for gap in gaps for one in gap for seq in range(one["first"], one["last"] + 1)}
        seqs = {row.seq for row in waiting}
        found = store._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
        lacking = set(range(1, (found[0] if found else 0) + 1)) - seqs - self._retired
        assert lacking <= told | self._told, sorted(lacking - told)
        self._told |= told & lacking
        assert not seqs & self._retired
        assert store.waiting().size_bytes <= QUOTA_MB * 1_000_000
