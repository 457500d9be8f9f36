"""A broker and a hub in memory, for a publisher on virtual time."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from speedsign.errors import BrokerError
from speedsign.model import Fault
from telemetry.hub.spans import Spans
from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.mqtt.shapes import Message, Published, Session

GOOD, DENIED = Published(0, "Success"), Published(0x87, "Not authorized")
UP, DOWN = "speedsign/1/bauska-3/up/", "speedsign/1/bauska-3/down/"


class MemoryPort:
    """A broker in memory: `up` and `down` are called by the test, `answer` decides on each message."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bool]] = []
        self.answer: Callable[[str, bytes], Published] = lambda _topic, _payload: GOOD
        self.silent = False
        self.hub: Callable[[str, bytes], None] | None = None  # what hears each message, and may answer
        self.session: Session | None = None
        self.given_back = 0
        self._waiting: list[asyncio.Future[Published]] = []

    async def run(self, session: Session) -> None:
        self.session = session
        await asyncio.get_running_loop().create_future()

    def up(self) -> None:
        assert self.session
        self.session.on_connected()

    def down(self) -> None:
        assert self.session
        for result in self._waiting:
            if not result.done():
                result.set_exception(BrokerError("gone"))
        self._waiting.clear()
        self.session.on_lost(BrokerError("gone"))

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> Awaitable[Published]:
        result: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        self.sent.append((topic, payload, retain))
        assert qos == 1
        if self.silent:
            self._waiting.append(result)
        else:
            answer = self.answer(topic, payload)
            result.set_result(answer)
            if self.hub and answer.ok:
                asyncio.get_running_loop().call_later(0.05, self.hub, topic, payload)
        return result

    def held(self) -> list[asyncio.Future[Published]]:
        """Answers that are owed; from now on the test's, and `down` leaves them alone."""
        held, self._waiting = [one for one in self._waiting if not one.done()], []
        return held

    def tell(self, what: str, payload: bytes, *, retained: bool = False) -> None:
        """A message to the sign."""
        assert self.session
        self.session.on_message(Message(DOWN + what, payload, retained, self._taken))

    def _taken(self) -> None:
        self.given_back += 1

    def faults(self) -> list[Fault]:
        return []

    def health(self) -> Mapping[str, int]:
        return {"last_ack_age_s": 7}

    def words(self) -> list[str | int]:
        """What was sent: a state by its word, a row by its seq, else the last word of the topic."""
        return [word(topic, payload) for topic, payload, _ in self.sent]


def word(topic: str, payload: bytes) -> str | int:
    message = decoded(topic, payload)
    found: str | int = message.get("seq") or message.get("s") or topic.rsplit("/", 1)[1]
    return found


def decoded(topic: str, payload: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(zlib.decompress(payload) if topic.endswith("/raw") else payload)
    return found


class Hub:
    """Remembers what it hears, and acknowledges it, and each greeting."""

    def __init__(self, port: MemoryPort) -> None:
        self.port = port
        self.sources: dict[str, Spans] = {}  # by epoch
        self.awake = True
        port.hub = self.hear

    def has(self, epoch: str, *seqs: int) -> None:
        """From now on it has these."""
        for seq in seqs:
            self.sources.setdefault(epoch, Spans()).add(seq)

    def seqs(self, epoch: str) -> set[int]:
        """What it has."""
        spans = self.sources.get(epoch, Spans())
        above = {seq for first, last in spans for seq in range(first, last + 1)}
        return above | set(range(1, spans.up_to + 1))

    def hear(self, topic: str, payload: bytes) -> None:
        message = decoded(topic, payload)
        if not self.awake or topic.endswith(("/state", "/health")):
            return
        heard = [message["seq"]] if "seq" in message else []
        self.has(message["epoch"], *heard)
        self.tell(message["epoch"], heard)

    def tell(self, epoch: str, heard: list[int] | None = None, *, places_wanted: bool = False) -> None:
        spans = self.sources.setdefault(epoch, Spans())
        told = Ack(epoch, spans.up_to, tuple(spans.around(heard or [])), places_wanted)
        self.port.tell("ack", messages.encode(messages.ack(told)))
