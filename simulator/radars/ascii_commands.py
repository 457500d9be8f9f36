"""The commands that two of the ASCII dialects have; the others are set with their makers' tools.

Houston: text lines `NAME:value` LF, answered `OK` LF and kept at once. How a question (`NAME?` LF) is
answered is not documented; here with the value and LF. Decatur SI-3 (manual, appendix A): a letter, values
after commas, CR; answered `OK` LF CR and lost with the power unless `F` has saved them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST_COMMAND = 40
KMH_PER_MPS = 3.6
MPS_PER_UNIT = (0.44704, 1 / KMH_PER_MPS, 0.3048, 1.0)  # mph, km/h, ft/s, m/s: Houston's UN, Decatur's C
UNIT_NAMES = ("mph", "km/h", "ft/s", "m/s")
SI3_SPACINGS_S = (1.0, 0.5, 0.2, 0.125)  # U: 1, 2, 5, 8 a second; 4 on change and 5 poll are not simulated
_HOUSTON = re.compile(r"(\w+)(?::(\d+)|(\?))")
_SI3 = re.compile(r"([A-Za-z])(?:,?(\d+))?,?")


@dataclass(slots=True)
class AsciiSettings:
    """What such a radar can be set to; `unit` is an index of `MPS_PER_UNIT`."""

    form: str
    unit: int = 1
    least: float = 5.0  # in that unit
    most: float = 320.0
    spacing_s: float = 0.1
    others: dict[str, int] = field(default_factory=dict)


class HoustonCommands:
    """Two-letter variables and `Sensitivity`; `writes` counts what the flash has to bear."""

    def __init__(self, settings: AsciiSettings) -> None:
        self.settings = settings
        self.writes = 0
        self._line = ""

    def feed(self, data: bytes) -> bytes:
        """Take commands in any pieces; what is answered."""
        out = b""
        for byte in data:
            if byte == 0x0A:
                line, self._line = self._line, ""
                out += self._act(line)
            else:
                self._line = (self._line + chr(byte))[-LONGEST_COMMAND:]
        return out

    def power_cycle(self) -> None:
        """What was set is kept."""
        self._line = ""

    def _act(self, line: str) -> bytes:
        found = _HOUSTON.fullmatch(line.strip())
        if not found:
            return b""
        name, value, asked = found.groups()
        if asked:
            return f"{self.settings.others.get(name, 0)}\n".encode()
        self.writes += 1
        self.settings.others[name] = int(value)
        self._apply(name, int(value))
        return b"OK\n"

    def _apply(self, name: str, value: int) -> None:
        if name == "UN" and value < len(MPS_PER_UNIT):
            self.settings.unit = value
        elif name == "LO":
            self.settings.least = value
        elif name == "HI":
            self.settings.most = value
        elif name == "RS" and value % 10 in (3, 4, 5, 6):
            self.settings.form = str(value % 10)


class Si3Commands:
    """Letters; what is not saved with F is lost with the power."""

    def __init__(self, settings: AsciiSettings) -> None:
        self.settings = settings
        self._saved = self._copy()
        self._line = ""

    def feed(self, data: bytes) -> bytes:
        """Take commands in any pieces; what is answered, in the middle of whatever is being said."""
        out = b""
        for byte in data:
            if byte == 0x0D:
                line, self._line = self._line, ""
                out += self._act(line)
            else:
                self._line = (self._line + chr(byte))[-LONGEST_COMMAND:]
        return out

    def power_cycle(self) -> None:
        """Back to what was saved."""
        self._line = ""
        for name, value in self._saved.items():
            setattr(self.settings, name, value)

    def _copy(self) -> dict[str, object]:
        s = self.settings
        return {"form": s.form, "unit": s.unit, "least": s.least, "most": s.most, "spacing_s": s.spacing_s}

    def _act(self, line: str) -> bytes:
        found = _SI3.fullmatch(line.strip())
        if not found:
            return b""
        letter, value = found.group(1), int(found.group(2) or 0)
        if letter == "F":
            self._saved = self._copy()
            return b"OK FLASH SAVED\n\r"
        if letter == "C" and value < len(MPS_PER_UNIT):
            self.settings.unit = value
        elif letter == "m":
            self.settings.least = value
        elif letter == "M":
            self.settings.most = value
        elif letter == "T":
            self.settings.form = "1" if value == 1 else "0"
        return b"OK\n\r"
