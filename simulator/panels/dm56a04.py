"""A DM56A04 / DM36B06 panel: registers as documented, LEDs as they would be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simulator.panels.base import Identity, ReadableTwin

DIGITS, VALUE_HIGH, VALUE_LOW, BLINK, BRIGHTNESS = 0, 6, 7, 8, 9
FACTORY_RESET, UNIT_ID, BAUD_CODE, PARITY_CODE = 0xFB, 0xFD, 0xFE, 0xFF

_BOUNDS = {
    **dict.fromkeys(range(DIGITS, VALUE_HIGH), (0x20, 0x7E)),
    VALUE_HIGH: (0, 0xFFFF),
    VALUE_LOW: (0, 0xFFFF),
    BLINK: (0, 0x3F),
    BRIGHTNESS: (1, 8),
    FACTORY_RESET: (0, 0),
    UNIT_ID: (1, 247),
    BAUD_CODE: (0, 7),
    PARITY_CODE: (0, 2),
}


class Dm56a04Twin(ReadableTwin):
    """The panel, as `simulator.modbus_pdu.RegisterDevice`.

    `power_up` is the stored label that it lights when power comes. What the maker does not state is
    decided so: a value written to register 7 appears in registers 0 to 5 too, out-of-range values are
    refused with exception 3, registers that are not documented with exception 2.
    """

    bounds = _BOUNDS
    # 0xFC is not documented, but between those that can be read in one go.
    readable = frozenset(_BOUNDS) | {0xFC}
    identity: ClassVar[Identity] = Identity(UNIT_ID, BAUD_CODE)
    brightness_at = BRIGHTNESS

    def __init__(self, digits: int = 4, power_up: str = "0000", unit: int = 1) -> None:
        self.power_up = power_up
        super().__init__(digits, {UNIT_ID: unit, BAUD_CODE: 3, PARITY_CODE: 0, FACTORY_RESET: 0})

    def _reset(self) -> None:
        self._registers = dict.fromkeys(self.readable, 0) | self._stored
        self._registers[BRIGHTNESS] = 8
        self._put_text(self.power_up)

    def _take(self, address: int, values: Sequence[int]) -> None:
        last = address + len(values) - 1
        for register, value in enumerate(values, address):
            self._registers[register] = value
            if register in self._stored:
                self._stored[register] = value
        if address <= FACTORY_RESET <= last:
            self._stored.update({UNIT_ID: 1, BAUD_CODE: 3, PARITY_CODE: 0})
            self._registers.update(self._stored)
        if address <= VALUE_LOW <= last:
            if address == VALUE_LOW:
                self._registers[VALUE_HIGH] = 0  # alone: a plain unsigned number
            self._show_number()

    def _show_number(self) -> None:
        high, low = self._registers[VALUE_HIGH], self._registers[VALUE_LOW]
        negative, decimals = high >> 12 & 0xF, high >> 8 & 0xF
        number = (high & 0xFF) << 16 | low
        # The decimal point has no place in the digit registers; it is left out of what `lit` says.
        text = f"{number:0{decimals + 1}d}" if decimals else str(number)
        self._put_text(("-" if negative else "") + text)

    def _put_text(self, text: str) -> None:
        fitting = text[-self.digits :].rjust(self.digits).ljust(6)
        self._registers.update(enumerate(map(ord, fitting), DIGITS))

    @property
    def brightness(self) -> int:
        """1 to 8."""
        return self._registers[BRIGHTNESS]

    @property
    def blink_mask(self) -> int:
        return self._registers[BLINK]

    def _face(self) -> str:
        off = self.blink_mask if self._off_phase else 0
        return "".join(
            # the lowest bit of the mask is the rightmost digit
            " " if off >> (self.digits - 1 - place) & 1 else chr(self._registers[DIGITS + place])
            for place in range(self.digits)
        )
