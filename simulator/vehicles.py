"""What drives past: kinds of vehicle, one vehicle in motion, and the truth about one that has passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import NamedTuple

from speedsign.model import Direction

KMH_PER_MPS = 3.6


class VehicleKind(StrEnum):
    """Classes that differ in what a radar makes of them."""

    CAR = "car"
    LORRY = "lorry"
    BUS = "bus"
    MOTORCYCLE = "motorcycle"
    BICYCLE = "bicycle"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """Size, echo and pull of a kind. `rcs` is the radar cross section (power) relative to a car's."""

    length_m: float
    width_m: float
    height_m: float
    rcs: float
    accel_mps2: float


KINDS: Mapping[VehicleKind, KindFacts] = {
    VehicleKind.CAR: KindFacts(4.5, 1.8, 1.5, 1.0, 1.5),
    VehicleKind.LORRY: KindFacts(12.0, 2.5, 3.6, 8.0, 0.8),
    VehicleKind.BUS: KindFacts(12.0, 2.5, 3.2, 6.0, 1.0),
    VehicleKind.MOTORCYCLE: KindFacts(2.1, 0.8, 1.3, 0.25, 2.5),
    VehicleKind.BICYCLE: KindFacts(1.8, 0.6, 1.6, 0.08, 0.8),
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A driver who comes to the start of a lane, and how they drive from there.

    `headway_s` is the time gap (rear to front) they keep behind a leader; `brakes_at_m` is how far from
    the sign they see it and brake down to `brakes_to_kmh`, None for one who does not care. `stops_at_m` is
    a bus stop, where they stand for `stops_s`; at `turns_at_m` they turn off into a side road. All
    distances are from the pole.
    """

    t_s: float
    lane: int
    speed_kmh: float
    kind: VehicleKind = VehicleKind.CAR
    headway_s: float = 1.2
    brakes_at_m: float | None = None
    brakes_to_kmh: float = 50.0
    stops_at_m: float | None = None
    stops_s: float = 15.0
    turns_at_m: float | None = None


@dataclass(slots=True, eq=False)
class MovingVehicle:
    """One vehicle on the road. `s_m` is how far its front has come since the start of its lane."""

    vehicle_id: int
    arrival: Arrival
    facts: KindFacts
    direction: Direction
    s_m: float
    speed_mps: float
    wish_mps: float
    marks: tuple[tuple[float, float], ...]  # (s_m, x_m) of each crossing to be noted, in order
    accel_mps2: float = 0.0
    brakes_at_s_m: float = inf
    stops_at_s_m: float = inf
    stands_s: float = 0.0  # how long it has stood at its stop
    turns_at_s_m: float = inf
    next_mark: int = 0
    crossings: list[tuple[float, float, float]] = field(default_factory=list)  # (x_m, t_s, speed_mps)


class Seen(NamedTuple):
    """A vehicle in front of the radar now.

    `x_m` is the distance along the road from the pole to the face that looks at the radar: the front of
    one that approaches, the rear of one that recedes.
    """

    vehicle_id: int
    kind: VehicleKind
    direction: Direction
    x_m: float
    offset_m: float
    speed_mps: float


@dataclass(frozen=True, slots=True)
class Passed:
    """The truth about a vehicle that has left the radar's view.

    An approaching vehicle is in the zone from `zone_m` before the pole to the pole, a receding one from
    the pole to `zone_m` beyond it. `speeds_kmh` maps distance from the pole (m) to the speed there.
    """

    vehicle_id: int
    kind: VehicleKind
    direction: Direction
    lane: int
    t_enter_s: float
    t_exit_s: float
    mean_kmh: float
    speeds_kmh: Mapping[float, float]
    brakes: bool

    @property
    def entry_kmh(self) -> float:
        """Speed when it came into the zone."""
        return next(iter(self.speeds_kmh.values()))

    @property
    def exit_kmh(self) -> float:
        """Speed when it left the zone."""
        return list(self.speeds_kmh.values())[-1]


def truth_of(vehicle: MovingVehicle) -> Passed:
    """What is to be said about a vehicle that has crossed all its marks."""
    first, last = vehicle.crossings[0], vehicle.crossings[-1]
    way_m, time_s = abs(last[0] - first[0]), last[1] - first[1]
    return Passed(
        vehicle_id=vehicle.vehicle_id,
        kind=vehicle.arrival.kind,
        direction=vehicle.direction,
        lane=vehicle.arrival.lane,
        t_enter_s=first[1],
        t_exit_s=last[1],
        mean_kmh=way_m / time_s * KMH_PER_MPS,
        speeds_kmh={x_m: speed_mps * KMH_PER_MPS for x_m, _, speed_mps in vehicle.crossings},
        brakes=vehicle.arrival.brakes_at_m is not None,
    )
