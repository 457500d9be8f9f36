"""A port that is being run in a test, and what it said."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from speedsign.clock import SystemClock
from speedsign.errors import BrokerError
from speedsign.ports import Clock
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.shapes import BrokerSettings, Message, Session, Subscription, Will

WILL = Will("speedsign/1/bauska-3/up/state", b"lost")
DOWN = Subscription("speedsign/1/bauska-3/down/+", 4096)


def settings(port: int, **more: Any) -> BrokerSettings:
    """To a broker on this machine, with hardly a pause between tries."""
    quick = {
        "host": "127.0.0.1",
        "client_id": "bauska-3",
        "backoff_base_s": 0.02,
        "backoff_cap_s": 0.1,
        "refusal_pause_s": 0.05,
    }
    return BrokerSettings(port=port, **{**quick, **more})


class Running:
    """A port that is being run, and what it said."""

    def __init__(self, port: PahoPort) -> None:
        self.port = port
        self.connected = 0
        self.errors: list[str] = []
        self.heard: list[Message] = []
        self.take = True  # acknowledge what is heard at once
        self.order: list[str] = []

    def on_connected(self) -> None:
        self.connected += 1
        self.order.append("connected")

    def on_lost(self, error: BrokerError) -> None:
        self.errors.append(str(error))
        self.order.append("lost")

    def on_message(self, message: Message) -> None:
        self.heard.append(message)
        self.order.append("message")
        if self.take:
            message.taken()

    def session(self, will: Will | None, *subscriptions: Subscription) -> Session:
        return Session(self.on_connected, self.on_lost, self.on_message, will, subscriptions)

    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.heard]


@contextlib.asynccontextmanager
async def running(
    wanted: BrokerSettings,
    *subscriptions: Subscription,
    will: Will | None = WILL,
    clock: Clock | None = None,
    take: bool = True,
) -> AsyncIterator[Running]:
    it = Running(PahoPort(wanted, clock or SystemClock()))
    it.take = take
    task = asyncio.create_task(it.port.run(it.session(will, *subscriptions)))
    try:
        yield it
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
