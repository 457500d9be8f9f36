"""A TM1650 / STC8G module of 4 digits: registers as documented, LEDs as they would be seen.

Not stated by anybody, and decided here for the worse: brightness 0 still glows, so that a module can never
be dark; a number that does not fit is four dashes; flashing is 0.5 s on and off. Registers can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simulator.panels.base import Identity, ReadableTwin, number_text, signed

VALUE, DECIMALS, BRIGHTNESS, FLASH, BAUD_CODE, UNIT_ID = range(6)

GREETING_S = 1.0  # for so long address and baud code are lit when power comes
_BOUNDS = {
    VALUE: (0, 0xFFFF),
    DECIMALS: (0, 3),
    BRIGHTNESS: (0, 7),
    FLASH: (0, 1),
    BAUD_CODE: (0, 7),
    UNIT_ID: (1, 247),
}


class Tm1650Twin(ReadableTwin):
    """The panel, as `simulator.modbus_pdu.RegisterDevice`. `dark_at_0`: brightness 0 darkens it after all."""

    bounds = _BOUNDS
    readable = frozenset(_BOUNDS)
    identity: ClassVar[Identity] = Identity(UNIT_ID, BAUD_CODE)
    brightness_at = BRIGHTNESS

    def __init__(self, unit: int = 1, *, dark_at_0: bool = False) -> None:
        self.dark_at_0 = dark_at_0
        self._greets = True
        super().__init__(4, {BAUD_CODE: 3, UNIT_ID: unit})

    def _reset(self) -> None:
        self._registers = {VALUE: 0, DECIMALS: 0, BRIGHTNESS: 7, FLASH: 0} | self._stored
        self._greets = True

    def _take(self, address: int, values: Sequence[int]) -> None:
        super()._take(address, values)
        self._stored = {register: self._registers[register] for register in self._stored}
        self._greets = False

    @property
    def brightness(self) -> int:
        """0 to 7."""
        return self._registers[BRIGHTNESS]

    def _face(self) -> str:
        if self._greets and self._t_s < GREETING_S:
            return f"{self._registers[UNIT_ID]:03d}{self._registers[BAUD_CODE]}"
        if (self._registers[FLASH] and self._off_phase) or (self.dark_at_0 and not self.brightness):
            return self._dark
        value, decimals = signed(self._registers[VALUE]), self._registers[DECIMALS]
        return number_text(value, decimals, self.digits) or "-" * self.digits
