"""How a radar has to stand so that cars are read at a wanted angle.

A car's angle is that between its way and the line to the radar. It grows while the car comes, so one number
stands for a car: the angle at which a quarter of the readings of a lone car in the near lane have come, as
many as a radar without fading would give. That is about where the sign looks for the speed that stands for
the car, and so about what its mounting angle should be. The beam's axis is turned much farther.
"""

from __future__ import annotations

from dataclasses import replace
from math import atan2, degrees, hypot
from typing import NamedTuple

from simulator.radar_physics import TARGET_HEIGHT_M, RadarParameters, RadarPhysics
from simulator.road import Lane
from simulator.vehicles import Seen, VehicleKind
from speedsign.model import Direction

AUDIBLE = 20.0  # the usual squelch of an OPS243; others hear about as far
OFFSETS_M = (4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0)
MOST_TURNED_DEG = 75
NEAR_ENOUGH_DEG = 0.5
LEAST_WAY_M = 26.0  # heard for less, a car gives too few readings
_STEP_M = 0.5


class Heard(NamedTuple):
    """Where a lone car is heard, m along the road from the pole."""

    nearest_m: float
    farthest_m: float

    @property
    def quarter_m(self) -> float:
        """Where a car that comes has given a quarter of its readings."""
        return self.farthest_m - (self.farthest_m - self.nearest_m) / 4


class Aim(NamedTuple):
    """A radar beside a road; `angle_deg` is the angle at which cars are read."""

    offset_m: float  # sideways to the middle of the near lane
    turned_deg: float  # the beam's axis, from the road's direction
    angle_deg: float


def aimed(antenna: RadarParameters, angle_deg: float, audible: float = AUDIBLE) -> Aim:
    """The nearest place beside the road from which cars are read at about this angle; ValueError: none.

    `audible`: the weakest echo that the radar tells, as an amplitude.
    """
    best: Aim | None = None
    for offset_m in OFFSETS_M:
        for turned_deg in range(MOST_TURNED_DEG + 1):
            heard = heard_along(replace(antenna, aim_deg=float(turned_deg)), offset_m, audible)
            if heard is None or heard.farthest_m - heard.nearest_m < LEAST_WAY_M:
                continue
            found_deg = _angle_deg(antenna, offset_m, heard.quarter_m)
            if best is None or abs(found_deg - angle_deg) < abs(best.angle_deg - angle_deg):
                best = Aim(offset_m, float(turned_deg), found_deg)
        if best is not None and abs(best.angle_deg - angle_deg) <= NEAR_ENOUGH_DEG:
            return best
    nearest = "" if best is None else f"; the nearest is {best.angle_deg:.0f}"
    raise ValueError(f"this antenna does not read cars at {angle_deg:g} degrees{nearest}")


def heard_along(
    antenna: RadarParameters,
    offset_m: float,
    audible: float = AUDIBLE,
    direction: Direction = Direction.APPROACHING,
) -> Heard | None:
    """Where the radar hears a lone car in a lane; None: nowhere."""
    physics = RadarPhysics(antenna)
    steps = range(1, int(antenna.max_range_m / _STEP_M))
    places = [
        step * _STEP_M
        for step in steps
        if physics.strength(Seen(0, VehicleKind.CAR, direction, step * _STEP_M, offset_m, 14.0)) > audible
    ]
    return Heard(places[0], places[-1]) if places else None


def lanes(offset_m: float) -> tuple[Lane, ...]:
    """The near lane comes, the far one goes; the verges, for bicycles, are beside them."""
    return (
        Lane(Direction.APPROACHING, offset_m),
        Lane(Direction.RECEDING, offset_m + 3.5),
        Lane(Direction.APPROACHING, offset_m - 1.5),
        Lane(Direction.RECEDING, offset_m + 5.0),
    )


def _angle_deg(antenna: RadarParameters, offset_m: float, x_m: float) -> float:
    return degrees(atan2(hypot(offset_m, antenna.mounting_height_m - TARGET_HEIGHT_M), x_m))
