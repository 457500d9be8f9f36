"""The other end of a command: from the officer's machine to signs, and what they answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from speedsign.errors import BrokerError
from telemetry.message import messages
from telemetry.message.heard import parse_birth, parse_named, parse_reply
from telemetry.mqtt.shapes import NOBODY_LISTENS, Message, MqttPort, Session, Subscription

BIRTHS_S = 2.0  # what is retained comes at once; so long is waited for it
CONNECT_S = 20.0
REPLY_MAX_BYTES = 65_536
_BIRTH_MAX_BYTES = 8192
_ALL = "+"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a sign answered."""

    sign: str
    facts: Mapping[str, Any]  # key, counter, action, outcome, and what belongs to that

    def is_about(self, key_id: str, counter: int) -> bool:
        return (self.facts["key"], self.facts["counter"]) == (key_id, counter)


class Caller:
    """A connection for commands to one sign, or to all that the broker knows (`sign` None)."""

    def __init__(self, port: MqttPort, sign: str | None) -> None:
        self._port = port
        self._sign = sign or _ALL
        self._connected = asyncio.Event()
        self._changed = asyncio.Event()
        self._error: BrokerError | None = None
        self.challenges: dict[str, str | None] = {}  # of every sign whose birth came
        self.replies: list[Heard] = []

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Subscribed, and the births that are retained are there. Raises BrokerError."""
        subscriptions = (
            Subscription(messages.topic(self._sign, "birth"), _BIRTH_MAX_BYTES),
            Subscription(messages.topic(self._sign, messages.REPLY), REPLY_MAX_BYTES),
        )
        session = Session(self._connected.set, self._lost, self._on_message, None, subscriptions)
        running = asyncio.create_task(self._port.run(session), name="mqtt port")
        try:
            await self._until(self._connected.is_set, CONNECT_S, self._connected)
            if not self._connected.is_set():
                raise self._error or BrokerError("the broker does not answer")
            one = self._sign
            await self._until(lambda: one != _ALL and one in self.challenges, BIRTHS_S, self._changed)
            yield
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def send(self, sign: str, payload: bytes, expiry_s: int) -> bool:
        """Whether anybody is there to hear it; BrokerError when the broker does not take it."""
        answer = await self._port.publish(messages.down_topic(sign, "cmd"), payload, expiry_s=expiry_s)
        if not answer.ok:
            rights = messages.down_topic(sign, "cmd")
            raise BrokerError(
                f"the broker refuses this command ({answer.reason}); check your rights on {rights}"
            )
        return answer.reason_code != NOBODY_LISTENS

    async def answers(
        self, key_id: str, counter: int, enough: Callable[[list[Heard]], bool], wait_s: float
    ) -> list[Heard]:
        """What came about a command, once that is enough or the time is over."""

        def found() -> list[Heard]:
            return [heard for heard in self.replies if heard.is_about(key_id, counter)]

        await self._until(lambda: enough(found()), wait_s, self._changed)
        return found()

    async def births(self) -> list[str]:
        """All signs that the broker knows: what is retained comes at once."""
        await self._until(lambda: False, BIRTHS_S, self._changed)
        return sorted(self.challenges)

    async def other_challenge(self, sign: str, than: str | None) -> None:
        """Wait for the sign's next birth, for as long as births take."""
        await self._until(lambda: self.challenges.get(sign) != than, BIRTHS_S, self._changed)

    async def _until(self, condition: Callable[[], bool], wait_s: float, event: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while not condition():
                    event.clear()
                    await event.wait()

    def _lost(self, error: BrokerError) -> None:
        self._error = error

    def _on_message(self, message: Message) -> None:
        """Of signs alone, and only what can be read; what an old reply says is told apart by its counter."""
        message.taken()
        parts = message.topic.split("/")
        sign, what = parts[2], parts[-1]
        with contextlib.suppress(ValueError):
            if what == "birth":
                self.challenges[sign] = parse_birth(message.payload, sign).challenge
            else:
                named = parse_named(message.payload, messages.REPLY, sign)
                self.replies.append(Heard(sign, parse_reply(named.body)))
        self._changed.set()
