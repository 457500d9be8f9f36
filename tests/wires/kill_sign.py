"""A sign without radar and panel, to be killed: the real store, recorder, publisher and port.

    python -m tests.wires.kill_sign FOLDER BROKER_PORT [--retire-on hub|puback] [--rate N] …

It counts intervals of two vehicles each, `--rate` of them a second, each event in a commit of its own, and
tells the side file what was committed. Where an earlier one was killed it goes on. Words on its standard
input: `go`, `rest` (count no more, and announce what is left), `resend FIRST LAST` (numbers of intervals).
When its standard input ends, the sign ends too, so that none is left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import zlib
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from speedsign.cli.common import set_up_logging
from speedsign.clock import SystemClock
from speedsign.config.schema import MqttConfig
from speedsign.model import Coverage, Fault, VehicleRecord
from telemetry.message.messages import Identity
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.settings import broker_settings
from telemetry.mqtt.shapes import MqttPort, Published, Session
from telemetry.outbox.publisher import Publisher, PublisherSettings
from telemetry.recorder import ThreadRecorder, call
from telemetry.store import SqliteStore, open_or_replace
from tests.wires.kill_events import INTERVAL_S, PLACE, SIGN, T0, SideFile, start_of, vehicles_of

FLUSH = timedelta(hours=2)  # so much later every vehicle has waited long enough to be announced


class CountingPort:
    """Writes the name of each message that goes to the broker into a file, which a kill leaves as it is."""

    def __init__(self, port: MqttPort, path: Path) -> None:
        self._port = port
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def run(self, session: Session) -> None:
        await self._port.run(session)

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> Awaitable[Published]:
        result = self._port.publish(topic, payload, qos, retain, expiry_s)
        not_connected = isinstance(result, asyncio.Future) and result.done() and result.exception()
        if not not_connected:
            self._note(topic.rsplit("/", 1)[1], payload)
        return result

    def _note(self, kind: str, payload: bytes) -> None:
        message = json.loads(zlib.decompress(payload) if kind == "raw" else payload)
        if "seq" in message:
            os.write(self._file, f"{kind} {message['epoch']} {message['seq']}\n".encode())

    def faults(self) -> list[Fault]:
        return self._port.faults()

    def health(self) -> Mapping[str, int]:
        return self._port.health()


class Counted:
    """The sign at work: what is counted, when, and what is told of it."""

    def __init__(
        self, recorder: ThreadRecorder[SqliteStore], publisher: Publisher, side: SideFile, next_number: int
    ) -> None:
        self._recorder, self._publisher, self._side = recorder, publisher, side
        self._number = next_number
        self._going = asyncio.Event()
        self._whole = asyncio.Lock()  # no interval is half counted when the rest is announced

    async def count(self, rate_hz: float) -> None:
        """Interval after interval, while told to go."""
        chance = random.Random()
        while True:
            await self._going.wait()
            async with self._whole:
                if self._going.is_set():  # and not told to rest in the same breath
                    await self._interval()
            await asyncio.sleep(chance.uniform(0.5, 1.5) / rate_hz)

    async def _interval(self) -> None:
        number, self._number = self._number, self._number + 1
        for record, coverage in vehicles_of(number):
            await call(self._recorder.submit, "count", partial(_count, record, coverage))
            self._side.write("vehicle", round(record.last_utc.timestamp()))
        await self._close(number + 1)

    async def _close(self, before: int, later: timedelta = timedelta()) -> None:
        closed = await call(
            self._recorder.submit,
            "close",
            lambda s: s.close_intervals(start_of(before) + later, None),
        )
        for interval in closed:
            self._side.write("interval", round(interval.start_utc.timestamp()))
        self._publisher.wake()

    async def obey(self, words: asyncio.StreamReader) -> None:
        """Until standard input ends."""
        while line := (await words.readline()).decode().split():
            match line:
                case ["go"]:
                    self._going.set()
                case ["rest"]:
                    self._going.clear()
                    async with self._whole:
                        await self._close(self._number, FLUSH)
                case ["resend", first, last]:
                    from_s, to_s = (round(start_of(int(one)).timestamp()) for one in (first, last))
                    await call(self._recorder.submit, "resend", partial(_resend, from_s, to_s + INTERVAL_S))
                    self._publisher.wake()


def _count(record: VehicleRecord, coverage: Coverage, store: SqliteStore) -> None:
    store.add_vehicle(record, [coverage])


def _resend(from_s: int, to_s: int, store: SqliteStore) -> None:
    store.resend(from_s, to_s)


def quicker(settings: PublisherSettings, resend_s: float) -> PublisherSettings:
    """Time-outs of seconds instead of half a minute, or a minute of kills would be a minute of waiting."""
    share = resend_s / settings.sending.resend_s
    sending = replace(
        settings.sending,
        resend_s=resend_s,
        resend_cap_s=settings.sending.resend_cap_s * share,
        hold_s=settings.sending.hold_s * share,
        probe_s=settings.sending.probe_s * share,
        probe_cap_s=settings.sending.probe_cap_s * share,
    )
    return replace(settings, sending=sending)


def next_number(database: Path) -> int:
    """After the last interval that a killed one has begun."""
    if not database.exists():
        return 0
    with contextlib.closing(sqlite3.connect(database)) as db:
        last = db.execute("SELECT max(start_s) FROM interval").fetchone()[0]
    return 0 if last is None else (last - round(T0.timestamp())) // INTERVAL_S + 1


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def main(args: argparse.Namespace) -> None:
    folder: Path = args.folder
    database = folder / "sign.db"
    number = max(next_number(database), args.number)
    mqtt = MqttConfig(
        host="127.0.0.1", port=args.port, retire_on=args.retire_on, vehicles=True, drain_per_s=100.0
    )
    recorder = ThreadRecorder[SqliteStore](
        lambda old: open_or_replace(database, SIGN, INTERVAL_S, at_utc=T0, previous=old, vehicles=True)
    )
    clock = SystemClock()
    settings = replace(
        broker_settings(mqtt, f"speedsign-{SIGN}"), backoff_base_s=0.2, backoff_cap_s=args.resend_s
    )
    port = CountingPort(PahoPort(settings, clock), folder / "sent.log")
    publisher = Publisher(
        port,
        recorder,
        Identity(SIGN, "kill"),
        quicker(PublisherSettings.of(mqtt, settings.spread_s), args.resend_s),
        clock=clock,
    )
    recorder.submit("begin", lambda store: store.begin(PLACE, T0))
    side = SideFile(folder / "side.jsonl")
    counted = Counted(recorder, publisher, side, number)
    store_task = asyncio.create_task(recorder.run())
    tasks = [
        asyncio.create_task(part)
        for part in (publisher.run(), counted.count(args.rate), counted.obey(await _standard_input()))
    ]
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, tasks[2].cancel)
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    store_task.cancel()
    await asyncio.gather(store_task, return_exceptions=True)
    side.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--retire-on", default="hub")
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--resend-s", type=float, default=30.0)
    parser.add_argument("--number", type=int, default=0, help="of the first interval, at least")
    return parser.parse_args()


if __name__ == "__main__":
    set_up_logging(debug=bool(os.environ.get("KILL_DEBUG")))
    asyncio.run(main(arguments()))
