"""Records each kind of message from a real sign, a real broker and a real hub.

python -m tests.messages.record FOLDER writes one file for each kind into FOLDER. What is in
tests/messages/v1 was recorded so, and is never changed: old messages must be read for ever.

The sign begins with two hours of simulated traffic that nobody has heard of yet, some of it more than its
quota holds; then it is commanded, and stops.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
import zlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulator.stand import Stand
from simulator.virtual_time import run_virtual
from speedsign.assemble import Sign, plan
from speedsign.clock import SystemClock
from speedsign.config.load import parse_config
from speedsign.config.schema import Config
from speedsign.model import Coverage, VehicleRecord
from speedsign.registry import load_radar
from speedsign.remote import Wish
from telemetry.command.model import PURPOSE, Action, Command, encode_body, seal
from telemetry.command.signature import PrivateKey, public_text
from telemetry.hub.hub import Hub, HubSettings
from telemetry.hub.store import SqliteHubStore
from telemetry.message.messages import down_topic
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.shapes import BrokerSettings
from telemetry.query import read_vehicles
from telemetry.store import SqliteStore
from tests.core.street import START, Street
from tests.support import until
from tests.telemetry.broker import Broker

SIGN = "birzai-vytauto-12"
CONFIG = """
[sign]
id = "{sign}"
site = "Birzai, school"
limit_kmh = 50
timezone = "Europe/Vilnius"
approaching_name = "to the centre"
receding_name = "to Latvia"
[radar]
driver = "ops243"
port = "{folder}/radar"
[display]
driver = "dm56a04"
port = "{folder}/panel"
[store]
path = "{folder}/sign.db"
[mqtt]
host = "127.0.0.1"
port = {port}
vehicles = true
spread_s = 20
[remote]
limit_min_kmh = 30
limit_max_kmh = 60
[[remote.key]]
id = "office"
public = "{public}"
roles = ["read", "display"]
"""
QUARTER = timedelta(minutes=15)


class TrustedClock(SystemClock):
    """This machine's, taken to be right."""

    def trusted(self) -> bool:
        return True


class Ear:
    """Hears everything that goes through the broker; {last word of the topic: payloads}."""

    def __init__(self, port: int) -> None:
        self.heard: dict[str, list[bytes]] = {}
        self._lock = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, "ear", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("speedsign/#", 1)
        self._client.loop_start()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        with self._lock:
            self.heard.setdefault(message.topic.rsplit("/", 1)[1], []).append(bytes(message.payload))

    def say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, 1)

    def json(self, kind: str) -> list[dict[str, Any]]:
        with self._lock:
            found = list(self.heard.get(kind, []))
        return [json.loads(zlib.decompress(one) if kind == "raw" else one) for one in found]

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def traffic(folder: Path) -> list[VehicleRecord]:
    """Two hours of it, through the real decoder, tracker and rules."""

    async def hours() -> None:
        await Street(folder, vehicles_per_hour=320.0).run(7200)

    run_virtual(hours())
    return [record for _, record in read_vehicles(folder / "sign.db", START, START + timedelta(hours=3))]


def fill(config: Config, seen: list[VehicleRecord], now: datetime) -> None:
    """The sign's database as after two hours without a broker, and then a while with too small a quota."""
    end = now - timedelta(seconds=now.timestamp() % 900)
    shift = end - max(record.last_utc for record in seen) - timedelta(seconds=20)
    place = plan(config, load_radar("ops243", None), Sign(config).pace, None).installation
    for quota_mb, part, quarters in ((64.0, seen[:606], range(1, 9)), (0.02, [], range(9, 10))):
        store = SqliteStore(config.store.path, SIGN, vehicles=True, quota_mb=quota_mb)
        store.begin(place, end - 9 * QUARTER)
        for record in part:
            store.add_vehicle(_moved(record, shift), [])
        for quarter in quarters:
            store.add_coverage([Coverage(end - quarter * QUARTER, 884.25 if quarter == 9 else 900.0)])
        store.close_intervals(end if part else end + 8 * QUARTER, None)
        store.close()


def _moved(record: VehicleRecord, shift: timedelta) -> VehicleRecord:
    return VehicleRecord(
        record.vehicle,
        record.first_utc + shift,
        record.last_utc + shift,
        record.clock,
        record.display,
        record.tracker,
        record.face,
    )


async def run(folder: Path, port: int, ear: Ear, seen: list[VehicleRecord]) -> bytes:
    """The sign and the hub, until every kind was heard; the command as it was sent."""
    key, clock = PrivateKey.new(), TrustedClock()
    text = CONFIG.format(sign=SIGN, folder=folder, port=port, public=public_text(key.public))
    config = parse_config(text, "sign.toml")
    fill(config, seen, clock.now_utc())
    hub = Hub(
        PahoPort(BrokerSettings("127.0.0.1", "hub", port, max_packet_bytes=256 * 1024), clock),
        SqliteHubStore(folder / "hub.db"),
        HubSettings(),
        clock,
    )
    async with Stand.on_ptys(folder, radar="ops243") as stand:
        sign = Sign(config, clock)
        tasks = [asyncio.create_task(part) for part in (hub.run(), stand.run(), sign.run())]
        await _heard(ear, "birth", "health", "place", "agg", "raw", "gap", "ack")
        now_s = int(clock.now_utc().timestamp())
        command = Command(
            SIGN, now_s * 1000, Action.SET, Wish(limit_kmh=30), not_after_s=now_s + 600, dry_run=True
        )
        body = encode_body(command)
        envelope = seal("office", body, key.sign(PURPOSE + body))
        ear.say(down_topic(SIGN, "cmd"), envelope)
        await _heard(ear, "reply")
        await until(lambda: "also" not in ear.json("ack")[-1], 60.0, "everything stored")
        for task in reversed(tasks):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return envelope


def _heard(ear: Ear, *kinds: str) -> Awaitable[None]:
    missing: Callable[[], set[str]] = lambda: set(kinds) - ear.heard.keys()  # noqa: E731
    return until(lambda: not missing(), 120.0, f"all of {kinds}")


def chosen(ear: Ear) -> dict[str, dict[str, Any]]:
    """One of each kind, which shows most."""
    found = {kind: ear.json(kind)[-1] for kind in ("birth", "health", "place", "gap", "reply")}
    found["state"] = ear.json("state")[0]
    found["agg"] = max(ear.json("agg"), key=lambda message: len(message["groups"]))
    found["raw"] = min(ear.json("raw"), key=lambda message: len(json.dumps(message)))
    found["ack"] = max(ear.json("ack"), key=lambda message: (len(message.get("also", [])) < 4, len(message)))
    return found


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "street").mkdir()
        seen = traffic(folder / "street")
        with Broker(folder) as broker:
            ear = Ear(broker.port)
            envelope = asyncio.run(run(folder, broker.port, ear, seen))
            ear.end()
    found = chosen(ear) | {"cmd": json.loads(envelope)}
    for kind, message in found.items():
        (out / f"{kind}.json").write_text(json.dumps(message, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
