"""A day of traffic on a village street: 5,000 vehicles, both directions, quarter of an hour by quarter."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

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


def vehicles_of(quarter: int, seed: int = 1) -> Iterator[VehicleRecord]:
    """The vehicles of a quarter of an hour, in the order in which they passed."""
    rng = random.Random(f"{seed} {quarter}")
    wanted = VEHICLES_A_DAY * share(quarter)
    n = int(wanted) + (rng.random() < wanted % 1)
    for second in sorted(rng.uniform(0, QUARTER_S - 1) for _ in range(n)):
        yield _vehicle(start_of(quarter) + timedelta(seconds=round(second, 3)), rng)


def _vehicle(at: datetime, rng: random.Random) -> VehicleRecord:
    speed = max(12.0, rng.gauss(51.0, 8.5))
    direction = rng.choice((Direction.APPROACHING, Direction.RECEDING))
    shown = direction is Direction.APPROACHING
    vehicle = Vehicle(
        track_id=rng.randint(1, 1_000_000),
        direction=direction,
        t_first_mono_s=1000.0,
        t_last_mono_s=1004.0,
        speed_kmh=round(speed, 2),
        entry_kmh=round(speed + rng.gauss(1, 1), 2),
        exit_kmh=round(max(5.0, speed - abs(rng.gauss(2, 2))), 2),
        max_kmh=round(speed + abs(rng.gauss(1, 1)), 2),
        readings=rng.randint(8, 60),
        strength=round(rng.uniform(60, 900), 1),
        length_m=None,
        flags=("merged",) if rng.random() < 0.04 else (),
    )
    first = at - timedelta(seconds=round(rng.uniform(1.5, 6.0), 3))
    display = DisplayState.SHOWN if shown else DisplayState.BLANK
    return VehicleRecord(vehicle, first, at, ClockQuality.OK, display, "tracker 1", "within" if shown else "")


def coverage_of(quarter: int, rng: random.Random) -> list[Coverage]:
    """Nearly all of it was measured."""
    return [Coverage(start_of(quarter), round(rng.uniform(895.0, 899.9), 3))]
