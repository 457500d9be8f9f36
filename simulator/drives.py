"""Test cars: somebody drives past the sign at an exact speed, alone on the road."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from simulator.aim import Heard
from simulator.road import Road
from simulator.vehicles import Arrival, MovingVehicle
from speedsign.model import Direction

GAP_S = 0.7  # between two that nobody can take for one
SLOWEST_KMH, FASTEST_KMH, MOST = 5.0, 250.0, 500
_BEYOND = 1.1  # of the way on which a car is usually heard: from there on it may be, and is not yet
_COMES_FROM_BEHIND_M = 0.5
_LANES = {Direction.APPROACHING: 0, Direction.RECEDING: 1}


class Drives:
    """Lets test cars onto a road, one after the other; meanwhile it is closed to everybody else."""

    def __init__(self, road: Road, heard: Mapping[Direction, Heard | None]) -> None:
        self.ids: set[int] = set()  # of the vehicles that were test cars
        self._road = road
        farthest_m = {direction: way.farthest_m if way else 0.0 for direction, way in heard.items()}
        self._view_m = {
            direction: min(_BEYOND * far_m, road.shape.zone_m) for direction, far_m in farthest_m.items()
        }
        self._waiting: deque[tuple[Direction, float]] = deque()
        self._clear_s = 0.0  # for so long nobody has been heard

    def order(self, kmh: float, count: int = 1) -> None:
        """So many, towards the sign; a speed below 0: away from it. ValueError: no speed of a car."""
        if not SLOWEST_KMH <= abs(kmh) <= FASTEST_KMH or not 1 <= count <= MOST:
            raise ValueError(
                f"a test car drives at {SLOWEST_KMH:g} to {FASTEST_KMH:g} km/h, 1 to {MOST} times:"
                ' "drive 50", "drive -50" (away), "drive 50 10"'
            )
        direction = Direction.APPROACHING if kmh > 0 else Direction.RECEDING
        self._waiting.extend([(direction, abs(kmh))] * count)
        self._road.closed = True

    def forget(self) -> None:
        """Those that have not started stay at home."""
        self._waiting.clear()

    def process(self, dt_s: float) -> None:
        """Time has passed on the road: who is next?"""
        if not self._road.closed:
            return
        self._clear_s = 0.0 if self._is_somebody_there() else self._clear_s + dt_s
        if self._clear_s < GAP_S:
            return
        if not self._waiting:
            self._road.closed = False
            return
        direction, kmh = self._waiting.popleft()
        x_m = self._view_m[direction] if direction is Direction.APPROACHING else -_COMES_FROM_BEHIND_M
        self.ids.add(self._road.place(Arrival(self._road.t_s, _LANES[direction], kmh), x_m))
        self._clear_s = 0.0

    def _is_somebody_there(self) -> bool:
        return any(self._is_there(vehicle) for vehicle in self._road.vehicles())

    def _is_there(self, vehicle: MovingVehicle) -> bool:
        """Whether it can be heard, or is still to come."""
        shape = self._road.shape
        if vehicle.direction is Direction.APPROACHING:
            return vehicle.s_m < shape.lead_m + shape.zone_m
        return vehicle.s_m - vehicle.facts.length_m - shape.lead_m < self._view_m[Direction.RECEDING]
