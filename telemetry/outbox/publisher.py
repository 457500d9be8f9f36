"""What takes messages out of the outbox and to the broker, and hears what the hub says to them.

It says that the sign is there, waits a moment for the hub's answer, and then does what
telemetry.outbox.sender decides. A row leaves the outbox by the hub's own acknowledgement, which is given
when the hub has committed it; a broker's PUBACK is no delivery (docs/decisions/0019). Until then it is sent
again, so a receiver drops what it has by (id, epoch, seq).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from speedsign.errors import BrokerError, StoreError
from speedsign.model import Counters, Fault
from speedsign.ports import Clock
from telemetry.message import messages
from telemetry.message.messages import Identity
from telemetry.mqtt.shapes import TOO_LONG, Message, MqttPort, Published, Session, Subscription, Will
from telemetry.outbox.hub_word import HubWord
from telemetry.outbox.outbox import Batch, Outbox, OutboxRow, StoreFacts, Waiting
from telemetry.outbox.publisher_faults import publisher_faults
from telemetry.outbox.publisher_parts import CommandDesk, OutboxRecorder, PublisherSettings, slot_s
from telemetry.outbox.sender import Sender, Wanted
from telemetry.recorder import call

__all__ = ["CommandDesk", "OutboxRecorder", "Publisher", "PublisherSettings"]

_log = logging.getLogger(__name__)

OFF_TIMEOUT_S = 2.0
_BROKERS = {"last_ack_age_s": "broker_ack_age_s"}  # the port's words, where ours is the hub
NO_STORE = StoreFacts("0" * 16, 0, None, None)  # a sign whose card is dead still says so
T = TypeVar("T")


class Publisher:
    """`speedsign.ports.Telemetry`: greets, drains the outbox by value, hears the hub and commands."""

    def __init__(
        self,
        port: MqttPort,
        recorder: OutboxRecorder,
        who: Identity,
        settings: PublisherSettings | None = None,
        *,
        clock: Clock,
        chance: random.Random | None = None,
        health: Callable[[], Mapping[str, object]] | None = None,
        desk: CommandDesk | None = None,
    ) -> None:
        self._port = port
        self._recorder = recorder
        self._who = who
        self._settings = settings or PublisherSettings()
        self._clock = clock
        self._health_body = health
        self._desk = desk
        chance = chance or random.Random()  # noqa: S311  spreads messages, guards nothing
        slot = slot_s(who.sign, self._settings.spread_s)
        now_s = clock.monotonic()
        self._sender = Sender(replace(self._settings.sending, slot_s=slot), chance, now_s)
        self._hub = HubWord(
            recorder, self._sender, clock, self._settings.copy_s, self._told, self.greet_again
        )
        self._facts = NO_STORE
        self._preparing: asyncio.Task[StoreFacts] | None = None
        self._boot = 0
        self._waiting = Waiting()
        self._session = 0  # counts connections, so that a late answer is not taken for one of this
        self._health_due_s = now_s + slot if health else math.inf
        self._greeting = False  # to be done again
        self._changed = asyncio.Event()
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._counters = Counters()
        self._refusal = ""  # the broker's word

    # ----------------------------------------------------------------------- from outside

    def wake(self, *, at_once: bool = False) -> None:
        """There is something new in the outbox; an answer that somebody waits for goes at once."""
        self._sender.news(self._clock.monotonic(), at_once=at_once)
        self._changed.set()

    def greet_again(self) -> None:
        """What the greeting says has changed: a challenge that was used."""
        self._greeting = True
        self._changed.set()

    def faults(self) -> list[Fault]:
        own = publisher_faults(
            self._sender,
            self._waiting,
            now_s=self._clock.monotonic(),
            refusal=self._refusal,
            rights=messages.topic(self._who.sign, "#"),
            copies=self._hub.copies_in_a_row,
        )
        return [*self._port.faults(), *own]

    def health(self) -> Mapping[str, int]:
        """Counters; of the outbox `queue_KIND`, `queue_bytes`, `dropped_KIND`; `last_ack_age_s`: the hub's.

        That is -1 while the hub has said nothing since the sign started.
        """
        heard_s = self._sender.heard_s
        return {
            **{_BROKERS.get(name, name): n for name, n in self._port.health().items()},
            **self._counters.values,
            **self._hub.counters.values,
            **{f"queue_{kind}": n for kind, n in self._waiting.rows.items()},
            "queue_bytes": self._waiting.size_bytes,
            **{f"dropped_{kind}": n for kind, n in self._waiting.dropped.items()},
            "last_ack_age_s": -1 if heard_s is None else int(self._clock.monotonic() - heard_s),
        }

    # ----------------------------------------------------------------------- running

    async def run(self) -> None:
        """Until cancelled; then publish "off" and wait for it, but not for long."""
        self._facts = await self._store_facts()
        self._boot = self._facts.boot
        port = asyncio.create_task(self._port.run(self._new_session()), name="mqtt port")
        try:
            await self._serve(port)
        finally:
            try:
                await self._say_off()
            finally:
                ending = [task for task in (port, self._preparing) if task]
                for task in ending:
                    task.cancel()
                await asyncio.wait(ending)

    def _new_session(self) -> Session:
        subscriptions = [Subscription(self._down_topic("ack"), messages.ACK_MAX_BYTES)]
        if self._desk:
            subscriptions.append(Subscription(self._down_topic("cmd"), messages.COMMAND_MAX_BYTES))
        return Session(
            self._connected,
            self._lost,
            self._heard,
            Will(self._topic("state"), self._state(messages.LOST), self._settings.will_delay_s),
            tuple(subscriptions),
        )

    async def _serve(self, port: asyncio.Task[None]) -> None:
        while not port.done():
            await _first(self._up.wait(), asyncio.wait([port]))
            if self._up.is_set():
                await _first(self._one_session(), self._down.wait(), asyncio.wait([port]))
        port.result()

    def _connected(self) -> None:
        self._session += 1
        self._down.clear()
        self._up.set()

    def _lost(self, _error: BrokerError) -> None:
        self._sender.lost(self._clock.monotonic())
        self._settle()
        self._up.clear()
        self._down.set()

    def _heard(self, message: Message) -> None:
        """What came to this sign; nothing of it is believed before it was checked."""
        if message.retained:  # neither is ever sent so: an old one must not be taken for new
            self._counters.add("retained_ignored")
            message.taken()
        elif message.topic == self._down_topic("ack"):
            self._hub.take(message)
        elif message.topic == self._down_topic("cmd") and self._desk:
            self._desk.take(message.payload)
            message.taken()
        else:
            message.taken()

    def _told(self, waiting: Waiting) -> None:
        """An acknowledgement was dealt with."""
        self._waiting = waiting
        self._changed.set()

    # ----------------------------------------------------------------------- one connection

    async def _one_session(self) -> None:
        """Greet, then drain; ends when the connection does."""
        try:
            await self._publish("state", self._state(messages.ON), retain=True)
            while (facts := await self._store_facts()) is NO_STORE:
                await self._say_health()
            self._facts = facts
            self._sender.connected(self._clock.monotonic())
            await self._greet()
            while True:
                await self._turn()
        except BrokerError as error:
            _log.debug("session ended: %s", error)
            await self._down.wait()

    async def _turn(self) -> None:
        """Do what is to be done now, then wait for the next thing."""
        self._changed.clear()
        if self._greeting:
            await self._look_again()
            await self._greet()
        wanted = self._sender.wanted(self._clock.monotonic())
        if wanted and not self._hub.renewing:
            await self._load(wanted)
        for row in self._sender.due(self._clock.monotonic()):
            self._send(row)
        self._settle()
        await self._say_health()
        now_s = self._clock.monotonic()
        next_s = math.inf if self._hub.renewing else self._sender.next_s(now_s)
        wait_s = min(next_s, self._health_due_s) - now_s
        if wait_s > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, 3600.0)):
                    await self._changed.wait()

    async def _look_again(self) -> None:
        """Where the sign stands may be another place now; another file is found when rows are loaded."""
        facts: StoreFacts = await self._ask("read the store's epoch", lambda outbox: outbox.facts())
        if facts.epoch == self._facts.epoch:
            self._facts = facts

    async def _greet(self) -> None:
        self._greeting = False
        facts = self._facts
        birth = messages.birth(
            self._who,
            facts.epoch,
            self._boot,
            facts.installation_id,
            facts.installation,
            self._desk.challenge() if self._desk else None,
            facts.oldest,
        )
        await self._publish("birth", messages.encode(birth), retain=True)

    async def _load(self, wanted: Wanted) -> None:
        """Rows from the store; when it has become another file meanwhile, the sign greets anew first."""
        batch: Batch = await self._ask("read the outbox", lambda outbox: _rows(outbox, wanted))
        self._waiting = batch.waiting
        if self._hub.renewing:  # these have the old name
            return
        if batch.epoch == self._facts.epoch:
            self._sender.loaded(batch.rows, wanted, self._clock.monotonic())
            return
        self._facts = await self._prepare()
        self._sender.reset(self._clock.monotonic())
        self._sender.connected(self._clock.monotonic())
        await self._greet()

    def _send(self, row: OutboxRow) -> None:
        payload = messages.named(row.body, row.kind, self._who.sign, self._facts.epoch, row.seq)
        self._counters.add("sent")
        answer = asyncio.ensure_future(self._port.publish(self._topic(row.kind), payload))
        session, epoch = self._session, self._facts.epoch
        answer.add_done_callback(lambda done: self._answered(done, row.seq, len(payload), session, epoch))

    def _answered(
        self, answer: asyncio.Future[Published], seq: int, size_bytes: int, session: int, epoch: str
    ) -> None:
        """The broker's word about a row, or that there will be none."""
        if answer.cancelled():
            return
        error = answer.exception()
        if session != self._session or epoch != self._facts.epoch:
            return
        now_s = self._clock.monotonic()
        if isinstance(error, BrokerError):
            self._sender.failed(seq, now_s)
        elif error:
            _log.error("a message was not sent: %r", error)
            self._sender.failed(seq, now_s)
        else:
            self._note(answer.result())
            self._sender.published(seq, answer.result().reason_code, now_s, size_bytes)
        self._changed.set()

    def _note(self, result: Published) -> None:
        """What the broker said last, for the fault's sentence."""
        if result.ok:
            self._refusal = ""
            return
        self._counters.add("refused_rows")
        if result.reason_code == TOO_LONG:  # of this message alone
            _log.debug("the broker refuses a message: %s", result.reason)
            return
        if not self._refusal:
            _log.warning("the broker refuses this sign's messages: %s", result.reason)
        self._refusal = result.reason

    def _settle(self) -> None:
        """Rows that the broker's word retired: one commit for what came together."""
        retired, refused = self._sender.settled()
        if retired or refused:
            self._recorder.submit(
                "settle the outbox", lambda outbox: outbox.settle(retired, refused), self._settled
            )

    def _settled(self, waiting: Waiting) -> None:
        self._waiting = waiting

    async def _say_health(self) -> None:
        """Each hour, in this sign's own slot, and soon after it started."""
        now_s = self._clock.monotonic()
        if self._health_body is None or now_s < self._health_due_s:
            return
        body = self._health_body()
        message = messages.health(self._who, self._facts.epoch, self._boot, body)
        await self._publish("health", messages.encode(message), retain=False)
        self._health_due_s = now_s + self._settings.health_s

    async def _publish(self, what: str, payload: bytes, *, retain: bool) -> None:
        self._note(await self._port.publish(self._topic(what), payload, retain=retain))

    async def _say_off(self) -> None:
        if not self._up.is_set():
            return
        with contextlib.suppress(BrokerError, TimeoutError):
            async with asyncio.timeout(OFF_TIMEOUT_S):
                await self._publish("state", self._state(messages.OFF), retain=True)

    async def _store_facts(self) -> StoreFacts:
        """What there is to say of the store; NO_STORE where it gives no answer for a while."""
        if self._preparing is None:
            self._preparing = asyncio.create_task(self._prepare(), name="store facts")
        await asyncio.wait([self._preparing], timeout=self._settings.retry_s)
        if not self._preparing.done():
            return NO_STORE  # and not asked once more: it would fill the recorder's queue
        facts, self._preparing = self._preparing.result(), None
        return facts

    async def _prepare(self) -> StoreFacts:
        retire_on = self._settings.sending.retire_on
        return await self._ask("read the store's epoch", lambda outbox: outbox.prepare(retire_on))

    async def _ask(self, what: str, work: Callable[[Outbox], T]) -> T:
        """From the store, however long it takes; given up only with the connection."""
        while True:
            try:
                return await call(self._recorder.submit, what, work)
            except StoreError as error:
                _log.debug("%s", error)
                await asyncio.sleep(self._settings.retry_s)

    def _topic(self, what: str) -> str:
        return messages.topic(self._who.sign, what)

    def _down_topic(self, what: str) -> str:
        return messages.down_topic(self._who.sign, what)

    def _state(self, status: str) -> bytes:
        return messages.encode(messages.state(status, self._boot))


def _rows(outbox: Outbox, wanted: Wanted) -> Batch:
    """To probe with, the newest aggregate, unless it is known that something cannot be sent."""
    if wanted.probe and not wanted.exclude:
        return outbox.probe()
    return outbox.take(wanted.exclude, wanted.limit)


async def _first(*waits: Awaitable[Any]) -> None:
    """Until one of these ends; the others are cancelled, and an error of the first is raised."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
