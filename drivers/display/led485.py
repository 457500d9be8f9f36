"""LED-485 modules and large panels by armfly, 2 to 6 digits, with the register maps of 2014 and of 2024.

Sources: the maker's own master, armfly/H7-TOOL_STM32H7_App bsp_rs485_led.c (map of 2014); sman-dk/
LED-485_setuptool, which ran on an LED-485-046 and an LED-046 (map of 2024). Neither map can be read back.
The maker takes 4 ms of silence for the end of a frame at any baud rate from 9600 up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from drivers.display.cells import laid_out, step_of
from drivers.display.seven_segment import GLYPHS, SEGMENTS
from speedsign.errors import DriverError
from speedsign.model import Face
from speedsign.ports import (
    Capabilities,
    Expect,
    LineSettings,
    PanelDriver,
    PanelFacts,
    SourceStatus,
    WriteRegisters,
)

# Map of 2014
KEYS_2014 = 0x1D  # 1 word: counter of a key, the only register that can be read, r
UNIT_ID_2014 = 0x23  # 1 word, w
BRIGHTNESS_2014 = 0x24  # 1 word: 0-7, by FC6, w
DECIMALS_2014 = 0x25  # 1 word: 0 at power-up, by FC6, w
TEXT_2014 = 0x70  # 6 words: 12 ASCII bytes from the left, the rest 00; '.' belongs to the digit before it, w
VALUE_2014 = 0x88  # 1 word: signed; not used: FC6 replies are echoes
NUMBER_2014 = 0x90  # 2 words: sign and decimals, magnitude; not used: it cannot be dark

# Map of 2024
VALUE_2024 = 0x00  # 1 word: signed; not used: FC6 replies are echoes
UNIT_ID_2024 = 0x02  # 1 word, w
BAUD_CODE_2024 = 0x03  # 1 word: 1-8 = 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, w
DECIMALS_2024 = 0x04  # 1 word: 0-3, lost at power-off, by FC6, w
TEXT_2024 = 0x70  # 1 word for two digits: ASCII; not used: the segments leave no doubt about the font
SEGMENTS_2024 = 0x80  # 1 word for two digits, the left one in the high byte: bit 0 is a, bit 6 is g, w

TEXT_BYTES = 12
BRIGHTNESS_HIGHEST = 7
_DIGITS = {"2014": (4, 2, 3), "2024": (6, 2, 4)}  # the usual number first


class Led485(PanelDriver):
    """Every cell by FC16 with each face: text where the map is of 2014, segments where it is of 2024."""

    name: ClassVar[str] = "led485"
    title: ClassVar[str] = "armfly LED-485 family, 2 to 6 digits"
    line: ClassVar[LineSettings] = LineSettings(baud=9600)
    profiles: ClassVar[tuple[str, ...]] = ("2014", "2024")
    facts: ClassVar[PanelFacts] = PanelFacts(
        power_up="not stated",
        own_timeout="it keeps the last number for ever",
        status=SourceStatus.DOCUMENTED,
        source="the maker's own master (armfly/H7-TOOL_STM32H7_App); sman-dk/LED-485_setuptool",
        quirks=(
            "Of the models in our sources -046 and LED-046 have the map of 2024, all others that of 2014.",
            "Neither can be read back over Modbus: what was acknowledged is taken for shown.",
            "Brightness (2014) has the steps 0 to 7; whether 0 still glows is not stated. 2024: none known.",
            "It may have been switched to plain text; `$001,81&` brings it back to Modbus.",
        ),
    )

    def __init__(self, digits: int | None = None, profile: str = "2014") -> None:
        known = _DIGITS[profile]
        digits = digits or known[0]
        if digits not in known:
            there_are = ", ".join(map(str, sorted(known)))
            raise DriverError(
                f"display driver led485: digits is {digits}; with the map of {profile}: {there_are}"
            )
        self.profile = profile
        self.capabilities = Capabilities(
            digits=digits,
            can_blank=True,
            brightness_levels=BRIGHTNESS_HIGHEST + 1 if profile == "2014" else 0,
            reads_back=False,
            own_timeout_s=None,
            lights_at_power_up=True,
            cells=digits,
            glyphs=GLYPHS,
        )

    def start(self) -> Sequence[WriteRegisters]:
        """What must be set before anything is shown: no decimals."""
        register = DECIMALS_2014 if self.profile == "2014" else DECIMALS_2024
        return (WriteRegisters(register, (0,), single=True),)

    def writes(self, face: Face, level: float) -> Sequence[WriteRegisters]:
        cells = laid_out(face, self.capabilities)
        if self.profile == "2024":
            return (_in_segments([SEGMENTS[glyph] for glyph in cells]),)
        return (_in_text(cells if cells.strip() else " " * TEXT_BYTES),)

    def brightness(self, level: float) -> Sequence[WriteRegisters]:
        if self.profile == "2024":
            return ()
        return (WriteRegisters(BRIGHTNESS_2014, (step_of(level, 0, BRIGHTNESS_HIGHEST),), single=True),)

    def read_back(self, face: Face, level: float) -> Expect | None:
        return None

    def lamp_test(self, level: float) -> Sequence[WriteRegisters]:
        digits = self.capabilities.digits
        if self.profile == "2024":
            return (_in_segments([SEGMENTS["8"]] * digits),)
        return (_in_text("8." * digits),)


def _in_text(text: str) -> WriteRegisters:
    return _in_pairs(TEXT_2014, text.encode("ascii").ljust(TEXT_BYTES, b"\0"))


def _in_segments(cells: list[int]) -> WriteRegisters:
    return _in_pairs(SEGMENTS_2024, bytes(cells))


def _in_pairs(address: int, cells: bytes) -> WriteRegisters:
    """Two cells a register, the left one in the high byte."""
    pairs = zip(cells[::2], cells[1::2], strict=True)
    return WriteRegisters(address, tuple(left << 8 | right for left, right in pairs))
