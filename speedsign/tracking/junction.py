"""Whether two runs of readings, one after the other, are one vehicle or two.

Seen by a radar beside the road, one vehicle's radial speed can fall ever faster as it nears the pole, and
rise ever slower as it leaves it behind: as a curve over time it bends one way only. Its echo grows as it
comes and fades as it goes. So four things part two vehicles: a jump of the speed that the cosine does not
make, a jump that it does make but too large for the time, a bend the other way, and a jump of the strength
the wrong way. Each is measured by what one vehicle hardly ever does, and the four are added as squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import NamedTuple

from speedsign.model import Direction
from speedsign.tracking.noise import Noise
from speedsign.tracking.params import KMH_PER_MPS

WINDOW_S = 0.8  # of each run, next to the junction
LONGER_S = 1.2  # more, where that window holds less than the least
MOST, LEAST, SLOPE_LEAST = 16, 4, 3  # readings: used, on either side of a part, and to tell a slope
# What one vehicle hardly ever does, to which the uncertainty of its readings is added.
_JUMP_KMH = 0.5  # against the cosine
_SWEEP_KMH, _SWEEP_KMH_S = 1.2, 2.1  # with it, and so much for each second unseen
_BEND_KMH_S = 2.2  # the wrong way: a foot on the brake or off it
_BEND_MOST = 0.7
_STEP = 0.8  # of the strength's logarithm, the wrong way: slow fading
_STEP_WITH, _GROWS_PER_S = 3.6, 0.4  # and the right one
_BESIDE_KMH_S, _STEP_BESIDE = 5.0, 1.0  # swept so fast it is at the edge of the beam, where echoes jump
_RANGED_M, _RANGED_PART = 5.0, 0.2  # how far a told range may lie off, and of the way unseen
_RANGED_KMH, _RANGED_KMH_S = 4.0, 12.0  # and what a speed may do at the right range
_SAME_TIME_S2 = 1e-4
_SURE = 2.2  # standard deviations
_COARSE, _COARSE_BEND = 0.8, 2.0  # of the steps in which a coarse sensor tells a speed
_CURVE_S = 0.15  # straight lines through a curve end apart by so much of its bend
_SOON_S, _LOOK_AHEAD_S, _STEEPEST_KMH_S = 0.1, 0.6, 12.0  # how far a slope is drawn on over a gap


class Line(NamedTuple):
    """A straight line through one end of a run; variances are those for readings of variance 1."""

    t_s: float  # of the reading at the junction
    speed_kmh: float  # there
    slope_kmh_s: float
    level: float | None  # ln of the strength there
    rise: float  # its slope, a second
    variance: float  # of speed and level there
    slope_variance: float  # inf: no slope could be told
    range_m: float | None = None  # there

    def at(self, t_s: float) -> float:
        """The speed on this line at a moment."""
        return self.speed_kmh + self.slope_kmh_s * (t_s - self.t_s)


def line(times: Sequence[float], speeds: Sequence[float], levels: Sequence[float], at_s: float) -> Line:
    """Least squares through a few readings (at least one), seen from the one at the junction."""
    n = len(times)
    middle_s = sum(times) / n
    speed = sum(speeds) / n
    level = sum(levels) / n if levels else None
    if n < SLOPE_LEAST:
        return Line(at_s, speed, 0.0, level, 0.0, 1.0 / n, inf)
    spread = slope = rise = 0.0
    if level is None:
        for t_s, one in zip(times, speeds, strict=True):
            off_s = t_s - middle_s
            spread += off_s * off_s
            slope += off_s * one
    else:
        for t_s, one, loud in zip(times, speeds, levels, strict=True):
            off_s = t_s - middle_s
            spread += off_s * off_s
            slope += off_s * one
            rise += off_s * loud
    if spread < _SAME_TIME_S2:
        return Line(at_s, speed, 0.0, level, 0.0, 1.0 / n, inf)
    slope /= spread
    rise /= spread
    way_s = at_s - middle_s
    if level is not None:
        level += rise * way_s
    variance = 1.0 / n + way_s * way_s / spread
    return Line(at_s, speed + slope * way_s, slope, level, rise, variance, 1.0 / spread)


def breach(before: Line, after: Line, direction: Direction, noise: Noise) -> float:
    """How far two runs are from being one vehicle: 0 to 1 as one can be, above 1: two."""
    if before.range_m is not None and after.range_m is not None and direction is not Direction.UNKNOWN:
        return _elsewhere(before, after, direction, noise)
    total = _of_speed(before, after, direction, noise)
    if before.level is not None and after.level is not None and direction is not Direction.UNKNOWN:
        total += _of_strength(before, after, direction, noise)
    return total


def _of_speed(before: Line, after: Line, direction: Direction, noise: Noise) -> float:
    gap_s = max(after.t_s - before.t_s, 0.0)
    jump = after.speed_kmh - before.speed_kmh
    bend = after.slope_kmh_s - before.slope_kmh_s
    falls = direction is not Direction.RECEDING
    steep = -min(before.slope_kmh_s, after.slope_kmh_s, 0.0) if falls else max(before.slope_kmh_s, 0.0)
    curve = _CURVE_S * max(-bend, 0.0)
    with_cosine = abs(jump) if (jump < 0.0) == falls or direction is Direction.UNKNOWN else 0.0
    against = abs(jump) - with_cosine - curve
    with_cosine -= curve + min(steep, _STEEPEST_KMH_S) * min(gap_s, _LOOK_AHEAD_S)
    unsure = _COARSE * noise.step_kmh + _SURE * sqrt(before.variance + after.variance) * noise.speed_kmh
    total = 0.0
    if against > 0.0:
        total += (against / (_JUMP_KMH + unsure)) ** 2
    if with_cosine > 0.0:
        total += (with_cosine / (_SWEEP_KMH + unsure + _SWEEP_KMH_S * gap_s)) ** 2
    if bend > 0.0:
        unsure = _COARSE_BEND * noise.step_kmh
        unsure += _SURE * sqrt(before.slope_variance + after.slope_variance) * noise.speed_kmh
        # A foot off the brake bends it as well: a bend alone parts nobody, where more can be told.
        most = inf if direction is Direction.UNKNOWN else _BEND_MOST
        total += min((bend / (_BEND_KMH_S + unsure)) ** 2, most)
    return total


def _of_strength(before: Line, after: Line, direction: Direction, noise: Noise) -> float:
    assert before.level is not None and after.level is not None  # noqa: S101, PT018  the caller has looked
    gap_s = max(after.t_s - before.t_s, 0.0)
    falls = direction is not Direction.RECEDING
    wrong = before.level - after.level if falls else after.level - before.level
    wrong -= max(-before.rise if falls else before.rise, 0.0) * min(max(gap_s, _SOON_S), _LOOK_AHEAD_S)
    if wrong <= 0.0:
        return (max(-wrong - _GROWS_PER_S * gap_s, 0.0) / _STEP_WITH) ** 2
    room = _STEP + _SURE * sqrt(before.variance + after.variance) * noise.level
    if (-after.slope_kmh_s if falls else before.slope_kmh_s) > _BESIDE_KMH_S:
        room += _STEP_BESIDE
    return (wrong / room) ** 2


def _elsewhere(before: Line, after: Line, direction: Direction, noise: Noise) -> float:
    """The same for a radar that tells the range: where a vehicle is says more than anything else."""
    assert before.range_m is not None and after.range_m is not None  # noqa: S101, PT018  the caller has looked
    gap_s = max(after.t_s - before.t_s, 0.0)
    way_m = (before.speed_kmh + after.speed_kmh) / 2 / KMH_PER_MPS * gap_s
    gone_m = before.range_m - after.range_m
    if direction is Direction.RECEDING:
        gone_m = -gone_m
    jump_kmh = abs(after.speed_kmh - before.speed_kmh)
    jump = jump_kmh / (_RANGED_KMH + 2 * noise.step_kmh + _RANGED_KMH_S * gap_s)
    return ((gone_m - way_m) / (_RANGED_M + _RANGED_PART * way_m)) ** 2 + jump * jump
