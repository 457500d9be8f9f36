"""The mounting angle from a tape measure, and what each range is then off.

The radar stands `lateral_m` beside the middle of the lane and `height_m` above the road; a car's echo comes
from `ECHO_HEIGHT_M`. A car so far along the road is seen under an angle whose cosine is x / R, in three
dimensions: sideways and height count alike. A mounting angle is right at one range: farther cars, seen under
a smaller angle, are then told too fast, nearer ones too slow.

So the distance to give is the one at which cars are read, and not where the middle of the beam comes down:
a radar hears most cars long before that, and the tracker never divides by less than the cosine of the
mounting angle (docs/speeds.md). `traffic_angle` finds the right one from the cars themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import acos, atan, cos, degrees, hypot, inf, isfinite, radians, tan

ECHO_HEIGHT_M = 0.7  # of plate, grille and axle
MOST_DEG = 60.0  # what mounting_angle_deg may be
_FARTHEST_M = 1000.0
RANGES_M = (10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 75.0, 100.0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the radar is: sideways to the middle of the lane and above the road, m."""

    lateral_m: float
    height_m: float

    def __post_init__(self) -> None:
        if not (isfinite(self.lateral_m) and 0.0 <= self.lateral_m <= 50.0):
            raise ValueError("the distance to the middle of the lane has to be 0 to 50 m")
        if not (isfinite(self.height_m) and 0.0 <= self.height_m <= 20.0):
            raise ValueError("the height above the road has to be 0 to 20 m")

    @property
    def beside_m(self) -> float:
        """From the radar to the line along which echoes come."""
        return hypot(self.lateral_m, self.height_m - ECHO_HEIGHT_M)

    def angle_deg(self, along_m: float) -> float:
        """Between line of sight and road for a car so far along the road."""
        return degrees(atan(self.beside_m / _checked_way(along_m)))


@dataclass(frozen=True, slots=True)
class RangeError:
    """What is off at a range when speeds are divided by the cosine of the mounting angle."""

    along_m: float
    angle_deg: float  # at which a car is seen there
    uncorrected_percent: float  # what its speed is off without any correction: negative, too low
    left_percent: float  # with it
    left_kmh: float  # the same at the speed that was asked for


@dataclass(frozen=True, slots=True)
class Mounting:
    """The angle to write into the config, and what it means."""

    angle_deg: float
    aim_m: float  # along the road, where it is right; inf: nowhere on this lane
    horizontal_deg: float  # how far the radar has to be turned towards the lane for that
    down_deg: float  # and tilted
    lands_m: float  # along the road, where the middle of the beam comes down to the height of echoes
    table: tuple[RangeError, ...]


def aimed_at(
    place: Place, aim_m: float, speed_kmh: float = 50.0, ranges_m: Sequence[float] = RANGES_M
) -> Mounting:
    """The radar looks at the lane so far along the road."""
    angle_deg = place.angle_deg(aim_m)
    drop_m = place.height_m - ECHO_HEIGHT_M
    return _mounting(
        place,
        angle_deg,
        aim_m,
        degrees(atan(place.lateral_m / aim_m)),
        degrees(atan(drop_m / hypot(aim_m, place.lateral_m))),
        speed_kmh,
        ranges_m,
    )


def turned_by(
    place: Place,
    horizontal_deg: float,
    down_deg: float = 0.0,
    speed_kmh: float = 50.0,
    ranges_m: Sequence[float] = RANGES_M,
) -> Mounting:
    """The radar is turned towards the lane by so much, and tilted down (negative: up)."""
    if not (isfinite(horizontal_deg) and 0.0 <= horizontal_deg < 90.0):
        raise ValueError("the horizontal angle has to be 0 to less than 90 degrees")
    if not (isfinite(down_deg) and -45.0 <= down_deg <= 45.0):
        raise ValueError("the vertical angle has to be -45 to 45 degrees")
    cosine = cos(radians(horizontal_deg)) * cos(radians(down_deg))
    turned = tan(radians(horizontal_deg))
    aim_m = _way(place.lateral_m, turned)
    return _mounting(place, degrees(acos(cosine)), aim_m, horizontal_deg, down_deg, speed_kmh, ranges_m)


def _mounting(
    place: Place,
    angle_deg: float,
    aim_m: float,
    horizontal_deg: float,
    down_deg: float,
    speed_kmh: float,
    ranges_m: Sequence[float],
) -> Mounting:
    if angle_deg > MOST_DEG:
        raise ValueError(
            f"an angle of {angle_deg:.1f} degrees is too much: {MOST_DEG:.0f} at most;"
            " aim farther along the road"
        )
    if not (isfinite(speed_kmh) and speed_kmh > 0.0):
        raise ValueError("the speed has to be a number above 0")
    table = tuple(error_at(place, angle_deg, along_m, speed_kmh) for along_m in ranges_m)
    drop_m, tilt = place.height_m - ECHO_HEIGHT_M, tan(radians(down_deg))
    lands_m = _way(drop_m, tilt / cos(radians(horizontal_deg)))
    return Mounting(angle_deg, aim_m, horizontal_deg, down_deg, lands_m, table)


def error_at(place: Place, mounting_angle_deg: float, along_m: float, speed_kmh: float = 50.0) -> RangeError:
    """What speeds are off at a range (m along the road) with this mounting angle."""
    if not (isfinite(mounting_angle_deg) and 0.0 <= mounting_angle_deg <= MOST_DEG):
        raise ValueError(f"the mounting angle has to be 0 to {MOST_DEG:.0f} degrees")
    angle_deg = place.angle_deg(along_m)
    seen = cos(radians(angle_deg))
    left = seen / cos(radians(mounting_angle_deg)) - 1.0
    return RangeError(along_m, angle_deg, 100.0 * (seen - 1.0), 100.0 * left, left * speed_kmh)


def _way(across_m: float, slope: float) -> float:
    """How far along the road a beam has come so far across it; inf: so far away that it is never."""
    if across_m * slope <= 0.0 or abs(across_m) >= _FARTHEST_M * abs(slope):
        return inf
    return across_m / slope


def _checked_way(along_m: float) -> float:
    if not (isfinite(along_m) and 0.0 < along_m <= _FARTHEST_M):
        raise ValueError(f"a distance along the road has to be more than 0 and at most {_FARTHEST_M:.0f} m")
    return along_m
