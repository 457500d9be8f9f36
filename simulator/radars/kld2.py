"""An RFbeam K-LD2 on its line: it measures by itself and speaks when it is asked.

Facts: RFbeam K-LD2 data sheet, revision C: parameters, sampling rates (table 2), answers and errors (pages 15
to 19). That the limits D03 to D05 hold for the target string too, and how long a start takes, are assumed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10
from random import Random

from simulator.radar_physics import Echo

FFT_POINTS = 256
HZ_PER_MPS = 160.94  # two over the wavelength at 24.125 GHz
RATE_STEP_HZ = 1280
FACTORY = {"S04": 2, "S0A": 1, "S07": 0x1E, "D03": 2, "D04": 0, "D05": 0}
LIMITS = {"S04": (1, 10), "S0A": (0, 1), "S07": (0x14, 0x50), "D03": (0, 2), "D04": (0, 127), "D05": (0, 127)}
NOTHING = (0, 0, 0, 0)
START_S = 0.5
LONGEST_COMMAND = 16
_COMMAND = re.compile(r"\$([A-Z])([0-9A-F]{2})([0-9A-F]{2})?")
_NOW = 1e-9


@dataclass(slots=True)
class Kld2Sensor:
    """The device: its parameters, which survive, and what it works with since its start."""

    eeprom: dict[str, int] = field(default_factory=lambda: dict(FACTORY))
    rate: int = FACTORY["S04"]
    seen: tuple[int, int, int, int] = NOTHING  # bins approaching and receding, then dB of each

    @property
    def bin_mps(self) -> float:
        return self.rate * RATE_STEP_HZ / FFT_POINTS / HZ_PER_MPS

    @property
    def spacing_s(self) -> float:
        """From one spectrum to the next; averaging takes two."""
        return FFT_POINTS / (self.rate * RATE_STEP_HZ) * (1 + self.eeprom["S0A"])

    def restart(self) -> None:
        """A sampling rate that was set counts from here on."""
        self.rate, self.seen = self.eeprom["S04"], NOTHING

    def look(self, echoes: Sequence[Echo]) -> None:
        """Note the strongest line of each half of the spectrum; too fast folds into the other half."""
        found = [0, 0, 0, 0]
        for echo in echoes:
            at = (round(echo.radial_mps / self.bin_mps) + 128) % FFT_POINTS - 128
            side = 0 if at > 0 else 1
            strength_db = round(20 * log10(echo.strength)) if echo.strength > 1 else 0
            if not found[side] and self._passes(abs(at), side, strength_db):
                found[side], found[side + 2] = min(abs(at), 127), min(strength_db, 999)
        self.seen = (found[0], found[1], found[2], found[3])

    def _passes(self, at: int, side: int, strength_db: int) -> bool:
        p = self.eeprom
        return (
            at > 0
            and strength_db >= p["S07"]
            and p["D03"] in (side, 2)
            and at >= p["D04"]
            and (not p["D05"] or at <= p["D05"])
        )


class Kld2Twin:
    """Answers nothing while it starts. Both profiles of the driver have the same device at the other end."""

    def __init__(self, seed: int = 0, *, profile: str = "bins") -> None:
        self.profile = profile
        self.sensor = Kld2Sensor()
        self._line = ""
        self._starting_s = 0.0
        random = Random(f"{seed}/kld2")  # noqa: S311  play, not secrets
        self.due_in_s = random.random() * self.sensor.spacing_s

    def on_bytes(self, data: bytes) -> bytes:
        """Commands in any pieces; what it answers to those that end here."""
        out = b""
        for byte in data:
            if byte == 0x0D:
                line, self._line = self._line, ""
                out += self._act(line)
            elif byte == ord("$"):
                self._line = "$"
            elif byte != 0x0A:
                self._line = (self._line + chr(byte))[-LONGEST_COMMAND:]
        return out

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; it says nothing by itself."""
        self._starting_s = max(self._starting_s - dt_s, 0.0)
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            self.due_in_s = self.sensor.spacing_s
            if not self._starting_s:
                self.sensor.look(echoes)
        self.due_in_s -= dt_s
        return b""

    def power_cycle(self) -> None:
        self._line = ""
        self._starting_s = START_S
        self.sensor.restart()

    def _act(self, line: str) -> bytes:
        if self._starting_s or not line:
            return b""
        found = _COMMAND.fullmatch(line)
        if not found:
            return b"@E05\r\n"
        group, number, value = found.groups()
        if group not in "SDARFWCT":
            return b"@E03\r\n"
        return self._obey(group + number, value)

    def _obey(self, parameter: str, value: str | None) -> bytes:
        if parameter == "C01":
            return ("".join(f"{number:03d};" for number in self.sensor.seen) + "\r\n").encode()
        if parameter == "W00":
            self.power_cycle()
            return b"@W0000\r\n"
        if parameter not in self.sensor.eeprom:
            return b"@E02\r\n"
        if value is not None:
            low, high = LIMITS[parameter]
            if not low <= int(value, 16) <= high:
                return b"@E01\r\n"
            self.sensor.eeprom[parameter] = int(value, 16)
        return f"@{parameter}{self.sensor.eeprom[parameter]:02X}\r\n".encode()
