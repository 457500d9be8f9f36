"""Signs whose clock is not always right: what they kept, what they told, and what is true."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from speedsign.model import (
    ClockQuality,
    Coverage,
    Direction,
    DisplayState,
    Installation,
    Vehicle,
    VehicleRecord,
)
from telemetry.hub.port import Heard
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.store import SqliteStore

SIGN = "bauska-1"
HERE = Installation("Bauska, Rīgas iela", 50, 0.0, "ops243", "Europe/Riga", display_profile="dark")
BEGIN = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)
STEP_S = 300  # of these histories: a stretch of measuring, and perhaps a vehicle
_NOW_MS = 1_777_900_000_000


@dataclass(frozen=True)
class Boot:
    """One start of the machine: how long it is away before, runs, and when it learns the time."""

    steps: int  # of five minutes
    off_s: int = 600
    wrong_s: int = 0  # what the wall clock says, less the true time, until the first sync
    sync: int | None = 0  # after so many steps; None: never
    restart: int | None = None  # the program is started anew after so many steps


@dataclass
class Sign:
    """A sign's database and its true time; `passed` holds the true times of all vehicles."""

    path: Path
    now: datetime = BEGIN
    vehicles: bool = True
    facts: Installation = HERE
    passed: list[tuple[datetime, bool]] = field(default_factory=list)  # and whether its time became known
    told: dict[int, Heard] = field(default_factory=dict)  # all messages there ever were
    boots: int = 0

    def run(self, boot: Boot) -> None:
        self.now += timedelta(seconds=boot.off_s)
        self.boots += 1
        began, name = self.now, f"b007{self.boots:012x}{self.boots:016x}"
        store = self._open(began + timedelta(seconds=boot.wrong_s))
        first = len(self.passed)
        for step in range(boot.steps):
            synced = boot.sync is not None and step >= boot.sync
            if step == boot.sync:
                store.date_boot(name, began, self.now)
            if step and step == boot.restart:
                store.close()
                store = self._open(self.now)
            wrong = timedelta(seconds=0 if synced else boot.wrong_s)
            self._measure(store, name, began, wrong, known=synced, step=step)
            store.close_intervals(self.now + wrong, began if synced else None)
            self._hear(store)
        store.close()
        if boot.sync is None or boot.sync >= boot.steps:
            self.passed[first:] = [(at, False) for at, _ in self.passed[first:]]

    def _open(self, at: datetime) -> SqliteStore:
        store = SqliteStore(self.path, SIGN, vehicles=self.vehicles)
        store.begin(self.facts, at)
        return store

    def _measure(
        self, store: SqliteStore, name: str, began: datetime, wrong: timedelta, *, known: bool, step: int
    ) -> None:
        """Five minutes, of which the first 290 s are measured; a vehicle in most of them."""
        clock = ClockQuality.OK if known else ClockQuality.UNKNOWN
        from_s = (self.now - began).total_seconds()
        covered = [
            Coverage(self.now + wrong + timedelta(seconds=at_s), 145, clock, name, from_s + at_s)
            for at_s in (0, 145)
        ]
        at = self.now + timedelta(seconds=37 + 13 * (step % 9))
        self.now += timedelta(seconds=STEP_S)
        if step % 4 == 3:
            store.add_coverage(covered)
            return
        last_s = (at - began).total_seconds()
        vehicle = Vehicle(
            track_id=step,
            direction=(Direction.APPROACHING, Direction.RECEDING)[step % 2],
            t_first_mono_s=last_s - 3.25,
            t_last_mono_s=last_s,
            speed_kmh=40.0 + step % 20,
            entry_kmh=42.0,
            exit_kmh=38.0,
            max_kmh=62.0,
            readings=12,
        )
        wall = at + wrong
        record = VehicleRecord(
            vehicle, wall - timedelta(seconds=3.25), wall, clock, DisplayState.DARK, "1", boot=name
        )
        store.add_vehicle(record, covered)
        self.passed.append((at, True))

    def _hear(self, store: SqliteStore) -> None:
        """What waits: a message keeps its number, and nobody may change what was sent under it."""
        for row in store.pending(100_000):
            payload = messages.named(row.body, row.kind, SIGN, store.epoch, row.seq)
            known = self.told.setdefault(row.seq, Heard(SIGN, row.kind, payload, _NOW_MS))
            assert known.payload == payload

    def acknowledged(self, up_to: int) -> None:
        """The hub's word came: what waited up to there is gone."""
        with contextlib.closing(SqliteStore(self.path, SIGN, vehicles=self.vehicles)) as store:
            store.acknowledged(Ack(store.epoch, up_to))

    def end(self) -> list[Heard]:
        """The last interval closes; all that was ever told."""
        with contextlib.closing(SqliteStore(self.path, SIGN, vehicles=self.vehicles)) as store:
            for later in (1, 30, 60):  # what is undated may be some days ahead
                store.close_intervals(self.now + timedelta(hours=later), None)
                self._hear(store)
        return list(self.told.values())

    # ----------------------------------------------------------------------- the truth

    def by_quarter(self) -> Counter[datetime]:
        """Vehicles whose time became known, by the quarter-hour in which they passed."""
        return Counter(_quarter(at) for at, known in self.passed if known)

    @property
    def undated(self) -> int:
        return sum(not known for _, known in self.passed)


def _quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def hub_of(path: Path, batches: Sequence[Sequence[Heard]]) -> Path:
    with contextlib.closing(SqliteHubStore(path)) as hub:
        for batch in batches:
            assert hub.take(batch).refused == ()
    return path
