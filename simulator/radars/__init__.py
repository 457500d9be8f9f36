"""Simulated radars: each a sensor (state, filters, rates) and apart from it its protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from simulator.radar_physics import Echo


class RadarTwin(Protocol):
    """A radar as `simulator.radar_end.RadarEnd` joins it to a line."""

    @property
    def due_in_s(self) -> float:
        """Seconds until it looks at the road again; `process` with no more than that skips no moment."""
        ...

    def on_bytes(self, data: bytes) -> bytes:
        """Commands arrive, in any pieces; what it answers at once."""
        ...

    def process(self, dt_s: float, echoes: Sequence[Echo]) -> bytes:
        """Time passes; `echoes` (strongest first) are those of its end. What the radar sends."""
        ...

    def power_cycle(self) -> None:
        """Lose power and get it back."""
        ...
