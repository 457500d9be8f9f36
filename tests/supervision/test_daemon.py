"""The whole daemon on virtual time: what hangs starves the watchdog, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from drivers.bus_owner import BusOwner
from drivers.display.dm56a04 import Dm56a04
from drivers.display.owner import SignDisplay
from drivers.radar.link import RadarLink
from drivers.radar.ops243 import Ops243
from simulator.virtual_time import run_virtual
from speedsign.beats import LOOP_DEADLINE_S, STORE_DEADLINE_S, Beat, Beats
from speedsign.daemon import Daemon
from speedsign.errors import PartStuck, PortError, StoreError
from speedsign.model import Fault
from speedsign.ports import RadarSettings
from speedsign.supervisor import READY_WITHOUT_PANEL_S, Means
from telemetry.recorder import InlineRecorder
from telemetry.store import SqliteStore
from tests.core.street import Street

WELL_S = 60.0


async def never(*_args: object, **_more: object) -> Any:
    """A call that does not come back."""
    await asyncio.get_running_loop().create_future()


class TurningRecorder(InlineRecorder[SqliteStore]):
    """The store in line, which goes round as the thread does, until it hangs."""

    def __init__(self, store: SqliteStore, beat: Beat) -> None:
        super().__init__(store)
        self._beat = beat
        self.hangs = False

    async def run(self) -> None:
        closing = asyncio.create_task(super().run())
        try:
            while True:
                if not self.hangs:
                    self._beat()
                await asyncio.sleep(5.0)
        finally:
            closing.cancel()
            await asyncio.wait([closing])


class WatchedStreet(Street):
    """A street whose sign is watched; what systemd hears, and when."""

    def __init__(self, folder: Path, vehicles_per_hour: float = 200.0) -> None:
        super().__init__(folder, vehicles_per_hour)
        self.heard: list[tuple[float, str]] = []
        beats = Beats()
        self.turning = TurningRecorder(self.store, beats.part("store", STORE_DEADLINE_S))
        beat = beats.part("radar", LOOP_DEADLINE_S)
        self.radar = RadarLink(self.line.port, Ops243(), RadarSettings(), self.clock, beat=beat)
        display = SignDisplay(self.clock, self._acked)
        self.owner = display.add_line(BusOwner(self.bus, beat=beats.part("display", LOOP_DEADLINE_S)))
        display.add_panel(self.owner, Dm56a04(), 1)
        parts = replace(
            self.daemon.parts,
            radar=self.radar,
            recorder=self.turning,
            display=display,
            notify=lambda text: self.heard.append((self.clock.monotonic() - self.began_s, text)),
            means=Means(beats),
        )
        self.daemon = Daemon(self.daemon.plan, parts)

    def fed_s(self) -> list[float]:
        return [t_s for t_s, text in self.heard if text == "WATCHDOG=1"]

    def longest_hunger_s(self) -> float:
        fed_s = self.fed_s()
        return max(later - earlier for earlier, later in pairwise(fed_s))


Hurt = Callable[[WatchedStreet], Awaitable[None]]


async def radar_hangs(street: WatchedStreet) -> None:
    """In opening its port anew: what a driver of the kernel can do."""
    street.line.port.open = never  # type: ignore[method-assign]
    street.world.radar_end.unplug()


async def panel_hangs(street: WatchedStreet) -> None:
    street.bus.write_registers = never  # type: ignore[method-assign]
    street.bus.read_registers = never  # type: ignore[method-assign]
    street.bus.tell = never  # type: ignore[method-assign]


async def store_hangs(street: WatchedStreet) -> None:
    street.turning.hangs = True


@pytest.mark.parametrize(
    ("hurt", "name", "deadline_s"),
    [
        (radar_hangs, "radar", LOOP_DEADLINE_S),
        (panel_hangs, "display", LOOP_DEADLINE_S),
        (store_hangs, "store", STORE_DEADLINE_S),
    ],
)
def test_what_hangs_is_named_and_ends_the_sign(
    tmp_path: Path, hurt: Hurt, name: str, deadline_s: float
) -> None:
    async def run() -> tuple[WatchedStreet, float, BaseException | None]:
        street = WatchedStreet(tmp_path)
        daemon, world = asyncio.create_task(street.daemon.run()), asyncio.create_task(street.world.run())
        await asyncio.sleep(WELL_S)
        assert street.longest_hunger_s() < 1.5
        await hurt(street)
        await asyncio.wait([daemon], timeout=200.0)
        ended_s = street.clock.monotonic() - street.began_s
        error = daemon.exception() if daemon.done() else None
        await street.stop(daemon, world)
        return street, ended_s, error

    street, ended_s, error = run_virtual(run())
    assert isinstance(error, PartStuck)
    assert f"{name} has not gone round" in str(error)
    last_fed_s = street.fed_s()[-1] - WELL_S
    assert deadline_s - 6.0 <= last_fed_s <= deadline_s + 2.0
    assert ended_s - WELL_S - last_fed_s < 9.0, "an end in order, before the watchdog's"
    if name != "display":
        assert street.panel.lit().strip() == "", "dark at the end"
    assert street.heard[-1][1] == "STOPPING=1"


async def radar_unplugged(street: WatchedStreet) -> None:
    street.world.radar_end.unplug()


async def panel_silent(street: WatchedStreet) -> None:
    street.bus.silent.add(1)


async def panel_unplugged(street: WatchedStreet) -> None:
    street.bus.gone = True
    street.bus.write_registers = _lost  # type: ignore[method-assign]
    street.bus.read_registers = _lost  # type: ignore[method-assign]


async def _lost(*_args: object, **_more: object) -> Any:
    raise PortError("panel", "went away")


async def nobody_passes(_street: WatchedStreet) -> None: ...


async def disk_fails(street: WatchedStreet) -> None:
    def failing(*_args: object, **_more: object) -> Any:
        raise StoreError("the card is full")

    street.store.add_vehicle = failing  # type: ignore[method-assign]
    street.store.add_coverage = failing  # type: ignore[method-assign]
    street.store.close_intervals = failing  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "trouble", [radar_unplugged, panel_silent, panel_unplugged, disk_fails, nobody_passes]
)
def test_what_is_away_never_starves_the_watchdog(tmp_path: Path, trouble: Hurt) -> None:
    async def run() -> tuple[WatchedStreet, list[Fault]]:
        street = WatchedStreet(tmp_path, 1.0 if trouble is nobody_passes else 200.0)
        daemon, world = asyncio.create_task(street.daemon.run()), asyncio.create_task(street.world.run())
        await asyncio.sleep(WELL_S)
        await trouble(street)
        await asyncio.sleep(400.0)
        assert not daemon.done(), daemon.exception()
        faults = street.daemon.faults()
        await street.stop(daemon, world)
        return street, faults

    street, faults = run_virtual(run())
    assert street.longest_hunger_s() < 1.5
    assert len(street.fed_s()) >= 400
    assert bool(faults) == (trouble is not nobody_passes)
    assert not [fault for fault in faults if fault.device == "supervisor"]


def test_a_panel_that_is_not_there_at_the_start_delays_ready_and_no_more(tmp_path: Path) -> None:
    async def run() -> WatchedStreet:
        street = WatchedStreet(tmp_path)
        street.bus.silent.add(1)
        daemon, world = asyncio.create_task(street.daemon.run()), asyncio.create_task(street.world.run())
        await asyncio.sleep(60.0)
        street.bus.silent.clear()
        await asyncio.sleep(60.0)
        await street.stop(daemon, world)
        return street

    street = run_virtual(run())
    (ready_s,) = [t_s for t_s, text in street.heard if text == "READY=1"]
    assert ready_s == pytest.approx(READY_WITHOUT_PANEL_S, abs=1.0)
    told = [text for _, text in street.heard if text.startswith("STATUS=")]
    assert told[0].startswith("STATUS=starting, waiting for the panel; 0 vehicles")
    assert any("the panel is not under control (" in text and "did not answer" in text for text in told)
    assert any(text.startswith(("STATUS=dark, nobody", "STATUS=showing ")) for text in told)
