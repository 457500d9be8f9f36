"""A Modbus line in memory, on virtual time: as slow as 9600 baud, with several devices at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from speedsign.errors import BadReply, NoReply, PortError
from speedsign.ports import COIL_ON, WriteRegisters

WIRE_S, TIMEOUT_S = 0.03, 0.34  # with the quiet after it


class Registers(Protocol):
    """A panel's twin."""

    def read(self, address: int, count: int) -> list[int]: ...

    def write(self, address: int, values: Sequence[int]) -> None: ...


class Coils:
    """A relay board: one relay, and what it switches."""

    def __init__(self, coil: int = 0, wired: Callable[[bool], None] | None = None) -> None:
        self.coil, self.wired = coil, wired
        self.on = False
        self.stuck = False  # acknowledges, and the contact does not move
        self.told: list[tuple[float, int]] = []
        self._drop: asyncio.TimerHandle | None = None

    def write_coil(self, address: int, value: int) -> None:
        loop = asyncio.get_running_loop()
        self.told.append((loop.time(), value))
        if self._drop:
            self._drop.cancel()
        if address >= 0x200:
            assert address == 0x200 + self.coil
            self._switch(on=True)
            self._drop = loop.call_later(value / 10, lambda: self._switch(on=False))
        else:
            assert address == self.coil
            self._switch(on=value == COIL_ON)

    def _switch(self, *, on: bool) -> None:
        if self.stuck or on is self.on:
            return
        self.on = on
        if self.wired:
            self.wired(on)


class MemoryBus:
    """A `speedsign.ports.ModbusBus`.

    `silent`: units without power, `cut`: units without a wire; `gone`: the port is not there.
    """

    name = "/dev/ttyPANEL"

    def __init__(self) -> None:
        self.panels: dict[int, Registers] = {}
        self.relays: dict[int, Coils] = {}
        self.silent: set[int] = set()
        self.cut: set[int] = set()
        self.gone = False
        self.log: list[tuple[float, int, str]] = []
        self._busy = asyncio.Lock()

    async def connect(self) -> None:
        if self.gone:
            raise PortError(self.name, "no such port")

    async def close(self) -> None:
        return

    async def ready(self, unit: int | None = None) -> None:
        return

    async def tell(self, unit: int, write: WriteRegisters) -> None:
        await self.write_registers(unit, write.address, write.values)

    async def write_registers(self, unit: int, address: int, values: Sequence[int]) -> None:
        await self._exchange(unit, f"write {address}={list(values)}", self.panels)
        self.panels[unit].write(address, values)

    async def write_register(self, unit: int, address: int, value: int) -> None:
        await self.write_registers(unit, address, [value])

    async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
        await self._exchange(unit, "read", self.panels)
        return self.panels[unit].read(address, count)

    async def read_input_registers(self, unit: int, address: int, count: int) -> list[int]:
        return await self.read_registers(unit, address, count)

    async def write_coil(self, unit: int, address: int, value: int) -> None:
        await self._exchange(unit, f"coil {address}={value:04X}", self.relays)
        self.relays[unit].write_coil(address, value)

    async def read_coils(self, unit: int, address: int, count: int) -> list[bool]:
        await self._exchange(unit, "coils", self.relays)
        board = self.relays[unit]
        return [board.on and at == board.coil for at in range(address, address + count)]

    async def _exchange(self, unit: int, what: str, devices: dict[int, Registers] | dict[int, Coils]) -> None:
        assert not self._busy.locked(), "two at once on the line"
        async with self._busy:
            if self.gone:
                raise PortError(self.name, "went away")
            self.log.append((asyncio.get_running_loop().time(), unit, what))
            if unit in self.silent | self.cut:
                await asyncio.sleep(TIMEOUT_S)
                raise NoReply(self.name, f"unit {unit} did not answer: nothing came back")
            await asyncio.sleep(WIRE_S)
            if unit not in devices:
                raise BadReply(self.name, f"unit {unit} refused: exception 1, illegal function")

    def said(self, unit: int, since_s: float = 0.0) -> list[str]:
        return [what for at_s, to, what in self.log if to == unit and at_s >= since_s]
