"""TM1650 / STC8G: 4-digit RS485 modules of 0.56" or 0.8" in a meter case, red, by several sellers.

Sources: lamaplc.com display:tm1650_7-segment, and the page of a seller (shop.rfid-life.com). No register is
documented that darkens it, none can be read for certain, and the range of the brightness is not stated: 1 to
7 are used, what the published frames use. Look-alikes carry the map of the LED-485 instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from drivers.display.cells import BlinkRegister, shows, step_of
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

VALUE = 0  # 1 word: signed, two's complement; with DECIMALS and BRIGHTNESS in one FC16, or by FC6 each, w
DECIMALS = 1  # 1 word: place of the point, 0 none, 1-3, w
BRIGHTNESS = 2  # 1 word: 1 (dimmest) to 7 are used; 0 may be dark, nobody says so, w
FLASH = 3  # 1 word: 0 steady, 1 flashing; by FC6, w
BAUD_CODE = 4  # 1 word: 0-7 = 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, w
UNIT_ID = 5  # 1 word: 1-247, w

DIGITS = 4
BRIGHTNESS_STEPS = 7
NOTHING = (0, 0, 0)  # value 0 as dark as it goes: the nearest to dark that there is


class Tm1650(PanelDriver):
    """Value, decimals and brightness in one request: half a state is never shown."""

    name: ClassVar[str] = "tm1650"
    title: ClassVar[str] = "TM1650 / STC8G module, 4 digits"
    line: ClassVar[LineSettings] = LineSettings(baud=9600)
    facts: ClassVar[PanelFacts] = PanelFacts(
        power_up="its address and baud code for a moment (0013), then 0",
        own_timeout="it keeps the last number for ever",
        status=SourceStatus.DOCUMENTED,
        source="lamaplc.com display:tm1650_7-segment; the page of a seller (shop.rfid-life.com)",
        quirks=(
            "Where it should be dark it is sent 0 at brightness 0: that may be dark, or a dim 0.",
            "The range of the brightness is not stated; steps 1 to 7 are used.",
            "How fast it flashes is not stated.",
            "Look-alikes take the registers of the LED-485; try `led485` when this one shows nothing.",
        ),
    )

    def __init__(self, digits: int = DIGITS) -> None:
        if digits != DIGITS:
            raise DriverError(f"display driver tm1650: digits is {digits}; there is one of {DIGITS} alone")
        self.capabilities = Capabilities(
            digits=DIGITS,
            can_blank=False,
            brightness_levels=BRIGHTNESS_STEPS,
            reads_back=False,
            own_timeout_s=None,
            lights_at_power_up=True,
            blinks=True,
        )
        self._blink = BlinkRegister(FLASH, on=1, single=True)

    def start(self) -> Sequence[WriteRegisters]:
        """What must be set before anything is shown: nothing flashes."""
        return (self._blink.off(),)

    def writes(self, face: Face, level: float) -> Sequence[WriteRegisters]:
        number = None if face.word else face.number
        values = NOTHING
        if number is not None and shows(number, DIGITS):
            values = (number, 0, step_of(level, 1, BRIGHTNESS_STEPS))
        return (WriteRegisters(VALUE, values), *self._blink.writes(face))

    def brightness(self, level: float) -> Sequence[WriteRegisters]:
        """None: every face carries it."""
        return ()

    def read_back(self, face: Face, level: float) -> Expect | None:
        return None

    def lamp_test(self, level: float) -> Sequence[WriteRegisters]:
        return self.writes(Face(8888), level)
