"""A second road, written apart from the simulator: as plain as a school book's.

Constant speeds, followers a little slower than their leader, an echo that falls with the fourth power of the
distance through a round beam, lognormal fading, white noise. It shares no code with the simulator, so that
what is right on both is not a quirk of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, degrees, exp, hypot
from random import Random

from benchmarks.accuracy.scenes import Recording, Report, Truth
from speedsign.model import Direction, Reading

VIEW_M = 130.0
_KMH = 3.6


@dataclass(frozen=True, slots=True)
class _Car:
    number: int
    direction: Direction
    t_pole_s: float
    speed_kmh: float
    offset_m: float
    size: float
    lorry: bool

    def x_m(self, t_s: float) -> float:
        """How far it is from the pole, along the road: to come, or gone."""
        way_m = (self.t_pole_s - t_s) * self.speed_kmh / _KMH
        return way_m if self.direction is Direction.APPROACHING else -way_m


def record(vehicles_per_hour: float, seed: int, seconds: float, least: int = 4) -> Recording:
    """Ten reports a second of the strongest echo of a two-way road."""
    random = Random(f"textbook/{vehicles_per_hour}/{seed}")
    cars = _traffic(vehicles_per_hour, seconds, random)
    reports, windows = _reports(cars, seconds, random)
    truth = []
    for car in cars:
        way_s = VIEW_M / (car.speed_kmh / _KMH)
        enters_s = car.t_pole_s - way_s if car.direction is Direction.APPROACHING else car.t_pole_s
        if 0.0 < enters_s < seconds - way_s:
            first_s, last_s, n = windows.get(car.number, (enters_s, enters_s + way_s, 0))
            kind = "lorry" if car.lorry else "car"
            truth.append(Truth(car.number, kind, car.direction, car.speed_kmh, first_s, last_s, n))
    few = sum(one.readings < least for one in truth)
    return Recording(reports, [one for one in truth if one.readings >= least], few)


def _traffic(vehicles_per_hour: float, seconds: float, random: Random) -> list[_Car]:
    cars: list[_Car] = []
    near_m = random.uniform(3.0, 5.0)
    mean_gap_s = 3600.0 / (vehicles_per_hour / 2)
    mean_kmh, follows = random.uniform(42.0, 62.0), random.uniform(0.2, 0.45)
    for direction, offset_m in ((Direction.APPROACHING, near_m), (Direction.RECEDING, near_m + 3.5)):
        t_s, speed_kmh = 0.0, mean_kmh
        free_s = (mean_gap_s - follows * 1.75) / (1 - follows)
        while t_s < seconds + 30.0:
            if cars and random.random() < follows:
                t_s += random.uniform(1.0, 2.5)
                speed_kmh = max(20.0, speed_kmh - random.uniform(0.0, 5.0))
            else:
                t_s += 2.0 + random.expovariate(1.0 / max(free_s - 2.0, 0.5))
                speed_kmh = min(max(random.gauss(mean_kmh, 8.0), 22.0), 110.0)
            lorry = random.random() < 0.1
            size = 3.0 if lorry else exp(random.gauss(0.0, 0.25))
            cars.append(_Car(len(cars), direction, t_s, speed_kmh, offset_m, size, lorry))
    return cars


def _reports(
    cars: list[_Car], seconds: float, random: Random
) -> tuple[list[Report], dict[int, tuple[float, float, int]]]:
    reports: list[Report] = []
    windows: dict[int, tuple[float, float, int]] = {}
    fading: dict[int, float] = {}
    waiting = sorted(cars, key=lambda car: car.t_pole_s)
    noise_kmh, height_m = random.uniform(0.15, 0.4), random.uniform(1.0, 2.5)
    beam_deg, lost, double = random.uniform(10.0, 18.0), random.uniform(0.0, 0.06), random.uniform(0.0, 0.02)
    t_s = 0.0
    while t_s < seconds:
        t_s = round(t_s + 0.1, 3)
        waiting = [car for car in waiting if car.t_pole_s > t_s - 25.0]
        echoes, in_view = [], []
        for car in waiting:
            if car.t_pole_s > t_s + 25.0:
                break
            x_m = car.x_m(t_s)
            if not 1.0 < x_m < VIEW_M:
                continue
            in_view.append((car.direction, car.speed_kmh))
            range_m = hypot(x_m, car.offset_m, height_m)
            off_deg = degrees(atan2(car.offset_m, x_m)) - 4.0
            fading[car.number] = 0.8 * fading.get(car.number, 0.0) + random.gauss(0.0, 0.15)
            strength = car.size * 2e5 / range_m**2 * exp(-((off_deg / beam_deg) ** 2) + fading[car.number])
            echoes.append((strength, car.speed_kmh * x_m / range_m, car))
        strongest = max(echoes, key=lambda echo: echo[0], default=None)
        if strongest is None or strongest[0] < 20.0 or random.random() < lost:
            reports.append(Report(t_s, [], [], in_view))
            continue
        strength, radial_kmh, car = strongest
        direction, radial_kmh = car.direction, radial_kmh + random.gauss(0.0, noise_kmh)
        if car.lorry and strength > 150.0 and random.random() < double:
            radial_kmh *= 2.0
        elif strength > 100.0 and random.random() < double / 2:
            direction = direction.inverted()
        first_s, _, n = windows.get(car.number, (t_s, t_s, 0))
        windows[car.number] = (first_s, t_s, n + 1)
        reading = Reading(t_s, round(max(radial_kmh, 0.0), 1), direction, strength)
        reports.append(Report(t_s, [reading], [car.number], in_view))
    return reports, windows
