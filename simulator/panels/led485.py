"""Two LED-485 panels, with the register maps of 2014 and of 2024: LEDs as they would be seen.

Not stated by the maker, and decided here: all zeros are lit when power comes, at full brightness; text
is taken at its first register only; what is longer than the panel is cut on the right; 00 ends a text; a
number that does not fit is dashes; brightness 0 still glows; the unit's address outlives a power cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simulator.modbus_pdu import IllegalAddress, IllegalValue
from simulator.panels.base import Identity, PanelTwin, number_text, signed
from simulator.panels.segments import read

_WORD = (0, 0xFFFF)


_BOUNDS_2014 = {
    0x23: (1, 247),
    0x24: (0, 7),
    0x25: (0, 4),
    **dict.fromkeys(range(0x70, 0x76), _WORD),
    0x88: _WORD,
    0x90: (0, 0x0104),
    0x91: _WORD,
}


class _Led485Twin(PanelTwin):
    """What is lit is what was written last, whichever register it came by."""

    stored: ClassVar[dict[int, int]]

    def __init__(self, digits: int) -> None:
        self._text = ""
        super().__init__(digits, self.stored)

    def _reset(self) -> None:
        self._registers = dict.fromkeys(self.bounds, 0) | self._stored
        self._text = "0" * self.digits

    def _take(self, address: int, values: Sequence[int]) -> None:
        super()._take(address, values)
        self._stored = {register: self._registers[register] for register in self._stored}

    def _put_number(self, number: int, decimals: int) -> None:
        self._text = number_text(number, decimals, self.digits) or "-" * self.digits

    def _face(self) -> str:
        return self._text


class Led4852014Twin(_Led485Twin):
    """The map of 2014; only its key counter can be read."""

    UNIT_ID, BRIGHTNESS, DECIMALS, KEYS = 0x23, 0x24, 0x25, 0x1D
    TEXT, VALUE, SIGN = 0x70, 0x88, 0x90

    bounds = _BOUNDS_2014
    identity: ClassVar[Identity] = Identity(UNIT_ID)
    brightness_at = BRIGHTNESS
    stored: ClassVar[dict[int, int]] = {UNIT_ID: 1}

    def __init__(self, digits: int = 4) -> None:
        super().__init__(digits)

    def _reset(self) -> None:
        super()._reset()
        self._registers[self.BRIGHTNESS] = 7

    def read(self, address: int, count: int) -> list[int]:
        if (address, count) != (self.KEYS, 1):
            raise IllegalAddress
        return [0]

    def check(self, address: int, values: Sequence[int]) -> None:
        super().check(address, values)
        if address != self.TEXT and address in range(self.TEXT, self.TEXT + 6):
            raise IllegalAddress

    def _take(self, address: int, values: Sequence[int]) -> None:
        super()._take(address, values)
        if address == self.TEXT:
            self._put_text(b"".join(value.to_bytes(2, "big") for value in values))
        elif address == self.VALUE:
            self._put_number(signed(values[0]), self._registers[self.DECIMALS])
        elif address == self.SIGN and len(values) == 2:
            sign = -1 if values[0] >> 8 else 1
            self._put_number(sign * values[1], values[0] & 0xFF)

    def _put_text(self, data: bytes) -> None:
        text, cells = "", 0
        for character in data.partition(b"\0")[0].decode("latin-1"):
            cells += character != "." or not text or text[-1] == "."
            if cells > self.digits:
                break
            text += character
        self._text = text + " " * (self.digits - cells)

    @property
    def brightness(self) -> int:
        """0 to 7."""
        return self._registers[self.BRIGHTNESS]


class Led4852024Twin(_Led485Twin):
    """The map of 2024; nothing can be read, and no brightness is known."""

    VALUE, UNIT_ID, BAUD_CODE, DECIMALS, TEXT, SEGMENTS = 0x00, 0x02, 0x03, 0x04, 0x70, 0x80

    stored: ClassVar[dict[int, int]] = {UNIT_ID: 1, BAUD_CODE: 4}
    identity: ClassVar[Identity] = Identity(UNIT_ID, BAUD_CODE, first=1)

    def __init__(self, digits: int = 6) -> None:
        pairs = digits // 2
        self.bounds = {
            self.VALUE: _WORD,
            self.UNIT_ID: (1, 247),
            self.BAUD_CODE: (1, 8),
            self.DECIMALS: (0, 3),
            **dict.fromkeys(range(self.TEXT, self.TEXT + pairs), _WORD),
            **dict.fromkeys(range(self.SEGMENTS, self.SEGMENTS + pairs), (0, 0x7F7F)),
        }
        super().__init__(digits)

    def check(self, address: int, values: Sequence[int]) -> None:
        super().check(address, values)
        if address >= self.SEGMENTS and any(value & 0x80 for value in values):
            raise IllegalValue

    def _take(self, address: int, values: Sequence[int]) -> None:
        super()._take(address, values)
        if address >= self.SEGMENTS:
            self._text = "".join(map(read, self._bytes_at(self.SEGMENTS)))
        elif address >= self.TEXT:
            self._text = self._bytes_at(self.TEXT).replace(b"\0", b" ").decode("latin-1")
        elif address == self.VALUE:
            self._put_number(signed(values[0]), self._registers[self.DECIMALS])

    def _bytes_at(self, first: int) -> bytes:
        pairs = range(first, first + self.digits // 2)
        return b"".join(self._registers[register].to_bytes(2, "big") for register in pairs)
