"""Least squares for one approach, where the lane and the place of the last reading are given.

With both known, r^2 = (v^2 + c way) (1 - d^2/R^2) is linear in v^2 and c, twice the deceleration (`approach`
says what this is). Each reading counts by its error in m/s. c is held to what drivers do on a free road,
as by one more reading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import asin, degrees, exp, hypot, log, sqrt
from typing import NamedTuple

USUAL_ACCEL_MPS2 = 0.3  # standard deviation of what a driver does on a free road
NEAREST_M, FARTHEST_M = 0.7, 150.0  # along the road, at the last reading
LOW, HIGH = log(NEAREST_M), log(FARTHEST_M)
_COARSE = 12  # places looked at first
_STEPS = (0.2, 0.04)  # of the logarithm: then so closely
_LEAST_V2 = 0.1  # m²/s²: 1 km/h
_FLAT_SD = 1.0  # of the logarithm: where the last place makes no difference

Row = tuple[float, float, float]  # weight, way before the last reading in m, r² in m²/s²


class Line(NamedTuple):
    """What fits best for one lane and one place of the last reading."""

    beside_m: float
    last_m: float  # away from the radar at the last reading
    misfit: float  # sum of squares, m²/s², with what is held against acceleration
    v2: float  # v² at the last reading, m²/s²
    gain: float  # c, m/s²

    def speed_mps(self, ahead_m: float) -> float:
        """The radial speed so much before the last reading."""
        sine = min(self.beside_m / (self.last_m + ahead_m), 1.0)
        return sqrt(max((self.v2 + self.gain * ahead_m) * (1.0 - sine * sine), 0.0))

    def angle_deg(self, ahead_m: float) -> float:
        """The angle between line of sight and way so much before the last reading."""
        return degrees(asin(min(self.beside_m / (self.last_m + ahead_m), 1.0)))


class Best(NamedTuple):
    """The best of all last places for one lane."""

    line: Line
    place: float  # logarithm of the way along the road to the pole at the last reading, m
    place_sd: float  # its standard deviation for readings of 1 m/s

    def last_part(self, ahead_m: float) -> float:
        """By how much (in ratios) the distance so far before grows with the last place."""
        line = self.line
        return (line.last_m - line.beside_m**2 / line.last_m) / (line.last_m + ahead_m)


def rows_of(radial: Sequence[float], ahead_m: Sequence[float], fitted: Sequence[float]) -> list[Row]:
    """Rows from radial speeds (m/s) that were so far before the last reading.

    Weighed by what they are about, not by themselves: else those that noise makes low would count for more.
    """
    return [(0.25 / (f * f), h, r * r) for r, h, f in zip(radial, ahead_m, fitted, strict=True)]


def line_of(rows: Sequence[Row], beside_m: float, along_m: float, noise_mps: float) -> Line:
    """The line for a lane and for how far along the road the last reading was from the pole."""
    last_m, d2 = hypot(beside_m, along_m), beside_m * beside_m
    aa = ac = ay = cy = yy = 0.0
    cc = (noise_mps / (2 * USUAL_ACCEL_MPS2)) ** 2
    for w, h, y in rows:
        away = last_m + h
        c2 = 1.0 - d2 / (away * away)
        wc = w * c2
        wcc, wcy = wc * c2, wc * y
        aa += wcc
        ac += wcc * h
        cc += wcc * h * h
        ay += wcy
        cy += wcy * h
        yy += w * y * y
    det = aa * cc - ac * ac
    v2, gain = (ay * cc - cy * ac) / det, (cy * aa - ay * ac) / det
    if v2 < _LEAST_V2:  # it would come out of a standstill: none such is looked for
        return Line(beside_m, last_m, yy, _LEAST_V2, 0.0)
    return Line(beside_m, last_m, max(yy - v2 * ay - gain * cy, 0.0), v2, gain)


def best_of(rows: Sequence[Row], beside_m: float, noise_mps: float, near: float | None = None) -> Best:
    """The best last place for a lane; `near`: where it may be, else everywhere is looked at."""

    def misfit(place: float) -> float:
        return line_of(rows, beside_m, exp(place), noise_mps).misfit

    place = near
    if place is None:
        places = [LOW + (i + 0.5) / _COARSE * (HIGH - LOW) for i in range(_COARSE)]
        place = min(places, key=misfit)
    bend = 0.0
    for step in _STEPS:
        place, bend = _least(misfit, place, step)
    sd = _FLAT_SD if bend <= 0.0 else min(1.0 / sqrt(bend), _FLAT_SD / noise_mps)
    return Best(line_of(rows, beside_m, exp(place), noise_mps), place, sd)


def _least(misfit: Callable[[float], float], place: float, step: float) -> tuple[float, float]:
    """Where a function is least, walking in steps and then between them, and half its second derivative."""
    here, left, right = misfit(place), misfit(place - step), misfit(place + step)
    while left < here and place > LOW:
        place, here, right = place - step, left, here
        left = misfit(place - step)
    while right < here and place < HIGH:
        place, left, here = place + step, here, right
        right = misfit(place + step)
    bend = (left + right - 2 * here) / (2 * step * step)
    if bend <= 0.0:
        return place, 0.0
    shift = (left - right) / (4 * bend * step)
    return place + min(max(shift, -step), step), bend
