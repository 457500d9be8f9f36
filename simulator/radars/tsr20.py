"""A Nanoradar TSR20 on its RS485 line: `FC FA kmh 00` approaching, `FB FD kmh 00` leaving, else silence.

Facts: what a public sign project reads from one. Made up: ten reports a second, rounding, the least speed
and the strength from which it hears.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from simulator.radar_physics import Echo

SPACING_S = 0.1
HEARS = 15.0
LEAST_KMH, MOST_KMH = 3, 240
_NOW = 1e-9


def frame_of(speed_kmh: int, *, approaching: bool) -> bytes:
    """One report."""
    return bytes((0xFC, 0xFA, speed_kmh, 0) if approaching else (0xFB, 0xFD, speed_kmh, 0))


def report(echoes: Sequence[Echo]) -> bytes:
    """The strongest echo that it can say; nothing when there is none."""
    for echo in echoes:
        speed_kmh = round(abs(echo.radial_mps) * 3.6)
        if echo.strength < HEARS:
            break  # strongest first
        if LEAST_KMH <= speed_kmh <= MOST_KMH:
            return frame_of(speed_kmh, approaching=echo.radial_mps > 0)
    return b""


class Tsr20Twin:
    """Keeps no settings and understands no command."""

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(f"{seed}/tsr20")  # noqa: S311  play, not secrets
        self.due_in_s = self._random.random() * SPACING_S

    def on_bytes(self, _data: bytes) -> bytes:
        return b""

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Let time pass; each report that falls into it is made of these echoes."""
        out = b""
        while self.due_in_s <= dt_s + _NOW:
            dt_s = max(dt_s - self.due_in_s, 0.0)
            self.due_in_s = SPACING_S * self._random.uniform(0.97, 1.03)
            out += report(echoes)
        self.due_in_s -= dt_s
        return out

    def power_cycle(self) -> None:
        """Nothing is lost."""
