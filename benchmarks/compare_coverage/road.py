"""Roads with a known change: days differ, vehicles of one day do not stand for themselves."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import NormalDist

from telemetry.compare.split import UsedHour

FIRST = date(2026, 5, 4)  # a Monday
HOURS = (6, 7, 8, 10, 12, 15, 17, 20)
LIMIT_KMH = 50


@dataclass(frozen=True, slots=True)
class Truth:
    """Speeds are normal around a mean of the hour; a day shifts all of them, and scales the traffic."""

    change_kmh: float = -1.5
    sd_kmh: float = 8.0
    day_sd_kmh: float = 0.8
    day_volume_sd: float = 0.15  # of the log
    persistence: float = 0.0  # of a day's shift to the next day (weather stays)
    vehicles_per_hour: float = 60.0

    def over_share(self, mean_change_kmh: float) -> float:
        """Of the whole population, strictly over the limit in whole km/h."""
        sd = math.hypot(self.sd_kmh, self.day_sd_kmh)
        shares = [
            (
                self.volume(day, hour),
                1 - NormalDist(mean_of(day, hour) + mean_change_kmh, sd).cdf(LIMIT_KMH + 0.5),
            )
            for day in range(7)
            for hour in HOURS
        ]
        return sum(volume * share for volume, share in shares) / sum(volume for volume, _ in shares)

    def volume(self, weekday: int, hour: int) -> float:
        peak = 1.5 if hour in (7, 8, 17) else 1.0
        return self.vehicles_per_hour * (peak if weekday < 5 else 0.7)


def mean_of(weekday: int, hour: int) -> float:
    """Weekends and early hours are faster."""
    return 46.0 + (1.5 if weekday >= 5 else 0.0) + (2.0 if hour == 6 else 0.0) + (0.3 * (weekday % 3))


def day_shifts(truth: Truth, days: int, rng: random.Random) -> list[float]:
    """One a day; an autoregressive series where days are alike, of the same variance."""
    shift = rng.gauss(0, truth.day_sd_kmh)
    found = []
    for _ in range(days):
        found.append(shift)
        fresh = math.sqrt(1 - truth.persistence**2) * truth.day_sd_kmh
        shift = truth.persistence * shift + rng.gauss(0, fresh)
    return found


def hours(
    truth: Truth, shifts: list[float], start: int, change_kmh: float, rng: random.Random
) -> Iterator[UsedHour]:
    """As many days as there are shifts, from the `start`th day on."""
    for at, shift in enumerate(shifts):
        day = FIRST + timedelta(days=start + at)
        scale = math.exp(rng.gauss(0, truth.day_volume_sd))
        for hour in HOURS:
            volume = truth.volume(day.weekday(), hour) * scale
            n = max(round(rng.gauss(volume, math.sqrt(volume))), 0)
            mean = mean_of(day.weekday(), hour) + shift + change_kmh
            lanes = 0
            for _ in range(n):
                lanes += 1 << (64 * max(round(rng.gauss(mean, truth.sd_kmh)), 0))
            moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            yield UsedHour(moment, day, (day.weekday(), hour), lanes, n)
