"""How a driver follows: the improved intelligent driver model.

Source: Treiber and Kesting, Traffic Flow Dynamics (2013), section 11.3. Unlike the plain model, its
balance gap is exactly the wished time headway, so that a platoon at 1 s stays at 1 s.
"""

from __future__ import annotations

from math import pow as power
from math import sqrt

STANDSTILL_GAP_M = 2.0
COMFORT_BRAKE_MPS2 = 2.0
HARDEST_BRAKE_MPS2 = 8.0  # a dry road and a frightened driver
FREE_EXPONENT = 4


def free_accel(speed_mps: float, wish_mps: float, accel_mps2: float) -> float:
    """Acceleration with nobody ahead, towards the wished speed from either side."""
    if speed_mps <= wish_mps:
        ratio = speed_mps / wish_mps
        return accel_mps2 * (1.0 - ratio * ratio * ratio * ratio)
    exponent = accel_mps2 * FREE_EXPONENT / COMFORT_BRAKE_MPS2
    return -COMFORT_BRAKE_MPS2 * (1.0 - power(wish_mps / speed_mps, exponent))


def follow_accel(
    speed_mps: float,
    wish_mps: float,
    accel_mps2: float,
    headway_s: float,
    gap_m: float,
    closing_mps: float,
) -> float:
    """Acceleration behind a leader `gap_m` ahead (bumper to bumper) who is approached at `closing_mps`."""
    free = free_accel(speed_mps, wish_mps, accel_mps2)
    gap_m = max(gap_m, 0.1)
    braking_m = speed_mps * closing_mps / (2 * sqrt(accel_mps2 * COMFORT_BRAKE_MPS2))
    dynamic_m = speed_mps * headway_s + braking_m
    want_m = STANDSTILL_GAP_M + max(dynamic_m, 0.0)
    z = want_m / gap_m
    if z >= 1.0:
        follow = accel_mps2 * (1.0 - z * z)
        result = follow if speed_mps <= wish_mps else free + follow
    elif speed_mps > wish_mps or free < 1e-6 or z < 0.05:
        result = free
    else:
        result = free * (1.0 - power(z, 2.0 * accel_mps2 / free))
    return max(result, -HARDEST_BRAKE_MPS2)


def entry_speed(wish_mps: float, leader_mps: float, gap_m: float) -> float:
    """The fastest speed at which a driver may come onto the road `gap_m` behind a leader."""
    room_m = max(gap_m - STANDSTILL_GAP_M, 0.0)
    return min(wish_mps, sqrt(leader_mps * leader_mps + 2 * COMFORT_BRAKE_MPS2 * room_m))
