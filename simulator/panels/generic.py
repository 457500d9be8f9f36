"""The panel that a [display.registers] table describes: what a driver makes of the table, read back by eye.

All zeros are lit when power comes, at full brightness; what the map does not say is refused.
"""

from __future__ import annotations

from simulator.panels.base import PanelTwin, ReadableTwin, number_text
from speedsign.config.schema import RegistersConfig

_WORD, _BYTE = (0, 0xFFFF), (0, 0xFF)


class RegistersTwin(PanelTwin):
    """A panel with such a map, of which nothing can be read."""

    def __init__(self, config: RegistersConfig) -> None:
        self._map = config
        count = 1 if config.kind == "integer" else config.cells // config.pack
        self._face_at = range(config.address, config.address + count)
        bytes_only = config.kind == "text" and config.pack == 1
        self.bounds = dict.fromkeys(self._face_at, _BYTE if bytes_only else _WORD)
        if config.brightness_address is not None:
            self.bounds[config.brightness_address] = config.brightness_min, config.brightness_max
        if config.blink_address is not None:
            self.bounds[config.blink_address] = _WORD
        super().__init__(config.cells)

    def _reset(self) -> None:
        self._registers = dict.fromkeys(self.bounds, 0)
        if self._map.kind == "text":
            zeros = "0".encode(self._map.encoding) * self._map.pack
            self._registers.update(dict.fromkeys(self._face_at, int.from_bytes(zeros, "big")))
        if self._map.brightness_address is not None:
            self._registers[self._map.brightness_address] = self._map.brightness_max

    @property
    def brightness_at(self) -> int | None:
        return self._map.brightness_address

    @property
    def blinking(self) -> bool:
        address = self._map.blink_address
        return address is not None and self._registers[address] == self._map.blink_on

    def _face(self) -> str:
        if self.blinking and self._off_phase:
            return self._dark
        words = [self._registers[register] for register in self._face_at]
        if self._map.kind == "integer":
            if words[0] == self._map.blank_value:
                return self._dark
            return number_text(words[0], 0, self.digits) or "-" * self.digits
        codes = b"".join(word.to_bytes(self._map.pack, "big") for word in words)
        return "".join(map(self._glyph, codes))

    def _glyph(self, code: int) -> str:
        """What the font shows for a code; '?' for one that it does not have."""
        if code == self._map.fill:
            return " "
        glyph = bytes([code]).decode(self._map.encoding, "replace")
        return glyph if glyph in "0123456789" or glyph in self._map.glyphs else "?"


class ReadableRegistersTwin(ReadableTwin, RegistersTwin):
    """The same, and FC3 tells what was written."""

    def __init__(self, config: RegistersConfig) -> None:
        super().__init__(config)
        self.readable = frozenset(self.bounds)
