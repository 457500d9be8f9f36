"""The store where it cannot hold up the display: one thread works through what was submitted, in order.

A store that does not answer (disk full, I/O error, locked by another program) is tried again with the
same item, so that nothing is lost while the queue holds; a damaged one is opened anew, which moves it
aside. Nothing of this ever reaches the caller but as a `Fault`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from speedsign.beats import OPEN_DEADLINE_S, Beat
from speedsign.errors import StoreError
from speedsign.model import Counters, Fault
from speedsign.ports import Store
from telemetry.database import StoreDamaged, StoreRejected

_log = logging.getLogger(__name__)

QUEUE_LIMIT = 10_000  # items; half a day of heavy traffic, a few MB
RETRY_FIRST_S = 0.5
RETRY_CAP_S = 30.0
STOP_TIMEOUT_S = 5.0
TURN_S = 5.0  # at least so often the supervisor hears that an idle thread lives

S = TypeVar("S", bound=Store)
T = TypeVar("T")

OnDone = Callable[[Any], None]
OnError = Callable[[StoreError], None]
Opener = Callable[[S | None], tuple[S, Fault | None]]


@dataclass(frozen=True, slots=True)
class _Item(Generic[S]):
    what: str
    call: Callable[[S], object]
    on_done: OnDone | None
    on_error: OnError | None


async def call(
    submit: Callable[..., None], what: str, work: Callable[[Any], T], timeout_s: float | None = None
) -> T:
    """Submit and wait for the result; StoreError when it was given up, TimeoutError after `timeout_s`."""
    result: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def done(value: T) -> None:
        if not result.done():
            result.set_result(value)

    def failed(error: StoreError) -> None:
        if not result.done():
            result.set_exception(error)

    submit(what, work, done, failed)
    async with asyncio.timeout(timeout_s):
        return await result


class ThreadRecorder(Generic[S]):
    """`speedsign.ports.Recorder` on a thread of its own, which opens, uses and closes the store.

    `open_store` gets the store that was found damaged (None at the start) and gives a store and what
    there is to say about it; telemetry.store.open_or_replace does that.
    """

    def __init__(
        self,
        open_store: Opener[S],
        *,
        limit: int = QUEUE_LIMIT,
        stop_timeout_s: float = STOP_TIMEOUT_S,
        beside: Callable[[], list[Fault]] = list,
        beat: Beat | None = None,
    ) -> None:
        """`beside`: what else is wrong where the store is; asked on the loop. `beat`: called at each turn."""
        self._open_store = open_store
        self._beat = beat or Beat()
        self._beside = beside
        self._limit = limit
        self._stop_timeout_s = stop_timeout_s
        self._queue: deque[_Item[S]] = deque()
        self._changed = threading.Condition()
        self._stopping = False  # finish what is there, then end
        self._abandoned = False  # end now
        self._counters = Counters()
        self._faults: dict[str, Fault] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._store: S | None = None  # the thread's

    # ----------------------------------------------------------------------- on the loop

    def submit(
        self,
        what: str,
        call: Callable[[S], object],
        on_done: OnDone | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Do this with the store, after everything submitted before; returns at once.

        `on_done` gets the result and `on_error` the reason why it was given up, both on the loop.
        """
        item = _Item(what, call, on_done, on_error)
        with self._changed:
            full = len(self._queue) >= self._limit or self._abandoned
            if not full:
                self._queue.append(item)
                self._changed.notify_all()
        if full:
            self._behind(item)

    def _behind(self, item: _Item[S]) -> None:
        """The newest is dropped: what waits longer is nearer to being written."""
        self._counters.add("dropped")
        text = f"the store is behind by {self._limit} items and drops new ones; check the card"
        if "behind" not in self._faults:
            _log.error("%s (%s)", text, item.what)
        self._faults["behind"] = Fault("store", "behind", text)
        if item.on_error:
            item.on_error(StoreError(text))

    async def run(self) -> None:
        """Work until cancelled; what is submitted by then is still done, within `stop_timeout_s`."""
        self._loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = self._loop.create_future()
        thread = threading.Thread(target=self._work, args=(ended,), name="store", daemon=True)
        thread.start()
        try:
            await asyncio.shield(ended)
        finally:
            await self._stop(ended, thread)

    async def _stop(self, ended: asyncio.Future[None], thread: threading.Thread) -> None:
        self._tell(stopping=True)
        if not await _waited(ended, self._stop_timeout_s):
            self._tell(abandoned=True)
            _log.error(
                "the store did not finish in %s s: %d items are lost", self._stop_timeout_s, self.waiting
            )
            if not await _waited(ended, 1.0):
                return  # stuck inside the system: the daemon ends without it
        thread.join()  # its last act was to say that it ended

    def _tell(self, *, stopping: bool = False, abandoned: bool = False) -> None:
        with self._changed:
            self._stopping |= stopping
            self._abandoned |= abandoned
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Items that are not done yet."""
        return len(self._queue)

    def faults(self) -> list[Fault]:
        return [*self._faults.values(), *self._beside()]

    def health(self) -> Mapping[str, int]:
        return {"waiting": self.waiting, "done": 0, "dropped": 0, **self._counters.values}

    # ----------------------------------------------------------------------- on the thread

    def _work(self, ended: asyncio.Future[None]) -> None:
        try:
            self._open()
            while item := self._next():
                self._do(item)
        finally:
            self._close()
            self._give_up_rest()
            self._post(_end, ended)

    def _next(self) -> _Item[S] | None:
        """The oldest item, left in the queue until it is done; None: time to end."""
        with self._changed:
            while not (self._queue or self._stopping or self._abandoned):
                self._beat()
                self._changed.wait(TURN_S)
            return self._queue[0] if self._queue and not self._abandoned else None

    def _do(self, item: _Item[S]) -> None:
        """Do one item, as often as it takes or until told to end."""
        tries = 0
        while self._store is not None and (tries == 0 or self._rest(tries)):
            tries += 1
            self._beat()
            try:
                result = item.call(self._store)
            except StoreRejected as error:
                return self._reject(item, error)
            except StoreDamaged as error:
                self._trouble(item.what, error)
                self._open()
            except StoreError as error:
                self._trouble(item.what, error)
            except Exception as error:  # noqa: BLE001  a mistake in one item must not end the keeping of all
                return self._reject(item, StoreError(f"cannot {item.what}: {error!r}"))
            else:
                return self._done(item, result)
        return None

    def _done(self, item: _Item[S], result: object) -> None:
        self._queue.popleft()
        self._counters.add("done")
        self._faults.pop("rejected", None)
        for name in ("store", "behind"):
            if self._faults.pop(name, None):
                _log.info("the store works again (%s)", item.what)
        if item.on_done:
            self._post(item.on_done, result)

    def _reject(self, item: _Item[S], error: StoreError) -> None:
        self._queue.popleft()
        self._counters.add("rejected")
        _log.error("given up: cannot %s: %s", item.what, error, exc_info=error)
        self._faults["rejected"] = Fault("store", "rejected", str(error))
        if item.on_error:
            self._post(item.on_error, error)

    def _open(self) -> None:
        """Open the store, as often as it takes or until told to end; a damaged one is closed first."""
        previous = self._store
        self._close()
        tries = 0
        while tries == 0 or self._rest(tries):
            tries += 1
            self._beat.busy(OPEN_DEADLINE_S)
            try:
                self._store, fault = self._open_store(previous)
            except StoreError as error:
                self._trouble("open the store", error)
            else:
                self._faults.pop("store", None)
                if fault:
                    self._faults[fault.code] = fault
                return

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with contextlib.suppress(StoreError):
                store.close()

    def _trouble(self, what: str, error: StoreError) -> None:
        """Warn once; then it is in the faults until it is over."""
        level = logging.DEBUG if "store" in self._faults else logging.WARNING
        _log.log(level, "cannot %s, trying again: %s", what, error)
        self._counters.add("retries")
        self._faults["store"] = Fault("store", "failing", str(error))

    def _rest(self, tries: int) -> bool:
        """Wait before the next try; False when told to end."""
        pause_s = min(RETRY_CAP_S, RETRY_FIRST_S * 2 ** min(tries, 10))
        with self._changed:
            if self._stopping:
                pause_s = min(pause_s, RETRY_FIRST_S)  # little time is left
            stopping = self._stopping
            self._beat.busy(pause_s + self._beat.deadline_s)
            self._changed.wait_for(lambda: self._abandoned or self._stopping != stopping, pause_s)
            return not self._abandoned

    def _give_up_rest(self) -> None:
        with self._changed:
            self._abandoned = True
            left = list(self._queue)
            self._queue.clear()
        for item in left:
            self._counters.add("lost")
            if item.on_error:
                self._post(item.on_error, StoreError(f"the store ended before it could {item.what}"))

    def _post(self, callback: Callable[[Any], None], value: Any) -> None:
        if self._loop:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to be told
                self._loop.call_soon_threadsafe(callback, value)


async def _waited(ended: asyncio.Future[None], timeout_s: float) -> bool:
    """Whether it ended in time; waits on even when cancelled again, which is what the time limit is for."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await asyncio.shield(ended)
    return ended.done()


def _end(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


class InlineRecorder(Generic[S]):
    """The same, done at once on the caller's thread: for virtual time and replay. Nothing is tried twice."""

    def __init__(self, store: S) -> None:
        self._store = store
        self._counters = Counters()
        self._faults: dict[str, Fault] = {}

    def submit(
        self,
        what: str,
        call: Callable[[S], object],
        on_done: OnDone | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Do this with the store, now."""
        try:
            result = call(self._store)
        except StoreError as error:
            self._counters.add("dropped")
            self._faults["store"] = Fault("store", "failing", str(error))
            _log.warning("cannot %s: %s", what, error)
            if on_error:
                on_error(error)
            return
        self._counters.add("done")
        self._faults.clear()
        if on_done:
            on_done(result)

    async def run(self) -> None:
        """Wait to be cancelled, then close the store."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._store.close()

    def faults(self) -> list[Fault]:
        return list(self._faults.values())

    def health(self) -> Mapping[str, int]:
        return {"waiting": 0, "done": 0, "dropped": 0, **self._counters.values}
