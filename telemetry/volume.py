"""How many vehicles: by day, by hour, at the peak. Only hours and days that were measured stand in a mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

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
    return volumes(period, [direction])[direction]


def volumes(period: Period, directions: Iterable[str]) -> dict[str, Volume]:
    """The same of several directions, in little more time than of one."""
    tallies = [_tally(hour) for hour in period.hours]
    whole = [tally for tally in tallies if tally.hour.whole]
    following = iter(tallies)
    days = [(day, list(islice(following, len(day.hours)))) for day in period.days()]
    complete = [(day.date.weekday() >= _SATURDAY, of_day) for day, of_day in days if day.complete]
    return {direction: _volume(direction, whole, complete) for direction in directions}


class _Tally(NamedTuple):
    hour: Hour
    slot: tuple[int, int]  # weekday, hour of the day
    enough: bool
    counts: Mapping[str, int]  # vehicles by direction, and of both


def _tally(hour: Hour) -> _Tally:
    counts: dict[str, int] = {}
    for _, direction, _, speeds, _ in hour.parts:
        counts[direction] = counts.get(direction, 0) + len(speeds)
    counts[BOTH] = sum(counts.values())
    return _Tally(hour, (hour.local.weekday(), hour.local.hour), hour.enough, counts)


def _volume(
    direction: str, whole: Sequence[_Tally], complete: Sequence[tuple[bool, Sequence[_Tally]]]
) -> Volume:
    """`complete`: whether it is at a weekend, and the hours of each complete day."""
    by_hour_of_week = _by_hour_of_week(direction, whole)
    by_hour = _by_hour(by_hour_of_week, range(7))
    days = [
        (weekend, sum([tally.counts.get(direction, 0) for tally in of_day])) for weekend, of_day in complete
    ]
    on_weekdays = [n for weekend, n in days if not weekend]
    at_weekends = [n for weekend, n in days if weekend]
    return Volume(
        adt=_mean([n for _, n in days]),
        complete_days=len(days),
        weekday_mean=_mean(on_weekdays),
        weekdays=len(on_weekdays),
        weekend_mean=_mean(at_weekends),
        weekend_days=len(at_weekends),
        by_hour=by_hour,
        by_hour_of_week=by_hour_of_week,
        peak_hour=_peak_hour(_by_hour(by_hour_of_week, range(_SATURDAY))),
        busiest=_busiest(direction, whole),
    )


def _mean(counts: Sequence[int]) -> float | None:
    return sum(counts) / len(counts) if counts else None


def _hour_mean(hours: int, n: int, left_out: int) -> HourMean:
    return HourMean(hours, n, n / hours if hours else None, left_out)


def _by_hour_of_week(direction: str, whole: Sequence[_Tally]) -> dict[tuple[int, int], HourMean]:
    found = {(weekday, hour): [0, 0, 0] for weekday in range(7) for hour in range(24)}
    for _, slot, enough, counts in whole:
        sums = found[slot]
        if enough:
            sums[0] += 1
            sums[1] += counts.get(direction, 0)
        else:
            sums[2] += 1
    return {slot: _hour_mean(*sums) for slot, sums in found.items()}


def _by_hour(of_week: Mapping[tuple[int, int], HourMean], weekdays: Iterable[int]) -> dict[int, HourMean]:
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


def _busiest(direction: str, whole: Sequence[_Tally]) -> Peak | None:
    """The earliest on ties."""
    counted = [(tally.counts.get(direction, 0), tally.hour) for tally in whole if tally.enough]
    n, hour = max(counted, key=itemgetter(0), default=(0, None))
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
