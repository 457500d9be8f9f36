"""DM56A04 (4 digits of 0.56") and DM36B06 (6 of 0.36"), red, RS485 Modbus RTU, by Eletechsup.

Sources: lamaplc.com sensor:dm36-dm56, and the driver in pozsarzs/mm8d-sw that ran on the hardware.
Not stated by any: response time, a watchdog, what it shows at power-up (a stored "label"). So the panel
is taken for one that keeps its last number for ever and may light anything when power comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from drivers.display.cells import BlinkRegister, laid_out, step_of
from drivers.display.seven_segment import GLYPHS
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

DIGITS = 0  # 0-5, one word a digit from the left: ASCII code, letters, '-' and space allowed, r/w
VALUE_HIGH = 6  # 1 word: sign and decimals, bits 23-16 of the value; with VALUE_LOW by FC16, r/w
VALUE_LOW = 7  # 1 word: unsigned 0-65535, shown in decimal, r/w; not used: FC6 replies are echoes
BLINK = 8  # 1 word: bit mask of digits, 0 none, r/w; a flashing speed is prohibited on many roads
BRIGHTNESS = 9  # 1 word: 1 (dimmest) to 8, r/w
FACTORY_RESET = 0xFB  # 1 word: write 0; never written by us
UNIT_ID = 0xFD  # 1 word: 1-247, r/w
BAUD_CODE = 0xFE  # 1 word: 0-7 = 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, r/w
PARITY_CODE = 0xFF  # 1 word: 0 none, 1 even, 2 odd, r/w

BRIGHTNESS_STEPS = 8


class Dm56a04(PanelDriver):
    """Digits as ASCII by FC16, so that no stale digit can remain."""

    name: ClassVar[str] = "dm56a04"
    title: ClassVar[str] = "Eletechsup DM56A04 / DM36B06, 4 or 6 digits"
    line: ClassVar[LineSettings] = LineSettings(baud=9600)
    facts: ClassVar[PanelFacts] = PanelFacts(
        power_up="a label that is stored in it, zeros or anything",
        own_timeout="it keeps the last number for ever",
        status=SourceStatus.DOCUMENTED,
        source="lamaplc.com sensor:dm36-dm56; a driver in pozsarzs/mm8d-sw that ran on the hardware",
        quirks=(
            "Address, baud rate and parity are registers 253 to 255; the module is set before it is mounted.",
            "How long it takes to answer is not stated.",
        ),
    )

    def __init__(self, digits: int = 4) -> None:
        if digits not in (4, 6):
            raise DriverError(f"display driver dm56a04: digits is {digits}; 4 (DM56A04) or 6 (DM36B06)")
        self.capabilities = Capabilities(
            digits=digits,
            can_blank=True,
            brightness_levels=BRIGHTNESS_STEPS,
            reads_back=True,
            own_timeout_s=None,
            lights_at_power_up=True,
            cells=digits,
            glyphs=GLYPHS,
            blinks=True,
        )
        self._blink = BlinkRegister(BLINK, on=2**digits - 1)

    def start(self) -> Sequence[WriteRegisters]:
        """What must be set before anything is shown: nothing blinks."""
        return (self._blink.off(),)

    def writes(self, face: Face, level: float) -> Sequence[WriteRegisters]:
        return (WriteRegisters(DIGITS, self._codes(face)), *self._blink.writes(face))

    def brightness(self, level: float) -> Sequence[WriteRegisters]:
        return (WriteRegisters(BRIGHTNESS, (step_of(level, 1, BRIGHTNESS_STEPS),)),)

    def read_back(self, face: Face, level: float) -> Expect | None:
        return Expect(DIGITS, self._codes(face))

    def lamp_test(self, level: float) -> Sequence[WriteRegisters]:
        return (WriteRegisters(DIGITS, (ord("8"),) * self.capabilities.digits),)

    def text(self, face: Face) -> str:
        """What the LEDs show, one character a digit."""
        return laid_out(face, self.capabilities)

    def _codes(self, face: Face) -> tuple[int, ...]:
        return tuple(ord(character) for character in self.text(face))
