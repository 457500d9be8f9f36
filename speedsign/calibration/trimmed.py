"""The mean of the middle of many values, with its interval: neither end can move it.

Interval of Tukey and McLaughlin: the spread is that of all values with the cut ends brought in to the last
one that is kept, by Student's t of as many values as are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from speedsign.calibration.student import quantile

LEAST_KEPT = 3


class Middle(NamedTuple):
    """A trimmed mean, and half of its 95 % interval."""

    mean: float
    half_width: float


def middle_of(values: Sequence[float], trimmed: float) -> Middle:
    """The mean without so large a part (less than 0.5) at either end; raises ValueError for too few."""
    if not 0.0 <= trimmed < 0.5:
        raise ValueError("the part that is left out at either end is 0 to less than 0.5")
    if not all(isfinite(value) for value in values):
        raise ValueError("values have to be numbers")
    ordered = sorted(values)
    cut = int(trimmed * len(ordered))
    kept = ordered[cut : len(ordered) - cut]
    if len(kept) < LEAST_KEPT:
        raise ValueError(f"{len(ordered)} values are too few for the mean of their middle")
    brought = [min(max(value, kept[0]), kept[-1]) for value in ordered]
    part = len(kept) / len(ordered)
    return Middle(fmean(kept), quantile(len(kept) - 1) * stdev(brought) / (part * sqrt(len(ordered))))
