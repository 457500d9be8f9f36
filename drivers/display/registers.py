"""A panel that no driver knows, by the map that [display.registers] describes: an integer, or characters.

Nothing of it is documented here; whoever writes the map has its manual. What cannot be is refused with a
sentence, what does not fit the panel is dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from drivers.display.cells import BlinkRegister, laid_out, shows, step_of
from drivers.display.character_codes import codes_of
from speedsign.config.schema import RegistersConfig
from speedsign.errors import DriverError
from speedsign.model import Face
from speedsign.ports import (
    DIGIT_GLYPHS,
    Capabilities,
    Expect,
    LineSettings,
    PanelDriver,
    PanelFacts,
    SourceStatus,
    WriteRegisters,
)

REGISTERS = 0x10000  # there are so many addresses
WORD = 0xFFFF
_DIGITS = "0123456789"


class Registers(PanelDriver):
    """The whole face in one request, so that no part of the one before it can remain."""

    name: ClassVar[str] = "registers"
    title: ClassVar[str] = "any panel with an integer or characters in its registers"
    line: ClassVar[LineSettings] = LineSettings(baud=9600)
    facts: ClassVar[PanelFacts] = PanelFacts(
        power_up="as its maker says; taken for anything",
        own_timeout="as `own_timeout_s` says; none unless set",
        status=SourceStatus.CONSTRUCTED,
        source="the panel's own manual, by way of `[display.registers]`",
        quirks=(
            "An integer panel without `blank_value` shows 0 where it should be dark.",
            "Addresses are those on the wire, from 0: manuals that count from 40001 mean 0.",
        ),
    )

    def __init__(self, config: RegistersConfig) -> None:
        self._map = config
        self._codes: Mapping[str, int] = {}
        if config.kind == "text":
            self._codes = codes_of(config.encoding, _DIGITS + config.glyphs.replace(" ", ""), config.fill)
        for wrong in (_wrong_kind(config), _wrong_request(config), _wrong_places(config)):
            if wrong:
                raise DriverError(f"[display.registers]: {wrong}")
        self._single = config.function == 6
        has_words = bool(config.glyphs)
        self.capabilities = Capabilities(
            digits=config.cells,
            can_blank=config.kind == "text" or config.blank_value is not None,
            brightness_levels=self._levels(),
            reads_back=config.reads_back,
            own_timeout_s=config.own_timeout_s,
            lights_at_power_up=True,
            cells=config.cells if has_words else 0,
            glyphs=DIGIT_GLYPHS | frozenset(config.glyphs),
            blinks=config.blink_address is not None,
        )
        self._blink = None
        if config.blink_address is not None:
            self._blink = BlinkRegister(config.blink_address, config.blink_on, single=self._single)

    def start(self) -> Sequence[WriteRegisters]:
        """What must be set before anything is shown: nothing blinks."""
        return (self._blink.off(),) if self._blink else ()

    def writes(self, face: Face, level: float) -> Sequence[WriteRegisters]:
        blinking = self._blink.writes(face) if self._blink else ()
        return (self._write(self._words(face)), *blinking)

    def brightness(self, level: float) -> Sequence[WriteRegisters]:
        address = self._map.brightness_address
        if address is None:
            return ()
        step = step_of(level, self._map.brightness_min, self._map.brightness_max)
        return (WriteRegisters(address, (step,), self._single),)

    def read_back(self, face: Face, level: float) -> Expect | None:
        return Expect(self._map.address, self._words(face)) if self._map.reads_back else None

    def lamp_test(self, level: float) -> Sequence[WriteRegisters]:
        """Every cell an 8; of an integer panel as many as a register holds."""
        return self.writes(Face(next(n for n in _eights(self._map.cells) if self._fits(n))), level)

    def _levels(self) -> int:
        if self._map.brightness_address is None:
            return 0
        return self._map.brightness_max - self._map.brightness_min + 1

    def _write(self, words: tuple[int, ...]) -> WriteRegisters:
        return WriteRegisters(self._map.address, words, self._single)

    def _fits(self, number: int | None) -> bool:
        """Whether it can be shown; the value that darkens an integer panel cannot."""
        if not shows(number, self._map.cells) or number is None:
            return False
        return self._map.kind == "text" or (number <= WORD and number != self._map.blank_value)

    def _words(self, face: Face) -> tuple[int, ...]:
        """What the panel's registers hold while it shows this face."""
        if self._map.kind == "integer":
            number = None if face.word else face.number
            if number is not None and self._fits(number):
                return (number,)
            return (self._map.blank_value or 0,)
        cells = [self._codes.get(glyph, self._map.fill) for glyph in self._cells(face)]
        if self._map.pack == 1:
            return tuple(cells)
        return tuple(left << 8 | right for left, right in zip(cells[::2], cells[1::2], strict=True))

    def _cells(self, face: Face) -> str:
        return laid_out(face, self.capabilities, self._map.pad)


def _eights(cells: int) -> list[int]:
    return [int("8" * count) for count in range(cells, 0, -1)]


def _count(config: RegistersConfig) -> int:
    return 1 if config.kind == "integer" else config.cells // config.pack


def _wrong_kind(config: RegistersConfig) -> str | None:
    """Keys that an integer, or a text, has no use for."""
    if config.kind == "text":
        if config.blank_value is not None:
            return "blank_value is for kind = integer; the code of a dark cell is fill"
        if config.cells % config.pack:
            return f"cells is {config.cells}, and pack = 2 needs an even number"
        return None
    if config.glyphs or config.pack != 1:
        return "an integer has no characters; leave out glyphs and pack, or say kind = text"
    return None


def _wrong_request(config: RegistersConfig) -> str | None:
    """What one request cannot write."""
    count = _count(config)
    if config.address + count > REGISTERS:
        return f"{count} registers from {config.address} go beyond the last address, {REGISTERS - 1}"
    if config.function == 6 and count > 1:
        return f"function 6 writes one register, and a face is {count}; half of one may never be seen"
    return None


def _wrong_places(config: RegistersConfig) -> str | None:
    """Registers that would write over each other, and values that mean nothing."""
    face = range(config.address, config.address + _count(config))
    if config.brightness_address in face:
        return f"brightness_address {config.brightness_address} is a register of the face"
    if config.blink_address in face:
        return f"blink_address {config.blink_address} is a register of the face"
    if config.blink_address is not None and config.blink_address == config.brightness_address:
        return f"blink_address {config.blink_address} is brightness_address too"
    if config.brightness_address is not None and config.brightness_min >= config.brightness_max:
        return f"brightness_min {config.brightness_min} must be below brightness_max {config.brightness_max}"
    if config.blink_address is not None and config.blink_on == 0:
        return "blink_on is 0, which is written to end the blinking"
    return None
