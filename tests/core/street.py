"""The whole daemon on virtual time, in memory: real decoder, tracker, rules, display, store and outbox."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from drivers.display.dm56a04 import Dm56a04
from drivers.display.owner import one_panel
from drivers.radar.link import RadarLink
from drivers.radar.ops243 import Ops243
from simulator.line import MemoryLine
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.traffic import Flow, random_traffic
from simulator.virtual_time import VirtualClock
from simulator.world import World, make_world
from speedsign.daemon import Daemon, Parts, Plan
from speedsign.model import Face, Installation
from speedsign.ports import LightSensor, PanelDriver, RadarSettings
from telemetry.recorder import InlineRecorder, ThreadRecorder
from telemetry.store import SqliteStore
from tests.display.bus import MemoryBus

START = datetime(2026, 5, 4, 6, 52, 30, tzinfo=UTC)  # in the middle of an interval
HERE = Installation(
    site="test road", limit_kmh=50, mounting_angle_deg=0.0, radar="ops243", timezone="Europe/Riga"
)


class Street:
    """A sign at a street, all in memory. Runs for so long; then everything is open to be looked at."""

    def __init__(
        self,
        folder: Path,
        vehicles_per_hour: float = 300.0,
        *,
        trusted: bool = True,
        start: datetime = START,
        plan: Plan | None = None,
        driver: PanelDriver | None = None,
        recorder: ThreadRecorder[SqliteStore] | None = None,
        light: LightSensor | None = None,
    ) -> None:
        self.path = folder / "sign.db"
        loop = asyncio.get_running_loop()
        self.began_s = loop.time()
        self.clock = VirtualClock(loop, start, trusted=trusted)
        self.line = MemoryLine("radar")
        flow = Flow(vehicles_per_hour / 2)
        self.world: World = make_world(self.line, script=random_traffic([flow, flow], seed=7), seed=7)
        self.panel = Dm56a04Twin(driver.capabilities.digits if driver else 4)
        self.bus = MemoryBus()
        self.bus.panels[1] = self.panel
        self.lit: list[tuple[float, str]] = []
        self.panel.on_change = lambda text: self.lit.append((loop.time(), text.strip()))
        self.recorder: InlineRecorder[SqliteStore] | ThreadRecorder[SqliteStore]
        if recorder:  # with a thread of its own, as in a sign: not on virtual time
            self.recorder = recorder
        else:
            self.store = SqliteStore(self.path, "virtual")
            self.recorder = InlineRecorder(self.store)
        self.display = one_panel(self.bus, driver or Dm56a04(), 1, self.clock, on_acked=self._acked)
        self.daemon = Daemon(
            replace(plan, installation=HERE) if plan else Plan(installation=HERE),
            Parts(
                clock=self.clock,
                radar=RadarLink(self.line.port, Ops243(), RadarSettings(), self.clock),
                recorder=self.recorder,
                display=self.display,
                light=light,
            ),
        )

    def _acked(self, face: Face, t_mono_s: float) -> None:
        self.daemon.on_acked(face, t_mono_s)

    async def run(self, seconds: float) -> None:
        daemon = asyncio.create_task(self.daemon.run())
        world = asyncio.create_task(self.world.run())
        done, _ = await asyncio.wait({daemon, world}, timeout=seconds)
        assert not done, [task.exception() for task in done]
        await self.stop(daemon, world)

    @staticmethod
    async def stop(*tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
