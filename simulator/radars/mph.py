"""An MPH radar on its line: seven bytes every 250 ms, whatever happens; no commands.

Facts: MPH Radar Protocol, section 1, and the DS4's protocol document; none is sent as 01, as in their
examples. How it stands on the pole: front antenna, opposite direction mode, so that it hears what
approaches; set to km/h, but a DS4 to mph. Made up: the strength from which it hears.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from simulator.radar_physics import Echo

SPACING_S = 0.25
SELF_TEST_S = 6.0  # section 1.3: at most 8 s
HEARS = 15.0
LEAST, MOST = 4, 255
NONE = 1
MPS_PER_UNIT = {"mph": 0.44704, "km/h": 1 / 3.6}
FEET_PER_M = 1 / 0.3048
ON_THE_POLE = 0xC4  # always, opposite direction, front antenna
SELF_TEST = 0x8C  # both antennas
DS4_STATUS = 0x80
_NOW = 1e-9


def packet(status: int, target: int = NONE, alt: int = NONE) -> bytes:
    """A packet without patrol and lock speeds."""
    return bytes((0x02, status, NONE, target, NONE, alt, 0x03))


class MphTwin:
    """`status` can be changed while it runs: low voltage, interference, standby."""

    def __init__(self, seed: int = 0, *, profile: str = "standard", unit: str | None = None) -> None:
        self._ds4 = profile == "ds4"
        self.status = DS4_STATUS if self._ds4 else ON_THE_POLE
        self._mps_per_unit = MPS_PER_UNIT[unit or ("mph" if self._ds4 else "km/h")]
        self._starts = False
        self.due_in_s = Random(f"{seed}/mph").random() * SPACING_S  # noqa: S311  play, not secrets

    def on_bytes(self, _data: bytes) -> bytes:
        return b""

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; each packet that falls into it is made of these echoes."""
        out = b""
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            self.due_in_s = SPACING_S
            if self._starts:
                self._starts, self.due_in_s = False, SELF_TEST_S
                out += packet(SELF_TEST)
            else:
                out += self._packet(echoes)
        self.due_in_s -= dt_s
        return out

    def power_cycle(self) -> None:
        """It says that it tests itself, and then nothing until it has."""
        self._starts = not self._ds4

    def _packet(self, echoes: Sequence[Echo]) -> bytes:
        for echo in echoes:
            speed = round(echo.radial_mps / self._mps_per_unit)
            if echo.strength < HEARS:
                break  # strongest first
            if LEAST <= speed <= MOST:
                return packet(self.status, speed, self._range(echo) if self._ds4 else NONE)
        return packet(self.status)

    @staticmethod
    def _range(echo: Echo) -> int:
        steps = round(echo.range_m * FEET_PER_M / 10)
        return steps if LEAST <= steps <= MOST else NONE
