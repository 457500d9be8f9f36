"""The port to a broker: a thread that owns one connection after the other, and a watch over the thread.

One port serves both ends, the sign's and the hub's. Whether it is well is never what a client calls itself,
but whether its thread moves and when the broker last acknowledged anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from speedsign.beats import TELEMETRY_DEADLINE_S, Beat
from speedsign.errors import BrokerError, PartStuck
from speedsign.model import Counters, Fault
from speedsign.ports import Clock
from telemetry.mqtt.connection import Connection, Told
from telemetry.mqtt.mailbox import Job, Mailbox
from telemetry.mqtt.refusals import Refusal
from telemetry.mqtt.shapes import BrokerSettings, Published, Session, first_pause_s, long_pause_s, pause_s
from telemetry.mqtt.tls import ClockBehind

_log = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 3.0
_WATCH_S = 10.0  # how often the thread is looked at
_LEFT_BEHIND = 3  # threads that hang, at most; more are not made
_HOPELESS_S = 3600.0  # none of them ended in so long: only a new process helps
_SHORT = 3  # connections in a row that did not last: mosquitto does not tell who it throws out
_CLOCK_LOOK_S = 1.0
_CLOCK_STEP = timedelta(minutes=1)  # the wall clock was set


class PahoPort:
    """`telemetry.mqtt.shapes.MqttPort` on a thread of its own."""

    def __init__(
        self,
        settings: BrokerSettings,
        clock: Clock,
        *,
        chance: random.Random | None = None,
        beat: Beat | None = None,
    ) -> None:
        """`beat` is called at each look at the thread."""
        self._beat = beat or Beat()
        self._settings = settings
        self._clock = clock
        self._chance = chance or random.Random()  # noqa: S311  spreads reconnects, guards nothing
        self._counters = Counters()
        self._fault: Fault | None = None
        self._unheard: Fault | None = None
        self._connection: Connection | None = None  # while it is up, as the loop was told
        self._thread: _Thread | None = None
        self._waiting: set[asyncio.Future[Published]] = set()
        self._session: Session | None = None
        self._begun = False  # this run has had a connection

    async def run(self, session: Session) -> None:
        """See `MqttPort.run`; raises PartStuck when its threads hang one after the other, for an hour."""
        self._session, self._begun = session, False
        left: list[_Thread] = []
        rebuilt = 0
        try:
            while True:
                thread = self._thread = self._start(session, again=rebuilt > 0)
                why = await self._watch(thread)
                thread.leave()
                self._lost(BrokerError(f"mqtt {self._settings.address}: {why}; it is made anew"))
                self._counters.add("rebuilt")
                rebuilt += 1
                await asyncio.sleep(pause_s(rebuilt, self._settings, self._chance))
                left = [one for one in [*left, thread] if one.is_alive()]
                if len(left) >= _LEFT_BEHIND:
                    await self._until_one_ends(left)
        finally:
            await self._stop()

    async def _until_one_ends(self, left: list[_Thread]) -> None:
        self._beat.busy(_HOPELESS_S + TELEMETRY_DEADLINE_S)
        ends = [one.ended for one in left]
        done, _ = await asyncio.wait(ends, timeout=_HOPELESS_S, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise PartStuck(
                f"mqtt {self._settings.address}: {len(left)} threads hang in calls to the system;"
                " the program ends to be started anew, report it with the log"
            )

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> Awaitable[Published]:
        """See `MqttPort.publish`."""
        result: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        if self._thread is None or self._connection is None:
            result.set_exception(BrokerError(f"mqtt {self._settings.address}: not connected"))
        else:
            self._waiting.add(result)
            result.add_done_callback(self._waiting.discard)
            self._thread.mailbox.jobs.append(
                Job(self._connection, topic, payload, qos, retain, expiry_s, result)
            )
            self._thread.mailbox.wake()
        return result

    def faults(self) -> list[Fault]:
        return [fault for fault in (self._fault, self._unheard) if fault]

    def health(self) -> Mapping[str, int]:
        """Counters; while connected also `last_ack_age_s`, since the broker last acknowledged anything."""
        values = {"connected": int(self._connection is not None), **self._counters.values}
        if self._connection is not None:
            values["last_ack_age_s"] = int(self._clock.monotonic() - self._connection.last_ack_s)
        return values

    # ----------------------------------------------------------------------- the thread's life

    def _start(self, session: Session, *, again: bool) -> _Thread:
        thread = _Thread(
            self._settings, self._clock, session, self._counters, self._chance, asyncio.get_running_loop()
        )
        thread.told = Told(
            connected=thread.poster(self._connected),
            unheard=thread.poster(self._not_heard),
            message=thread.poster(lambda: self._heard(thread)),
            answered=thread.poster(_answer),
        )
        thread.lost = thread.poster(self._lost)
        thread.fresh = self._settings.fresh_session and not self._begun
        thread.first_pause_s = 0.0 if again else first_pause_s(self._settings, self._chance)
        thread.start()
        return thread

    async def _watch(self, thread: _Thread) -> str:
        """Until something is wrong with the thread; what it is."""
        while True:
            self._beat()
            await asyncio.wait([thread.ended], timeout=min(_WATCH_S, self._settings.stuck_s))
            if thread.ended.done() or not thread.is_alive():
                return "the connection's thread has died"
            if self._clock.monotonic() - thread.moves_by_s > self._settings.stuck_s:
                return "the connection's thread is stuck"

    async def _stop(self) -> None:
        thread, self._thread, self._connection = self._thread, None, None
        self._fail(BrokerError(f"mqtt {self._settings.address}: stopped"))
        if thread is None:
            return
        thread.stop()
        await asyncio.wait([thread.ended], timeout=_STOP_TIMEOUT_S)
        thread.leave()
        if thread.ended.done():
            thread.join()  # its last act was to say that it ended
        else:
            _log.warning("mqtt %s: left behind in a call to the system", self._settings.address)

    # ----------------------------------------------------------------------- what the thread tells

    def _connected(self, connection: Connection) -> None:
        self._connection, self._begun = connection, True
        self._fault = None
        _log.info("mqtt %s: connected", self._settings.address)
        if self._session is not None:
            self._session.on_connected()

    def _not_heard(self, text: str) -> None:
        _log.log(logging.DEBUG if self._unheard else logging.WARNING, "%s", text)
        self._unheard = Fault("mqtt", "subscription", text)

    def _lost(self, error: BrokerError) -> None:
        said = self._fault is not None and self._fault.text == str(error)
        _log.log(logging.DEBUG if said else logging.WARNING, "%s", error)  # once, then it is in the faults
        self._connection = self._unheard = None
        self._fault = Fault("mqtt", "disconnected", str(error))
        self._fail(error)
        if self._session is not None:
            self._session.on_lost(error)

    def _heard(self, thread: _Thread) -> None:
        message = thread.mailbox.heard.popleft()
        if self._session is not None:
            self._session.on_message(message)

    def _fail(self, error: BrokerError) -> None:
        """Nothing is sent again from here: whoever wanted it published still has it."""
        for result in list(self._waiting):
            _answer(result, error)


class _Thread(threading.Thread):
    """Makes one connection after the other; what it says is posted to the event loop while it is wanted."""

    told: Told
    lost: Callable[[BrokerError], None]
    first_pause_s = 0.0
    fresh = False  # the next connection begins a new session

    def __init__(
        self,
        settings: BrokerSettings,
        clock: Clock,
        session: Session,
        counters: Counters,
        chance: random.Random,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(name="mqtt", daemon=True)
        self.mailbox = Mailbox()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._settings, self._clock, self._session = settings, clock, session
        self._counters, self._chance, self._loop = counters, chance, loop
        self._wanted = True  # of the loop alone
        self._connection: Connection | None = None
        self._pausing_till_s = clock.monotonic()

    # ----------------------------------------------------------------------- from the loop

    def poster(self, callback: Callable[..., None]) -> Callable[..., None]:
        """A function for the thread that calls this one on the loop, as long as the thread is wanted."""

        def on_loop(*what: object) -> None:
            if self._wanted:
                callback(*what)

        def post(*what: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to be told
                self._loop.call_soon_threadsafe(on_loop, *what)

        return post

    def stop(self) -> None:
        self.mailbox.stopping.set()
        self.mailbox.wake()

    def leave(self) -> None:
        """Hear nothing more of it, and let it end when it can."""
        self._wanted = False
        self.stop()

    @property
    def moves_by_s(self) -> float:
        """When it will have moved again, if it is well."""
        connection = self._connection
        return connection.moves_by_s if connection is not None else self._pausing_till_s

    # ----------------------------------------------------------------------- the thread

    def run(self) -> None:
        failures = short = 0
        try:
            self._pause(self.first_pause_s)
            while not self.mailbox.stopping.is_set():
                lived_s, reason = self._one_connection()
                failures = 0 if lived_s >= self._settings.min_connected_s else failures + 1
                short = short + 1 if 0 < lived_s < self._settings.min_connected_s else 0
                if short >= _SHORT and not isinstance(reason, Refusal):
                    reason = BrokerError(f"{reason}, soon and again; does another machine use the same id?")
                if not self.mailbox.stopping.is_set():
                    self.lost(reason)
                    self._pause_after(reason, failures)
        finally:
            self.mailbox.close()
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_end, self.ended)

    def _one_connection(self) -> tuple[float, BrokerError]:
        """How long it was up, seconds, and why it ended."""
        connection = Connection(
            self._settings,
            self._session,
            self._clock,
            self._counters,
            self.mailbox,
            self.told,
            fresh=self.fresh,
        )
        self._connection = connection
        try:
            reason = connection.run()
        finally:
            self._connection = None
        self._counters.add("connections_ended")
        self.fresh = self.fresh and connection.up_since_s is None
        up_s = self._clock.monotonic() - connection.up_since_s if connection.up_since_s is not None else 0.0
        return up_s, reason

    def _pause_after(self, reason: BrokerError, failures: int) -> None:
        if isinstance(reason, ClockBehind):
            self._wait_for_clock(long_pause_s(self._settings, self._chance))
        elif isinstance(reason, Refusal) and reason.lasting:
            self._pause(long_pause_s(self._settings, self._chance))
        else:
            self._pause(pause_s(failures - 1 if failures else 0, self._settings, self._chance))

    def _pause(self, seconds: float) -> None:
        self._pausing_till_s = self._clock.monotonic() + seconds
        self.mailbox.stopping.wait(seconds)

    def _wait_for_clock(self, most_s: float) -> None:
        """Until the wall clock is believed or was set, but not longer."""
        end_s, wall, start_s = (
            self._clock.monotonic() + most_s,
            self._clock.now_utc(),
            self._clock.monotonic(),
        )
        while (now_s := self._clock.monotonic()) < end_s and not self.mailbox.stopping.is_set():
            went = timedelta(seconds=now_s - start_s)
            if self._clock.trusted() or abs(self._clock.now_utc() - wall - went) > _CLOCK_STEP:
                return
            self._pause(min(_CLOCK_LOOK_S, most_s))


def _end(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


def _answer(result: asyncio.Future[Published], answer: Published | BrokerError) -> None:
    if result.done():
        return
    if isinstance(answer, BrokerError):
        result.set_exception(answer)
    else:
        result.set_result(answer)
