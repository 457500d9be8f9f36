"""Whether a row of measurements rises: a straight line through the means of blocks of it.

Memory moves in steps, and neighbours are alike, so the measurements themselves would promise a far too narrow
interval; means of a tenth of the time each are nearly independent. The interval is Student's, 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BLOCKS = 10
_T_95 = 2.306  # Student's t, 97.5 %, BLOCKS - 2 degrees of freedom (any table of it)


@dataclass(frozen=True, slots=True)
class Trend:
    """What is measured rises by so much an hour, from `low` to `high` with 95 % confidence."""

    per_h: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.per_h:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """Through (second, value); raises ValueError for less than two in each block."""
    if len(points) < 2 * BLOCKS:
        raise ValueError(f"{len(points)} measurements are too few for a trend: {2 * BLOCKS} are needed")
    means = [
        _mean(points[n * len(points) // BLOCKS : (n + 1) * len(points) // BLOCKS]) for n in range(BLOCKS)
    ]
    middle_h, middle = (sum(column) / BLOCKS for column in zip(*means, strict=True))
    spread = sum((hour - middle_h) ** 2 for hour, _ in means)
    slope = sum((hour - middle_h) * (value - middle) for hour, value in means) / spread
    rest = sum((value - middle - slope * (hour - middle_h)) ** 2 for hour, value in means)
    half = _T_95 * math.sqrt(rest / (BLOCKS - 2) / spread)
    return Trend(slope, slope - half, slope + half)


def _mean(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """In hours, and the value."""
    n = len(points)
    return sum(t_s for t_s, _ in points) / n / 3600, sum(value for _, value in points) / n
