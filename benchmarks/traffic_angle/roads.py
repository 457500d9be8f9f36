"""Roads with a hidden angle: what a radar says of the cars on them, and at which angle each was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import acos, degrees, hypot
from random import Random
from typing import NamedTuple

from benchmarks.accuracy.scenes import LD2415H, LD2451, OPS243, Sensor
from simulator.radar_physics import TARGET_HEIGHT_M, Echo, RadarParameters, RadarPhysics
from simulator.road import Lane, Road, RoadShape
from simulator.traffic import Flow, random_traffic
from simulator.vehicles import KMH_PER_MPS, Seen
from speedsign.calibration.approach import LEAST_READINGS, LEAST_S, Approach, representative
from speedsign.calibration.collect import CollectingTracker
from speedsign.calibration.traffic_angle import TRIMMED
from speedsign.calibration.trimmed import middle_of
from speedsign.model import Direction, Reading

LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True)
class Mast:
    """A radar beside a road, and who drives there."""

    name: str
    offset_m: float  # sideways to the middle of the near lane
    aim_deg: float
    sensor: Sensor = OPS243
    beam_deg: float = 23.0
    sees_m: float = 120.0
    height_m: float = 2.5
    noise_mps: float = 0.05
    per_hour: float = 400.0
    platoons: float = 0.3
    brake: float = 0.3

    @property
    def beside_m(self) -> float:
        """From the radar to the line of a car's way in the near lane."""
        return hypot(self.offset_m, self.height_m - TARGET_HEIGHT_M)


class Recording(NamedTuple):
    """What the sign's tracker made of it, and the angle at which each car was really read."""

    approaches: list[Approach]
    angles_deg: list[float]  # at the representative reading of each


def record(mast: Mast, seed: int, cars: int) -> Recording:
    """The first cars that approach; fewer where an hour brings no more."""
    tracker = CollectingTracker()
    approaches: list[Approach] = []
    truth: dict[float, float] = {}
    for moment in moments(mast, seed):
        if moment.told:
            tracker.add([reading for reading, _ in moment.told])
        else:
            tracker.advance(moment.t_s)
        _note_angles(moment, truth)
        approaches += tracker.take_approaches()
        if len(approaches) >= cars:
            break
    return Recording(approaches, [angle for one in approaches if (angle := _truth(one, truth)) is not None])


class Car(NamedTuple):
    """One in view, as it really is."""

    seen: Seen
    angle_deg: float  # between its way and the line to the radar


class Moment(NamedTuple):
    """What the radar says, of whom (None: of nobody), and who is in view."""

    t_s: float
    told: list[tuple[Reading, int | None]]
    cars: dict[int, Car]


def moments(mast: Mast, seed: int) -> Iterator[Moment]:
    """An hour of reports."""
    road, physics = _road(mast, seed), _physics(mast, seed)
    random = Random(f"{mast.name}/{mast.aim_deg}/{seed}")
    while road.t_s < LONGEST_S:
        spacing_s = random.uniform(1 - mast.sensor.jitter, 1 + mast.sensor.jitter) / mast.sensor.rate_hz
        road.process(spacing_s)
        seen = road.seen()
        told = list(_told(physics.echoes(seen, road.t_s), road.t_s, mast.sensor))
        cars = {one.vehicle_id: Car(one, _angle_deg(physics, one)) for one in seen}
        yield Moment(road.t_s, told, cars)


def population_deg(angles_deg: Sequence[float]) -> float:
    """The angle that is sought: the middle of all cars of many recordings of one mast."""
    return middle_of(angles_deg, TRIMMED).mean


def _road(mast: Mast, seed: int) -> Road:
    lanes = (
        Lane(Direction.APPROACHING, mast.offset_m),
        Lane(Direction.RECEDING, mast.offset_m + 3.5),
        Lane(Direction.APPROACHING, mast.offset_m - 1.5),
        Lane(Direction.RECEDING, mast.offset_m + 5.0),
    )
    flow = Flow(mast.per_hour, platoon_share=mast.platoons, brake_share=mast.brake)
    other = Flow(mast.per_hour / 2)
    return Road(random_traffic([flow, other], seed), RoadShape(lanes=lanes, zone_m=mast.sees_m))


def _physics(mast: Mast, seed: int) -> RadarPhysics:
    parameters = RadarParameters(
        mounting_height_m=mast.height_m,
        aim_deg=mast.aim_deg,
        beam_azimuth_deg=mast.beam_deg,
        max_range_m=mast.sees_m,
        speed_noise_mps=mast.noise_mps,
    )
    return RadarPhysics(parameters, seed)


def _told(echoes: Sequence[Echo], t_s: float, sensor: Sensor) -> Iterator[tuple[Reading, int | None]]:
    heard = [echo for echo in echoes if echo.strength > sensor.squelch]
    for rank, echo in enumerate(heard[: sensor.targets]):
        step = sensor.step_kmh
        speed_kmh = round(round(abs(echo.radial_mps) * KMH_PER_MPS / step) * step, 2)
        direction = Direction.APPROACHING if echo.radial_mps > 0 else Direction.RECEDING
        range_m = float(round(echo.range_m)) if sensor.ranges else None
        strength = echo.strength if sensor.strength else None
        yield Reading(t_s, speed_kmh, direction, strength, range_m, rank), echo.vehicle_id


def _note_angles(moment: Moment, truth: dict[float, float]) -> None:
    """The angle of the approaching car of each such reading, by the reading's time and speed."""
    for reading, vehicle_id in moment.told:
        if vehicle_id is not None and reading.direction is Direction.APPROACHING:
            truth[_key(moment.t_s, reading.speed_kmh)] = moment.cars[vehicle_id].angle_deg


def _key(t_s: float, speed_kmh: float) -> float:
    return round(t_s, 6) * 1e4 + speed_kmh


def _angle_deg(physics: RadarPhysics, car: Seen) -> float:
    return degrees(acos(min(abs(physics.radial_mps(car)) / max(car.speed_mps, 1e-6), 1.0)))


def _truth(approach: Approach, truth: dict[float, float]) -> float | None:
    times = approach.times_s
    if len(times) < LEAST_READINGS or times[-1] - times[0] < LEAST_S:
        return None
    which, _ = representative(times, approach.speeds_kmh)
    return truth.get(_key(times[which], approach.speeds_kmh[which]))


def ops(offset_m: float, aim_deg: float) -> Mast:
    """An OPS243 in usual traffic."""
    return Mast("OPS243", offset_m, aim_deg)


def ld2415h(offset_m: float, aim_deg: float) -> Mast:
    """A wide beam, no strengths, higher up."""
    return Mast("LD2415H", offset_m, aim_deg, LD2415H, 40.0, 180.0, 3.2)


def ld2451(offset_m: float, aim_deg: float) -> Mast:
    """Whole km/h, ranges, several targets."""
    return Mast("LD2451", offset_m, aim_deg, LD2451, 40.0, 100.0)


def hard(offset_m: float, aim_deg: float) -> Mast:
    """Twice the noise, dense platoons, half of the drivers above the limit brake."""
    return Mast(
        "noise, platoons", offset_m, aim_deg, noise_mps=0.12, per_hour=600.0, platoons=0.45, brake=0.5
    )
