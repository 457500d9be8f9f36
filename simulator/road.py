"""A straight two-way road past a pole: who is where, and the truth about everybody who has passed.

The radar stands at x = 0 and looks towards growing x. Approaching vehicles come from far x to the pole
and on behind it; receding ones come from behind the pole and drive away. Everything moves on a fixed
grid of `STEP_S`, and between two grid points by constant acceleration: how `process` is cut into pieces
changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from simulator.following import STANDSTILL_GAP_M, entry_speed, follow_accel, free_accel
from simulator.vehicles import KINDS, KMH_PER_MPS, Arrival, MovingVehicle, Passed, Seen, truth_of
from speedsign.model import Direction

STEP_S = 0.1
REFERENCES_M = (100.0, 60.0, 30.0, 15.0)  # where the truth notes speeds, as far as inside the zone
STANDS_MPS, STOPS_WITHIN_M, SEES_STOP_M = 0.3, 3.0, 80.0
TURN_MPS, TURN_BRAKES_MPS2 = 5.0, 2.0
_NOW = 1e-9  # what sums of floats may be off


@dataclass(frozen=True, slots=True)
class Lane:
    """`offset_m` is sideways from the sign to the middle of the lane."""

    direction: Direction
    offset_m: float


RIGHT_HAND_TRAFFIC = (
    Lane(Direction.APPROACHING, 5.0),
    Lane(Direction.RECEDING, 8.5),
    Lane(Direction.APPROACHING, 3.5),  # the verges, for bicycles: nobody follows a bicycle
    Lane(Direction.RECEDING, 10.0),
)


@dataclass(frozen=True, slots=True)
class RoadShape:
    """`zone_m`: how far before the sign the radar's view begins; `lead_m`: road before the view."""

    lanes: tuple[Lane, ...] = RIGHT_HAND_TRAFFIC
    zone_m: float = 120.0
    lead_m: float = 80.0  # where a platoon sorts itself out before anybody measures it
    tail_m: float = 40.0  # driven on after leaving the view, so that nobody's leader vanishes early


class Road:
    """The road, its vehicles and the truth. `arrivals` are in order of time and may never end."""

    def __init__(self, arrivals: Iterable[Arrival], shape: RoadShape | None = None) -> None:
        self.shape = shape or RoadShape()
        self.t_s = 0.0
        self.passed: list[Passed] = []
        self.entered = 0
        self.closed = False  # to everybody who would come now
        self._arrivals = iter(arrivals)
        self._next = next(self._arrivals, None)
        self._waiting: list[deque[Arrival]] = [deque() for _ in self.shape.lanes]
        self._lanes: list[list[MovingVehicle]] = [[] for _ in self.shape.lanes]  # the first leads
        self._steps = 0  # grid points done
        self._marks = [_marks(self.shape, lane.direction) for lane in self.shape.lanes]
        self._arrive()
        self._decide()

    def process(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass."""
        self.t_s += dt_s
        while (self._steps + 1) * STEP_S <= self.t_s + _NOW:
            self._steps += 1
            for lane in self._lanes:
                if lane:
                    self._move(lane)
            self._arrive()
            self._decide()

    def seen(self) -> list[Seen]:
        """Vehicles whose face is in the radar's view now, in no particular order."""
        into_s = self.t_s - self._steps * STEP_S
        found: list[Seen] = []
        for number, lane in enumerate(self._lanes):
            if lane:
                self._look(number, lane, into_s, found)
        return found

    def vehicles(self) -> Sequence[MovingVehicle]:
        """Everybody on the road as of the last grid point, lane by lane, leaders first."""
        return [vehicle for lane in self._lanes for vehicle in lane]

    @property
    def is_empty(self) -> bool:
        return not any(self._lanes)

    def _look(self, number: int, lane: list[MovingVehicle], into_s: float, found: list[Seen]) -> None:
        shape = self.shape
        zone_m, road_lane = shape.zone_m, shape.lanes[number]
        approaching = road_lane.direction is Direction.APPROACHING
        for vehicle in lane:
            s_m = vehicle.s_m + (vehicle.speed_mps + 0.5 * vehicle.accel_mps2 * into_s) * into_s
            x_m = zone_m + shape.lead_m - s_m if approaching else s_m - vehicle.facts.length_m - shape.lead_m
            if 0.0 < x_m <= zone_m:
                speed_mps = vehicle.speed_mps + vehicle.accel_mps2 * into_s
                kind = vehicle.arrival.kind
                found.append(
                    Seen(vehicle.vehicle_id, kind, vehicle.direction, x_m, road_lane.offset_m, speed_mps)
                )

    def _move(self, lane: list[MovingVehicle]) -> None:
        """Bring every vehicle of a lane to this grid point with the acceleration it had decided on."""
        end_m = self.shape.lead_m + self.shape.zone_m + self.shape.tail_m
        for vehicle in lane:
            before_m, speed_mps, accel_mps2 = vehicle.s_m, vehicle.speed_mps, vehicle.accel_mps2
            vehicle.s_m = before_m + (speed_mps + 0.5 * accel_mps2 * STEP_S) * STEP_S
            vehicle.speed_mps = max(speed_mps + accel_mps2 * STEP_S, 0.0)
            if vehicle.next_mark < len(vehicle.marks) and vehicle.s_m >= vehicle.marks[vehicle.next_mark][0]:
                self._note(vehicle, before_m, speed_mps)
        while lane and lane[0].s_m > end_m + lane[0].facts.length_m:
            lane.pop(0)
        for vehicle in [vehicle for vehicle in lane if vehicle.s_m >= vehicle.turns_at_s_m]:
            lane.remove(vehicle)
            if len(vehicle.crossings) > 1 and vehicle.next_mark < len(vehicle.marks):
                self.passed.append(truth_of(vehicle))

    def _note(self, vehicle: MovingVehicle, before_m: float, before_mps: float) -> None:
        """Write down each mark that was crossed in the last step, interpolated between its ends."""
        way_m = vehicle.s_m - before_m
        while vehicle.next_mark < len(vehicle.marks) and vehicle.s_m >= vehicle.marks[vehicle.next_mark][0]:
            mark_m, x_m = vehicle.marks[vehicle.next_mark]
            part = (mark_m - before_m) / way_m if way_m > 0 else 1.0
            speed_mps = before_mps + part * (vehicle.speed_mps - before_mps)
            vehicle.crossings.append((x_m, (self._steps - 1 + part) * STEP_S, speed_mps))
            vehicle.next_mark += 1
        if vehicle.next_mark == len(vehicle.marks):
            self.passed.append(truth_of(vehicle))

    def _arrive(self) -> None:
        """Put onto the road whoever has come to its start and finds room."""
        now_s = self._steps * STEP_S
        while self._next is not None and self._next.t_s <= now_s + _NOW:
            if not self.closed:
                self._waiting[self._next.lane].append(self._next)
            self._next = next(self._arrivals, None)
        for number, waiting in enumerate(self._waiting):
            if self.closed:
                waiting.clear()
            while waiting and self._enter(number, waiting[0], now_s):
                waiting.popleft()

    def _enter(self, number: int, arrival: Arrival, now_s: float) -> bool:
        lane = self._lanes[number]
        wish_mps = speed_mps = arrival.speed_kmh / KMH_PER_MPS
        s_m = speed_mps * min(max(now_s - arrival.t_s, 0.0), STEP_S)  # who had to wait starts at the start
        if lane:
            leader = lane[-1]
            rear_m = leader.s_m - leader.facts.length_m
            speed_mps = entry_speed(wish_mps, leader.speed_mps, rear_m - s_m)
            if rear_m - s_m < STANDSTILL_GAP_M + 0.3 * speed_mps:
                return False
        self._put(arrival, s_m, speed_mps)
        return True

    def place(self, arrival: Arrival, x_m: float) -> int:
        """Somebody is there, so far from the pole and at their speed, as if they had come all the way.

        The last in their lane; their number.
        """
        approaching = self.shape.lanes[arrival.lane].direction is Direction.APPROACHING
        s_m = self.shape.lead_m + (
            self.shape.zone_m - x_m if approaching else x_m + KINDS[arrival.kind].length_m
        )
        self._put(arrival, s_m, arrival.speed_kmh / KMH_PER_MPS)
        return self.entered

    def _put(self, arrival: Arrival, s_m: float, speed_mps: float) -> None:
        facts, direction = KINDS[arrival.kind], self.shape.lanes[arrival.lane].direction
        length_m = 0.0 if direction is Direction.APPROACHING else facts.length_m
        self.entered += 1
        vehicle = MovingVehicle(
            vehicle_id=self.entered,
            arrival=arrival,
            facts=facts,
            direction=direction,
            s_m=s_m,
            speed_mps=speed_mps,
            wish_mps=arrival.speed_kmh / KMH_PER_MPS,
            marks=tuple((at_m + length_m, x_m) for at_m, x_m in self._marks[arrival.lane]),
        )
        self._lanes[arrival.lane].append(vehicle)
        if direction is Direction.APPROACHING:
            self._plan(vehicle)

    def _plan(self, vehicle: MovingVehicle) -> None:
        """What an approaching driver is going to do on the way to the pole."""
        arrival, pole_s_m = vehicle.arrival, self.shape.lead_m + self.shape.zone_m
        if arrival.brakes_at_m is not None:
            vehicle.brakes_at_s_m = pole_s_m - arrival.brakes_at_m
        if arrival.stops_at_m is not None:
            vehicle.stops_at_s_m = pole_s_m - arrival.stops_at_m
        if arrival.turns_at_m is not None:
            vehicle.turns_at_s_m = pole_s_m - arrival.turns_at_m

    def _decide(self) -> None:
        """Each driver looks at the leader and at the sign, and holds that pedal until the next step."""
        for lane in self._lanes:
            leader: MovingVehicle | None = None
            for vehicle in lane:
                if vehicle.s_m >= vehicle.brakes_at_s_m:
                    _obey(vehicle)
                accel_mps2 = min(_accel(vehicle, leader), _for_stop(vehicle), _for_turn(vehicle))
                vehicle.accel_mps2 = max(accel_mps2, -vehicle.speed_mps / STEP_S)
                leader = vehicle


def _obey(vehicle: MovingVehicle) -> None:
    vehicle.wish_mps = min(vehicle.wish_mps, vehicle.arrival.brakes_to_kmh / KMH_PER_MPS)


def _for_stop(vehicle: MovingVehicle) -> float:
    """Like a driver who comes up to a standing car, until the passengers are in."""
    if vehicle.stops_at_s_m == inf:
        return inf
    if vehicle.speed_mps < STANDS_MPS and vehicle.s_m > vehicle.stops_at_s_m - STOPS_WITHIN_M:
        vehicle.stands_s += STEP_S
        if vehicle.stands_s >= vehicle.arrival.stops_s:
            vehicle.stops_at_s_m = inf
    gap_m = vehicle.stops_at_s_m + STANDSTILL_GAP_M - vehicle.s_m
    return _behind(vehicle, gap_m, vehicle.speed_mps) if gap_m < SEES_STOP_M else inf


def _for_turn(vehicle: MovingVehicle) -> float:
    """Down to a walking turn at the corner, as hard as is comfortable."""
    way_m = vehicle.turns_at_s_m - vehicle.s_m
    if vehicle.speed_mps <= TURN_MPS or way_m == inf:
        return inf
    needed_mps2 = (vehicle.speed_mps**2 - TURN_MPS**2) / (2 * max(way_m, 0.1))
    return -needed_mps2 if needed_mps2 >= TURN_BRAKES_MPS2 else inf


def _accel(vehicle: MovingVehicle, leader: MovingVehicle | None) -> float:
    speed_mps, wish_mps, pull_mps2 = vehicle.speed_mps, vehicle.wish_mps, vehicle.facts.accel_mps2
    if leader is None:
        return free_accel(speed_mps, wish_mps, pull_mps2)
    gap_m = leader.s_m - leader.facts.length_m - vehicle.s_m
    return _behind(vehicle, gap_m, speed_mps - leader.speed_mps)


def _behind(vehicle: MovingVehicle, gap_m: float, closing_mps: float) -> float:
    speed_mps, headway_s = vehicle.speed_mps, vehicle.arrival.headway_s
    return follow_accel(speed_mps, vehicle.wish_mps, vehicle.facts.accel_mps2, headway_s, gap_m, closing_mps)


def _marks(shape: RoadShape, direction: Direction) -> tuple[tuple[float, float], ...]:
    """(s_m of the face that looks at the radar, x_m) for the zone's ends and the references inside it."""
    xs = (shape.zone_m, *(x_m for x_m in REFERENCES_M if x_m < shape.zone_m), 0.0)
    if direction is Direction.APPROACHING:
        return tuple((shape.lead_m + shape.zone_m - x_m, x_m) for x_m in xs)
    return tuple((shape.lead_m + x_m, x_m) for x_m in reversed(xs))
