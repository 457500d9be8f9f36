"""The road before the sign: who comes when, what the radar says of them, and the truth about each.

Most come alone, so that what a tracker cannot tell apart is not what this is about; some come in pairs. Each
of these passages is a small world of its own, and between them no time is spent where the radar says nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from simulator.line import MemoryLine
from simulator.radar_end import RadarEnd
from simulator.radar_physics import IDEAL, RadarPhysics
from simulator.radars.catalogue import SQUELCHES, make_twin
from simulator.road import Road, RoadShape
from simulator.vehicles import KMH_PER_MPS, Arrival, VehicleKind
from speedsign.model import Direction
from tests.year.timeline import DAY_S

APART_S = 30.0  # from one passage to the next: nobody else is in view
STEP_S = 0.1
RACERS = 0.04  # drive so fast that a sign has to be dark
RANGE_M = 75.0  # as in the demo: less of the road to be simulated
REMEMBER_S = 12.0
_NOW = 1e-9
_KINDS = (VehicleKind.CAR, VehicleKind.LORRY, VehicleKind.MOTORCYCLE)


@dataclass(slots=True)
class Passed:
    """Somebody who was there, as nobody but the simulation knows. Times are the loop's."""

    direction: Direction
    t_enter_s: float = 0.0
    t_exit_s: float = 0.0
    slowest_kmh: float = 999.0
    fastest_kmh: float = 0.0
    alone: bool = True
    heard: int = 0  # looks of a working radar in which it was the strongest
    last_heard_s: float = 0.0
    longest_unheard_s: float = 0.0  # between two of these looks

    drives_kmh: float = 0.0  # now

    def saw(self, kmh: float) -> None:
        self.drives_kmh = kmh
        self.slowest_kmh, self.fastest_kmh = min(self.slowest_kmh, kmh), max(self.fastest_kmh, kmh)


@dataclass(frozen=True, slots=True)
class Said:
    """What the radar measured of one vehicle in one look, before anything can happen to it on the line."""

    t_s: float
    kmh: float  # towards the radar: less than it drives, the nearer the less
    drives_kmh: float
    direction: Direction


@dataclass
class Street:
    """Drives through `run`; `passed` is taken by whoever compares, `said` holds the last seconds."""

    line: MemoryLine
    chance: random.Random
    radar: str = "ops243"
    a_day: tuple[int, int] = (100, 400)  # at least, at most
    passed: list[Passed] = field(default_factory=list)
    said: deque[Said] = field(default_factory=deque)
    driving: bool = False

    def __post_init__(self) -> None:
        self.end = RadarEnd(self.line, make_twin(self.radar, self.chance.randrange(1 << 30)), 7)
        # A kind day: how often a tracker errs on others is measured elsewhere (docs/accuracy.md).
        self.antenna = replace(
            IDEAL,
            drop_share=0.01,
            fading_db=1.0,
            flutter_db=0.5,
            speed_noise_mps=0.05,
            max_range_m=RANGE_M,
        )
        self._stirred = asyncio.Event()

    @property
    def streams(self) -> bool:
        """Whether the radar talks when there is nothing to say."""
        sensor = getattr(self.end.twin, "sensor", None)
        return bool(sensor and sensor.settings.blank == "Z")

    def says_zeros(self, *, on: bool) -> None:
        """Let it stream, or be quiet again: `BZ` and `BV` of an OPS243."""
        sensor = getattr(self.end.twin, "sensor")  # noqa: B009
        sensor.settings = replace(sensor.settings, blank="Z" if on else "V")
        self.stir()

    def stir(self) -> None:
        """Something was done to the radar: it may have to say so."""
        self._stirred.set()

    # ------------------------------------------------------------------ time

    async def run(self) -> None:
        """Until cancelled."""
        day = 0
        while True:
            for at_s, arrivals in self._passages(day):
                await self._idle(at_s)
                await self._pass(arrivals)
            day += 1
            await self._idle(day * DAY_S)

    async def _idle(self, until_s: float) -> None:
        """Nobody is there."""
        loop = asyncio.get_running_loop()
        while (left_s := until_s - loop.time()) > _NOW:
            busy = self.streams or self._is_starting or self.end.faults or not self.line.plugged
            step_s = min(left_s, self.end.due_in_s) if busy else left_s
            if busy:
                await asyncio.sleep(step_s)
                self.end.process(step_s, [])
                continue
            self._stirred.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._stirred.wait()
            except TimeoutError:
                return
            self.end.process(1e-6, [])  # power that came back is noticed

    @property
    def _is_starting(self) -> bool:
        sensor = getattr(self.end.twin, "sensor", None)
        return bool(sensor and getattr(sensor, "starting_s", 0.0) > 0)

    async def _pass(self, arrivals: list[Arrival]) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        road = Road(arrivals, RoadShape(zone_m=self.antenna.max_range_m, lead_m=5.0, tail_m=5.0))
        physics = RadarPhysics(self.antenna, self.chance.randrange(1 << 30))
        there: dict[int, Passed] = {}
        self.driving = True
        while len(road.passed) < len(arrivals):
            step_s = min(STEP_S, self.end.due_in_s)
            await asyncio.sleep(step_s)
            looks = step_s >= self.end.due_in_s - _NOW
            road.process(step_s)
            seen = road.seen()
            for one in seen:
                who = there.setdefault(one.vehicle_id, Passed(one.direction, alone=len(arrivals) == 1))
                who.saw(one.speed_mps * KMH_PER_MPS)
            echoes = physics.echoes(seen, road.t_s) if looks else []
            if echoes and looks:
                self._note(there, echoes[0].vehicle_id, echoes[0].radial_mps, echoes[0].strength, loop.time())
            self.end.process(step_s, echoes)
        self.driving = False
        for truth in road.passed:
            who = there.get(truth.vehicle_id) or Passed(truth.direction, alone=len(arrivals) == 1)
            who.t_enter_s, who.t_exit_s = began_s + truth.t_enter_s, began_s + truth.t_exit_s
            self.passed.append(who)

    def _note(
        self, there: dict[int, Passed], number: int | None, radial_mps: float, strength: float, now_s: float
    ) -> None:
        """The strongest echo is what a report says; several targets a report are not asked for."""
        while self.said and self.said[0].t_s < now_s - REMEMBER_S:
            self.said.popleft()
        if number is None or strength <= SQUELCHES[self.radar] or not self.line.plugged:
            return
        who = there[number]
        if who.heard:
            who.longest_unheard_s = max(who.longest_unheard_s, now_s - who.last_heard_s)
        who.heard, who.last_heard_s = who.heard + 1, now_s
        self.said.append(Said(now_s, abs(radial_mps) * KMH_PER_MPS, who.drives_kmh, who.direction))

    # ------------------------------------------------------------------ traffic

    def _passages(self, day: int) -> Iterator[tuple[float, list[Arrival]]]:
        """Of one day, in order: when they begin, and who comes (times from then on)."""
        chance = self.chance
        n = chance.randint(*self.a_day)
        starts = sorted(_hour(chance) * 3600.0 for _ in range(n))
        at_s = 0.0
        for start_s in starts:
            at_s = max(at_s + APART_S, start_s)
            if at_s > DAY_S - 2 * APART_S:
                return
            yield day * DAY_S + at_s, _arrivals(chance)
            at_s += 25.0  # the slowest are through


def _hour(chance: random.Random) -> float:
    """Of the day, in UTC: few come at night."""
    while True:
        hour = chance.uniform(0.05, 23.9)
        if chance.random() < (0.05 if hour < 3 or hour > 21 else 1.0):
            return hour


def _arrivals(chance: random.Random) -> list[Arrival]:
    lane = chance.randrange(2)
    kmh = min(max(chance.gauss(50, 11), 22), 125)
    if chance.random() < RACERS:
        kmh = chance.uniform(92, 140)
    kind = chance.choices(_KINDS, (90, 7, 3))[0]
    brakes = chance.uniform(50, 90) if chance.random() < 0.2 else None
    found = [Arrival(0.0, lane, kmh, kind, brakes_at_m=brakes, brakes_to_kmh=kmh * 0.8)]
    if chance.random() < 0.05:
        other = Arrival(chance.uniform(1.0, 4.0), chance.randrange(2), kmh * chance.uniform(0.95, 1.05))
        found.append(other)
    return found
