"""What a running sign knows of itself, gathered for its health message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from speedsign.daemon import Daemon
from speedsign.machine import Machine
from speedsign.model import ClockQuality
from speedsign.ports import Clock, Display
from telemetry.calibration import Standing, standing
from telemetry.clock_past import ClockPast, clock_past
from telemetry.health import LastDay, Vitals, health_body, last_day
from telemetry.recorder import OnDone


class DayRecorder(Protocol):
    """A recorder that tells what came of it."""

    def submit(self, what: str, call: Callable[[object], object], on_done: OnDone | None = None) -> None: ...

    def health(self) -> Mapping[str, int]: ...


class SignHealth:
    """Called for each health message; gives its body. Never waits.

    What the store knows of the last 24 h, of calibrations and of its clock is asked for at each call and told
    with the next one, and with the moment it is true of; `watch` asks for it the first time.
    """

    def __init__(
        self, store_path: Path, clock: Clock, recorder: DayRecorder, machine: Machine | None = None
    ) -> None:
        self._path = store_path
        self._clock = clock
        self._recorder = recorder
        self._machine = machine or Machine()
        self._daemon: Daemon | None = None
        self._began_s = clock.monotonic()
        self._frames = 0
        self._framed_s = self._began_s
        self._day: LastDay | None = None
        self._calibration: Standing | None = None
        self._past: ClockPast | None = None

    def watch(self, daemon: Daemon) -> None:
        """The daemon that is told of; it is made after the publisher that asks."""
        self._daemon = daemon
        if daemon.parts.telemetry:
            self._look_back()

    def __call__(self) -> dict[str, object]:
        clock, daemon = self._clock, self._daemon
        now_s = clock.monotonic()
        if daemon is None:
            return health_body(Vitals(self._at_s(), clock.trusted(), now_s - self._began_s, now_s))
        parts, display = daemon.parts, daemon.parts.display
        self._look_back()
        return health_body(
            Vitals(
                at_s=self._at_s(),
                clock_ok=daemon.clock_quality() is ClockQuality.OK,
                up_s=now_s - self._began_s,
                machine_up_s=now_s,
                faults=daemon.faults(),
                radar=parts.radar.health(),
                frames_per_h=self._frames_per_h(parts.radar.health().get("frames", 0), now_s),
                panel=display.health() if display else None,
                panel_mode=_mode(display, dark=daemon.rules.dark) if display else "",
                store=self._recorder.health(),
                store_bytes=_size(self._path),
                mqtt=parts.telemetry.health() if parts.telemetry else {},
                machine=self._machine.facts(self._path),
                commands=parts.remote.health() if parts.remote else {},
                day=self._day,
                calibration=self._calibration,
                clock=self._past,
            )
        )

    def _at_s(self) -> int:
        return int(self._clock.now_utc().timestamp())

    def _frames_per_h(self, frames: int, now_s: float) -> float | None:
        """Since the last call; None: it was only just."""
        new, passed_s = frames - self._frames, now_s - self._framed_s
        if passed_s < 1.0:
            return None
        self._frames, self._framed_s = frames, now_s
        return max(new, 0) * 3600 / passed_s

    def _look_back(self) -> None:
        ask = partial(_looked_back, self._path, self._at_s(), self._today())
        self._recorder.submit("look back a day", lambda _store: ask(), self._looked)

    def _today(self) -> datetime | None:
        """None: the clock is not to be believed, so nobody knows what is overdue."""
        daemon = self._daemon
        trusted = daemon.clock_quality() is ClockQuality.OK if daemon else self._clock.trusted()
        return self._clock.now_utc() if trusted else None

    def _looked(self, found: _Kept) -> None:
        day, self._calibration, self._past = found
        self._day = day or self._day


_Kept = tuple[LastDay | None, Standing, ClockPast | None]


def _looked_back(path: Path, now_s: int, now_utc: datetime | None) -> _Kept:
    """What the database knows; on the recorder's thread."""
    return last_day(path, now_s), standing(path, now_utc), clock_past(path)


def _mode(display: Display, *, dark: bool) -> str:
    if display.lit() is None or display.faults():
        return "unknown"
    return "dark" if dark else "on"


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
