"""A point of the brightness curve that somebody has found by eye, put among those that are there.

Points near it in light are replaced by it. One that was set before and would now have the panel brighter in
less light is a contradiction: a person decides. Those of the standard's curve, which nobody has looked at,
give way.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from speedsign.daylight import DARKEST_LX, DEFAULT_CURVE

Point = tuple[float, float]

NEAR_TIMES = 2.5  # so many times more or less light is about the same
MOST_LX = 200_000.0
_DECADE = 10.0
_SAME_LEVEL = 0.0006  # a default that went through a config has three digits

STANDARD: tuple[Point, ...] = tuple((lux, round(level, 3)) for lux, level in DEFAULT_CURVE)


class Contradiction(ValueError):  # noqa: N818  the situation is its name
    """Points that were set before do not go with the new one; `points` are they."""

    def __init__(self, points: Sequence[Point], point: Point) -> None:
        told = ", ".join(f"{level:g} at {lux:g} lx" for lux, level in points)
        super().__init__(f"{point[1]:g} at {point[0]:g} lx does not go with {told}, which was set before")
        self.points = tuple(points)


def with_point(curve: Sequence[Point], lux: float, level: float, *, replace: bool = False) -> list[Point]:
    """The curve (none: the standard's) with this point; at least two points, rising in light, never falling.

    `replace`: what contradicts it goes. Raises Contradiction, and ValueError for what is no light or level.
    """
    if not (isfinite(lux) and 0.0 <= lux <= MOST_LX):
        raise ValueError(f"light is 0 to {MOST_LX:.0f} lx")
    if not 0.0 <= level <= 1.0:
        raise ValueError("a level is 0 to 1")
    new = (_significant(lux), round(level, 3))
    others = [point for point in curve or STANDARD if not _near(point[0], new[0])]
    against = [point for point in others if _contradict(point, new)]
    set_before = [point for point in against if not _of_the_standard(point)]
    if set_before and not replace:
        raise Contradiction(set_before, new)
    found = sorted([*(point for point in others if point not in against), new])
    if len(found) > 1:
        return found
    beside = new[0] / _DECADE if new[0] > DARKEST_LX else _DECADE * DARKEST_LX
    return sorted([new, (beside, new[1])])  # one point is no curve


def _near(lux: float, other: float) -> bool:
    low, high = sorted(max(one, DARKEST_LX) for one in (lux, other))
    return high <= NEAR_TIMES * low


def _contradict(point: Point, new: Point) -> bool:
    (lux, level), (new_lux, new_level) = point, new
    return level > new_level if lux < new_lux else level < new_level


def _of_the_standard(point: Point) -> bool:
    return any(lux == point[0] and abs(level - point[1]) < _SAME_LEVEL for lux, level in STANDARD)


def _significant(lux: float) -> float:
    """Two digits: nobody knows the light any better."""
    return float(f"{lux:.2g}")
