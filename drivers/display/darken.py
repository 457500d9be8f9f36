"""Making a sign dark: its panels, the lamps beside them, the relay of their supply.

What `drivers.display.hand` does at its end, and what is left to do when the sign has crashed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from drivers.display.relay import prove_relay, tell_relay
from speedsign.errors import BadReply, DeviceError
from speedsign.model import BLANK
from speedsign.ports import Expect, ModbusBus, PanelDriver, WriteRegisters

BEACON, SUPPLY = "beacon", "supply"
PULSE_S = 3.0  # a supply that is pulsed stays on for so long after it was told
HOLDS = "acknowledges dark but holds"
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
    reply_s: float = 0.24  # for which the bus waits
    hurry_s: float = 0.15  # time on the wire and a little to think: not for proofs

    @property
    def buses(self) -> list[ModbusBus]:
        """Each line once."""
        coils = [coil for coil in (self.beacon, self.supply) if coil is not None]
        return list({id(bus): bus for bus in (self.bus, *(coil.bus for coil in coils))}.values())


@dataclass(frozen=True, slots=True)
class End:
    """One thing to be done before the lines are closed: it is told, and then asked whether that is so."""

    what: str  # panel 1, beacon, supply
    bus: ModbusBus
    unit: int
    tell: Callable[[], Awaitable[None]]
    prove: Callable[[], Awaitable[None]]
    reply_s: float
    hurry_s: float

    @property
    def is_panel(self) -> bool:
        return self.what not in (BEACON, SUPPLY)


def dark_ends(panels: Panels, level: float = 0.0) -> list[End]:
    """What makes a sign dark, the panel first."""
    driver = panels.driver
    writes = tuple(driver.writes(BLANK, level))
    expect = driver.read_back(BLANK, level) if driver.capabilities.reads_back else None
    ends = [
        End(
            f"panel {unit}",
            panels.bus,
            unit,
            partial(_tell_dark, panels.bus, unit, writes),
            partial(_prove_dark, panels.bus, unit, writes, expect),
            panels.reply_s,
            panels.hurry_s,
        )
        for unit in panels.units
    ]
    for name, coil in ((BEACON, panels.beacon), (SUPPLY, panels.supply)):
        if coil is not None:
            tell = partial(tell_relay, coil.bus, coil.unit, coil.coil, on=False, pulse_s=None)
            prove = partial(prove_relay, coil.bus, coil.unit, coil.coil, on=False)
            ends.append(End(name, coil.bus, coil.unit, tell, prove, panels.reply_s, panels.hurry_s))
    return ends


async def _tell_dark(bus: ModbusBus, unit: int, writes: Sequence[WriteRegisters]) -> None:
    """At once, also while an earlier reply is owed: it proves nothing yet."""
    for write in writes:
        await bus.tell(unit, write)


async def _prove_dark(
    bus: ModbusBus, unit: int, writes: Sequence[WriteRegisters], expect: Expect | None
) -> None:
    if expect is None:
        for write in writes:
            await write_request(bus, unit, write)
        return
    held = await bus.read_registers(unit, expect.address, len(expect.values))
    if tuple(held) != tuple(expect.values):
        raise BadReply(bus.name, f"unit {unit} {HOLDS} {held_text(held)}")


async def carry_out(ends: Sequence[End], within_s: float) -> dict[str, str]:
    """Do all of it, again and again what fails, for so long; what is left undone, and why.

    Everybody is told first, in a hurry: who is silent hardly keeps the others waiting. Then it is proved,
    of those first who have answered. Lines work side by side. Panels whose supply is off are dark.
    """
    left = {end.what: "there was no time for it" for end in ends}

    buses = {id(end.bus): end.bus for end in ends}
    working = [asyncio.create_task(_work(bus, ends, left)) for bus in buses.values()]
    if working:
        done, late = await asyncio.wait(working, timeout=within_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        for task in done:
            task.result()
    return left


async def _work(bus: ModbusBus, ends: Sequence[End], left: dict[str, str]) -> None:
    """What is to be done on one line, until nothing of it is left."""
    loop = asyncio.get_running_loop()
    todo, late_until_s = await _told_in_a_hurry([end for end in ends if end.bus is bus])
    again = False
    while todo:
        for end in (one for one in todo if one.what in left):
            await asyncio.sleep(max(0.0, late_until_s.pop(end.what, 0.0) - loop.time()))
            if await _done(end, left, again=again) and end.what == SUPPLY:
                for panel in (one.what for one in ends if one.is_panel):
                    left.pop(panel, None)
        todo = [end for end in todo if end.what in left]
        await asyncio.sleep(_AGAIN_S if todo else 0)
        again = True


async def _told_in_a_hurry(ends: Sequence[End]) -> tuple[list[End], dict[str, float]]:
    """Each told once; all of them, the answered ones first, and until when the others' replies may come.

    A slow panel would go on answering the last question but one if it were asked before that. A supply is
    not switched off yet: the panels behind it could prove nothing any more.
    """
    loop = asyncio.get_running_loop()
    answered, silent = [], []
    late_until_s: dict[str, float] = {}
    for end in ends:
        if end.what == SUPPLY:
            continue
        try:
            await end.bus.connect()
            await end.bus.ready(end.unit)
            late_until_s[end.what] = loop.time() + end.reply_s
            async with asyncio.timeout(end.hurry_s if len(ends) > 1 else None):
                await end.tell()
        except TimeoutError:
            silent.append(end)
        except DeviceError:
            late_until_s.pop(end.what, None)
            silent.append(end)
        else:
            del late_until_s[end.what]
            answered.append(end)
    return [*answered, *(end for end in ends if end.what == SUPPLY), *silent], late_until_s


async def _done(end: End, left: dict[str, str], *, again: bool) -> bool:
    """Told, unless it was a moment ago, and proved."""
    try:
        await end.bus.connect()
        if again or end.what == SUPPLY:
            await end.tell()
        await end.prove()
    except DeviceError as error:
        if end.what in left:  # else its supply was cut meanwhile
            left[end.what] = str(error)
        return False
    left.pop(end.what, None)
    return True


def held_text(words: Sequence[int]) -> str:
    """Registers: as text where they are that, else as numbers.

    >>> held_text([0x20, 0x20, 0x34, 0x37]), held_text([47, 0])
    ('"  47"', '002f 0000')
    """
    if all(0x20 <= word <= 0x7E for word in words):
        return f'"{"".join(map(chr, words))}"'
    return " ".join(f"{word:04x}" for word in words)


async def write_request(bus: ModbusBus, unit: int, write: WriteRegisters) -> None:
    """One request of a driver, by the function that it wants."""
    if write.single:
        await bus.write_register(unit, write.address, write.values[0])
    else:
        await bus.write_registers(unit, write.address, write.values)
