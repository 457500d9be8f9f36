"""The store's real recorder on virtual time: its thread is a greenlet that the loop lets run.

Only one of them runs at a time, and the loop's time stands still while the other one does. What the thread
waits for, news or a timer, is the loop's. So the recorder's own code runs as it is, and always in the same
order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Self
from unittest import mock

import greenlet  # type: ignore[import-untyped]  # it has no types

from speedsign.beats import Beat
from telemetry.recorder import OnDone, OnError, ThreadRecorder, _Item
from telemetry.store import SqliteStore

_NOW_S = 1e-6  # a loop runs timers that are nearer without letting time pass


class Baton:
    """In the place of `threading.Condition`; `rest` is for what takes time inside a call of the store."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread: greenlet.greenlet | None = None
        self._loops: greenlet.greenlet | None = None  # who lets the thread run
        self._parked = self._called = self._resting = False
        self.hurried = False  # nothing takes time any more: the process is being killed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Nobody else runs: there is nothing to lock."""

    # ------------------------------------------------------------------ on the loop

    def start(self, work: Callable[[], None]) -> None:
        """Let the thread run for the first time, soon."""
        self._thread = greenlet.greenlet(work)
        self.call()

    def call(self) -> None:
        """Let it run, soon."""
        if not self._called and self._thread is not None and not self._thread.dead:
            self._called = True
            self._loop.call_soon(self._give)

    def notify_all(self) -> None:
        if self._parked and not self._resting:
            self.call()

    def _give(self) -> None:
        self._called = False
        if self._thread is not None and not self._thread.dead:
            self._loops = greenlet.getcurrent()
            self._thread.switch()

    # ------------------------------------------------------------------ on the thread

    def wait_for(self, condition: Callable[[], Any], timeout: float | None = None) -> bool:
        """As `threading.Condition.wait_for`."""
        until_s = None if timeout is None else self._loop.time() + timeout
        while not condition():
            left_s = None if until_s is None else until_s - self._loop.time()
            if left_s is not None and left_s <= _NOW_S:
                return bool(condition())
            self.wait(left_s)
        return True

    def wait(self, timeout: float | None = None) -> bool:
        """As `threading.Condition.wait`."""
        timer = None if timeout is None else self._loop.call_later(timeout, self.call)
        self._parked = True
        assert self._loops is not None
        self._loops.switch()
        self._parked = False
        if timer:
            timer.cancel()
        return True

    def rest(self, seconds: float) -> None:
        """Take so long; nothing but a kill wakes the thread before."""
        until_s = self._loop.time() + seconds
        self._resting = True
        self.wait_for(lambda: self.hurried or self._loop.time() >= until_s, seconds)
        self._resting = False


class _Thread:
    """As the recorder uses `threading.Thread`."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...] = (), **_names: object) -> None:
        self._target, self._args = target, args

    def start(self) -> None:
        recorder: YearRecorder = self._target.__self__  # type: ignore[attr-defined]
        recorder.baton.start(lambda: self._target(*self._args))

    def join(self) -> None:
        """Its last act was to say that it ended."""


@contextlib.contextmanager
def without_threads() -> Iterator[None]:
    """Recorders that are made inside are on virtual time."""
    made = SimpleNamespace(Thread=_Thread, Condition=lambda: None)
    with mock.patch("telemetry.recorder.threading", made):
        yield


class YearRecorder(ThreadRecorder[SqliteStore]):
    """Tells `on_submit(what, call)` when an item is given, and `on_done(what, call)` when it is done.

    `takes_s` says how long the next item takes.
    """

    def __init__(
        self,
        opener: Callable[[SqliteStore | None], Any],
        baton: Baton,
        on_submit: Callable[[str, Callable[..., object]], None],
        on_done: Callable[[str, Callable[..., object]], None],
        beside: Callable[[], Any] = list,
        takes_s: Callable[[], float] = lambda: 0.0,
        beat: Beat | None = None,
    ) -> None:
        super().__init__(opener, beside=beside, beat=beat)
        self.baton = baton
        self._changed = baton  # type: ignore[assignment]
        self._on_submit, self._on_done, self._takes_s = on_submit, on_done, takes_s

    def submit(
        self,
        what: str,
        call: Callable[[SqliteStore], object],
        on_done: OnDone | None = None,
        on_error: OnError | None = None,
    ) -> None:
        self._on_submit(what, call)
        super().submit(what, call, on_done, on_error)

    def abandon(self) -> None:
        """As when the process is killed: nothing more is begun."""
        self.baton.hurried = True
        self._tell(abandoned=True)
        self.baton.call()

    def _do(self, item: _Item[SqliteStore]) -> None:
        if takes_s := self._takes_s():
            self.baton.rest(takes_s)
        super()._do(item)

    def _done(self, item: _Item[SqliteStore], result: object) -> None:
        super()._done(item, result)
        self._on_done(item.what, item.call)
