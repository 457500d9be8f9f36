"""Student's t: how far a mean of few values may be off.

The distribution function for whole degrees of freedom is a finite sum (Abramowitz and Stegun, Handbook of
Mathematical Functions, 26.7.3 and 26.7.4).
"""

from __future__ import annotations

from functools import lru_cache
from math import atan, cos, isfinite, pi, sin, sqrt

_HALVINGS = 80
_MOST_T = 1e7


def within(t: float, freedom: int) -> float:
    """The probability that a value lies within -t and t; `freedom` is a whole number from 1."""
    if freedom < 1:
        raise ValueError("Student's t needs at least one degree of freedom")
    if not (isfinite(t) and t >= 0.0):
        raise ValueError("t has to be a number of 0 or more")
    angle = atan(t / sqrt(freedom))
    square = cos(angle) ** 2
    if freedom % 2:
        total, term = 0.0, cos(angle)
        for k in range(1, (freedom - 1) // 2 + 1):
            total += term
            term *= square * 2 * k / (2 * k + 1)
        return 2.0 / pi * (angle + sin(angle) * total)
    total, term = 0.0, 1.0
    for k in range(1, freedom // 2 + 1):
        total += term
        term *= square * (2 * k - 1) / (2 * k)
    return sin(angle) * total


@lru_cache(maxsize=1024)
def quantile(freedom: int, confidence: float = 0.95) -> float:
    """The t within which values lie with this probability, both sides.

    >>> round(quantile(9), 3)
    2.262
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError("a confidence lies between 0 and 1")
    low, high = 0.0, 1.0
    while within(high, freedom) < confidence and high < _MOST_T:
        high *= 2.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2
