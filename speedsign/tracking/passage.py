"""The geometry of one pass, from the vehicle's own readings.

A radar at distance d from the line that a vehicle drives along sees r = v x / sqrt(x^2 + d^2), x being how
far it still has to the point beside the pole. At a steady speed x = v |t - t0|, and then 1/r^2 is a
straight line over 1/(t - t0)^2: 1/r^2 = 1/v^2 + (d^2/v^4) / (t - t0)^2. Where a track shows that line, it
tells how much the cosine took from each reading, without anybody having measured an angle.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt
from typing import NamedTuple

from speedsign.model import Direction
from speedsign.tracking.params import KMH_PER_MPS

LEAST = 10  # readings that a line through them needs
_NEAR, _FAR = 8, 10  # readings that are used, next to the pole and of the others
_MARGINS_S = (
    0.15,
    0.25,
    0.35,
    0.5,
    0.65,
    0.85,
    1.1,
    1.4,
)  # from the last reading to the pole: tried one by one
_NEAREST_M, _FARTHEST_M = 2.0, 16.0  # from the radar to the middle of a lane, and its height
_OUTLIER_KMH = 3.0
_LANE_OFF = 0.35  # ln: no lane of a known road is farther off the usual one
_LANE_STEP, _LANE_KNOWN, _LANE_WEIGHT = (
    0.03,
    20,
    20.0,
)  # ln; passes that make a lane known; readings it counts as
_USUAL_M, _USUAL_WEIGHT = (
    6.0,
    1.0,
)  # most lanes are 3 to 10 m away: counts as one reading, where all fit alike


class Passage(NamedTuple):
    """Where a track leads: when it is beside the pole, and how far from it."""

    t_pole_s: float
    beside_m: float
    speed_kmh: float

    def cosine(self, t_s: float) -> float:
        """What the radar sees of the speed at a moment, 0 to 1."""
        x_m = abs(t_s - self.t_pole_s) * self.speed_kmh / KMH_PER_MPS
        return x_m / sqrt(x_m * x_m + self.beside_m * self.beside_m)


class Lanes:
    """How far from the radar vehicles pass, for each direction: the median of the passes so far.

    A driver who brakes bends his radial speed much as a far lane does. Where the lanes are is known from
    those who did not.
    """

    def __init__(self) -> None:
        self._ln_m = dict.fromkeys(Direction, log(_USUAL_M))
        self._passes = dict.fromkeys(Direction, 0)

    def learn(self, passage: Passage, direction: Direction) -> None:
        """A pass as its readings alone tell it."""
        self._passes[direction] += 1
        step = max(_LANE_STEP, 1.0 / (1 + self._passes[direction]))
        self._ln_m[direction] += step if log(passage.beside_m) > self._ln_m[direction] else -step

    def usual(self, direction: Direction) -> tuple[float, float]:
        """The usual distance, and as how many readings it counts."""
        known = min(self._passes[direction] / _LANE_KNOWN, 1.0)
        return exp(self._ln_m[direction]), _USUAL_WEIGHT + known * _LANE_WEIGHT


def passage_of(
    times: Sequence[float], speeds: Sequence[float], direction: Direction, lanes: Lanes | None = None
) -> Passage | None:
    """The pass that explains these radial speeds (km/h) best; None where they do not bend as one does.

    `lanes`: where vehicles usually pass; it learns from this one what its readings alone tell.
    """
    if len(times) < LEAST or direction is Direction.UNKNOWN:
        return None
    if direction is Direction.APPROACHING:
        ts, rs = _thinned(times[::-1]), _thinned(speeds[::-1])
        sign, near_s = 1.0, times[-1]
    else:
        ts, rs = _thinned(times), _thinned(speeds)
        sign, near_s = -1.0, times[0]
    # Each reading counts by its error in km/h: the weight of 1/r^2 is r^6.
    inverse = [1.0 / (r * r) for r in rs]
    weights = [r**6 for r in rs]
    samples = _Samples(ts, rs, inverse, weights)
    fits = [fit for margin_s in _MARGINS_S if (fit := _fit(samples, near_s + sign * margin_s)) is not None]
    if not fits:
        return None
    alone = min(fits, key=lambda fit: _off(fit, len(ts), _USUAL_M, _USUAL_WEIGHT))[0]
    if lanes is None:
        return alone
    usual_m, weight = lanes.usual(direction)
    lanes.learn(alone, direction)
    if weight >= _LANE_WEIGHT:
        usual = [fit for fit in fits if abs(log(fit[0].beside_m / usual_m)) <= _LANE_OFF]
        fits = usual or [min(fits, key=lambda fit: abs(log(fit[0].beside_m / usual_m)))]
    return min(fits, key=lambda fit: _off(fit, len(ts), usual_m, weight))[0]


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """Those next to the pole, which bend, and some of the others."""
    step = max((len(values) - _NEAR) // _FAR, 1)
    return [*values[:_NEAR], *values[_NEAR::step]]


def _off(fit: tuple[Passage, float], readings: int, usual_m: float, weight: float) -> float:
    """How far a pass misses the readings, mean square, with what is usual as so many more of them."""
    passage, off = fit
    return (off + weight * log(passage.beside_m / usual_m) ** 2) / readings


class _Samples(NamedTuple):
    times: Sequence[float]
    speeds: Sequence[float]
    inverse: Sequence[float]  # 1/r^2
    weights: Sequence[float]


def _fit(of: _Samples, t_pole_s: float) -> tuple[Passage, float] | None:
    """The straight line for one moment at the pole, and by how much the readings miss it, squared."""
    near = [1.0 / ((t_s - t_pole_s) * (t_s - t_pole_s)) for t_s in of.times]
    sw = sz = sy = szz = szy = 0.0
    for z, y, w in zip(near, of.inverse, of.weights, strict=True):
        wz = w * z
        sw += w
        sz += wz
        sy += w * y
        szz += wz * z
        szy += wz * y
    det = sw * szz - sz * sz
    if det <= 0.0:
        return None
    b = (sw * szy - sz * sy) / det
    a = (sy - b * sz) / sw
    if a <= 0.0 or b <= 0.0:
        return None
    v = 1.0 / sqrt(a)
    beside_m = sqrt(b) * v * v / KMH_PER_MPS
    if not _NEAREST_M <= beside_m <= _FARTHEST_M:
        return None
    off = 0.0
    for z, speed in zip(near, of.speeds, strict=True):
        x = 1.0 / sqrt(a + b * z) - speed
        off += x * x if -_OUTLIER_KMH < x < _OUTLIER_KMH else _OUTLIER_KMH * _OUTLIER_KMH
    return Passage(t_pole_s, beside_m, v), off
