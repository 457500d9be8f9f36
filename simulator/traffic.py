"""Who comes when: seeded random traffic, a script, and the lively traffic of the demo.

All give `Arrival`s in order of time, without end but for a script, for the lanes of
`simulator.road.RIGHT_HAND_TRAFFIC`: 0 approaching, 1 receding, 2 and 3 the verges beside them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from simulator.following import STANDSTILL_GAP_M
from simulator.vehicles import KINDS, KMH_PER_MPS, Arrival, VehicleKind

PLATOON_HEADWAY_S = (1.0, 2.5)  # front to front, inside a platoon
FREE_HEADWAY_S = 2.5  # the shortest between vehicles that do not follow each other
SLOWEST_KMH = 8.0
EUROPEAN_MIX: Mapping[VehicleKind, float] = {
    VehicleKind.CAR: 0.88,
    VehicleKind.LORRY: 0.08,
    VehicleKind.MOTORCYCLE: 0.03,
    VehicleKind.BICYCLE: 0.01,
}
VERGE = 2  # lanes from a lane to its verge
_SPEED_FACTOR = {VehicleKind.LORRY: 0.93}
_BICYCLE_KMH = (18.0, 3.5)  # mean and standard deviation


@dataclass(frozen=True, slots=True)
class Flow:
    """The traffic of one lane."""

    vehicles_per_hour: float
    mean_kmh: float = 52.0
    sd_kmh: float = 7.0
    platoon_share: float = 0.3  # of the vehicles that follow the one before them
    brake_share: float = 0.3  # of the drivers above the limit that brake when they see the sign
    mix: Mapping[VehicleKind, float] = field(default_factory=lambda: EUROPEAN_MIX)


def random_traffic(flows: Iterable[Flow], seed: int, limit_kmh: float = 50.0) -> Iterator[Arrival]:
    """Endless traffic, one flow a lane; the same seed gives the same traffic."""
    lanes = [
        _lane_traffic(flow, lane, Random(f"{seed}/{lane}"), limit_kmh)  # noqa: S311  play, not secrets
        for lane, flow in enumerate(flows)
        if flow.vehicles_per_hour > 0
    ]
    return heapq.merge(*lanes, key=lambda arrival: arrival.t_s)


def scripted(script: Iterable[tuple[float, int, float, VehicleKind | str]]) -> list[Arrival]:
    """Exactly these vehicles: (t_s at the start of the lane, lane, speed_kmh, kind)."""
    arrivals = [Arrival(t_s, lane, speed_kmh, VehicleKind(kind)) for t_s, lane, speed_kmh, kind in script]
    return sorted(arrivals, key=lambda arrival: arrival.t_s)


def _lane_traffic(flow: Flow, lane: int, random: Random, limit_kmh: float) -> Iterator[Arrival]:
    mean_gap_s = 3600.0 / flow.vehicles_per_hour
    platoon_gap_s = sum(PLATOON_HEADWAY_S) / 2
    free_s = (mean_gap_s - flow.platoon_share * platoon_gap_s) / max(1.0 - flow.platoon_share, 1e-6)
    kinds, weights = list(flow.mix), list(flow.mix.values())
    t_s, ahead = random.uniform(0.0, mean_gap_s), None
    while True:
        kind = random.choices(kinds, weights)[0]
        speed_kmh = _wished_kmh(flow, kind, random)
        follows = random.random() < flow.platoon_share and kind is not VehicleKind.BICYCLE
        if ahead is not None and follows:
            gap_s = random.uniform(*PLATOON_HEADWAY_S)
            speed_kmh = max(speed_kmh, ahead.speed_kmh * 1.05)  # else it would fall behind
            headway_s = _time_gap(gap_s, ahead)
        else:
            shortest_s = min(FREE_HEADWAY_S, free_s)
            gap_s = shortest_s + random.expovariate(1.0) * max(free_s - shortest_s, 0.0)
            headway_s = random.uniform(1.1, 2.0)
        brakes = speed_kmh > limit_kmh and random.random() < flow.brake_share
        at_m, to_kmh = random.uniform(50.0, 100.0), limit_kmh * random.uniform(0.92, 1.04)
        t_s += gap_s
        if kind is VehicleKind.BICYCLE:
            yield Arrival(t_s, lane + VERGE, speed_kmh, kind)
            continue
        ahead = Arrival(t_s, lane, speed_kmh, kind, headway_s, at_m if brakes else None, to_kmh)
        yield ahead


def _wished_kmh(flow: Flow, kind: VehicleKind, random: Random) -> float:
    if kind is VehicleKind.BICYCLE:
        return max(random.gauss(*_BICYCLE_KMH), SLOWEST_KMH)
    speed_kmh = random.gauss(flow.mean_kmh, flow.sd_kmh) * _SPEED_FACTOR.get(kind, 1.0)
    return max(speed_kmh, SLOWEST_KMH)


def _time_gap(front_to_front_s: float, ahead: Arrival) -> float:
    """The time gap rear to front that gives this headway front to front behind that leader."""
    taken_m = KINDS[ahead.kind].length_m + STANDSTILL_GAP_M
    return max(front_to_front_s - taken_m / (ahead.speed_kmh / KMH_PER_MPS), 0.4)
