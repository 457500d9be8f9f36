"""Fema Electrónica B24, B26, B44, B46-RTU: industrial displays, 4 or 6 digits of 60 or 100 mm, IP65.

Sources: Fema, B-RTU series and B series user manuals (document 4381r03), Modbus RTU in "full slave" mode. The
only panel here with a watchdog of its own. Nothing is documented that darkens it, and its brightness is set
on its keypad alone. Its coils 0 to 2 switch its own relays, for lamps beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from drivers.display.cells import shows
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

# Data of 16 bits. With 32 bits each is a pair of words, the low one first, at 0, 2 and 4; a write that does
# not hold both is dropped without a word.
DISPLAY = 0  # 1 word: -32767 to 32767, r/w
RESOLUTION = 1  # 1 word: decimals 0-5, others are ignored without a word, r/w
ALARMS = 2  # 1 word: bits 0-2, only if enabled on the keypad; not used, r/w
RESERVED = 3  # 3 words: may be read and written, mean nothing
ALARM_COILS = 0  # 3 coils: relays 1-3, r/w

HIGHEST_16_BIT = 32767
WATCHDOG_S = 10.0  # as it comes; may be changed on the keypad


class Fema(PanelDriver):
    """Number and decimals in one request; proved by reading the same registers."""

    name: ClassVar[str] = "fema"
    title: ClassVar[str] = "Fema Electrónica Bxx-RTU, 4 or 6 digits of 60 or 100 mm"
    line: ClassVar[LineSettings] = LineSettings(baud=19200)
    bauds: ClassVar[tuple[int, ...]] = (19200, 9600, 38400, 4800, 2400, 1200)
    profiles: ClassVar[tuple[str, ...]] = ("16-bit", "32-bit")
    facts: ClassVar[PanelFacts] = PanelFacts(
        power_up="0",
        own_timeout="after 10 s it flashes Err.W instead",
        status=SourceStatus.DOCUMENTED,
        source="Fema Electrónica, B-RTU and B series user manuals (document 4381r03)",
        quirks=(
            "Where it should be dark it shows 0: nothing that darkens it is documented.",
            "Set on its keypad: full slave, watchdog 10 s, on error flash, data as `profile` says.",
            "On its keypad too: decimal point remote, and alarms by coil if its relays switch a beacon.",
            "Brightness has five levels, on the keypad alone.",
            "Its relays are coils 0 to 2 of its own unit: `[beacon]` may name them.",
        ),
    )

    def __init__(self, digits: int = 4, profile: str = "16-bit") -> None:
        if digits not in (4, 6):
            raise DriverError(f"display driver fema: digits is {digits}; 4 (B24, B44) or 6 (B26, B46)")
        self.profile = profile
        self.capabilities = Capabilities(
            digits=digits,
            can_blank=False,
            brightness_levels=0,
            reads_back=True,
            own_timeout_s=WATCHDOG_S,
            lights_at_power_up=True,
        )

    def start(self) -> Sequence[WriteRegisters]:
        """Nothing: decimals go with each face."""
        return ()

    def writes(self, face: Face, level: float) -> Sequence[WriteRegisters]:
        return (WriteRegisters(DISPLAY, self._words(face)),)

    def brightness(self, level: float) -> Sequence[WriteRegisters]:
        return ()

    def read_back(self, face: Face, level: float) -> Expect | None:
        return Expect(DISPLAY, self._words(face))

    def lamp_test(self, level: float) -> Sequence[WriteRegisters]:
        """As many 8 as the data can hold: four of six where it has 16 bits."""
        most = int("8" * self.capabilities.digits)
        return self.writes(Face(most if most <= self._highest else 8888), level)

    @property
    def _highest(self) -> int:
        return HIGHEST_16_BIT if self.profile == "16-bit" else 0xFFFFFF

    def _words(self, face: Face) -> tuple[int, ...]:
        """Display and resolution; what does not fit is 0."""
        number = None if face.word else face.number
        fits = number is not None and shows(number, self.capabilities.digits) and number <= self._highest
        value = number if number is not None and fits else 0
        if self.profile == "16-bit":
            return (value, 0)
        return (value & 0xFFFF, value >> 16, 0, 0)
