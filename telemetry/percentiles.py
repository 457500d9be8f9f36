"""Percentiles of grouped speeds, by the three rules that are in use; mean and standard deviation.

The same counts give V85s up to half a class apart under the three rules, so a number is never shown
without its rule (telemetry.statistics.method).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

Counts = Mapping[int, int]

WIDEST_CLASS_KMH = 20


@dataclass(frozen=True, slots=True)
class SpeedClass:
    """Vehicles with speeds from `low` up to, not including, `low + width`."""

    low: float
    width: float
    n: int

    @property
    def middle(self) -> float:
        return self.low + self.width / 2


class Rule(StrEnum):
    """How a percentile is read from classes."""

    GROUPED = "grouped"  # linear inside the class, from edge to edge
    VALUE = "value"  # linear between the mid-points, each bearing the share up to and with its class
    COUNTED = "counted"  # the mid-point of the class that holds the vehicle of that rank; nothing between


def classes(counts: Counts, *, rounds: bool, width: int = 1) -> list[SpeedClass]:
    """The classes that integer speeds stand for, by rising speed.

    One km/h wide: [k-½, k+½) where the radar rounds, else [k, k+1). Wider ones begin at multiples of
    `width`: 40 to 44 km/h is [39.5, 44.5) or [40, 45).
    """
    below = 0.5 if rounds else 0.0
    if width == 1:
        return [SpeedClass(speed - below, 1.0, counts[speed]) for speed in sorted(counts)]
    grouped: dict[int, int] = {}
    for speed in sorted(counts):
        lowest = speed - speed % width
        grouped[lowest] = grouped.get(lowest, 0) + counts[speed]
    return [SpeedClass(lowest - below, float(width), n) for lowest, n in grouped.items()]


def percentile(groups: Sequence[SpeedClass], percent: float, rule: Rule = Rule.GROUPED) -> float | None:
    """By any of the rules; `groups` rise in speed, `percent` is 0 to 100. None without vehicles."""
    if rule is Rule.GROUPED:
        return grouped_percentile(groups, percent)
    listed = {group.middle: group.n for group in groups}
    return _BY_VALUE[rule](listed, percent)


def class_at(groups: Sequence[SpeedClass], percent: float) -> SpeedClass | None:
    """The class that a percentile falls in; reached exactly at its end, it is still that class."""
    filled = [group for group in groups if group.n > 0]
    target = percent * sum(group.n for group in filled) / 100
    below = 0
    for group in filled:
        below += group.n
        if below >= target:
            return group
    return filled[-1] if filled else None


def grouped_percentile(groups: Sequence[SpeedClass], percent: float) -> float | None:
    """Linear inside the class that the percentile falls in: L + ((p·N/100 − C)/n)·w; None without vehicles.

    `groups` rise in speed. A share that is reached exactly at the end of a class is that class's upper edge.
    """
    filled = [group for group in groups if group.n > 0]
    target = percent * sum(group.n for group in filled) / 100
    below = 0
    for group in filled:
        if below + group.n >= target:
            return group.low + (target - below) / group.n * group.width
        below += group.n
    return filled[-1].low + filled[-1].width if filled else None


def value_percentile(counts: Counts | Mapping[float, int], percent: float) -> float | None:
    """Cumulative shares attached to the listed speeds themselves, linear between them (Iowa TR-455, ch. 2).

    On single speeds this is type 4 of Hyndman and Fan. Below the first share it is the lowest speed.
    """
    target = percent * sum(counts.values()) / 100
    below, before = 0, None
    for speed, n in sorted(counts.items()):
        if n and below + n >= target:
            return float(speed) if before is None else before + (target - below) / n * (speed - before)
        if n:
            below, before = below + n, float(speed)
    return before


def counted_rank(n: int, percent: float) -> int:
    """Which vehicle from the slowest, 1 first, marks a percentile, not interpolated (TxDOT, SZN manual)."""
    return min(max(math.floor(percent * n / 100 + 0.5), 1), n)


def counted_percentile(counts: Counts | Mapping[float, int], percent: float) -> float | None:
    """The speed of the vehicle at `counted_rank`."""
    total = sum(counts.values())
    rank, passed = counted_rank(total, percent), 0
    for speed, n in sorted(counts.items()):
        passed += n
        if n and passed >= rank:
            return float(speed)
    return None


_BY_VALUE: dict[Rule, Callable[[Mapping[float, int], float], float | None]] = {
    Rule.VALUE: value_percentile,
    Rule.COUNTED: counted_percentile,
}


def mean_sd(groups: Sequence[SpeedClass]) -> tuple[float | None, float | None]:
    """Mean of the class mid-points and the standard deviation with N-1 (Garber and Hoel, ch. 4)."""
    n = sum(group.n for group in groups)
    if n == 0:
        return None, None
    mean = math.fsum(group.middle * group.n for group in groups) / n
    if n == 1:
        return mean, None
    squares = math.fsum((group.middle - mean) ** 2 * group.n for group in groups)
    return mean, math.sqrt(squares / (n - 1))
