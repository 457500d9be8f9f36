"""The hub's loop: what signs say is collected into batches, stored, and only then acknowledged.

Nothing is acknowledged before it is on the disk, neither to the sign (its cumulative acknowledgement) nor to
the broker (PUBACK): whatever breaks in between, somebody still has it and sends it again. A disk that takes
nothing stops the hub's PUBACKs, so that the broker holds messages back, and the signs keep what is not
acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol, TypeVar

from speedsign.errors import BrokerError, StoreError
from speedsign.leaks import Use
from speedsign.model import Counters, Fault
from speedsign.ports import Clock
from telemetry.database import StoreDamaged, StoreRejected
from telemetry.hub.complaints import Complaints, News
from telemetry.hub.port import Heard, HubStore, Latest, Taken
from telemetry.hub.topics import heard, subscriptions
from telemetry.hub.watch import HubWatch
from telemetry.message import messages
from telemetry.mqtt.shapes import Message, MqttPort, Published, Session, Will
from telemetry.rows import to_ms

_log = logging.getLogger(__name__)

T = TypeVar("T")

ACK_QOS = 0  # one that is lost is said again; with QoS 1 each would cost the sign's link 130 bytes more
_DAY_S = 86_400.0
_GOODBYE_S = 2.0


@dataclass(frozen=True, slots=True)
class HubSettings:
    """How the hub collects; the defaults need no tuning."""

    group: str | None = None  # of a shared subscription
    acknowledges: bool = True  # False: it listens beside the one hub whose word lets the signs forget
    batch_s: float = 0.25  # the first message of a batch waits no longer
    quiet_s: float = 0.05  # nor when nothing more comes
    batch_messages: int = 500
    queue_messages: int = 5000  # the broker sends more than its receive maximum only when it breaks the rules
    retry_first_s: float = 0.5
    retry_cap_s: float = 30.0
    beat_s: float = 10.0
    stuck_s: float = 120.0  # a transaction that takes longer is no disk that is slow
    keep_vehicles_days: int | None = None  # None: for ever


class Shown(Protocol):
    """Who shows what is known of the signs elsewhere, and hears of each change."""

    will: Will

    def connected(self, publish: Publish) -> None: ...

    def born(self, latest: Latest, publish: Publish) -> None: ...

    def changed(self, latest: Latest, publish: Publish) -> None: ...


Publish = Callable[[str, bytes, bool], None]  # topic, payload, retained


class Hub:
    """Runs on an event loop; the store on a thread of its own."""

    def __init__(
        self,
        port: MqttPort,
        store: HubStore,
        settings: HubSettings,
        clock: Clock,
        *,
        notify: Callable[[str], None] = lambda _state: None,
        shown: Shown | None = None,
        session: tuple[str, str] | None = None,
        use: Callable[[], Use] = Use,
        most: Use | None = None,
    ) -> None:
        """`session`: key and value to note in the store once the broker knows what is subscribed to.

        `use`, `most`: what this process holds, and may hold.
        """
        self._port, self._store, self._settings, self._clock = port, store, settings, clock
        self._notify, self._shown = notify, shown
        self._waiting: deque[tuple[Heard, Message]] = deque()
        self._came = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "hub-store")
        self._counters = Counters()
        self._complaints, self._news = Complaints(clock.monotonic), News(clock.monotonic)
        self._to_note, self._noting = session, set[asyncio.Task[None]]()
        self._fault: Fault | None = None
        self._watch = HubWatch(notify, clock.monotonic, settings.stuck_s, use, most)
        self._sending: set[asyncio.Future[Published]] = set()
        self._batch: list[tuple[Heard, Message]] = []

    async def run(self) -> None:
        """Until cancelled; then what came is still stored. Raises StoreError for a damaged database."""
        session = Session(
            on_connected=self._connected,
            on_lost=self._lost,
            on_message=self._message,
            will=self._shown.will if self._shown else None,
            subscriptions=subscriptions(self._settings.group),
        )
        connection = asyncio.create_task(self._port.run(session), name="broker")
        parts = [
            connection,
            asyncio.create_task(self._take_forever(), name="batches"),
            asyncio.create_task(self._beat_forever(), name="beat"),
        ]
        if days := self._settings.keep_vehicles_days:
            parts.append(asyncio.create_task(self._prune_forever(days), name="prune"))
        self._notify("READY=1")
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                await part  # raises what it ended with
        finally:
            await self._end(connection, parts[1:])

    async def _end(self, connection: asyncio.Task[None], others: Sequence[asyncio.Task[None]]) -> None:
        self._notify("STOPPING=1")
        for part in others:
            part.cancel()
        await asyncio.wait(others)
        with contextlib.suppress(StoreError):
            await self._rest()
        if self._sending:
            await asyncio.wait(self._sending, timeout=_GOODBYE_S)
        connection.cancel()
        await asyncio.wait([connection])
        self._thread.shutdown(wait=True)

    async def _rest(self) -> None:
        """What came and is not stored yet; once, without trying again: the signs still have it."""
        while batch := [*self._batch, *self._next_batch()]:
            self._batch = []
            self._answer(batch, await self._call(partial(self._store.take, [one for one, _ in batch])))

    # ----------------------------------------------------------------------- what comes

    def _connected(self) -> None:
        if self._shown:
            self._shown.connected(self._publish)
        if self._to_note:
            noting = asyncio.create_task(self._note(*self._to_note), name="note")
            self._noting.add(noting)
            noting.add_done_callback(self._noting.discard)
            self._to_note = None

    async def _note(self, key: str, value: str) -> None:
        try:
            await self._call(partial(self._store.note, key, value))
        except StoreError as error:
            self._to_note = (key, value)  # at the next connect
            _log.warning("%s", error)

    def _lost(self, _error: BrokerError) -> None:
        """The port says it itself; what is in the queue is stored all the same."""

    def _message(self, message: Message) -> None:
        self._counters.add("heard")
        try:
            one = heard(message, to_ms(self._clock.now_utc()))
        except ValueError as error:
            self._refuse([str(error)])
            message.taken()
            return
        if len(self._waiting) >= self._settings.queue_messages:
            self._counters.add("not_taken")  # without PUBACK: it comes again
            return
        self._waiting.append((one, message))
        self._came.set()

    def _refuse(self, sentences: Sequence[str]) -> None:
        self._counters.add("refused", len(sentences))
        for line in self._complaints.of(sentences):
            _log.warning("%s", line)

    # ----------------------------------------------------------------------- batches

    async def _take_forever(self) -> None:
        while True:
            self._watch.turned(idle=True)
            await self._came.wait()
            self._watch.turned()
            await self._collect()
            self._batch = self._next_batch()
            taken = await self._take([one for one, _ in self._batch])
            batch, self._batch = self._batch, []
            self._answer(batch, taken)
            await self._show(taken)

    async def _collect(self) -> None:
        """Wait for what belongs together: until it is much, until a moment without any, or long enough."""
        settings, loop = self._settings, asyncio.get_running_loop()
        until_s = loop.time() + settings.batch_s
        while len(self._waiting) < settings.batch_messages and loop.time() < until_s:
            self._came.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(settings.quiet_s, max(0.0, until_s - loop.time()))):
                    await self._came.wait()
                continue
            break

    def _next_batch(self) -> list[tuple[Heard, Message]]:
        n = min(len(self._waiting), self._settings.batch_messages)
        batch = [self._waiting.popleft() for _ in range(n)]
        if self._waiting:
            self._came.set()
        else:
            self._came.clear()
        return batch

    async def _take(self, batch: Sequence[Heard]) -> Taken:
        """Again and again, until the disk takes it; raises StoreDamaged."""
        pause_s = self._settings.retry_first_s
        while True:
            self._watch.turned()
            try:
                taken = await self._call(partial(self._store.take, batch))
            except StoreDamaged:
                raise
            except StoreRejected as error:
                return await self._take_singly(batch, error)
            except StoreError as error:
                self._say_fault(error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._settings.retry_cap_s)
            else:
                if self._fault:
                    _log.warning("the database can be written again")
                    self._fault = None
                return taken

    async def _take_singly(self, batch: Sequence[Heard], error: StoreError) -> Taken:
        """One of them can never be stored: it costs the others nothing."""
        if len(batch) == 1:
            return Taken(refused=(f"{batch[0].sign}: {batch[0].kind}: {error}",))
        parts = [await self._take([one]) for one in batch]
        return Taken(
            tuple(ack for part in parts for ack in part.acks),
            sum(part.stored for part in parts),
            sum(part.duplicates for part in parts),
            tuple(text for part in parts for text in part.refused),
            tuple(text for part in parts for text in part.news),
            frozenset().union(*(part.signs for part in parts)),
            frozenset().union(*(part.born for part in parts)),
        )

    def _say_fault(self, error: StoreError) -> None:
        if self._fault is None:
            _log.error("%s; nothing is acknowledged meanwhile, the signs keep what they have", error)
        self._fault = Fault("store", "failed", str(error))

    async def _call(self, work: Callable[[], T]) -> T:
        """On the store's thread. A call that has begun is waited for, also when this task is cancelled."""
        self._watch.called()
        call = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            await asyncio.wait([call])
            raise
        finally:
            self._watch.answered()

    def _answer(self, batch: Sequence[tuple[Heard, Message]], taken: Taken) -> None:
        """It is on the disk: say so to the signs, then let the broker send more."""
        for sign, ack in taken.acks if self._settings.acknowledges else ():
            self._send(messages.down_topic(sign, "ack"), messages.encode(messages.ack(ack)), ACK_QOS)
        for _, message in batch:
            message.taken()
        for line in self._news.of(taken.news):
            _log.info("%s", line)
        for name, n in (("stored", taken.stored), ("duplicates", taken.duplicates), ("batches", 1)):
            self._counters.add(name, n)
        if taken.refused:
            self._refuse(taken.refused)

    # ----------------------------------------------------------------------- what is said

    async def _show(self, taken: Taken) -> None:
        shown = self._shown
        if shown is None:
            return
        for sign in sorted(taken.signs | taken.born):
            try:
                latest = await self._call(partial(self._store.latest, sign))
            except StoreError as error:
                _log.warning("%s: cannot be shown: %s", sign, error)
                continue
            if sign in taken.born:
                shown.born(latest, self._publish)
            shown.changed(latest, self._publish)

    def _publish(self, topic: str, payload: bytes, retain: bool) -> None:
        self._send(topic, payload, 1, retain=retain)

    def _send(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> None:
        """What is lost on the way is said again, with the next message or change."""
        sent = asyncio.ensure_future(self._port.publish(topic, payload, qos, retain))
        self._sending.add(sent)
        sent.add_done_callback(self._sent)

    def _sent(self, sent: asyncio.Future[Published]) -> None:
        self._sending.discard(sent)
        if sent.cancelled():
            return
        if sent.exception() is not None:
            self._counters.add("not_said")
        elif not sent.result().ok:
            self._counters.add("not_allowed")
            self._refuse(
                [f"the broker does not let the hub publish: {sent.result().reason}; check its rights"]
            )

    # ----------------------------------------------------------------------- health

    async def _beat_forever(self) -> None:
        while True:
            connected = bool(self._port.health().get("connected", 1))
            self._watch.tick(self.faults(), connected=connected)
            await asyncio.sleep(self._settings.beat_s)

    async def _prune_forever(self, days: int) -> None:
        while True:
            await self._prune(days)
            await asyncio.sleep(_DAY_S)

    async def _prune(self, days: int) -> None:
        before = self._clock.now_utc() - timedelta(days=days)
        try:
            await self._call(partial(self._store.prune, before))
        except StoreError as error:
            _log.warning("old vehicles cannot be deleted: %s", error)

    def faults(self) -> list[Fault]:
        own = [self._fault] if self._fault else []
        return [*self._port.faults(), *own, *self._watch.faults()]

    def health(self) -> Mapping[str, int]:
        return {"waiting": len(self._waiting), **self._counters.values}
