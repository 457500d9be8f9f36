"""How much a hub takes in: its database alone, and the whole of it behind a real Mosquitto.

    python -m benchmarks.hub_ingest.run [--signs 1000] [--intervals 60]

Each sign sends its place and then so many quarters of an hour, each with three directions and display states.
Signs take turns, as they do at the end of a quarter. Beside it, in the same run, a floor: the same rows into
the same tables with executemany, in transactions of the same size, with nothing read or checked.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from speedsign.model import Cell, ClockQuality, Direction, DisplayState, Installation, Interval
from telemetry.database import open_for_writing
from telemetry.hub.port import Heard
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from telemetry.rows import INSTALLATION_COLUMNS, installation_row, packed
from tests.support import until
from tests.telemetry.broker import Broker

T0 = datetime(2026, 5, 4, tzinfo=UTC)
BATCH = 500
EPOCH = "0123456789abcdef"
FACTS = Installation("Some street 12", 50, 0.0, "ops243", "Europe/Riga", "in", "out", True, "all")
CELLS = (
    Cell(Direction.APPROACHING, DisplayState.SHOWN, {speed: 1 + speed % 4 for speed in range(38, 66, 2)}),
    Cell(Direction.APPROACHING, DisplayState.BLANK, dict.fromkeys(range(40, 60, 5), 1)),
    Cell(Direction.RECEDING, DisplayState.BLANK, {speed: 1 + speed % 3 for speed in range(36, 64, 2)}),
)


@dataclass(frozen=True)
class Load:
    signs: int
    intervals: int

    @property
    def messages(self) -> int:
        return self.signs * (self.intervals + 1)

    def names(self) -> list[str]:
        return [f"sign-{number:05}" for number in range(self.signs)]

    def heard(self) -> Iterator[Heard]:
        places = messages.encode(messages.place(1, int(T0.timestamp()), FACTS))
        for sign in self.names():
            yield Heard(sign, "place", messages.named(places, "place", sign, EPOCH, 1), 0)
        for number in range(self.intervals):
            start = T0 + number * timedelta(minutes=15)
            counted = Interval(start, 900, 897.5, ClockQuality.OK, 1, 1, CELLS)
            body = messages.encode(messages.aggregate(counted))
            for sign in self.names():
                yield Heard(sign, "agg", messages.named(body, "agg", sign, EPOCH, number + 2), 0)


def floor(folder: Path, load: Load) -> float:
    """Seconds for the rows alone."""
    cells = [
        (cell.direction.value, cell.display.value, packed(cell.counts), packed(cell.suspects))
        for cell in CELLS
    ]
    with closing(open_for_writing(folder / "floor.db")) as db:
        began_s = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        places = installation_row(FACTS)
        db.executemany(
            f"INSERT INTO installation (from_ms, sign, {INSTALLATION_COLUMNS})"
            f" VALUES (0, ?, {', '.join('?' * len(places))})",
            [(sign, *places) for sign in load.names()],
        )
        db.execute("COMMIT")
        rows = [
            (number * load.signs + place + 1, int(T0.timestamp()) + 900 * number, place + 1)
            for number in range(load.intervals)
            for place in range(load.signs)
        ]
        for at in range(0, len(rows), BATCH):
            part = rows[at : at + BATCH]
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                "INSERT INTO interval"
                " (id, start_s, duration_s, installation_id, measured_s, clock, state, revision)"
                " VALUES (?, ?, 900, ?, 897.5, 'ok', 'closed', 1)",
                part,
            )
            db.executemany(
                "INSERT INTO cell (interval_id, direction, display, speeds, suspects) VALUES (?, ?, ?, ?, ?)",
                [(row[0], *cell) for row in part for cell in cells],
            )
            db.execute("COMMIT")
        return time.perf_counter() - began_s


def alone(folder: Path, load: Load) -> float:
    """Seconds for the hub's database, in this process."""
    batch: list[Heard] = []
    with closing(SqliteHubStore(folder / "alone.db")) as store:
        heard = list(load.heard())
        began_s = time.perf_counter()
        for one in heard:
            batch.append(one)
            if len(batch) == BATCH:
                assert not store.take(batch).refused
                batch = []
        if batch:
            store.take(batch)
        return time.perf_counter() - began_s


@dataclass(frozen=True)
class Whole:
    """Of a hub in a process of its own."""

    seconds: float
    cpu_s: float
    rss_mb: float
    acks: int


def whole(folder: Path, load: Load, inflight: int) -> Whole:
    """From the first message sent to the last one acknowledged by the hub."""
    with Broker(folder, f"max_inflight_messages {inflight}", "max_queued_messages 0") as broker:
        command = [sys.executable, "-m", "speedsign", "hub", "--db", str(folder / "whole.db")]
        with (
            (folder / "hub.log").open("wb") as log,
            subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(broker.port)], stdout=log, stderr=log
            ) as hub,
        ):
            try:
                return asyncio.run(_send(broker.port, hub.pid, load))
            finally:
                hub.terminate()


async def _send(port: int, pid: int, load: Load) -> Whole:
    done: dict[str, int] = {}
    acks = [0]

    def on_message(_client: object, _data: object, message: object) -> None:
        sign = message.topic.split("/")[2]  # type: ignore[attr-defined]  # paho's
        done[sign] = messages.parse_ack(message.payload).up_to  # type: ignore[attr-defined]
        acks[0] += 1

    listener, sender = _client(port), _client(port)
    listener.on_message = on_message
    listener.subscribe("speedsign/1/+/down/ack", 1)
    hello = messages.encode(messages.birth(messages.Identity("sign-hello", "0"), EPOCH, 1, None, None))
    while "sign-hello" not in done:  # until the hub listens
        sender.publish("speedsign/1/sign-hello/up/birth", hello, 1)
        await asyncio.sleep(0.1)
    heard = list(load.heard())
    before_s = _cpu_s(pid)
    began_s = time.perf_counter()
    for one in heard:
        sender.publish(messages.topic(one.sign, one.kind), one.payload, 1)
    wanted = load.intervals + 1
    await until(lambda: sum(up_to == wanted for up_to in done.values()) == load.signs, 600.0)
    seconds = time.perf_counter() - began_s
    found = Whole(seconds, _cpu_s(pid) - before_s, _rss_mb(pid), acks[0])
    for client in (listener, sender):
        client.disconnect()
        client.loop_stop()
    return found


def _client(port: int) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.max_inflight_messages_set(200)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


def _rss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    assert found
    return int(found[1]) / 1024


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--signs", type=int, default=1000)
    parser.add_argument("--intervals", type=int, default=60)
    parser.add_argument("--inflight", type=int, default=500, help="Mosquitto's max_inflight_messages")
    args = parser.parse_args()
    load = Load(args.signs, args.intervals)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{load.signs:,} signs, {load.messages:,} messages, {BATCH} a transaction at most")
        for what, seconds in (("rows alone", floor(folder, load)), ("hub's database", alone(folder, load))):
            print(f"{what:16} {seconds:7.2f} s  {load.messages / seconds:8,.0f} messages/s")
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{'':16} peak memory {peak_mb:.0f} MB, messages included")
        size_mb = (folder / "alone.db").stat().st_size / 1e6
        print(f"{'':16} {size_mb:.1f} MB on the disk, {1e6 * size_mb / load.messages:.0f} bytes a message")
        one = whole(folder, load, args.inflight)
        print(
            f"{'whole hub':16} {one.seconds:7.2f} s  {load.messages / one.seconds:8,.0f} messages/s,"
            f" {one.cpu_s:.1f} s of CPU, peak memory {one.rss_mb:.0f} MB, {one.acks:,} acknowledgements"
        )


if __name__ == "__main__":
    main()
