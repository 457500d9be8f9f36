"""The four speeds of a vehicle that has passed (docs/speeds.md says why these)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from speedsign.model import Direction

# Near the pole the radial speed says more about the angle than about the car: that end is left out.
NEAR_POLE_S = 0.5
UPPER = 0.75  # the representative speed: so much of the far readings lie below it
ENDS = 5  # readings that make an entry or exit speed


@dataclass(frozen=True, slots=True)
class Speeds:
    """Radial speeds in km/h, not yet corrected for the mounting angle."""

    speed_kmh: float
    entry_kmh: float
    exit_kmh: float
    max_kmh: float


def speeds_of(times: Sequence[float], speeds: Sequence[float], direction: Direction) -> Speeds:
    """From the readings of one vehicle, in order; at least one.

    speed: upper quartile of the smoothed readings away from the pole; entry and exit: median of the
    first and last five of them; max: the highest that its neighbours support.
    """
    smooth = smoothed(far_part(times, speeds, direction))
    ordered = sorted(smooth)
    return Speeds(
        speed_kmh=ordered[min(int(UPPER * len(ordered)), len(ordered) - 1)],
        entry_kmh=median(smooth[:ENDS]),
        exit_kmh=median(smooth[-ENDS:]),
        max_kmh=max(smoothed(speeds)),
    )


def far_part(times: Sequence[float], speeds: Sequence[float], direction: Direction) -> Sequence[float]:
    """The readings without the last half second of an approach, or the first of a departure.

    A short track keeps at least half of its readings.
    """
    keep = max((len(speeds) + 1) // 2, 1)
    if direction is Direction.RECEDING:
        cut = next((i for i, t in enumerate(times) if t - times[0] >= NEAR_POLE_S), len(times))
        return speeds[min(cut, len(speeds) - keep) :]
    if direction is Direction.APPROACHING:
        cut = next((i for i, t in enumerate(times) if times[-1] - t < NEAR_POLE_S), len(times))
        return speeds[: max(cut, keep)]
    return speeds


def smoothed(speeds: Sequence[float]) -> list[float]:
    """Median of each reading and its two neighbours: one spike never counts."""
    if len(speeds) < 3:
        return [median(speeds)] * len(speeds)
    inner = [sorted(speeds[i - 1 : i + 2])[1] for i in range(1, len(speeds) - 1)]
    return [inner[0], *inner, inner[-1]]
