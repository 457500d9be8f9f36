"""Some signs of the fleet, in one process: each with its own store, publisher, port and thread.

    python -m benchmarks.fleet.worker FOLDER BROKER_PORT FIRST COUNT SPREAD_S

What happens goes to FOLDER/events-FIRST as lines "second kind sign". On its standard input: `close N` (each
sign closes N intervals at once, as at a quarter of an hour), `waiting` (answered on standard output).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from speedsign.clock import SystemClock
from speedsign.config.schema import MqttConfig
from speedsign.model import Fault, Installation
from telemetry.message.messages import Identity
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.settings import broker_settings
from telemetry.mqtt.shapes import MqttPort, Published, Session
from telemetry.outbox.publisher import Publisher, PublisherSettings
from telemetry.recorder import InlineRecorder
from telemetry.store import SqliteStore
from tests.wires.kill_events import vehicles_of

T0 = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
INTERVAL_S = 60  # of the events; what is sent per interval is the same as in a quarter of an hour


class Noted:
    """A port that notes what happens and when."""

    def __init__(self, port: MqttPort, sign: str, clock: SystemClock, notes: TextIO) -> None:
        self._port, self._sign, self._clock, self._notes = port, sign, clock, notes

    def _note(self, kind: str) -> None:
        self._notes.write(f"{self._clock.monotonic():.3f} {kind} {self._sign}\n")

    async def run(self, session: Session) -> None:
        def connected() -> None:
            self._note("connected")
            session.on_connected()

        await self._port.run(replace(session, on_connected=connected))

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> Awaitable[Published]:
        self._note(topic.rsplit("/", 1)[1])
        return self._port.publish(topic, payload, qos, retain, expiry_s)

    def faults(self) -> list[Fault]:
        return self._port.faults()

    def health(self) -> Mapping[str, int]:
        return self._port.health()


@dataclass
class FleetSign:
    """One of the fleet."""

    store: SqliteStore
    publisher: Publisher
    closed: int = 0

    def close(self, intervals: int) -> None:
        for number in range(self.closed, self.closed + intervals):
            for record, coverage in vehicles_of(number):
                self.store.add_vehicle(record, [coverage])
        self.closed += intervals
        self.store.close_intervals(T0 + timedelta(seconds=INTERVAL_S * self.closed), None)
        self.publisher.wake()


def new_sign(folder: Path, number: int, broker_port: int, spread_s: float, notes: TextIO) -> FleetSign:
    name, clock = f"fleet-{number}", SystemClock()
    mqtt = MqttConfig(host="127.0.0.1", port=broker_port, spread_s=spread_s)
    settings = broker_settings(mqtt, f"speedsign-{name}")
    store = SqliteStore(folder / f"{name}.db", name, INTERVAL_S)
    store.begin(Installation(name, 50, 0.0, "ops243", "Europe/Riga", "in", "out"), T0)
    publisher = Publisher(
        Noted(PahoPort(settings, clock), name, clock, notes),
        InlineRecorder(store),
        Identity(name, "fleet"),
        PublisherSettings.of(mqtt, settings.spread_s),
        clock=clock,
    )
    return FleetSign(store, publisher)


async def main(folder: Path, broker_port: int, first: int, count: int, spread_s: float) -> None:
    with (folder / f"events-{first}").open("w", buffering=1) as notes:
        signs = [
            new_sign(folder, number, broker_port, spread_s, notes) for number in range(first, first + count)
        ]
        tasks = [asyncio.create_task(sign.publisher.run()) for sign in signs]
        print("ready", flush=True)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := (await reader.readline()).decode().split():
            match line:
                case ["close", intervals]:
                    for sign in signs:
                        sign.close(int(intervals))
                        await asyncio.sleep(0)
                    print("closed", flush=True)
                case ["waiting"]:
                    print(sum(sign.store.pending_count() for sign in signs), flush=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for sign in signs:
            with contextlib.suppress(Exception):
                sign.store.close()


if __name__ == "__main__":
    place, *numbers = sys.argv[1:]
    asyncio.run(main(Path(place), int(numbers[0]), int(numbers[1]), int(numbers[2]), float(numbers[3])))
