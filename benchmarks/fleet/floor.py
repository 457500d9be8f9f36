"""The least a hub can be: takes messages, keeps them as they came with one executemany a batch, acknowledges.

    python -m benchmarks.fleet.floor DATABASE BROKER_PORT

No parsing beyond the name, no counts, no gaps, and PUBACK before the commit: what it costs is the floor for
`speedsign hub`, beside which it is measured.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import time
import zlib
from collections import defaultdict
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

BATCH_S = 0.25


class Floor:
    def __init__(self, database: str, port: int) -> None:
        self._db = sqlite3.connect(database, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS heard (sign, epoch, seq, body, UNIQUE (sign, epoch, seq))"
        )
        self._heard: list[tuple[str, str, int | None, bytes]] = []
        self._lock = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, "floor", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("speedsign/1/+/up/#", qos=1)
        self._client.on_message = self._message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        _, _, sign, _, kind = message.topic.split("/")
        if kind in ("state", "health"):
            return
        payload = bytes(message.payload)
        name = json.loads(zlib.decompress(payload) if kind == "raw" else payload)
        with self._lock:
            self._heard.append((sign, name["epoch"], name.get("seq"), payload))

    def serve(self) -> None:
        while True:
            time.sleep(BATCH_S)
            with self._lock:
                batch, self._heard = self._heard, []
            rows = [row for row in batch if row[2] is not None]
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR IGNORE INTO heard VALUES (?, ?, ?, ?)", rows)
            self._db.execute("COMMIT")
            stored: dict[tuple[str, str], list[list[int | None]]] = defaultdict(list)
            for sign, epoch, seq, _ in batch:
                stored[sign, epoch].extend([[seq, seq]] if seq is not None else [])
            for (sign, epoch), ranges in stored.items():
                ack = {"v": 1, "epoch": epoch, "up_to": 0, "also": sorted(ranges)[:64]}
                self._client.publish(f"speedsign/1/{sign}/down/ack", json.dumps(ack).encode(), qos=1)


if __name__ == "__main__":
    Floor(sys.argv[1], int(sys.argv[2])).serve()
