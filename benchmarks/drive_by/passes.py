"""A test car past a simulated radar that reads too high or too low by a known factor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.accuracy.scenes import LD2415H, LD2451, OPS243, Sensor
from simulator.aim import heard_along
from simulator.drives import Drives
from simulator.radar_physics import RadarParameters, RadarPhysics
from simulator.road import Lane, Road, RoadShape
from simulator.vehicles import KMH_PER_MPS
from speedsign.model import Direction, Reading, Vehicle
from speedsign.tracking import Tracker

SENSORS = {"OPS243": OPS243, "LD2415H": LD2415H, "LD2451": LD2451}
SLOWEST_KMH, FASTEST_KMH = 40.0, 60.0  # what the driver tries to hold, around a limit of 50
LONGEST_S = 60.0  # of one pass
AFTER_S = 3.0  # until the sign takes it for past
NEAR_KMH, NEAR_PART = 3.0, 0.15  # a vehicle so far from the reference is not the test car


@dataclass(frozen=True, slots=True)
class Site:
    """A radar at a road; `factor` is what its readings are times the truth."""

    sensor: Sensor
    antenna: RadarParameters
    lane_m: float
    factor: float = 1.0


def site(name: str, seed: int, factor: float) -> Site:
    """Drawn: mast, antenna, fading and noise differ from seed to seed."""
    random = Random(f"{name}/{seed}/site")
    sensor = SENSORS[name]
    antenna = RadarParameters(
        mounting_height_m=random.uniform(2.0, 3.5),
        aim_deg=random.uniform(0.0, 15.0),
        beam_azimuth_deg=random.uniform(20.0, 40.0),
        max_range_m=random.uniform(90.0, 140.0),
        car_strength_at_50m=random.uniform(60.0, 120.0),
        fading_db=random.uniform(1.5, 3.5),
        speed_noise_mps=random.uniform(0.03, 0.12),
    )
    return Site(sensor, antenna, random.uniform(3.0, 6.0), factor)


def measured(here: Site, speeds_kmh: Sequence[float], seed: int) -> list[float | None]:
    """What the sign's tracker makes of each pass, km/h; None: it saw no such vehicle."""
    shape = RoadShape(
        lanes=(Lane(Direction.APPROACHING, here.lane_m), Lane(Direction.RECEDING, here.lane_m + 3.5)),
        zone_m=here.antenna.max_range_m,
    )
    road, physics, tracker = Road((), shape), RadarPhysics(here.antenna, seed), Tracker()
    drives = Drives(
        road, {Direction.APPROACHING: heard_along(here.antenna, here.lane_m, here.sensor.squelch)}
    )
    random = Random(f"{seed}/passes")
    return [_of(_pass(road, drives, physics, tracker, here, kmh, random), kmh) for kmh in speeds_kmh]


def _pass(
    road: Road,
    drives: Drives,
    physics: RadarPhysics,
    tracker: Tracker,
    here: Site,
    kmh: float,
    random: Random,
) -> list[Vehicle]:
    drives.order(kmh)
    began_s, past_s, done = road.t_s, len(road.passed), 0.0
    found: list[Vehicle] = []
    while done < AFTER_S and road.t_s < began_s + LONGEST_S:
        spacing_s = random.uniform(1 - here.sensor.jitter, 1 + here.sensor.jitter) / here.sensor.rate_hz
        road.process(spacing_s)
        drives.process(spacing_s)
        done += spacing_s if len(road.passed) > past_s else 0.0
        found += tracker.advance(road.t_s) + tracker.add(_readings(road, physics, here))
    return found


def _readings(road: Road, physics: RadarPhysics, here: Site) -> Iterator[Reading]:
    sensor = here.sensor
    echoes = [one for one in physics.echoes(road.seen(), road.t_s) if one.strength > sensor.squelch]
    for rank, echo in enumerate(echoes[: sensor.targets]):
        speed_kmh = abs(echo.radial_mps) * KMH_PER_MPS * here.factor
        yield Reading(
            road.t_s,
            round(round(speed_kmh / sensor.step_kmh) * sensor.step_kmh, 2),
            Direction.APPROACHING if echo.radial_mps > 0 else Direction.RECEDING,
            echo.strength if sensor.strength else None,
            float(round(echo.range_m)) if sensor.ranges else None,
            rank,
        )


def _of(found: Sequence[Vehicle], kmh: float) -> float | None:
    """The vehicle that a technician takes for theirs: of about that speed, the one with most readings."""
    near = [
        one
        for one in found
        if one.direction is Direction.APPROACHING and abs(one.speed_kmh - kmh) <= NEAR_KMH + NEAR_PART * kmh
    ]
    return max(near, key=lambda one: one.readings).speed_kmh if near else None
