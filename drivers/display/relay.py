"""A relay on a Modbus line: the lamps beside a panel, or the panel's supply.

A board that only knows on and off keeps its last state for ever. With `pulse_s` the relay is switched on for
that long by the command that some makers have added (coil 0x0200 + n, the time in 0.1 s) and told
again before the time is over: it drops by itself when nobody speaks any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from speedsign.errors import BadReply, DeviceError, NoReply, PortError
from speedsign.model import Fault
from speedsign.ports import COIL_OFF, COIL_ON, ModbusBus

_log = logging.getLogger(__name__)

FLASH_ON = 0x0200  # + coil: on for so many tenths of a second, then off (Waveshare and its likes)
_SOON_S = 0.02  # to the second try: a panel that waits goes before
_READ_TOGETHER = 32  # coils read from 0 on: there are boards that refuse to begin elsewhere


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """How often a relay is told and looked at."""

    keepalive_s: float = 2.0  # a board that was without power has forgotten
    verify_s: float = 10.0
    retry_s: float = 2.0  # after a failure; doubling, so that a dead board seldom holds up the panel, up to …
    retry_max_s: float = 16.0
    pulse_s: float | None = None  # None: on and off
    renew_s: float = 0.5  # a pulse


def _nobody() -> None:
    """A board that is nothing else."""


async def tell_relay(bus: ModbusBus, unit: int, coil: int, *, on: bool, pulse_s: float | None) -> None:
    """Switch it, on for `pulse_s` at a time where that is given; the reply proves little: so is an echo."""
    if on and pulse_s is not None:
        await bus.write_coil(unit, FLASH_ON + coil, round(10 * pulse_s))
    else:
        await bus.write_coil(unit, coil, COIL_ON if on else COIL_OFF)


async def prove_relay(bus: ModbusBus, unit: int, coil: int, *, on: bool | None) -> None:
    """Ask the board how it stands; raises BadReply when that is otherwise."""
    first = 0 if coil < _READ_TOGETHER else coil
    held = (await bus.read_coils(unit, first, coil - first + 1))[-1]
    if held is not on:
        raise BadReply(bus.name, f"unit {unit} says that relay {coil} is {'on' if held else 'off'}")


class Relay:
    """A `drivers.bus_owner.BusMember`. `name` is its device in faults: beacon, supply."""

    def __init__(
        self,
        bus: ModbusBus,
        unit: int,
        coil: int,
        name: str,
        settings: RelaySettings | None = None,
        *,
        wake: Callable[[], None],
        doubt: Callable[[], None] = _nobody,
    ) -> None:
        """`doubt` is called when it does not answer: who else is that device?"""
        self._bus, self._unit, self._coil, self._name = bus, unit, coil, name
        self._settings = settings or RelaySettings()
        self._wake, self._doubt = wake, doubt
        self._wanted = False
        self._held: bool | None = None  # as last acknowledged
        self._fault: Fault | None = None
        self._failures = 0
        self._told_at_s = self._verify_at_s = self._retry_at_s = 0.0

    def switch(self, *, on: bool) -> None:
        """From now on; returns at once."""
        if on is not self._wanted:
            self._wanted = on
            self._wake()

    @property
    def wanted(self) -> bool:
        return self._wanted

    def is_on(self) -> bool | None:
        """As the board has acknowledged it; None: not known."""
        return self._held

    def faults(self) -> list[Fault]:
        return [self._fault] if self._fault else []

    # ------------------------------------------------------------------ turns on the line

    def due_s(self) -> float:
        if self._failures:
            return self._retry_at_s
        if self._held is not self._wanted:
            return 0.0
        return min(self._told_at_s + self._every_s(), self._verify_at_s)

    async def step(self) -> None:
        try:
            await self._do()
        except (NoReply, BadReply) as error:
            self._failed(error)
        else:
            self._failures = 0
            if self._fault:
                _log.debug("%s: the relay is back", self._name)
                self._fault = None

    def lost(self, error: PortError) -> None:
        self._held, self._failures = None, 0
        self._raise_fault(error.code, f"the {self._name} relay cannot be reached: {error}")

    rescues = False  # nobody else is dark because this one is

    @property
    def answers(self) -> bool:
        return not self._failures

    async def leave(self) -> bool:
        """Off."""
        self._wanted = False
        if self._held is not False:
            try:
                await self._tell()
            except (NoReply, BadReply) as error:
                _log.info("%s; trying to switch it off once more", error)
        return self._held is False

    def left(self, error: str) -> None:
        _log.warning("%s: the relay may still be on: %s", self._name, error)

    def _every_s(self) -> float:
        """Between two tellings; a pulse is renewed long before it is over."""
        pulsed = self._wanted and self._settings.pulse_s is not None
        return self._settings.renew_s if pulsed else self._settings.keepalive_s

    async def _do(self) -> None:
        loop = asyncio.get_running_loop()
        if self._held is not self._wanted:
            self._verify_at_s = 0.0
        if self._held is not self._wanted or loop.time() >= self._told_at_s + self._every_s():
            await self._tell()
        if loop.time() >= self._verify_at_s:
            await self._verify()

    async def _tell(self) -> None:
        """Its reply repeats the request, so an adapter that echoes passes for the board until it is read."""
        on = self._wanted
        self._told_at_s = asyncio.get_running_loop().time()
        await tell_relay(self._bus, self._unit, self._coil, on=on, pulse_s=self._settings.pulse_s)
        self._held = on

    async def _verify(self) -> None:
        on, self._held = self._held, None
        await prove_relay(self._bus, self._unit, self._coil, on=on)
        self._held = on
        self._verify_at_s = asyncio.get_running_loop().time() + self._settings.verify_s

    def _failed(self, error: DeviceError) -> None:
        self._held = None
        self._failures += 1
        pause_s = _SOON_S
        self._doubt()
        if self._failures > 1:
            pause_s = min(self._settings.retry_s * 2.0 ** (self._failures - 2), self._settings.retry_max_s)
            self._raise_fault(
                error.code, f"{error}; check the power of the {self._name} relay, its wires and its unit id"
            )
        self._retry_at_s = asyncio.get_running_loop().time() + pause_s

    def _raise_fault(self, code: str, text: str) -> None:
        if self._fault is None or self._fault.code != code:
            _log.debug("%s: %s", self._name, text)
        self._fault = Fault(self._name, code, text)
