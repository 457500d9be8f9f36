"""Road, radar and panel together: moved on by hand, or by the event loop at its pace."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Protocol

from simulator.demo_traffic import demo_shape, demo_traffic
from simulator.line import DeviceLine
from simulator.radar_end import RadarEnd
from simulator.radar_physics import Echo, RadarParameters, RadarPhysics
from simulator.radars.catalogue import ANTENNAS, make_twin
from simulator.road import Road, RoadShape
from simulator.traffic import Flow, random_traffic
from simulator.vehicles import KINDS, KMH_PER_MPS, Arrival, Passed

LONGEST_SLEEP_S = 0.1
DEMO_RANGE_M = 75.0
AUDIBLE = 20.0  # the usual squelch of an OPS243
_SHORTEST_SLEEP_S = 0.001
_NOW = 1e-9


class Advances(Protocol):
    """Anything else in the world that time passes for, a panel for one."""

    def process(self, dt_s: float) -> object: ...


class World:
    """Everything outside the sign.

    `leading` counts, by vehicle, the looks in which it was the strongest and loud enough to be reported:
    a vehicle without any cannot be counted by anybody who hears one target a report.
    """

    def __init__(
        self, road: Road, physics: RadarPhysics, radar_end: RadarEnd, others: Sequence[Advances] = ()
    ) -> None:
        self.road = road
        self.physics = physics
        self.radar_end = radar_end
        self.others = list(others)
        self.leading: Counter[int] = Counter()
        self.through: Callable[[list[Echo]], list[Echo]] = list  # what becomes of the echoes on their way

    @property
    def t_s(self) -> float:
        """Seconds since this world began."""
        return self.road.t_s

    def process(self, dt_s: float) -> None:
        """Let time pass; the radar looks at the road exactly when it is due."""
        left_s = dt_s
        while left_s > _NOW:
            step_s = min(left_s, self.radar_end.due_in_s)
            self._step(step_s, looks=step_s >= self.radar_end.due_in_s - _NOW)
            left_s -= step_s

    def truth(self) -> list[Passed]:
        """Every vehicle that has left the radar's view, in that order."""
        return list(self.road.passed)

    async def run(self, until: float | None = None) -> None:
        """Keep up with the event loop's time until cancelled, or until the world is `until` seconds old.

        After a hiccup it catches up, so that its time stays the loop's.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time() - self.t_s
        while until is None or self.t_s < until - _NOW:
            now_s = loop.time() - began_s
            self.process((now_s if until is None else min(now_s, until)) - self.t_s)
            await asyncio.sleep(min(max(self.radar_end.due_in_s, _SHORTEST_SLEEP_S), LONGEST_SLEEP_S))

    def _step(self, step_s: float, *, looks: bool) -> None:
        self.road.process(step_s)
        echoes = self.through(self.physics.echoes(self.road.seen(), self.road.t_s)) if looks else []
        if echoes and echoes[0].strength > AUDIBLE and echoes[0].vehicle_id is not None:
            self.leading[echoes[0].vehicle_id] += 1
        self.radar_end.process(step_s, echoes)
        for other in self.others:
            other.process(step_s)


def make_world(
    line: DeviceLine,
    *,
    radar: str = "ops243",
    profile: str | None = None,
    seed: int = 1,
    vehicles_per_hour: float = 500.0,
    mean_kmh: float | None = None,
    limit_kmh: float = 50.0,
    platoon_share: float = 0.3,
    script: Iterable[Arrival] | None = None,
    parameters: RadarParameters | None = None,
    shape: RoadShape | None = None,
    others: Sequence[Advances] = (),
) -> World:
    """A world of random traffic (`vehicles_per_hour` over both directions), or of a script.

    Without `mean_kmh` drivers go a little over the limit. The road is as long as the radar sees.
    """
    parameters = parameters or ANTENNAS[radar]
    if script is None:
        mean_kmh = limit_kmh + 2 if mean_kmh is None else mean_kmh
        flow = Flow(vehicles_per_hour / 2, mean_kmh, platoon_share=platoon_share)
        script = random_traffic([flow, flow], seed, limit_kmh)
    road = Road(script, shape or RoadShape(zone_m=parameters.max_range_m))
    end = RadarEnd(line, make_twin(radar, seed, profile), seed)
    return World(road, RadarPhysics(parameters, seed), end, others)


def make_demo(
    line: DeviceLine,
    *,
    radar: str = "ops243",
    profile: str | None = None,
    seed: int = 1,
    limit_kmh: float = 50.0,
    until_s: float | None = None,
    parameters: RadarParameters | None = None,
    others: Sequence[Advances] = (),
) -> World:
    """A world with the lively traffic of the demo, on a kind day: few losses, little fading.

    The radar looks no farther than 75 m: who drives away is out of its sight before the next one does.
    With `until_s` nobody comes who would not have left the view by then.
    """
    if parameters is None:
        parameters = replace(
            ANTENNAS[radar], burst_per_s=0.0, drop_share=0.01, fading_db=1.5, max_range_m=DEMO_RANGE_M
        )
    shape = demo_shape(parameters.max_range_m)
    script: Iterable[Arrival] = demo_traffic(seed, limit_kmh, shape)
    if until_s is not None:
        script = takewhile(lambda arrival: _leaves_by_s(arrival, shape) <= until_s, script)
    return make_world(
        line,
        radar=radar,
        profile=profile,
        seed=seed,
        script=script,
        parameters=parameters,
        shape=shape,
        others=others,
    )


def _leaves_by_s(arrival: Arrival, shape: RoadShape) -> float:
    """When an arrival has left the view at the latest, braking for the sign included."""
    slowest_kmh = (
        arrival.speed_kmh if arrival.brakes_at_m is None else min(arrival.speed_kmh, arrival.brakes_to_kmh)
    )
    way_m = shape.lead_m + shape.zone_m + KINDS[arrival.kind].length_m
    return arrival.t_s + way_m / (slowest_kmh / KMH_PER_MPS)
