"""Vehicles of one sign as a CSV file: days, weeks and seasons as on a village road, the same for every seed.

Each year begins with four weeks in which the sign is dark (or half of a shorter file); then it shows
approaching vehicles their speed, and they drive 2 km/h slower. The other direction never sees it. Faster than
90 km/h: the panel stays blank.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Riga")
LIMIT_KMH = 50
CEILING_KMH = 90.0
DARK_DAYS = 28
HEADER = "time,direction,speed_kmh,display\n"
_BEGIN = datetime(2025, 1, 1, tzinfo=ZONE)
# Of a weekday's vehicles, by local hour, in thousandths.
_WEEKDAY = (5, 3, 2, 2, 4, 16, 45, 76, 68, 54, 50, 52, 55, 56, 60, 68, 84, 90, 72, 52, 38, 26, 15, 7)
_WEEKEND = (11, 7, 5, 4, 4, 7, 15, 28, 45, 60, 69, 73, 74, 74, 73, 72, 71, 69, 64, 56, 46, 35, 24, 14)


def write(path: Path, days: int, *, vehicles_per_day: float = 4932, seed: int = 1) -> int:
    """So many local days from 2025-01-01 on, by time; how many vehicles were written."""
    written = 0
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(HEADER)
        for lines in _hours(days, vehicles_per_day, random.Random(seed)):
            file.writelines(lines)
            written += len(lines)
    return written


def _hours(days: int, vehicles_per_day: float, rng: random.Random) -> Iterator[list[str]]:
    moment, end = _BEGIN.astimezone(UTC), (_BEGIN + timedelta(days=days)).astimezone(UTC)
    day, shift_kmh = None, 0.0
    while moment < end:
        local = moment.astimezone(ZONE)
        if local.date() != day:
            day, shift_kmh = local.date(), rng.gauss(0, 0.7)  # all vehicles of a day have its weather
        dark = (local.date() - _BEGIN.date()).days % 365 < min(DARK_DAYS, days // 2)
        yield _hour(local, vehicles_per_day, shift_kmh, dark, rng)
        moment += timedelta(hours=1)


def _hour(
    local: datetime, vehicles_per_day: float, shift_kmh: float, dark: bool, rng: random.Random
) -> list[str]:
    weekend = local.weekday() > 4
    share = (_WEEKEND if weekend else _WEEKDAY)[local.hour] / 1000
    season = 1 - 0.15 * math.cos(2 * math.pi * local.timetuple().tm_yday / 365)
    expected = vehicles_per_day * share * season * (0.78 if weekend else 1.088)
    n = max(0, round(rng.gauss(expected, math.sqrt(expected))))
    free_kmh = 5.0 / (1 + expected / 40)  # the emptier the road the faster
    mean_kmh = 51.0 + free_kmh + shift_kmh
    prefix, suffix = f"{local:%Y-%m-%dT%H}", f"{local:%z}"
    suffix = f"{suffix[:3]}:{suffix[3:]}"
    return [
        f"{prefix}:{second // 60:02}:{second % 60:02}{suffix},{_vehicle(mean_kmh, dark, rng)}\n"
        for second in sorted(int(3600 * rng.random()) for _ in range(n))
    ]


def _vehicle(mean_kmh: float, dark: bool, rng: random.Random) -> str:
    """Direction, speed and what the panel did."""
    if rng.random() < 0.5:
        speed = min(max(rng.gauss(mean_kmh, 7.5), 8.0), 160.0)
        return f"receding,{speed:.1f},{'dark' if dark else 'blank'}"
    speed = min(max(rng.gauss(mean_kmh - (0.0 if dark else 2.0), 7.5), 8.0), 160.0)
    return f"approaching,{speed:.1f},{'dark' if dark else 'blank' if speed > CEILING_KMH else 'shown'}"
