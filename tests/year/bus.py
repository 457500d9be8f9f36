"""The line to the panel, by the shapes of `speedsign.ports.ModbusBus`, with what can be wrong on it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.panels.dm56a04 import Dm56a04Twin
from speedsign.errors import BadReply, NoReply, PortError
from speedsign.ports import WriteRegisters

WIRE_S, TIMEOUT_S = 0.03, 0.34  # with the quiet after it, as tests.display.bus has it
SLOW_S = 0.8


@dataclass(slots=True)
class PanelLine:
    """The wire and the panel at its end; stays while the sign is started anew. `faults` by their names."""

    panel: Dm56a04Twin
    chance: random.Random
    faults: set[str] = field(default_factory=set)

    def set(self, fault: str, *, on: bool) -> None:
        (self.faults.add if on else self.faults.discard)(fault)
        self.panel.stuck = "stuck" in self.faults
        if not self.panel.stuck:
            self.panel.process(0.0)

    @property
    def hears(self) -> bool:
        return self.panel.powered and "dead" not in self.faults

    def take(self, address: int, values: Sequence[int]) -> None:
        if self.hears and "lying" not in self.faults:
            self.panel.write(address, values)


class YearBus:
    """One process's end of it."""

    name = "/dev/speedsign-panel"

    def __init__(self, line: PanelLine) -> None:
        self._line = line
        self.killed = False
        self._connected = False

    async def connect(self) -> None:
        self._check()
        self._connected = True

    async def close(self) -> None:
        self._connected = False

    async def ready(self, unit: int | None = None) -> None:
        self._check()

    async def tell(self, unit: int, write: WriteRegisters) -> None:
        await self.write_registers(unit, write.address, write.values)

    async def write_registers(self, unit: int, address: int, values: Sequence[int]) -> None:
        self._check()
        refused = "refuses" in self._line.faults
        await asyncio.sleep(WIRE_S)
        if not self.killed and not refused and not self._lost():
            self._line.take(address, values)
        await self._answer(unit)

    async def write_register(self, unit: int, address: int, value: int) -> None:
        await self.write_registers(unit, address, [value])

    async def write_coil(self, unit: int, address: int, value: int) -> None:
        raise BadReply(self.name, "no relay is here")

    async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
        self._check()
        await asyncio.sleep(WIRE_S)
        await self._answer(unit)
        return self._line.panel.read(address, count)

    async def read_input_registers(self, unit: int, address: int, count: int) -> list[int]:
        raise BadReply(self.name, "no such function")

    async def read_coils(self, unit: int, address: int, count: int) -> list[bool]:
        raise BadReply(self.name, "no relay is here")

    def _check(self) -> None:
        if self.killed or "gone" in self._line.faults:
            raise PortError(self.name, "went away")

    def _lost(self) -> bool:
        return "noise" in self._line.faults and self._line.chance.random() < 0.1

    async def _answer(self, unit: int) -> None:
        """Wait for the panel's word; returns when it came as it should."""
        faults = self._line.faults
        self._check()
        mute = not self._line.hears or "mute" in faults or "slow" in faults
        if mute or self._lost():
            await asyncio.sleep(TIMEOUT_S)
            self._check()
            raise NoReply(self.name, f"unit {unit} did not answer: nothing came back")
        if "refuses" in faults:
            raise BadReply(self.name, f"unit {unit} refused: exception 4, device failure")
