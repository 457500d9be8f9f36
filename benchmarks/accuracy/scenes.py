"""What drives past, and what a radar reports of it: scenes by name, each different for every seed.

The road, the vehicles and the echoes are the simulator's. Its constants (mast, antenna, lanes, fading, noise,
losses, traffic) are drawn anew for every seed, so that no tracker can be tuned to one set of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, NamedTuple

from simulator.radar_physics import Echo, RadarParameters, RadarPhysics
from simulator.road import Lane, Road, RoadShape
from simulator.traffic import Flow, random_traffic
from simulator.vehicles import KMH_PER_MPS, Arrival, VehicleKind
from speedsign.model import Direction, Reading

STOOD_PART = 0.6
WARM_UP_S = 20.0  # before it, the road fills up; who is in view then is not asked for


class Truth(NamedTuple):
    """A vehicle that drove past; its window is what the radar reported of it."""

    vehicle_id: int
    kind: str
    direction: Direction
    speed_kmh: float  # the mean over the radar's view
    t_first_s: float
    t_last_s: float
    readings: int


class Report(NamedTuple):
    """What the radar says at a moment, whose readings those are, and who really is in view."""

    t_s: float
    readings: list[Reading]
    vehicle_ids: list[int | None]
    in_view: list[tuple[Direction, float]]  # speed along the road, km/h


@dataclass(frozen=True, slots=True)
class Sensor:
    """What a kind of radar makes of the echoes."""

    rate_hz: float = 10.0
    targets: int = 1
    strength: bool = True
    ranges: bool = False
    squelch: float = 20.0
    step_kmh: float = 0.1
    jitter: float = 0.03
    late_share: float = 0.02  # of reports that come after two or three times the spacing


OPS243 = Sensor(step_kmh=0.44)  # the bins at 20,000 samples a second, 1,024 a buffer, peak unaveraged
LD2415H = Sensor(rate_hz=11.0, strength=False, squelch=15.0)
LD2451 = Sensor(rate_hz=20.0, targets=5, ranges=True, squelch=10.0, step_kmh=1.0, jitter=0.1)
OPS243_THREE = replace(OPS243, targets=3)


@dataclass(frozen=True, slots=True)
class Scene:
    """One line of the table."""

    name: str
    vehicles_per_hour: float
    sensor: Sensor = OPS243
    physics: Mapping[str, Any] = field(default_factory=dict)  # what is not as usual
    platoon_share: float | None = None  # None: drawn, 0.15 to 0.45
    mix: Mapping[VehicleKind, float] | None = None
    change: Callable[[Arrival, Random], Arrival] | None = None


def _stops(arrival: Arrival, random: Random) -> Arrival:
    if arrival.lane == 0 and random.random() < 0.06:
        return replace(
            arrival, kind=VehicleKind.BUS, stops_at_m=random.uniform(20, 50), stops_s=random.uniform(8, 20)
        )
    return arrival


def _turns(arrival: Arrival, random: Random) -> Arrival:
    if arrival.lane == 0 and random.random() < 0.15:
        return replace(arrival, turns_at_m=random.uniform(15, 50))
    return arrival


_LORRIES = {VehicleKind.CAR: 0.6, VehicleKind.LORRY: 0.38, VehicleKind.MOTORCYCLE: 0.02}
_TWO_WHEELS = {
    VehicleKind.CAR: 0.5,
    VehicleKind.LORRY: 0.05,
    VehicleKind.MOTORCYCLE: 0.25,
    VehicleKind.BICYCLE: 0.2,
}

SCENES = {
    scene.name: scene
    for scene in (
        Scene("plain, 200/h", 200),
        Scene("plain, 500/h", 500),
        Scene("plain, 1,000/h", 1000),
        Scene("platoons at 1 to 2.5 s", 500, platoon_share=0.7),
        Scene("lorries hide cars", 500, mix=_LORRIES),
        Scene("motorcycles and bicycles", 300, mix=_TWO_WHEELS),
        Scene("a bus stops in the beam", 300, change=_stops),
        Scene("cars turn off in the beam", 300, change=_turns),
        Scene("rain", 300, physics={"rain_per_s": 2.0}),
        Scene(
            "the mast shakes",
            300,
            physics={"clutter_per_s": 6.0, "speed_noise_mps": 0.25},
        ),
        Scene("LD2415H, no strength, 200/h", 200, LD2415H),
        Scene("LD2415H, no strength, 500/h", 500, LD2415H),
        Scene("LD2415H, no strength, 1,000/h", 1000, LD2415H),
        Scene("three targets a report, 500/h", 500, OPS243_THREE),
        Scene("LD2451, ranges and five targets, 500/h", 500, LD2451),
    )
}


class Recording(NamedTuple):
    """Everything about one scene: what a tracker may know, and the truth."""

    reports: list[Report]
    truth: list[Truth]
    unseen: int  # vehicles that the radar reported less than four times


def record(scene: Scene, seed: int, seconds: float, least: int = 4) -> Recording:
    """The reports of a scene, and who drove past while it was recorded."""
    random = Random(f"{scene.name}/{seed}")
    parameters = replace(_drawn(random), **scene.physics)
    road = Road(_arrivals(scene, seed, random), _shape(parameters, random))
    reports = list(_reports(road, RadarPhysics(parameters, seed), scene.sensor, random, seconds))
    truth = list(_truth(road, reports))
    return Recording(
        reports,
        [one for one in truth if one.readings >= least],
        sum(one.readings < least for one in truth),
    )


def _drawn(random: Random) -> RadarParameters:
    """A mast, an antenna and a day."""
    return RadarParameters(
        mounting_height_m=random.uniform(2.0, 3.5),
        aim_deg=random.uniform(0.0, 10.0),
        beam_azimuth_deg=random.uniform(20.0, 40.0),
        beam_elevation_deg=random.uniform(16.0, 28.0),
        max_range_m=random.uniform(100.0, 150.0),
        car_strength_at_50m=random.uniform(60.0, 160.0),
        fading_db=random.uniform(1.5, 3.5),
        fading_s=random.uniform(0.2, 0.8),
        flutter_db=random.uniform(0.5, 2.0),
        speed_noise_mps=random.uniform(0.03, 0.12),
        drop_share=random.uniform(0.0, 0.06),
        burst_per_s=random.uniform(0.0, 0.06),
        burst_s=random.uniform(0.2, 0.6),
        spikes_per_s=random.uniform(0.0, 0.03),
        clutter_per_s=random.uniform(0.0, 0.2),
        mirror_share=random.uniform(0.0, 0.02),
        double_share=random.uniform(0.0, 0.02),
    )


def _shape(parameters: RadarParameters, random: Random) -> RoadShape:
    near_m = random.uniform(3.0, 6.0)
    far_m = near_m + random.uniform(3.0, 4.0)
    lanes = (
        Lane(Direction.APPROACHING, near_m),
        Lane(Direction.RECEDING, far_m),
        Lane(Direction.APPROACHING, near_m - 1.5),
        Lane(Direction.RECEDING, far_m + 1.5),
    )
    return RoadShape(lanes=lanes, zone_m=parameters.max_range_m)


def _arrivals(scene: Scene, seed: int, random: Random) -> Iterator[Arrival]:
    share = random.uniform(0.15, 0.45) if scene.platoon_share is None else scene.platoon_share
    flow = Flow(
        scene.vehicles_per_hour / 2,
        mean_kmh=random.uniform(42.0, 65.0),
        sd_kmh=random.uniform(5.0, 9.0),
        platoon_share=share,
        brake_share=random.uniform(0.0, 0.4),
    )
    if scene.mix is not None:
        flow = replace(flow, mix=scene.mix)
    arrivals = random_traffic([flow, flow], seed, limit_kmh=50.0)
    if scene.change is None:
        return arrivals
    change, events = scene.change, Random(f"{scene.name}/{seed}/events")
    return (change(arrival, events) for arrival in arrivals)


def _reports(
    road: Road, physics: RadarPhysics, sensor: Sensor, random: Random, seconds: float
) -> Iterator[Report]:
    while road.t_s < WARM_UP_S + seconds:
        spacing_s = random.uniform(1 - sensor.jitter, 1 + sensor.jitter) / sensor.rate_hz
        if random.random() < sensor.late_share:
            spacing_s *= random.uniform(2.0, 3.0)
        road.process(spacing_s)
        seen = road.seen()
        heard = [echo for echo in physics.echoes(seen, road.t_s) if echo.strength > sensor.squelch]
        readings = [
            _reading(echo, road.t_s, rank, sensor) for rank, echo in enumerate(heard[: sensor.targets])
        ]
        yield Report(
            road.t_s,
            readings,
            [echo.vehicle_id for echo in heard[: sensor.targets]],
            [(one.direction, one.speed_mps * KMH_PER_MPS) for one in seen],
        )


def _reading(echo: Echo, t_s: float, rank: int, sensor: Sensor) -> Reading:
    speed_kmh = abs(echo.radial_mps) * KMH_PER_MPS
    return Reading(
        t_s,
        round(round(speed_kmh / sensor.step_kmh) * sensor.step_kmh, 2),
        Direction.APPROACHING if echo.radial_mps > 0 else Direction.RECEDING,
        echo.strength if sensor.strength else None,
        float(round(echo.range_m)) if sensor.ranges else None,
        rank,
    )


def _truth(road: Road, reports: list[Report]) -> Iterator[Truth]:
    windows: dict[int, list[float]] = {}
    for report in reports:
        for vehicle_id in report.vehicle_ids:
            if vehicle_id is not None:
                window = windows.setdefault(vehicle_id, [report.t_s, report.t_s, 0.0])
                window[1] = report.t_s
                window[2] += 1
    for passed in road.passed:
        first_s, last_s, n = windows.get(passed.vehicle_id, (passed.t_enter_s, passed.t_exit_s, 0.0))
        # The mean of one who stood at a bus stop is nobody's speed: the one it came with stands for it.
        stood = passed.mean_kmh < STOOD_PART * passed.entry_kmh
        speed_kmh = passed.entry_kmh if stood else passed.mean_kmh
        yield Truth(passed.vehicle_id, passed.kind, passed.direction, speed_kmh, first_s, last_s, int(n))
