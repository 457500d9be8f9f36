"""Time that passes only when nobody has anything left to do: an hour of traffic in seconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(RuntimeError):  # noqa: N818  the situation is its name
    """Everybody waits for something that no timer and no file will ever bring."""


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the time to it. Real files are still looked at."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Stuck("no task can go on and no timer is set")
        self.now_s += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on virtual time; serves code that waits by timers and in-memory lines.

    Threads, ptys and sockets take real time that this loop does not see: keep them out.
    """

    def __init__(self, start_s: float = 1000.0) -> None:
        self._jumping = _JumpingSelector()
        self._jumping.now_s = start_s
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


class VirtualClock:
    """The clock of a `VirtualLoop`: wall time starts at `start_utc` and can be stepped and distrusted."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, start_utc: datetime, *, trusted: bool = True, boot: int = 1
    ) -> None:
        """`boot`: number of the machine's start, which its id is made of."""
        self._loop = loop
        self._offset = start_utc.astimezone(UTC) - timedelta(seconds=loop.time())
        self._booted_s = 0.0
        self.boot = boot
        self.is_trusted = trusted

    def monotonic(self) -> float:
        return self._loop.time() - self._booted_s

    def now_utc(self) -> datetime:
        return self._offset + timedelta(seconds=self._loop.time())

    def trusted(self) -> bool:
        return self.is_trusted

    def boot_id(self) -> str:
        return f"b007{self.boot:012x}{self.boot:016x}"  # the first half alone tells them apart, too

    def reboot(self, now_utc: datetime | None = None, *, trusted: bool = False) -> None:
        """The power was cut: boot time begins anew; what is made with this clock has to be made anew too.

        `now_utc`: what the wall clock says after it; None: as before.
        """
        self.boot += 1
        self._booted_s = self._loop.time()
        self.is_trusted = trusted
        if now_utc is not None:
            self._offset = now_utc.astimezone(UTC) - timedelta(seconds=self._loop.time())

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as NTP does; the monotonic clock goes on."""
        self._offset += timedelta(seconds=seconds)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on virtual time, with every left-over task cancelled, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
