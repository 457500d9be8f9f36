"""Making a sign dark: its panels, the lamps beside them, the relay of their supply.

What `drivers.display.hand` does at its end, and what is left to do when the sign has crashed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from drivers.display.relay import prove_relay, tell_relay
from speedsign.errors import BadReply, DeviceError
from speedsign.model import BLANK
from speedsign.ports import Expect, ModbusBus, PanelDriver, WriteRegisters

BEACON, SUPPLY = "beacon", "supply"
PULSE_S = 3.0  # a supply that is pulsed stays on for so long after it was told
_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Coil:
    """A relay: the beacon's, or that of the panel's supply. `pulsed`: it drops by itself."""

    bus: ModbusBus
    unit: int
    coil: int
    pulsed: bool = False
    boot_s: float = 0.0  # from power to the panel's first answer

    async def switch(self, *, on: bool) -> None:
        """Told and read: the reply repeats the request, so an adapter's echo would pass for it."""
        await tell_relay(self.bus, self.unit, self.coil, on=on, pulse_s=PULSE_S if self.pulsed else None)
        await prove_relay(self.bus, self.unit, self.coil, on=on)


@dataclass(frozen=True, slots=True)
class Panels:
    """The panel, its mirrors, and the relays that belong to it."""

    bus: ModbusBus
    driver: PanelDriver
    units: tuple[int, ...]
    beacon: Coil | None = None
    supply: Coil | None = None

    @property
    def buses(self) -> list[ModbusBus]:
        """Each line once."""
        coils = [coil for coil in (self.beacon, self.supply) if coil is not None]
        return list({id(bus): bus for bus in (self.bus, *(coil.bus for coil in coils))}.values())


@dataclass(frozen=True, slots=True)
class End:
    """One thing to be done before the lines are closed."""

    what: str  # panel 1, beacon, supply
    is_panel: bool
    bus: ModbusBus
    do: Callable[[], Awaitable[None]]


def dark_ends(panels: Panels, level: float = 0.0) -> list[End]:
    """What makes a sign dark, the panel first."""
    driver = panels.driver
    writes = tuple(driver.writes(BLANK, level))
    expect = driver.read_back(BLANK, level) if driver.capabilities.reads_back else None
    ends = [
        End(f"panel {unit}", True, panels.bus, _darkening(panels.bus, unit, writes, expect))
        for unit in panels.units
    ]
    for name, coil in ((BEACON, panels.beacon), (SUPPLY, panels.supply)):
        if coil is not None:
            ends.append(End(name, False, coil.bus, _switching_off(coil)))
    return ends


def _darkening(
    bus: ModbusBus, unit: int, writes: Sequence[WriteRegisters], expect: Expect | None
) -> Callable[[], Awaitable[None]]:
    async def darken() -> None:
        for write in writes:  # at once, also while an earlier reply is owed: it proves nothing yet
            await bus.tell(unit, write)
        if expect is None:
            for write in writes:
                await write_request(bus, unit, write)
        else:
            held = await bus.read_registers(unit, expect.address, len(expect.values))
            if tuple(held) != tuple(expect.values):
                raise BadReply(bus.name, f"unit {unit} acknowledges dark but holds {list(held)}")

    return darken


def _switching_off(coil: Coil) -> Callable[[], Awaitable[None]]:
    async def switch_off() -> None:
        await coil.switch(on=False)

    return switch_off


async def carry_out(ends: Sequence[End], within_s: float) -> dict[str, str]:
    """Do all of it, again and again what fails, for so long; what is left undone, and why.

    Lines work side by side; on one line whoever is silent does not keep the others from their turn. Panels
    whose supply is off are dark.
    """
    left = {end.what: "there was no time for it" for end in ends}

    async def work(bus: ModbusBus) -> None:
        while todo := [end for end in ends if end.bus is bus and end.what in left]:
            for end in todo:
                if await _done(end, left) and end.what == SUPPLY:
                    for panel in (one.what for one in ends if one.is_panel):
                        left.pop(panel, None)
            await asyncio.sleep(_AGAIN_S if left else 0)

    buses = {id(end.bus): end.bus for end in ends}
    working = [asyncio.create_task(work(bus)) for bus in buses.values()]
    if working:
        done, late = await asyncio.wait(working, timeout=within_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        for task in done:
            task.result()
    return left


async def _done(end: End, left: dict[str, str]) -> bool:
    try:
        await end.bus.connect()
        await end.do()
    except DeviceError as error:
        if end.what in left:  # else its supply was cut meanwhile
            left[end.what] = str(error)
        return False
    left.pop(end.what, None)
    return True


async def write_request(bus: ModbusBus, unit: int, write: WriteRegisters) -> None:
    """One request of a driver, by the function that it wants."""
    if write.single:
        await bus.write_register(unit, write.address, write.values[0])
    else:
        await bus.write_registers(unit, write.address, write.values)
