"""The display as the daemon sees it: one panel or several alike, their lamps and their supply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from drivers.bus_owner import BusOwner
from drivers.display.panel import COUNTERS, Panel, PanelSettings
from drivers.display.relay import Relay, RelaySettings
from drivers.display.supply import GuardSettings, Supply
from speedsign.model import Face, Fault
from speedsign.ports import Clock, ModbusBus, PanelDriver


class SignDisplay:
    """A `speedsign.ports.Display`. Built step by step: panels first, then what else is on the lines.

    `on_acked(face, t_mono_s)` is called when all panels have acknowledged another face; a face's beacon is
    not part of what it tells.
    """

    def __init__(self, clock: Clock, on_acked: Callable[[Face, float], None] | None = None) -> None:
        self._clock, self._on_acked = clock, on_acked
        self._lines: list[BusOwner] = []
        self._panels: list[Panel] = []
        self._beacon: Relay | None = None
        self._supply: Supply | None = None

    # ------------------------------------------------------------------ what it is made of

    def add_line(self, line: BusOwner) -> BusOwner:
        """A Modbus line that is served while the display runs."""
        self._lines.append(line)
        return line

    def add_panel(
        self, line: BusOwner, driver: PanelDriver, unit: int, settings: PanelSettings | None = None
    ) -> Panel:
        """A panel; all of them show the same."""
        panel = Panel(line.bus, driver, unit, settings, wake=self._wake, on_acked=self._acked)
        self._panels.append(panel)
        line.add(panel)
        return panel

    def add_supply(
        self, line: BusOwner, unit: int, coil: int, settings: RelaySettings, guard: GuardSettings
    ) -> None:
        """The relay in the panels' supply. Before the beacon: what darkens goes before what lights."""
        self._supply = Supply(
            line.bus,
            unit,
            coil,
            settings,
            guard,
            wake=self._wake,
            is_faulty=lambda: any(panel.faults() for panel in self._panels),
            power=self._power,
        )
        line.add(self._supply)

    def add_beacon(self, line: BusOwner, unit: int, coil: int, settings: RelaySettings | None = None) -> None:
        """The relay of the lamps beside the panels; it may be a panel's own."""
        panels = [panel for panel in self._panels if panel.is_at(line.bus, unit)]

        def doubt() -> None:
            for panel in panels:
                panel.doubt()

        self._beacon = Relay(line.bus, unit, coil, "beacon", settings, wake=self._wake, doubt=doubt)
        line.add(self._beacon)

    # ------------------------------------------------------------------ what the daemon calls

    def show(self, face: Face) -> None:
        """From now on this face; returns at once, the newest wins."""
        on_panel = replace(face, beacon=False) if face.beacon else face
        for panel in self._panels:
            panel.show(on_panel)
        if self._beacon:
            self._beacon.switch(on=face.beacon)

    def dim(self, level: float) -> None:
        """From now on this brightness, 0 (dimmest) to 1; returns at once."""
        for panel in self._panels:
            panel.dim(level)

    def rest(self, *, resting: bool) -> None:
        """Dark by plan from now on, or no more: without its supply it wears least, and cannot show a 0."""
        if self._supply:
            self._supply.rest(resting=resting)

    def lit(self) -> Face | None:
        """The face that every panel has acknowledged; None while it is not known what they show."""
        faces = {panel.lit() for panel in self._panels}
        return faces.pop() if len(faces) == 1 else None

    def faults(self) -> list[Fault]:
        """What is wrong now, in sentences that name the port and the unit id."""
        members: list[Panel | Relay | None] = [*self._panels, self._supply, self._beacon]
        return [fault for member in members if member for fault in member.faults()]

    def health(self) -> Mapping[str, int]:
        """Counters since the start: writes, acked, retries, timeouts, bad_replies, and so on."""
        total = {name: sum(panel.counters.get(name) for panel in self._panels) for name in COUNTERS}
        return total | {"reconnects": sum(max(line.connects - 1, 0) for line in self._lines)}

    async def run(self) -> None:
        """Own the lines until cancelled: blank first, keep alive, read back, blank last."""
        tasks = [asyncio.create_task(line.run(), name=line.bus.name) for line in self._lines]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a line ends by itself only by what it raises
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ what its parts call

    def _wake(self) -> None:
        for line in self._lines:
            line.wake()

    def _power(self, on: bool) -> None:
        for panel in self._panels:
            panel.power(on=on)

    def _acked(self, face: Face) -> None:
        if self._on_acked and self.lit() == face:
            self._on_acked(face, self._clock.monotonic())


def one_panel(
    bus: ModbusBus,
    driver: PanelDriver,
    unit: int,
    clock: Clock,
    settings: PanelSettings | None = None,
    on_acked: Callable[[Face, float], None] | None = None,
) -> SignDisplay:
    """A display that is one panel alone on its line."""
    display = SignDisplay(clock, on_acked)
    display.add_panel(display.add_line(BusOwner(bus)), driver, unit, settings)
    return display
