"""How many vehicles: by day, by hour, at the peak. Only hours and days that were measured stand in a mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from telemetry.period import Hour, Period
from telemetry.query import BOTH

QUARTER_S = 900
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class HourMean:
    """An hour of the day or of the week, over the whole hours that were measured enough."""

    hours: int  # that went into it
    n: int  # vehicles in those
    mean: float | None  # vehicles an hour; None: never measured
    left_out: int  # whole hours of it that were measured too little


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest clock hour and its peak hour factor, PHF = V60 / (4 * the busiest clock quarter of it)."""

    start: datetime  # local
    n: int
    phf: float | None  # None: no vehicle, or intervals longer than a quarter of an hour


@dataclass(frozen=True, slots=True)
class Volume:
    """Of one direction or both. ADT: vehicles of complete days over complete days; never scaled up."""

    adt: float | None
    complete_days: int
    weekday_mean: float | None  # Monday to Friday, public holidays too
    weekdays: int
    weekend_mean: float | None
    weekend_days: int
    by_hour: Mapping[int, HourMean]  # 0 to 23
    by_hour_of_week: Mapping[tuple[int, int], HourMean]  # (0 Monday to 6, 0 to 23)
    peak_hour: int | None  # hour of the day with the highest mean on weekdays (Mon-Fri)
    busiest: Peak | None  # the busiest hour of all that were measured enough; None: no vehicle in any


def volume(period: Period, direction: str = BOTH) -> Volume:
    """How many vehicles of a direction, or of both; hours that the period cuts are in no mean.

    An hour that the autumn change repeats counts twice in its hour of the day, the one that spring leaves out
    not at all. Holidays are no weekends: days are told apart by their weekday alone.
    """
    counted = [(hour, hour.n(direction)) for hour in period.hours if hour.whole]
    by_hour_of_week = _by_hour_of_week(counted)
    days = [(day, day.n(direction)) for day in period.days() if day.complete]
    on_weekdays = [n for day, n in days if day.date.weekday() < _SATURDAY]
    at_weekends = [n for day, n in days if day.date.weekday() >= _SATURDAY]
    return Volume(
        adt=_mean([n for _, n in days]),
        complete_days=len(days),
        weekday_mean=_mean(on_weekdays),
        weekdays=len(on_weekdays),
        weekend_mean=_mean(at_weekends),
        weekend_days=len(at_weekends),
        by_hour=_by_hour(by_hour_of_week, range(7)),
        by_hour_of_week=by_hour_of_week,
        peak_hour=_peak_hour(_by_hour(by_hour_of_week, range(_SATURDAY))),
        busiest=_busiest(counted, direction),
    )


Counted = Sequence[tuple[Hour, int]]  # whole clock hours and the vehicles in them
OfWeek = Mapping[tuple[int, int], HourMean]


def _mean(counts: Sequence[int]) -> float | None:
    return sum(counts) / len(counts) if counts else None


def _hour_mean(hours: int, n: int, left_out: int) -> HourMean:
    return HourMean(hours, n, n / hours if hours else None, left_out)


def _by_hour_of_week(counted: Counted) -> dict[tuple[int, int], HourMean]:
    found = {(weekday, hour): [0, 0, 0] for weekday in range(7) for hour in range(24)}
    for hour, n in counted:
        slot = found[hour.local.weekday(), hour.local.hour]
        if hour.enough:
            slot[0] += 1
            slot[1] += n
        else:
            slot[2] += 1
    return {slot: _hour_mean(*sums) for slot, sums in found.items()}


def _by_hour(of_week: OfWeek, weekdays: Iterable[int]) -> dict[int, HourMean]:
    """The hours of these weekdays together: sums of what was counted, no mean of means."""
    found = {hour: [of_week[weekday, hour] for weekday in weekdays] for hour in range(24)}
    return {
        hour: _hour_mean(
            sum(slot.hours for slot in slots),
            sum(slot.n for slot in slots),
            sum(slot.left_out for slot in slots),
        )
        for hour, slots in found.items()
    }


def _peak_hour(by_hour: Mapping[int, HourMean]) -> int | None:
    """The earliest on ties; None without a vehicle."""
    best = max(by_hour, key=lambda hour: by_hour[hour].mean or 0.0)
    return best if by_hour[best].mean else None


def _busiest(counted: Counted, direction: str) -> Peak | None:
    """The earliest on ties."""
    enough = [(hour, n) for hour, n in counted if hour.enough]
    hour, n = max(enough, key=lambda found: found[1], default=(None, 0))
    if hour is None or n == 0:
        return None
    return Peak(hour.local, n, _peak_hour_factor(hour, n, direction))


def _peak_hour_factor(hour: Hour, n: int, direction: str) -> float | None:
    """By clock quarters, 1 where each holds as many; None where intervals are longer than a quarter."""
    if hour.longest_s > QUARTER_S:
        return None
    quarters: Counter[int] = Counter()
    start_s = int(hour.start_utc.timestamp())
    for part in hour.parts:
        if direction in (BOTH, part.direction):
            quarters[(part.start_s - start_s) // QUARTER_S] += len(part.speeds)
    return n / (4 * max(quarters.values()))
