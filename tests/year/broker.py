"""A broker in memory, its clients, and the network between them.

As Mosquitto does it: an acknowledged message for a durable session that is away is kept in memory, so that a
broker that is killed forgets it, and every session with it; one that is stopped properly forgets nothing.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from speedsign.errors import BrokerError
from speedsign.model import Fault
from telemetry.mqtt.shapes import Message, Published, Session, Will

GOOD, NOBODY = Published(0, "Success"), Published(0x10, "No matching subscribers")
WAY_S = 0.04
PING_S = 360.0
ACK_TIMEOUT_S = 60.0  # as telemetry.mqtt.shapes.BrokerSettings has it
BACK_OFF_CAP_S = 60.0
QUEUE_LIMIT = 1000  # Mosquitto's max_queued_messages; what is more is dropped without a word
RECEIVE_MAXIMUM = 20


@dataclass(frozen=True, slots=True)
class _Letter:
    topic: str
    payload: bytes
    retained: bool
    qos: int


@dataclass(slots=True)
class _Kept:
    """What the broker knows of a client, there or not."""

    durable: bool
    filters: list[re.Pattern[str]] = field(default_factory=list)
    queue: deque[_Letter] = field(default_factory=deque)
    under_way: dict[int, _Letter] = field(default_factory=dict)  # not acknowledged by the client
    client: Client | None = None


class Broker:
    """`up`: whether it runs."""

    def __init__(self) -> None:
        self.up = True
        self.dropped = 0  # because a queue was full
        self._kept: dict[str, _Kept] = {}
        self._retained: dict[str, bytes] = {}
        self._numbers = 0
        self._wills: set[asyncio.TimerHandle] = set()

    # ------------------------------------------------------------------ what is done to it

    def stop(self, *, forget: bool) -> None:
        """It ends; `forget`: it is killed, and what it had in memory is gone with it."""
        self.up = False
        for kept in list(self._kept.values()):
            if kept.client:
                kept.client.lose("the broker went away")
        if forget:
            self._kept.clear()
            self._retained.clear()

    def start(self) -> None:
        self.up = True

    # ------------------------------------------------------------------ what clients do

    def attach(self, client: Client, session: Session) -> None:
        old = self._kept.get(client.name)
        if old and old.client:
            old.client.lose("another one has connected by this name")
        kept = self._kept.get(client.name)
        if kept is None or not client.durable:
            kept = self._kept[client.name] = _Kept(client.durable)
        kept.client = client
        kept.filters = [_pattern(one.topic_filter) for one in session.subscriptions]
        kept.queue.extendleft(reversed(kept.under_way.values()))
        kept.under_way.clear()
        for topic, payload in sorted(self._retained.items()):
            if any(one.fullmatch(topic) for one in kept.filters):
                kept.queue.append(_Letter(topic, payload, retained=True, qos=1))
        self._push(kept)

    def detach(self, client: Client, will: Will | None) -> None:
        """It is gone; with a will: without having said so."""
        kept = self._kept.get(client.name)
        if kept is None or kept.client is not client:
            return
        kept.client = None
        if not kept.durable:
            del self._kept[client.name]
        if will and self.up:
            timer = asyncio.get_running_loop().call_later(will.delay_s, self._execute, client.name, will)
            self._wills.add(timer)

    def _execute(self, name: str, will: Will) -> None:
        kept = self._kept.get(name)
        if self.up and not (kept and kept.client):
            self.publish(_Letter(will.topic, will.payload, retained=True, qos=1))

    def publish(self, letter: _Letter) -> Published:
        """Deliver it, or keep it for those who are away."""
        if letter.retained:
            self._retained[letter.topic] = letter.payload
        found = [
            kept for kept in self._kept.values() if any(one.fullmatch(letter.topic) for one in kept.filters)
        ]
        for kept in found:
            if kept.client is None and letter.qos == 0:
                continue
            if len(kept.queue) >= QUEUE_LIMIT:
                self.dropped += 1
                continue
            kept.queue.append(_Letter(letter.topic, letter.payload, retained=False, qos=letter.qos))
            self._push(kept)
        return GOOD if found else NOBODY

    def _push(self, kept: _Kept) -> None:
        """Give it what it may have."""
        while kept.client and kept.queue and len(kept.under_way) < RECEIVE_MAXIMUM:
            letter = kept.queue.popleft()
            self._numbers += 1
            if letter.qos:
                kept.under_way[self._numbers] = letter
            kept.client.deliver(letter, self._numbers)

    def taken(self, client: Client, number: int) -> None:
        kept = self._kept.get(client.name)
        if kept and kept.client is client and kept.under_way.pop(number, None):
            self._push(kept)

    def close(self) -> None:
        for timer in self._wills:
            timer.cancel()


class Client:
    """A `telemetry.mqtt.shapes.MqttPort`. `net`: "good", "gone" (it is told so) or "swallows" (it is not)."""

    def __init__(self, broker: Broker, name: str, chance: random.Random, *, durable: bool = False) -> None:
        self.name, self.durable = name, durable
        self.killed = False
        self.mute = False  # nothing of what it says gets out
        self._broker, self._chance = broker, chance
        self._net = "good"
        self._session: Session | None = None
        self._up = False
        self._lost = asyncio.Event()
        self._retry = asyncio.Event()
        self._waiting: dict[asyncio.Future[Published], asyncio.TimerHandle | None] = {}
        self._failures = 0

    async def run(self, session: Session) -> None:
        self._session = session
        try:
            while True:
                await asyncio.sleep(WAY_S)
                if self._broker.up and self._net == "good" and not self.killed:
                    await self._connected(session)
                else:
                    session.on_lost(BrokerError("no connection"))
                await self._pause()
        finally:
            self._up = False
            self._broker.detach(self, session.will if self.killed else None)
            self._give_up("it ends")

    async def _connected(self, session: Session) -> None:
        self._lost.clear()
        self._up, self._failures = True, 0
        self._broker.attach(self, session)
        session.on_connected()
        await self._lost.wait()

    async def _pause(self) -> None:
        limit_s = min(BACK_OFF_CAP_S, 2.0 ** min(self._failures, 10))
        self._failures += 1
        await asyncio.sleep(self._chance.uniform(0.0, limit_s))

    # ------------------------------------------------------------------ the network

    def network(self, state: str) -> None:
        self._net = state
        if state == "gone":
            self.lose("the network is gone")
        elif state == "swallows":
            asyncio.get_running_loop().call_later(PING_S, self._ping)

    def _ping(self) -> None:
        if self._net == "swallows":
            self.lose("no answer to a ping")

    def lose(self, why: str) -> None:
        """The connection ends without a word."""
        if not self._up:
            return
        self._up = False
        self._broker.detach(self, self._session.will if self._session else None)
        self._give_up(why)
        if self._session:
            self._session.on_lost(BrokerError(why))
        self._lost.set()

    def kill(self) -> None:
        """The process is gone."""
        self.killed = True
        if self._up:
            self._up = False
            self._broker.detach(self, self._session.will if self._session else None)
        self._give_up("killed")

    def _give_up(self, why: str) -> None:
        waiting, self._waiting = self._waiting, {}
        for answer, timer in waiting.items():
            if timer:
                timer.cancel()
            if not answer.done():
                answer.set_exception(BrokerError(why))
                answer.exception()  # looked at: who asked may be gone

    # ------------------------------------------------------------------ what is said

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> asyncio.Future[Published]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Published] = loop.create_future()
        if not self._up:
            answer.set_exception(BrokerError("not connected"))
            answer.exception()
            return answer
        if self._net == "swallows" or self.mute:
            self._waiting[answer] = loop.call_later(ACK_TIMEOUT_S, self.lose, "no answer for a minute")
            return answer
        self._waiting[answer] = None
        loop.call_later(WAY_S, self._arrive, _Letter(topic, payload, retain, qos), answer)
        return answer

    def _arrive(self, letter: _Letter, answer: asyncio.Future[Published]) -> None:
        if answer.done() or not self._broker.up:
            return
        result = self._broker.publish(letter)
        if self._net == "good":
            asyncio.get_running_loop().call_later(WAY_S, self._answered, answer, result)

    def _answered(self, answer: asyncio.Future[Published], result: Published) -> None:
        self._waiting.pop(answer, None)
        if not answer.done():
            answer.set_result(result)

    def deliver(self, letter: _Letter, number: int) -> None:
        asyncio.get_running_loop().call_later(WAY_S, self._hear, letter, number)

    def _hear(self, letter: _Letter, number: int) -> None:
        if self._up and self._net == "good" and self._session and not self.killed:
            self._session.on_message(
                Message(letter.topic, letter.payload, letter.retained, lambda: self._take(number))
            )

    def _take(self, number: int) -> None:
        if self._up and not self.killed:
            self._broker.taken(self, number)

    def faults(self) -> list[Fault]:
        return []

    def health(self) -> Mapping[str, int]:
        return {}


def _pattern(topic_filter: str) -> re.Pattern[str]:
    return re.compile(re.escape(topic_filter).replace(r"\+", "[^/]+").replace(r"\#", ".*"))
