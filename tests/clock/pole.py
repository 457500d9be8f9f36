"""A sign on a pole for days: the real daemon, tracker and store on virtual time, and what was really there.

The radar says speeds instead of bytes and there is no panel, so that days pass in seconds. What the machine
takes for the time is the test's to say; the truth is the loop's own time.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import speedsign.daemon
from simulator.virtual_time import VirtualClock
from speedsign.daemon import Daemon, Parts, Plan
from speedsign.model import ClockQuality, Direction, Fault, Installation, Interval, RadarEvent, Reading
from speedsign.ports import Store
from telemetry.query import read_intervals
from telemetry.recorder import InlineRecorder
from telemetry.store import SqliteStore

T0 = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HERE = Installation("test road", 50, 0.0, "ops243", "Europe/Riga")
ALWAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))
_READINGS = 8
Counts = Counter[tuple[datetime, int]]  # (start of a quarter, km/h)


def quarter(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)


@pytest.fixture
def slow_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at everything each 20 s instead of each second: for long histories."""
    monkeypatch.setattr(speedsign.daemon, "TICK_S", 20.0)
    monkeypatch.setattr(speedsign.daemon, "STALLED_S", 60.0)


@pytest.fixture
def slower_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each minute."""
    monkeypatch.setattr(speedsign.daemon, "TICK_S", 60.0)
    monkeypatch.setattr(speedsign.daemon, "STALLED_S", 180.0)


class Speaking:
    """A radar that says a vehicle each so many seconds, each one faster than the one before, to 90 km/h."""

    def __init__(self, pole: Pole) -> None:
        self._pole = pole
        self._began_s: float | None = None

    async def run(self, on_events: Callable[[Sequence[RadarEvent]], None]) -> None:
        pole, loop = self._pole, asyncio.get_running_loop()
        self._began_s = pole.clock.monotonic()
        try:
            while True:
                await asyncio.sleep(pole.gap_s - loop.time() % pole.gap_s)
                speed = 40 + pole.passed % 51
                for _ in range(_READINGS):
                    await asyncio.sleep(0.1)
                    now_s = pole.clock.monotonic()
                    on_events([Reading(now_s, float(speed), Direction.APPROACHING, 500.0)])
                pole.saw(speed)
        finally:
            self._began_s = None

    def faults(self) -> list[Fault]:
        return []

    def measured_s(self, t_mono_s: float) -> float:
        return 0.0 if self._began_s is None else t_mono_s - self._began_s

    def health(self) -> Mapping[str, int]:
        return {}


class Cut(InlineRecorder[SqliteStore]):
    """Writes until the power is cut."""

    off = False

    def submit(self, what: str, call: Callable[[Store], object], *more: object) -> None:  # type: ignore[override]
        if not self.off:
            super().submit(what, call)
            assert self.faults() == [], what


class Pole:
    """One database, one machine, many starts of it."""

    def __init__(self, folder: Path, *, gap_s: float = 45.0, vehicles: bool = False) -> None:
        self.path = folder / "sign.db"
        self.gap_s = gap_s
        self.passed = 0
        self.keep_days = 30
        self.truth: Counts = Counter()
        self._vehicles = vehicles
        self._loop = asyncio.get_running_loop()
        self._zero = T0 - timedelta(seconds=self._loop.time())
        self.clock = VirtualClock(self._loop, T0)
        self.daemon: Daemon | None = None

    # ------------------------------------------------------------------ the truth

    @property
    def utc(self) -> datetime:
        return self._zero + timedelta(seconds=self._loop.time())

    def saw(self, speed: int) -> None:
        self.passed += 1
        self.truth[quarter(self.utc), speed] += 1

    # ------------------------------------------------------------------ the machine

    def boot(self, claims: datetime | None = None) -> None:
        """Power is there. `claims`: what a clock says that nobody has set; None: a right one, trusted."""
        self.clock.reboot(claims or self.utc, trusted=claims is None)

    def sync(self) -> None:
        """The time server is heard."""
        self.set(self.utc)
        self.clock.is_trusted = True

    def set(self, to: datetime) -> None:
        self.clock.step((to - self.clock.now_utc()).total_seconds())

    async def off(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def run(self, seconds: float, *, cut: bool = False, then: Callable[[], None] | None = None) -> None:
        """The program runs for so long, and ends by itself or because the power is cut.

        `then`: called in the middle.
        """
        recorder = Cut(SqliteStore(self.path, "pole", vehicles=self._vehicles))
        self.daemon = Daemon(
            Plan(HERE, keep_vehicles_days=self.keep_days),
            Parts(clock=self.clock, radar=Speaking(self), recorder=recorder),
        )
        if then:
            self._loop.call_later(seconds / 2, then)
        task = asyncio.create_task(self.daemon.run())
        # Not while a vehicle is on the way to the store: what of it is kept is another test's.
        seconds += (20.0 - (self._loop.time() + seconds)) % self.gap_s
        done, _ = await asyncio.wait({task}, timeout=seconds)
        assert not done, task.exception()
        recorder.off = cut
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    # ------------------------------------------------------------------ what is kept

    def intervals(self) -> list[Interval]:
        return read_intervals(self.path, *ALWAYS)

    def dated(self) -> Counts:
        return counted(one for one in self.intervals() if one.clock is not ClockQuality.UNKNOWN)

    def undated(self) -> Counts:
        return counted(one for one in self.intervals() if one.clock is ClockQuality.UNKNOWN)

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return db.execute(sql).fetchall()

    def check(self) -> None:
        """Nothing lost or doubled; what is dated was then; what was withdrawn is empty, and closed."""
        kept = self.dated() + self.undated()
        assert kept.total() == self.truth.total(), (kept - self.truth, self.truth - kept)
        assert not self.dated() - self.truth
        for one in self.intervals():
            assert one.boot == "" or one.clock is ClockQuality.UNKNOWN
            assert 0 <= one.measured_s <= one.duration_s
            if one.clock is not ClockQuality.UNKNOWN:
                assert not one.boot


def counted(intervals: Iterator[Interval]) -> Counts:
    found: Counts = Counter()
    for one in intervals:
        for cell in one.cells:
            for speed, n in cell.counts.items():
                found[one.start_utc, speed] += n
    return found


def stepped(intervals: Sequence[Interval]) -> list[datetime]:
    return [one.start_utc for one in intervals if one.stepped]
