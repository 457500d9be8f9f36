"""The numbers that are compared, from counts that may be weighted; percentiles by the grouped rule."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul

MEASURES = (
    "mean_kmh",
    "v50_kmh",
    "v85_kmh",
    "over_limit_share",
    "over_limit_10_share",
    "vehicles_per_hour",
)
SPEEDS = MEASURES[:3]
SHARES = MEASURES[3:5]
VOLUME = MEASURES[5]
HEADLINE = (
    "v85_kmh"  # what the sentence is about, fixed beforehand: choosing afterwards finds something always
)
_NEARLY = 1e-10  # a share that is reached but for a float's last digits is reached

Numbers = tuple[float, ...]  # in the order of MEASURES


@dataclass(frozen=True, slots=True)
class Road:
    """What turns counts into numbers: the limit, and whether the radar rounds or truncates."""

    limit_kmh: int
    rounds: bool = True


def measure(counts: Sequence[float], road: Road, hours: float) -> Numbers | None:
    """Of counts by whole km/h from 0 up, over so many hours; None without a vehicle."""
    running = list(accumulate(counts))
    total = running[-1] if running else 0
    if total <= 0:
        return None
    low = -0.5 if road.rounds else 0.0  # edge of the class of 0 km/h
    mean = sum(map(mul, range(len(counts)), counts)) / total + low + 0.5
    return (
        mean,
        _percentile(counts, running, 50, low),
        _percentile(counts, running, 85, low),
        _over(running, road.limit_kmh),
        _over(running, road.limit_kmh + 10),
        total / hours,
    )


def _percentile(counts: Sequence[float], running: Sequence[float], percent: float, low: float) -> float:
    total = running[-1]
    target = percent * total / 100
    at = bisect_left(running, target - _NEARLY * total)
    below = running[at - 1] if at else 0
    return low + at + min((target - below) / counts[at], 1.0)


def _over(running: Sequence[float], limit_kmh: int) -> float:
    """Strictly faster, in whole km/h."""
    return 1 - running[limit_kmh] / running[-1] if limit_kmh < len(running) else 0.0
