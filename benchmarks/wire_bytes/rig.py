"""A sign on a metered link: real store, publisher and port, TLS 1.3 both ways, a real mosquitto, a real hub.

Time is compressed: intervals end when they are told to, and the next one comes when the link is quiet again,
so that every message costs what it costs when it comes alone.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from benchmarks.wire_bytes.day import PLACE, QUARTER_S, SIGN, T0, coverage_of, start_of, vehicles_of
from benchmarks.wire_bytes.meter import Cost, Relay
from speedsign import __version__
from speedsign.clock import SystemClock
from speedsign.config.schema import MqttConfig
from speedsign.model import VehicleRecord
from telemetry.message.messages import Identity
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.settings import broker_settings
from telemetry.outbox.publisher import Publisher, PublisherSettings
from telemetry.recorder import ThreadRecorder, call
from telemetry.store import SqliteStore, open_or_replace
from tests.support import until
from tests.telemetry.broker import Broker, free_port
from tests.telemetry.certificates import Authority

QUIET_S = 0.35  # without a packet: longer than the hub's pause and a delayed acknowledgement
TIMEOUT_S = 60.0
PATIENCE_S = 900.0  # with a whole backlog


class MeteredSign:
    """`async with` starts everything and waits until the sign is connected and nothing more is said."""

    def __init__(
        self,
        folder: Path,
        *,
        vehicles: bool,
        keepalive_s: int = 300,
        health: Callable[[], Mapping[str, object]] | None = None,
        drain_per_s: float = 100.0,
        log_all: bool = False,
        connects: bool = True,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        authority = Authority(folder / "certificates")
        server, client = authority.server(), authority.client(SIGN)
        tls_port = free_port()
        self.broker = Broker(
            folder,
            f"listener {tls_port} 127.0.0.1",
            f"cafile {authority.file}",
            f"certfile {server.certificate}",
            f"keyfile {server.key}",
            "require_certificate true",
            "use_identity_as_username true",
            "tls_version tlsv1.3",
            *(("log_type all",) if log_all else ()),
        )
        self.relay = Relay(tls_port)
        self._mqtt = MqttConfig(
            host="localhost",
            port=self.relay.port,
            ca_file=authority.file,
            certificate_file=client.certificate,
            key_file=client.key,
            keepalive_s=keepalive_s,
            vehicles=vehicles,
            drain_per_s=drain_per_s,
        )
        self.database = folder / "sign.db"
        self.recorder = ThreadRecorder[SqliteStore](
            lambda old: open_or_replace(
                self.database, SIGN, QUARTER_S, at_utc=T0, previous=old, vehicles=vehicles
            )
        )
        self.recorder.submit("begin", lambda store: store.begin(PLACE, T0))
        self._health = health
        self._connects = connects  # at once; else when `connect` is called
        self._rng = random.Random(1)
        self._tasks: list[asyncio.Task[None]] = []
        self._hub: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.broker.start)
        self.relay.__enter__()
        await self._start_hub()
        clock = SystemClock()
        settings = broker_settings(self._mqtt, f"speedsign-{SIGN}", backoff_base_s=0.2, backoff_cap_s=0.5)
        self.publisher = Publisher(
            PahoPort(settings, clock),
            self.recorder,
            Identity(SIGN, __version__, "ops243", "dm56a04", "1f3a9c0077aa"),
            replace(PublisherSettings.of(self._mqtt, settings.spread_s), health_s=86_400.0),
            clock=clock,
            health=self._health,
        )
        self._tasks = [asyncio.create_task(self.recorder.run())]
        if self._connects:
            await self.connect()
        return self

    async def connect(self) -> None:
        """Until the sign has greeted and nothing more is said."""
        self._tasks.append(asyncio.create_task(self.publisher.run()))
        await until(lambda: self.relay.cost().total > 3000, TIMEOUT_S, "a connection")
        await self.quiet()

    async def _start_hub(self) -> None:
        place = ["--db", str(self.folder / "hub.db"), "--host", "127.0.0.1", "--port", str(self.broker.port)]
        with (self.folder / "hub.log").open("ab") as log:
            self._hub = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "speedsign", "hub", *place, stdout=log, stderr=log
            )
        said = self.folder / "mosquitto.log"
        await until(lambda: said.read_text().count("New client connected") >= 1, TIMEOUT_S, "the hub")

    async def __aexit__(self, *error: object) -> None:
        for task in reversed(self._tasks):
            task.cancel()
            await asyncio.wait([task])
        if self._hub:
            self._hub.terminate()
            await self._hub.wait()
        self.relay.__exit__(*error)
        await asyncio.to_thread(self.broker.stop)

    @property
    def hub_pid(self) -> int:
        assert self._hub
        return self._hub.pid

    # ------------------------------------------------------------------ what is done

    async def quarter(self, number: int) -> None:
        """A quarter of an hour of traffic goes by and its interval is closed."""
        for record in vehicles_of(number):
            await self._store("count", partial(_count, record))
        covered = coverage_of(number, self._rng)
        await self._store("cover", lambda store: store.add_coverage(covered))
        await self._store("close", lambda store: store.close_intervals(start_of(number + 1), None))
        self.publisher.wake()

    async def delivered(self) -> None:
        """Until the hub has acknowledged everything and the link is quiet."""
        begun_s = asyncio.get_running_loop().time()
        while await self._store("look", lambda store: store.pending_count()):
            await asyncio.sleep(0.02)
            waited_s = asyncio.get_running_loop().time() - begun_s
            assert waited_s < PATIENCE_S, (self.publisher.faults(), self.publisher.health())
        await self.quiet()

    async def _store(self, what: str, work: Callable[[SqliteStore], object]) -> object:
        return await call(self.recorder.submit, what, work, TIMEOUT_S)

    # ------------------------------------------------------------------ what it costs

    async def quiet(self, for_s: float = QUIET_S) -> None:
        """Until no packet has come or gone for a while."""
        last = Cost()
        while (now := self.relay.cost()) != last:
            last = now
            await asyncio.sleep(for_s)

    async def cost_of_quarter(self, number: int) -> Cost:
        before = self.relay.cost()
        await self.quarter(number)
        await self.delivered()
        return self.relay.cost() - before

    async def cost_of_reconnect(self) -> Cost:
        """The link dies; the sign connects again and greets, the hub answers."""
        before, connections = self.relay.cost(), self.relay.connections
        self.relay.cut()
        await until(lambda: self.relay.connections > connections, TIMEOUT_S, "a new connection")
        await until(lambda: (self.relay.cost() - before).total > 3000, TIMEOUT_S, "a handshake")
        await self.quiet(1.0)
        return self.relay.cost() - before

    async def cost_of_health(self) -> Cost:
        """An hour has gone by."""
        before, sent = self.relay.cost(), self.publisher._health_due_s
        self.publisher._health_due_s = 0.0
        self.publisher._changed.set()
        await until(lambda: self.publisher._health_due_s > sent, TIMEOUT_S, "a health message")
        await self.quiet()
        return self.relay.cost() - before

    async def cost_of_ping(self, pings: int) -> float:
        """Of a keep-alive, asked and answered, in bytes of IP; needs `log_all`."""
        await self._pings_seen(self._pings() + 1)
        before, first = self.relay.cost(), self._pings()
        await self._pings_seen(first + pings)
        return (self.relay.cost() - before).total / (self._pings() - first)

    async def pings_in_an_interval(self, number: int, interval_s: float) -> int:
        """Keep-alives between the ends of two intervals; needs `log_all`."""
        loop = asyncio.get_running_loop()
        await self.quarter(number)
        begun_s, first = loop.time(), self._pings()
        await asyncio.sleep(begun_s + interval_s - loop.time())
        await self.quarter(number + 1)
        return self._pings() - first

    async def _pings_seen(self, n: int) -> None:
        await until(lambda: self._pings() >= n, TIMEOUT_S, "a keep-alive")
        await self.quiet()

    def _pings(self) -> int:
        return (self.folder / "mosquitto.log").read_text().count(f"PINGREQ from speedsign-{SIGN}")


def _count(record: VehicleRecord, store: SqliteStore) -> None:
    store.add_vehicle(record, [])
