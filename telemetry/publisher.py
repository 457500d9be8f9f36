"""What takes messages out of the outbox and to the broker.

A row is retired when the broker has acknowledged it (PUBACK with a good reason code). That is weaker than
it looks: mosquitto 2.0 keeps acknowledged messages in memory and loses them when it is killed. Only the
hub's own acknowledgement of what it has committed will close that gap; `RetireOn` is where it goes in.
Until a row is retired it is sent again, at each connection and after each restart, so a receiver drops
what it has seen by (id, epoch, seq).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from speedsign.errors import BrokerError, StoreError
from speedsign.model import Counters, Fault
from telemetry import messages
from telemetry.messages import Identity
from telemetry.mqtt import MqttPort, Published, Will
from telemetry.outbox import Outbox, OutboxRow, StoreFacts
from telemetry.recorder import OnDone, OnError, call

_log = logging.getLogger(__name__)

OFF_TIMEOUT_S = 2.0


class RetireOn(StrEnum):
    """Whose word ends a message's stay in the outbox."""

    PUBACK = "puback"


class OutboxRecorder(Protocol):
    """A recorder whose store has an outbox."""

    def submit(
        self,
        what: str,
        call: Callable[[Outbox], object],
        on_done: OnDone | None = None,
        on_error: OnError | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class PublisherSettings:
    """How the outbox is drained."""

    window: int = 10  # rows sent together and retired with one commit
    retry_s: float = 300.0  # after the broker refused, or with nothing new
    will_delay_s: int = 0
    retire_on: RetireOn = RetireOn.PUBACK


class Publisher:
    """`speedsign.ports.Telemetry`: says that the sign is there, then drains the outbox, oldest first."""

    def __init__(
        self,
        port: MqttPort,
        recorder: OutboxRecorder,
        who: Identity,
        settings: PublisherSettings | None = None,
    ) -> None:
        self._port = port
        self._recorder = recorder
        self._who = who
        self._settings = settings or PublisherSettings()
        self._news = asyncio.Event()
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._counters = Counters()
        self._refusal: Fault | None = None

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._news.set()

    def faults(self) -> list[Fault]:
        return [*self._port.faults(), *([self._refusal] if self._refusal else [])]

    def health(self) -> Mapping[str, int]:
        return {**self._port.health(), **self._counters.values}

    # ----------------------------------------------------------------------- running

    async def run(self) -> None:
        """Until cancelled; then publish "off" and wait for it, but not for long."""
        will = Will(self._topic("state"), self._state(messages.LOST), self._settings.will_delay_s)
        port = asyncio.create_task(self._port.run(will, self._connected, self._lost), name="mqtt port")
        try:
            await self._serve(port)
        finally:
            try:
                await self._say_off()
            finally:
                port.cancel()
                await asyncio.wait([port])

    async def _serve(self, port: asyncio.Task[None]) -> None:
        while not port.done():
            await _first(self._up.wait(), asyncio.wait([port]))
            if self._up.is_set():
                await _first(self._session(), self._down.wait(), asyncio.wait([port]))
        port.result()

    def _connected(self) -> None:
        self._down.clear()
        self._up.set()

    def _lost(self, _error: BrokerError) -> None:
        self._up.clear()
        self._down.set()

    async def _session(self) -> None:
        """One connection: greet, then drain; ends when the connection does."""
        try:
            await self._publish("state", self._state(messages.ON), retain=True)
            await self._greet()
            await self._drain()
        except BrokerError as error:
            _log.debug("session ended: %s", error)
            await self._down.wait()

    async def _greet(self) -> None:
        facts: StoreFacts = await self._ask("read the store's epoch", lambda outbox: outbox.facts())
        birth = messages.birth(self._who, facts.epoch, facts.installation_id, facts.installation)
        await self._publish("birth", messages.encode(birth), retain=True)

    async def _drain(self) -> None:
        after_seq = 0
        while True:
            self._news.clear()
            rows = await self._pending(after_seq)
            refused_all = False
            if rows:
                after_seq = rows[-1].seq
                refused_all = not await self._send(rows)
            if refused_all or not rows:
                after_seq = await self._rest(after_seq, refused=refused_all)

    async def _pending(self, after_seq: int) -> list[OutboxRow]:
        rows: list[OutboxRow] = await self._ask(
            "read the outbox", lambda outbox: outbox.pending(after_seq, self._settings.window)
        )
        return rows

    async def _rest(self, after_seq: int, *, refused: bool) -> int:
        """Wait for news, or for the time when refused rows are tried again; where to go on from."""
        if refused:  # all would be refused again, at the cost of traffic
            await asyncio.sleep(self._settings.retry_s)
            return 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.retry_s):
                await self._news.wait()
                return after_seq
        return 0

    async def _send(self, rows: list[OutboxRow]) -> bool:
        """Send together, settle with one commit; False when the broker refused every one."""
        sent = [self._port.publish(self._topic(row.kind), row.body) for row in rows]
        results = await asyncio.gather(*sent, return_exceptions=True)
        good: list[int] = []
        bad: list[int] = []
        gone: BrokerError | None = None
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, BrokerError):
                gone = result
            elif isinstance(result, BaseException):
                raise result
            else:
                (good if self._taken(result) else bad).append(row.seq)
        if good or bad:
            self._counters.add("sent", len(good))
            self._recorder.submit("settle the outbox", lambda outbox: outbox.settle(good, bad))
        if gone:
            raise gone
        return bool(good)

    def _taken(self, result: Published) -> bool:
        if result.ok:
            self._refusal = None
            return True
        rights = self._topic("#")
        text = f"the broker refuses this sign's messages ({result.reason}); check its rights on {rights}"
        if not self._refusal:
            _log.warning("%s", text)
        self._refusal = Fault("mqtt", "refused", text)
        self._counters.add("refused_rows")
        return False

    async def _publish(self, what: str, payload: bytes, *, retain: bool) -> None:
        self._taken(await self._port.publish(self._topic(what), payload, retain=retain))

    async def _say_off(self) -> None:
        if not self._up.is_set():
            return
        with contextlib.suppress(BrokerError, TimeoutError):
            async with asyncio.timeout(OFF_TIMEOUT_S):
                await self._publish("state", self._state(messages.OFF), retain=True)

    async def _ask(self, what: str, work: Callable[[Outbox], Any]) -> Any:
        """From the store, however long it takes; given up only with the connection."""
        while True:
            try:
                return await call(self._recorder.submit, what, work)
            except StoreError as error:
                _log.debug("%s", error)
                await asyncio.sleep(self._settings.retry_s)

    def _topic(self, what: str) -> str:
        return messages.topic(self._who.sign, what)

    def _state(self, status: str) -> bytes:
        return messages.encode(messages.state(status, self._who.boot))


async def _first(*waits: Any) -> None:
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
