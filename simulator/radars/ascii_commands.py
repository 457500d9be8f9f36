"""The commands that two of the ASCII dialects have; the others are set with their makers' tools.

Houston: text lines `NAME:value` LF, answered `OK` LF and kept at once. How a question (`NAME?` LF) is
answered is not documented; here with the value and LF. Decatur SI-3 (manual, appendix A): a letter, values
after commas, CR; answered `OK` LF CR and lost with the power unless `F` has saved them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

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


class _LineCommands:
    """Commands that end with one byte, taken in any pieces."""

    _end: ClassVar[int]

    def __init__(self) -> None:
        self._line = ""

    def feed(self, data: bytes) -> bytes:
        """What is answered to these bytes, in the middle of whatever is being said."""
        out = b""
        for byte in data:
            if byte == self._end:
                line, self._line = self._line, ""
                out += self._act(line)
            else:
                self._line = (self._line + chr(byte))[-LONGEST_COMMAND:]
        return out

    def power_cycle(self) -> None:
        """What was half said is forgotten."""
        self._line = ""

    def _act(self, line: str) -> bytes:
        raise NotImplementedError


class HoustonCommands(_LineCommands):
    """Two-letter variables and `Sensitivity`; kept at once; `writes` counts what the flash has to bear."""

    _end: ClassVar[int] = 0x0A

    def __init__(self, settings: AsciiSettings) -> None:
        super().__init__()
        self.settings = settings
        self.writes = 0

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


class Si3Commands(_LineCommands):
    """Letters; what is not saved with F is lost with the power."""

    _end: ClassVar[int] = 0x0D

    def __init__(self, settings: AsciiSettings) -> None:
        super().__init__()
        self.settings = settings
        self._saved = self._copy()

    def power_cycle(self) -> None:
        """Back to what was saved."""
        super().power_cycle()
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
