"""Approaching cars from geometry alone, with noise where it is wanted."""

from __future__ import annotations

from math import atan, degrees, hypot
from random import Random

from speedsign.calibration.approach import Approach, representative
from speedsign.calibration.traffic_angle import TRIMMED
from speedsign.calibration.trimmed import middle_of

KMH = 3.6
SPACING_S = 0.1


def approach(
    *,
    beside_m: float = 6.0,
    speed_kmh: float = 50.0,
    from_m: float = 60.0,
    to_m: float = 10.0,
    accel_mps2: float = 0.0,
    noise_mps: float = 0.0,
    corrected: float = 1.0,
    ranges: bool = False,
    random: Random | None = None,
) -> tuple[Approach, list[float]]:
    """The readings, and the true angle (degrees) at each; `corrected`: what the sensor multiplies by."""
    random = random or Random(1)
    times, speeds, told, angles = [], [], [], []
    t_s, x_m, v_mps = 0.0, from_m, speed_kmh / KMH
    while x_m > to_m and v_mps > 1.0:
        away_m = hypot(x_m, beside_m)
        radial = max(v_mps * x_m / away_m * corrected + random.gauss(0.0, noise_mps), 0.1)
        times.append(t_s)
        speeds.append(radial * KMH)
        told.append(away_m)
        angles.append(degrees(atan(beside_m / x_m)))
        x_m -= (v_mps + accel_mps2 * SPACING_S / 2) * SPACING_S
        v_mps += accel_mps2 * SPACING_S
        t_s += SPACING_S
    return Approach(tuple(times), tuple(speeds), tuple(told) if ranges else ()), angles


def street(
    n: int,
    seed: int,
    *,
    beside_m: float = 6.0,
    near_m: float = 10.0,
    far_m: float = 55.0,
    noise_mps: float = 0.06,
    accel_mps2: float = 0.15,
    corrected: float = 1.0,
    ranges: bool = False,
) -> tuple[list[Approach], float]:
    """Many cars of different speeds, seen from and to different places; and the middle of the true angles."""
    random = Random(seed)
    cars, angles = [], []
    for _ in range(n):
        one, true = approach(
            beside_m=beside_m * random.gauss(1.0, 0.03),
            speed_kmh=random.gauss(52.0, 7.0),
            from_m=far_m * random.uniform(0.7, 1.3),
            to_m=near_m * random.uniform(0.8, 1.3),
            accel_mps2=random.gauss(0.0, accel_mps2),
            noise_mps=noise_mps,
            corrected=corrected,
            ranges=ranges,
            random=random,
        )
        cars.append(one)
        angles.append(true[stands_for(one)])
    return cars, middle_of(angles, TRIMMED).mean


def stands_for(one: Approach) -> int:
    """Which reading is the representative one."""
    return representative(one.times_s, one.speeds_kmh)[0]
