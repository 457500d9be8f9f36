"""Lively traffic for the demo: a vehicle about every 2.5 s over both directions, told apart with ease.

A radar that reports one target sees whoever is strongest. So vehicles come from the two sides in turn,
the moments at which they are strongest are spaced, and nobody catches up with anybody while in view: the
reports of one have ended before those of the next from the same side begin.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from simulator.road import Lane, RoadShape
from simulator.vehicles import KINDS, KMH_PER_MPS, Arrival, VehicleKind
from speedsign.model import Direction

SLOWEST_KMH, FASTEST_KMH = 30.0, 75.0
SPREAD_KMH = 9.0  # standard deviation
UNLIKE_KMH = 6.0  # the smallest difference between two that follow each other in a lane
KEPT_S = 2.0  # the shortest time between two vehicles of one lane, anywhere on the road
NEAR_SPACING_S = (0.4, 1.0)  # from the best moment of one going away until one coming outshines it
FAR_SPACING_S = (1.5, 2.1)  # from the end of one coming to the best moment of one going away
UNHEARD_S = 2.3  # the shortest time between the reports of two that go away
HEARD_BEFORE_S = 1.5  # how long before its best moment one going away is heard first
# A vehicle in the near lane outshines a car in the far lane from so far before its own best place ...
OUTSHINES_BEFORE_M = {VehicleKind.CAR: 20.0, VehicleKind.LORRY: 60.0, VehicleKind.MOTORCYCLE: 30.0}
OUTSHINES_AFTER_M = 12.0  # ... to so far after it
FAR_LANE_M = 7.5
BRAKE_SHARE = 0.25
STRONGEST_AT_M = {Direction.APPROACHING: 22.0, Direction.RECEDING: 35.0}
_MIX = ((VehicleKind.CAR, 0.88), (VehicleKind.LORRY, 0.07), (VehicleKind.MOTORCYCLE, 0.05))


def demo_shape(zone_m: float) -> RoadShape:
    """A short road: the first car is in view at once."""
    lanes = (Lane(Direction.APPROACHING, 5.0), Lane(Direction.RECEDING, FAR_LANE_M))
    return RoadShape(lanes=lanes, zone_m=zone_m, lead_m=10.0)


def demo_traffic(seed: int, limit_kmh: float = 50.0, shape: RoadShape | None = None) -> Iterator[Arrival]:
    """Endless; speeds 30 to 75 km/h round the limit; the same seed gives the same traffic."""
    random = Random(f"{seed}/demo")  # noqa: S311  play, not secrets
    waiting: list[tuple[float, int, Arrival]] = []
    plan = _plan(random, limit_kmh, shape or demo_shape(120.0))
    for number, (peak_s, longest_s, arrival) in enumerate(plan):
        if arrival.t_s >= 0.0:
            heapq.heappush(waiting, (arrival.t_s, number, arrival))
        while waiting and waiting[0][0] < peak_s - longest_s:  # nobody planned later starts earlier
            yield heapq.heappop(waiting)[2]


@dataclass(frozen=True, slots=True)
class _Before:
    """The vehicle planned last in a lane."""

    peak_s: float
    speed_mps: float


def _plan(random: Random, limit_kmh: float, shape: RoadShape) -> Iterator[tuple[float, float, Arrival]]:
    """(when it is strongest, the longest way to there in seconds, the vehicle), in order of the first."""
    before: dict[int, _Before] = {}
    peak_s, lane = 0.0, 1
    longest_s = (shape.lead_m + shape.zone_m) / (SLOWEST_KMH / KMH_PER_MPS)
    while True:
        lane = 1 - lane
        kind = _kind(random, lane)
        wish_mps = _wish(random, limit_kmh, before.get(lane))
        if lane == 0:
            peak_s += random.uniform(*NEAR_SPACING_S) + OUTSHINES_BEFORE_M[kind] / wish_mps
        else:
            outshone_s = (OUTSHINES_BEFORE_M[VehicleKind.CAR] + OUTSHINES_AFTER_M) / before[0].speed_mps
            spacing_s = max(random.uniform(*FAR_SPACING_S), HEARD_BEFORE_S + UNHEARD_S - outshone_s)
            peak_s += spacing_s + OUTSHINES_AFTER_M / before[0].speed_mps
        to_m = _way_to_peak(shape, lane, kind)
        speed_mps = _kept_apart(shape, to_m, before.get(lane), peak_s, wish_mps)
        before[lane] = _Before(peak_s, speed_mps)
        brakes = speed_mps * KMH_PER_MPS > limit_kmh + 5 and random.random() < BRAKE_SHARE
        at_m = random.uniform(60.0, 80.0) if brakes else None
        speed_kmh, t_s = speed_mps * KMH_PER_MPS, peak_s - to_m / speed_mps
        yield peak_s, longest_s, Arrival(t_s, lane, speed_kmh, kind, 0.8, at_m, limit_kmh)


def _wish(random: Random, limit_kmh: float, before: _Before | None) -> float:
    """A speed unlike that of the one before in this lane, so that two are not taken for one."""
    while True:
        wish_mps = max(random.gauss(limit_kmh, SPREAD_KMH), SLOWEST_KMH) / KMH_PER_MPS
        if before is None or abs(wish_mps - before.speed_mps) * KMH_PER_MPS >= UNLIKE_KMH:
            return wish_mps


def _kind(random: Random, lane: int) -> VehicleKind:
    kind = random.choices([kind for kind, _ in _MIX], [share for _, share in _MIX])[0]
    faint = lane == 1 and kind is VehicleKind.MOTORCYCLE  # beside near cars it would hardly be seen
    return VehicleKind.CAR if faint else kind


def _way_to_peak(shape: RoadShape, lane: int, kind: VehicleKind) -> float:
    """Metres from the start of a lane to where a vehicle's face gives the strongest echo."""
    direction = shape.lanes[lane].direction
    x_m = STRONGEST_AT_M[direction]
    if direction is Direction.APPROACHING:
        return shape.lead_m + shape.zone_m - x_m
    return shape.lead_m + x_m + KINDS[kind].length_m


def _kept_apart(
    shape: RoadShape, to_m: float, before: _Before | None, peak_s: float, speed_mps: float
) -> float:
    """The wished speed, bent as far as needed to stay `KEPT_S` behind the one before, start to end."""
    low, high = SLOWEST_KMH / KMH_PER_MPS, FASTEST_KMH / KMH_PER_MPS
    if before:
        on_m = shape.lead_m + shape.zone_m + shape.tail_m - to_m
        room_s = peak_s - before.peak_s - KEPT_S
        low = max(low, to_m / (to_m / before.speed_mps + room_s))
        if on_m / before.speed_mps > room_s:
            high = min(high, on_m / (on_m / before.speed_mps - room_s))
    return max(min(speed_mps, high), low)
