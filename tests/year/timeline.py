"""The loop of a simulated year, and the clock of one boot on it.

Loop time is the one true time: seconds since the run began. What a sign believes of it is its `BootClock`.
"""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta

from simulator.virtual_time import Stuck

BEGIN = datetime(2026, 1, 12, tzinfo=UTC)  # a Monday; a year has both days on which clocks are changed
DAY_S = 86_400.0
TURN_S = 1e-7  # that a turn of the loop takes: who is woken a rounding too early must not wait for ever
_LOOK_EVERY = 1000  # turns between two looks at real files: only what wakes the loop from a thread is there


class _Jumps(selectors.DefaultSelector):
    """As in simulator.virtual_time, without asking the kernel each time: there is no file to wait for."""

    now_s = 0.0
    _turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns += 1
        if timeout is None or self._turns >= _LOOK_EVERY:
            self._turns = 0
            ready = super().select(0)
            if ready:
                return ready
            if timeout is None:
                raise Stuck("no task can go on and no timer is set")
        self.now_s += TURN_S + max(timeout, 0.0)
        return []


class YearLoop(asyncio.SelectorEventLoop):
    """Virtual time that begins at 0."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.now_s


def true_utc(t_s: float) -> datetime:
    """What a good clock says at a moment of the loop."""
    return BEGIN + timedelta(seconds=t_s)


class BootClock:
    """`speedsign.ports.Clock` of one boot: its own seconds, and a wall clock that may be wrong by `error_s`.

    A clock that follows nobody drifts by `drift_ppm`.
    """

    drift_ppm = 15.0

    def __init__(
        self, loop: asyncio.AbstractEventLoop, boot_id: str, *, error_s: float, trusted: bool, began_s: float
    ) -> None:
        """`began_s`: when power came, on the loop's time."""
        self._loop, self._boot_id = loop, boot_id
        self.began_s = began_s
        self.is_trusted = trusted
        self._since_s = self.trusted_since_s = loop.time()
        self._offset = BEGIN + timedelta(seconds=error_s)

    def monotonic(self) -> float:
        return self._loop.time() - self.began_s

    def now_utc(self) -> datetime:
        now_s = self._loop.time()
        if self.is_trusted:
            return self._offset + timedelta(seconds=now_s)
        return self._offset + timedelta(seconds=now_s + (now_s - self._since_s) * self.drift_ppm * 1e-6)

    def trusted(self) -> bool:
        return self.is_trusted

    def boot_id(self) -> str:
        return self._boot_id

    @property
    def error_s(self) -> float:
        """How far the wall clock is ahead of the truth."""
        return (self.now_utc() - true_utc(self._loop.time())).total_seconds()

    def set(self, error_s: float, *, trusted: bool) -> None:
        """Step the wall clock, as a synchronisation or a hand does."""
        self._since_s, self.is_trusted = self._loop.time(), trusted
        self.trusted_since_s = self._since_s
        self._offset = BEGIN + timedelta(seconds=error_s)
