"""A day of traffic on a village street: 5,000 vehicles, both directions, quarter of an hour by quarter."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from benchmarks.accuracy.scenes import Scene, record
from benchmarks.accuracy.score import track
from speedsign.model import (
    ClockQuality,
    Coverage,
    Direction,
    DisplayState,
    Installation,
    Vehicle,
    VehicleRecord,
)

SIGN = "bytes-1"
QUARTER_S = 900
QUARTERS = 96
VEHICLES_A_DAY = 5000
VEHICLES_IN_A_MESSAGE = 100
T0 = datetime(2026, 5, 4, 0, 0, tzinfo=UTC)

PLACE = Installation(
    site="Bauska, Rīgas iela 12",
    limit_kmh=50,
    mounting_angle_deg=12.5,
    radar="ops243",
    timezone="Europe/Riga",
    approaching_name="uz centru",
    receding_name="uz Rīgu",
    display_profile="approaching 10-100: speed / speed / speed #1f3a9c",
)


def share(quarter: int) -> float:
    """Of the day's traffic; two peaks, a quiet night."""
    hour = quarter / 4 % 24

    def weight(at: float) -> float:
        peaks = math.exp(-(((at - 7.75) / 1.5) ** 2)) + 1.2 * math.exp(-(((at - 16.75) / 2.2) ** 2))
        return 0.03 + peaks + (0.55 if 6 <= at < 21 else 0.0)

    return weight(hour) / sum(weight(each / 4) for each in range(QUARTERS))


def start_of(quarter: int) -> datetime:
    return T0 + timedelta(seconds=QUARTER_S * quarter)


@cache
def _pool() -> tuple[Vehicle, ...]:
    """Vehicles as the tracker makes them of a simulated radar: an OPS243, 300 vehicles an hour."""
    seen = [vehicle for seed in (1, 2, 3) for vehicle in track(record(Scene("street", 300), seed, 1800))[0]]
    assert len(seen) > 4 * VEHICLES_IN_A_MESSAGE
    return tuple(seen)


def vehicles_of(quarter: int, seed: int = 1) -> Iterator[VehicleRecord]:
    """The vehicles of a quarter of an hour, in the order in which they passed."""
    rng = random.Random(f"{seed} {quarter}")
    pool = _pool()
    wanted = VEHICLES_A_DAY * share(quarter)
    n = int(wanted) + (rng.random() < wanted % 1)
    for place, second in enumerate(sorted(rng.uniform(0, QUARTER_S - 1) for _ in range(n))):
        vehicle = pool[(quarter * 150 + place) % len(pool)]
        yield _record(vehicle, start_of(quarter) + timedelta(seconds=second))


def _record(vehicle: Vehicle, at: datetime) -> VehicleRecord:
    first = at - timedelta(seconds=vehicle.t_last_mono_s - vehicle.t_first_mono_s)
    shown = vehicle.direction is Direction.APPROACHING
    face = ("over" if vehicle.speed_kmh > PLACE.limit_kmh else "within") if shown else ""
    display = DisplayState.SHOWN if shown else DisplayState.BLANK
    return VehicleRecord(vehicle, first, at, ClockQuality.OK, display, "tracker 1", face)


def coverage_of(quarter: int, rng: random.Random) -> list[Coverage]:
    """Nearly all of it was measured."""
    return [Coverage(start_of(quarter), round(rng.uniform(895.0, 899.9), 3))]
