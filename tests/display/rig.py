"""A bus and a panel at the two ends of a pty."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from drivers.bus_owner import BusOwner
from drivers.display.dm56a04 import Dm56a04
from drivers.display.owner import SignDisplay
from drivers.display.panel import PanelSettings
from drivers.modbus_bus import BusSettings, PymodbusBus
from simulator.line import PtyLine
from simulator.panel_end import PanelEnd
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.rtu_slave import RtuSlave
from speedsign.clock import SystemClock
from speedsign.model import Face

# As patient as in the field would make the tests slow; the proportions are kept.
FAST_BUS = BusSettings(timeout_s=0.1, quiet_s=0.04)
PATIENT_BUS = BusSettings(timeout_s=1.0, quiet_s=0.04)  # where nothing may time out, on a busy machine too


class Rig:
    """A panel on a pty, and the bus that is to talk to it."""

    def __init__(self, folder: Path, settings: BusSettings = FAST_BUS, baud: int | None = None) -> None:
        self.line = PtyLine(folder / "panel", baud)
        self.twin = Dm56a04Twin()
        self.end = PanelEnd(self.line, RtuSlave(1, self.twin))
        self.bus = PymodbusBus(str(self.line.link), settings=settings)

    @property
    def requests(self) -> list[str]:
        return [frame.hex(" ").upper() for frame in self.end.requests]


@contextlib.contextmanager
def no_error_in_the_loop() -> Iterator[None]:
    """What a callback raises ends nowhere but in the log: fail the test."""
    loop = asyncio.get_running_loop()
    raised: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: raised.append(context))
    yield
    assert raised == []


@contextlib.asynccontextmanager
async def connected(
    folder: Path, settings: BusSettings = FAST_BUS, baud: int | None = None
) -> AsyncIterator[Rig]:
    """A rig whose bus is connected."""
    rig = Rig(folder, settings, baud)
    rig.line.plug()
    with no_error_in_the_loop():
        await rig.bus.connect()
        try:
            yield rig
        finally:
            await rig.bus.close()
            rig.end.close()
            rig.line.unplug()


class OwnedRig(Rig):
    """A rig with an owner that runs."""

    def __init__(self, folder: Path, panel_settings: PanelSettings, bus_settings: BusSettings) -> None:
        super().__init__(folder, bus_settings)
        self.acked: list[tuple[Face, float]] = []
        self.owner = SignDisplay(SystemClock(), lambda face, t_mono_s: self.acked.append((face, t_mono_s)))
        line = self.owner.add_line(BusOwner(self.bus, 0.05, 0.2, leave_s=0.5))
        self.owner.add_panel(line, Dm56a04(), 1, panel_settings)

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.owner.faults()]


FAST_PANEL = PanelSettings(keepalive_s=0.2, verify_s=0.5, verify_soon_s=0.05, retry_s=0.2)


@contextlib.asynccontextmanager
async def owned(
    folder: Path, panel_settings: PanelSettings = FAST_PANEL, bus_settings: BusSettings = FAST_BUS
) -> AsyncIterator[OwnedRig]:
    """A rig whose owner runs; cancelled at the end."""
    rig = OwnedRig(folder, panel_settings, bus_settings)
    rig.line.plug()
    with no_error_in_the_loop():
        task = asyncio.create_task(rig.owner.run())
        try:
            yield rig
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            rig.end.close()
            rig.line.unplug()
