"""A mean week: every hour of the week with the same weight on both sides, however often it was measured.

Of each hour of the week that both sides have, the counts are divided by the number of times it was measured
and added up. Three Mondays against one do not shift the mix of hours; for whole weeks this is the plain
sum. An hour of which intervals were left out is a part of a time: neither its speeds nor the traffic of its
hour of the week weigh less for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from telemetry.compare.hours import Slot
from telemetry.compare.lanes import spread
from telemetry.compare.measures import Numbers, Road, measure
from telemetry.compare.split import UsedHour

SCALE = 1 << 20  # lanes hold integers: a weight of 1/n of an hour is this over n, rounded


@dataclass(frozen=True, slots=True)
class MeanWeek:
    """One side. `counts`: vehicles by whole km/h in the mean week; `days`: its part of each day, in lanes x
    SCALE.
    """

    counts: Sequence[float]
    slots: int  # hours of the week
    hours: int  # clock hours that went into it
    n: int  # vehicles in those
    days: Mapping[date, int]
    vehicles: Mapping[date, int]  # not weighted
    day_hours: Mapping[date, float]  # each day's part of the hours of the week, x SCALE

    def numbers(self, road: Road) -> Numbers | None:
        return measure(self.counts, road, self.slots)


def slots_of(hours: Iterable[UsedHour]) -> frozenset[Slot]:
    return frozenset(hour.slot for hour in hours)


def mean_week(hours: Iterable[UsedHour], slots: Collection[Slot]) -> MeanWeek:
    """Of the hours that fall into these hours of the week."""
    used = [hour for hour in hours if hour.slot in slots]
    times: dict[Slot, float] = defaultdict(float)
    for hour in used:
        times[hour.slot] += hour.part
    by_times: dict[float, int] = defaultdict(int)
    days: dict[date, int] = defaultdict(int)
    day_hours: dict[date, float] = defaultdict(float)
    vehicles: dict[date, int] = defaultdict(int)
    for hour in used:
        n = times[hour.slot]
        by_times[n] += hour.lanes
        days[hour.date] += hour.lanes * round(SCALE / n)
        day_hours[hour.date] += hour.part * round(SCALE / n)
        vehicles[hour.date] += hour.n
    return MeanWeek(
        counts=_added({n: spread(lanes) for n, lanes in by_times.items()}),
        slots=len(times),
        hours=len(used),
        n=sum(hour.n for hour in used),
        days=dict(days),
        vehicles=dict(vehicles),
        day_hours=dict(day_hours),
    )


def _added(by_times: Mapping[float, Sequence[int]]) -> list[float]:
    """Counts over the number of times, exact but for the last digit."""
    length = max((len(counts) for counts in by_times.values()), default=0)
    total = [0.0] * length
    for n, counts in sorted(by_times.items()):
        for speed, count in enumerate(counts):
            total[speed] += count / n
    return total
