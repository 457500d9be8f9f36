"""From the sun's height to lux, and from lux to how bright a panel has to be (docs/brightness.md).

Light under a clear sky, on a face that is turned to the sun. Sources: below the horizon the Explanatory
Supplement to the Astronomical Almanac (Seidelmann 1992; the AMS Glossary of Meteorology has the same figures
at 0, -6, -12 and -18 degrees); above it the IES recommended practice for the calculation of daylight
availability (Journal of the IES 13:4, 1984): beam 127.5 klx * exp(-0.21 / sin h), and a clear sky of
0.8 klx + 15.5 klx * sqrt(sin h).

The panel's luminance: the minima of EN 12966, class L3. They are of white; the other colours have
the same ratios.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

Points = Sequence[tuple[float, float]]

# Degrees of the sun's height, lux.
SUNLIGHT_LX: Points = (
    (-18.0, 0.00065),
    (-12.0, 0.008),
    (-9.0, 0.12),
    (-6.0, 3.4),
    (-4.0, 30.0),
    (-2.0, 190.0),
    (0.0, 780.0),
    (2.0, 4_000.0),
    (5.0, 17_000.0),
    (10.0, 45_000.0),
    (20.0, 79_000.0),
    (40.0, 105_000.0),
    (60.0, 115_000.0),
    (90.0, 120_000.0),
)
# Lux on the sign, the least candela per square metre that are read well in it.
EN_12966_L3_CD_M2: Points = (
    (4.0, 75.0),
    (40.0, 250.0),
    (400.0, 600.0),
    (4_000.0, 2_200.0),
    (40_000.0, 12_400.0),
)
_FULL_CD_M2 = EN_12966_L3_CD_M2[-1][1]
# Lux, share of what the panel is at its brightest.
DEFAULT_CURVE: Points = tuple((lux, minimum / _FULL_CD_M2) for lux, minimum in EN_12966_L3_CD_M2)

_LOG_SUNLIGHT: Points = tuple((deg, math.log(lux)) for deg, lux in SUNLIGHT_LX)

DARKEST_LX = 0.001  # less light than that is no other night
DIMMEST_LEVEL = 0.001  # less is no other step of any panel


def sunlight_lx(elevation_deg: float) -> float:
    """Lux under a clear sky while the sun stands so high; the night's and the zenith's beyond the table."""
    return math.exp(_between(_LOG_SUNLIGHT, elevation_deg))


def level_of(lux: float, curve: Points = DEFAULT_CURVE) -> float:
    """How bright the panel has to be in that light, 0 to 1: straight between the points on log scales.

    `curve`: at least one point, lux rising. The first and last points' levels hold beyond them. A level of 0
    counts as 0.001, and so does lux, since 0 has no place on such a scale.
    """
    logs = [(_log(lux_i, DARKEST_LX), _log(level, DIMMEST_LEVEL)) for lux_i, level in curve]
    log_level = _between(logs, _log(lux, DARKEST_LX))
    return 0.0 if log_level <= math.log(DIMMEST_LEVEL) else min(math.exp(log_level), 1.0)


def _log(value: float, floor: float) -> float:
    return math.log(max(value, floor))


def _between(points: Points, x: float) -> float:
    """Straight between neighbours, and flat outside."""
    i = bisect_right(points, x, key=lambda point: point[0])
    if i == 0:
        return points[0][1]
    if i == len(points):
        return points[-1][1]
    (x0, y0), (x1, y1) = points[i - 1], points[i]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
