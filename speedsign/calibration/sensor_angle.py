"""Whether the sensor itself corrects for an angle: then ours on top of it would be one too many.

Two radars say so when they are asked: the OPS24x (`^?`, an angle each way) and the LD2415H (its second
parameter). Of the others nothing is known that asks for it; what their maker's tool has set, only a drive-by
or a range shows.

Speeds alone cannot: a sensor that divides by a cosine makes all speeds larger by one factor, and with them
every distance that is worked out from speeds; the angles stay as they are. A radar that tells ranges knows
better: ranges shrink as fast as the true radial speed says, and what the speeds claim beyond that is the
sensor's correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import acos, cos, degrees, isfinite, radians
from statistics import median
from typing import NamedTuple

from speedsign.calibration.approach import Approach, checked
from speedsign.calibration.trimmed import middle_of
from speedsign.tracking.params import KMH_PER_MPS

_KEYS: Mapping[str, Mapping[str, str]] = {
    "ops243": {"InboundSensorAngleDegrees": "approaching", "OutboundSensorAngleDegrees": "receding"},
    "ld2415h": {"X2": "both"},
}
_HEXADECIMAL = {"ld2415h"}
_SMALLEST_DEG = 0.05
LEAST_PASSAGES = 20
_LEAST_WAY_M, _LEAST_READINGS = 10.0, 8
_TRIMMED = 0.1  # of the passages, at either end
_REAL_PART = 1.005  # a factor of less is no angle that anybody sets: 5.7 degrees
_MOST_PART = 2.0


def can_be_asked(driver: str) -> bool:
    """Whether this radar says which angle it corrects for."""
    return driver in _KEYS


def told_angles(driver: str, values: Mapping[str, str]) -> dict[str, float]:
    """Degrees by direction (`approaching`, `receding` or `both`) in a reply; empty where it says none.

    A damaged number is left out: it is asked for again.
    """
    found = {}
    for key, direction in _KEYS.get(driver, {}).items():
        degrees_ = _number(values.get(key), hexadecimal=driver in _HEXADECIMAL)
        if degrees_ is not None:
            found[direction] = degrees_
    return found


def corrects(angles: Mapping[str, float]) -> bool:
    """Whether any of the told angles changes speeds."""
    return any(abs(angle) > _SMALLEST_DEG for angle in angles.values())


def twice_percent(sensor_deg: float, mounting_deg: float) -> float:
    """How much too high speeds are, in percent, when both correct and only the mounting's is right."""
    if not (0.0 <= sensor_deg < 90.0 and 0.0 <= mounting_deg < 90.0):
        raise ValueError("angles have to be 0 to less than 90 degrees")
    return 100.0 * (1.0 / cos(radians(sensor_deg)) - 1.0)


class RangeCheck(NamedTuple):
    """Speeds over what the ranges shrink by: 1 where the sensor corrects nothing."""

    factor: float
    low: float  # its 95 % interval
    high: float
    passages: int

    @property
    def corrects(self) -> bool:
        """Whether the sensor surely makes speeds larger than its ranges say."""
        return self.low > 1.0 and self.factor > _REAL_PART

    @property
    def angle_deg(self) -> float:
        """The angle that it seems to correct for; 0: none."""
        return degrees(acos(min(1.0 / self.factor, 1.0)))


def by_ranges(approaches: Iterable[Approach]) -> RangeCheck | None:
    """Speeds held against ranges; None: the radar tells none, or too few passages have them."""
    factors = [factor for one in approaches if (factor := _factor(checked(one))) is not None]
    if len(factors) < LEAST_PASSAGES:
        return None
    mean, half = middle_of(factors, _TRIMMED)
    return RangeCheck(mean, mean - half, mean + half, len(factors))


def _factor(approach: Approach) -> float | None:
    """Way by the speeds over way by the ranges, by the slope of one over the other (Theil's)."""
    times, speeds, ranges = approach
    if len(ranges) < _LEAST_READINGS:
        return None
    gone = [0.0]
    for i in range(1, len(times)):
        gone.append(gone[-1] + (speeds[i] + speeds[i - 1]) / 2 / KMH_PER_MPS * (times[i] - times[i - 1]))
    half = len(times) // 2
    slopes = []
    for i in range(len(times) - half):
        told_m = ranges[i] - ranges[i + half]
        way_m = gone[i + half] - gone[i]
        if way_m >= _LEAST_WAY_M / 2 and told_m > 0.0:
            slopes.append(way_m / told_m)
    if len(slopes) < _LEAST_READINGS // 2:
        return None
    factor = median(slopes)
    return factor if 1.0 / _MOST_PART < factor < _MOST_PART else None


def _number(text: str | None, *, hexadecimal: bool) -> float | None:
    try:
        value = float(int(text or "", 16)) if hexadecimal else float(text or "")
    except ValueError:
        return None
    return value if isfinite(value) else None
