"""A light sensor in a Modbus register, on a line that it shares with the panel.

Makes differ in the register, its kind and its scale, so all of that is config. A dead one costs the panel a
time-out at each try: it is asked less and less often.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from speedsign.errors import BadReply, DeviceError, NoReply, PortError
from speedsign.model import Fault
from speedsign.ports import ModbusBus

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSettings:
    """Where the light stands, in what unit, and how often it is read."""

    unit: int
    address: int  # of the first register, from 0
    input: bool = False  # True: an input register (FC4), else a holding register (FC3)
    words: int = 1  # 2: 32 bits, the high word first
    lux_per_count: float = 1.0
    max_lux: float = 150_000.0  # more is said by a sensor that is broken, or read wrongly
    every_s: float = 2.0
    retry_s: tuple[float, ...] = (5.0, 30.0)  # after the first failure, and after each further one
    stale_s: float = 15.0  # an older value is none


class LightSensorMember:
    """A `drivers.bus_owner.BusMember` and a `speedsign.ports.LightSensor`."""

    def __init__(self, bus: ModbusBus, settings: SensorSettings) -> None:
        self._bus, self._settings = bus, settings
        self._newest: tuple[float, float] | None = None  # lux, and when it was read
        self._fault: Fault | None = None
        self._failures = 0  # in a row
        self._due_s = 0.0

    def lux(self) -> float | None:
        """The newest value; None when it is older than 15 s, or there is none."""
        if self._newest is None or _loop_s() - self._newest[1] > self._settings.stale_s:
            return None
        return self._newest[0]

    def faults(self) -> list[Fault]:
        """What is wrong now, in sentences that name the port and the unit id."""
        return [self._fault] if self._fault else []

    # ------------------------------------------------------------------ turns on the line

    def due_s(self) -> float:
        return self._due_s

    async def step(self) -> None:
        self._due_s = _loop_s() + self._settings.every_s
        try:
            lux = await self._read()
        except (NoReply, BadReply) as error:
            self._no_answer(error)
            return
        if lux > self._settings.max_lux:
            self._too_much()
        else:
            self._newest = lux, _loop_s()
            self._succeeded()

    def lost(self, error: PortError) -> None:
        self._failures, self._due_s = 0, 0.0
        self._raise_fault(Fault("light", error.code, f"the light sensor cannot be reached: {error}"))

    rescues = False  # nobody else is dark because this one is

    @property
    def answers(self) -> bool:
        return not self._failures

    async def leave(self) -> bool:
        """Nothing is to be done: it was only read."""
        return True

    def left(self, error: str) -> None:
        """It is as it was."""

    async def _read(self) -> float:
        of = self._settings
        read = self._bus.read_input_registers if of.input else self._bus.read_registers
        counts = 0
        for word in await read(of.unit, of.address, of.words):
            counts = counts << 16 | word
        return counts * of.lux_per_count

    # ------------------------------------------------------------------ what came of it

    def _succeeded(self) -> None:
        self._failures = 0
        if self._fault:
            _log.debug("light: unit %d on %s is back", self._settings.unit, self._bus.name)
            self._fault = None

    def _no_answer(self, error: DeviceError) -> None:
        retry_s = self._settings.retry_s
        self._due_s = _loop_s() + retry_s[min(self._failures, len(retry_s) - 1)]
        self._failures += 1
        if self._failures == 1:
            _log.info("light: %s; trying again", error)
            return
        text = (
            f"{error}; check the power of the light sensor, its wires, its unit id {self._settings.unit} "
            "and its register in [brightness.sensor]"
        )
        self._raise_fault(Fault("light", error.code, text))

    def _too_much(self) -> None:
        """Once may be a glitch; it answers, so it is asked as often as ever."""
        self._failures += 1
        if self._failures == 1:
            return
        text = (
            f"unit {self._settings.unit} on {self._bus.name} says more than {self._settings.max_lux:g} lx: "
            "the light sensor is broken, or its register or lux_per_count in [brightness.sensor] is not right"
        )
        self._raise_fault(Fault("light", "range", text))

    def _raise_fault(self, fault: Fault) -> None:
        """Say it aloud when it is new; the first sentence stands as long as the fault is of its kind."""
        if self._fault is None or self._fault.code != fault.code:
            _log.debug("light: %s", fault.text)
            self._fault = fault


def _loop_s() -> float:
    return asyncio.get_running_loop().time()
