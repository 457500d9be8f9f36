"""What the antenna sees of the road: echoes, strongest first.

A device without a protocol: it knows geometry, antenna, fading, shadows and false echoes, and nothing
of units, filters or lines. Strength is an amplitude, on the scale of the OPS243's magnitude.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, exp, hypot, inf, log, sqrt
from random import Random
from typing import NamedTuple

from simulator.shadows import visible_parts
from simulator.vehicles import KINDS, KMH_PER_MPS, Seen, VehicleKind
from speedsign.model import Direction

TARGET_HEIGHT_M = 0.7  # where a vehicle's echo comes from: plate, grille, axle
_DEG = 57.29577951308232
_DB = log(10) / 20  # amplitude: exp(_DB * decibel)


class Echo(NamedTuple):
    """One spectral peak. `radial_mps` is positive for approaching; no vehicle id: a false echo."""

    radial_mps: float
    strength: float
    range_m: float
    vehicle_id: int | None


@dataclass(frozen=True, slots=True)
class RadarParameters:
    """The antenna, where it is mounted, and everything that goes wrong between it and the road.

    The defaults are an OPS243-A on a 2.5 m pole on a dry day: a car is seen from about 100 m (at the
    sensor's usual squelch of 20) down to about 10 m, a lorry as far as the radar looks.
    """

    mounting_height_m: float = 2.5
    aim_deg: float = 5.0  # turned from the road's direction towards the lanes
    beam_azimuth_deg: float = 23.0  # full width at -3 dB, one way (OPS243: 20 to 23, LD2415H: 40)
    beam_elevation_deg: float = 23.0  # (LD2415H: 16)
    max_range_m: float = 120.0
    car_strength_at_50m: float = 80.0  # on the beam's axis
    detection_floor: float = 8.0  # weaker is not seen at all; a sensor's squelch comes on top

    fading_db: float = 2.5  # slow: standard deviation, how a vehicle's facets add up
    fading_s: float = 0.4  # how long one such state lasts
    flutter_db: float = 1.0  # fast: from reading to reading
    speed_noise_mps: float = 0.05
    quantum_mps: float = 0.0  # speed resolution; 0: left to the sensor that is simulated

    drop_share: float = 0.02  # single readings lost
    burst_per_s: float = 0.03  # beginnings of a longer loss, per vehicle in view
    burst_s: float = 0.5  # mean length of such a loss
    shadows: bool = True  # vehicles hide each other

    spikes_per_s: float = 0.01  # single false echoes of any speed
    spike_strength: float = 30.0
    clutter_per_s: float = 0.05  # leaves, fans, a shaking pole: 1 to 10 km/h, weak
    rain_per_s: float = 0.0  # drops: 5 to 25 km/h, weak; 2 is a shower
    mirror_share: float = 0.01  # of readings of a strong target: an image with the other sign
    mirror_above: float = 100.0
    double_share: float = 0.01  # of readings of a strong lorry: an image at twice its speed
    double_above: float = 150.0


IDEAL = RadarParameters(
    fading_db=0.0,
    flutter_db=0.0,
    speed_noise_mps=0.0,
    drop_share=0.0,
    burst_per_s=0.0,
    spikes_per_s=0.0,
    clutter_per_s=0.0,
    mirror_share=0.0,
    double_share=0.0,
)
"""Geometry alone: no noise, no losses, no false echoes."""


@dataclass(slots=True)
class _Memory:
    """What goes on from reading to reading of one vehicle."""

    t_s: float
    fading: float  # in standard deviations
    lost_until_s: float = -inf


class RadarPhysics:
    """Turns the vehicles in view into echoes; the same seed and moments give the same echoes."""

    def __init__(self, parameters: RadarParameters | None = None, seed: int = 0) -> None:
        self.parameters = parameters or RadarParameters()
        self._random = Random(f"{seed}/echoes")  # noqa: S311  play, not secrets
        self._memories: dict[int, _Memory] = {}
        p = self.parameters
        # One way -3 dB at half the width; both ways, as amplitude: exp(-c * angle^2).
        self._azimuth_c = 6.0 * _DB * (2.0 / p.beam_azimuth_deg) ** 2
        self._elevation_c = 6.0 * _DB * (2.0 / p.beam_elevation_deg) ** 2
        self._drop_m = p.mounting_height_m - TARGET_HEIGHT_M
        self._false_per_s = p.spikes_per_s + p.clutter_per_s + p.rain_per_s
        self._false_at_s = self._random.expovariate(self._false_per_s) if self._false_per_s else inf

    def echoes(self, seen: Sequence[Seen], t_s: float) -> list[Echo]:
        """The echoes of this moment, strongest first; `t_s` must not go back."""
        found: list[Echo] = []
        if seen:
            parts = self._visible(seen)
            for vehicle, part in zip(seen, parts, strict=True):
                self._echo(vehicle, part, t_s, found)
        while t_s >= self._false_at_s:
            found.append(self._false_echo())
            self._false_at_s += self._random.expovariate(self._false_per_s)
        if len(self._memories) > 4 * len(seen) + 16:
            present = {vehicle.vehicle_id for vehicle in seen}
            self._memories = {key: memory for key, memory in self._memories.items() if key in present}
        if len(found) > 1:
            found.sort(key=_strength, reverse=True)
        return found

    def strength(self, vehicle: Seen) -> float:
        """The amplitude of an unhidden vehicle, without fading."""
        x_m, y_m, z_m = vehicle.x_m, vehicle.offset_m, self._drop_m
        squared_m2 = x_m * x_m + y_m * y_m + z_m * z_m
        azimuth_deg = atan2(y_m, x_m) * _DEG - self.parameters.aim_deg
        elevation_deg = atan2(z_m, x_m) * _DEG
        beam = exp(
            -self._azimuth_c * azimuth_deg * azimuth_deg - self._elevation_c * elevation_deg * elevation_deg
        )
        return (
            self.parameters.car_strength_at_50m * sqrt(KINDS[vehicle.kind].rcs) * 2500.0 / squared_m2 * beam
        )

    def radial_mps(self, vehicle: Seen) -> float:
        """The part of its speed that goes to or from the antenna: v cos(angle), angle in three dimensions."""
        beside_m = hypot(vehicle.offset_m, self._drop_m)
        radial_mps = vehicle.speed_mps * vehicle.x_m / hypot(vehicle.x_m, beside_m)
        return radial_mps if vehicle.direction is Direction.APPROACHING else -radial_mps

    def _visible(self, seen: Sequence[Seen]) -> Sequence[float]:
        if len(seen) == 1 or not self.parameters.shadows:
            return [1.0] * len(seen)
        return visible_parts(seen, self.parameters.mounting_height_m)

    def _echo(self, vehicle: Seen, part: float, t_s: float, found: list[Echo]) -> None:
        p = self.parameters
        range_m = hypot(vehicle.x_m, vehicle.offset_m, self._drop_m)
        strength = self.strength(vehicle) * part
        if range_m > p.max_range_m or strength < p.detection_floor * 0.3:
            return
        strength, lost = self._fade(vehicle.vehicle_id, strength, t_s)
        if lost or strength < p.detection_floor:
            return
        radial_mps = self.radial_mps(vehicle)
        if p.speed_noise_mps:
            radial_mps += self._random.gauss(0.0, p.speed_noise_mps)
        found.append(Echo(self._quantised(radial_mps), strength, range_m, vehicle.vehicle_id))
        if strength > p.mirror_above or strength > p.double_above:
            self._images(vehicle.kind, found[-1], found)

    def _fade(self, vehicle_id: int, strength: float, t_s: float) -> tuple[float, bool]:
        """Strength after fading, and whether this reading is lost."""
        p, random = self.parameters, self._random
        memory = self._memories.get(vehicle_id)
        if memory is None:
            memory = self._memories[vehicle_id] = _Memory(t_s, random.gauss(0.0, 1.0))
        elif t_s > memory.t_s:
            kept = exp(-(t_s - memory.t_s) / p.fading_s)
            memory.fading = memory.fading * kept + random.gauss(0.0, 1.0) * sqrt(1.0 - kept * kept)
            if p.burst_per_s and random.random() < p.burst_per_s * (t_s - memory.t_s):
                memory.lost_until_s = t_s + random.expovariate(1.0 / p.burst_s)
            memory.t_s = t_s
        strength *= exp(_DB * (p.fading_db * memory.fading + p.flutter_db * random.gauss(0.0, 1.0)))
        return strength, t_s < memory.lost_until_s or random.random() < p.drop_share

    def _images(self, kind: VehicleKind, of: Echo, found: list[Echo]) -> None:
        p, random = self.parameters, self._random
        if of.strength > p.mirror_above and random.random() < p.mirror_share:
            found.append(Echo(-of.radial_mps, of.strength * random.uniform(0.1, 1.2), of.range_m, None))
        lorry = kind is VehicleKind.LORRY and of.strength > p.double_above
        if lorry and random.random() < p.double_share:
            found.append(Echo(2 * of.radial_mps, of.strength * random.uniform(0.1, 1.3), of.range_m, None))

    def _false_echo(self) -> Echo:
        p, random = self.parameters, self._random
        sign = 1 if random.random() < 0.5 else -1
        which = random.random() * self._false_per_s
        if which < p.spikes_per_s:
            speed_kmh, strength = random.uniform(5.0, 200.0), p.spike_strength
        elif which < p.spikes_per_s + p.rain_per_s:
            speed_kmh, strength = random.uniform(5.0, 25.0), 18.0
        else:
            speed_kmh, strength = random.uniform(1.0, 10.0), 18.0
        strength *= exp(_DB * 4.0 * random.gauss(0.0, 1.0))
        return Echo(
            self._quantised(sign * speed_kmh / KMH_PER_MPS), strength, random.uniform(2.0, 15.0), None
        )

    def _quantised(self, radial_mps: float) -> float:
        return quantised(radial_mps, self.parameters.quantum_mps)


def quantised(value: float, quantum: float) -> float:
    """The nearest multiple of `quantum`; with 0 the value itself."""
    return round(value / quantum) * quantum if quantum else value


def _strength(echo: Echo) -> float:
    return echo.strength
