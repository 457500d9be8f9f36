"""A light sensor on Modbus: one value in one register or two, and what can be wrong with it."""

from __future__ import annotations

from enum import StrEnum

from simulator.modbus_pdu import IllegalAddress


class SensorFault(StrEnum):
    """What is wrong; several at once are possible."""

    SILENT = "silent"  # no power, or the wires are off
    STUCK = "stuck"  # goes on telling what it told last
    OUT_OF_RANGE = "out_of_range"  # all bits set, as many tell that their sensing part is broken


class LightSensorTwin:
    """The sensor, for `simulator.rtu_slave`: `lux` is the light that falls on it.

    The same value is in the holding registers (FC3) and the input registers (FC4). What does not fit
    is told as the highest value that does.
    """

    def __init__(self, address: int = 0, words: int = 1, lux_per_count: float = 1.0) -> None:
        self.address, self.words, self.lux_per_count = address, words, lux_per_count
        self.lux = 0.0
        self.faults: set[SensorFault] = set()
        self.reads = 0
        self._told = 0  # counts

    @property
    def powered(self) -> bool:
        """Whether it answers at all."""
        return SensorFault.SILENT not in self.faults

    def read(self, address: int, count: int) -> list[int]:
        if address < self.address or address + count > self.address + self.words:
            raise IllegalAddress
        self.reads += 1
        counts = self._counts()
        words = [counts >> 16 * place & 0xFFFF for place in reversed(range(self.words))]
        return words[address - self.address :][:count]

    def read_inputs(self, address: int, count: int) -> list[int]:
        return self.read(address, count)

    def _counts(self) -> int:
        """What the registers hold, the high word first."""
        highest = (1 << 16 * self.words) - 1
        if SensorFault.OUT_OF_RANGE in self.faults:
            return highest
        if SensorFault.STUCK not in self.faults:
            self._told = min(max(round(self.lux / self.lux_per_count), 0), highest)
        return self._told
