"""A period cut into days, weeks or months: how vehicles, V85 and coverage went along.

Two months are told by day, half a year by week, more by month. Weeks are ISO weeks, Monday first. Each number
is of the counts of all its hours, merged first; what was measured only in part is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby

from telemetry.local_time import hours_of_day
from telemetry.period import Day, Period, coverage_of
from telemetry.query import BOTH
from telemetry.statistics import compute

MOST_DAYS = 62  # in one table: two months
MOST_WEEKS = 26
ORDINARY_DAY_HOURS = 24


class Unit(StrEnum):
    """What a long period is cut into."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Span:
    """A day, week or month, or what of it lies in the period; both ends included."""

    first: date
    last: date
    days: int
    complete_days: int
    complete: bool  # all of it lies in the period, and every hour was measured enough
    hours_of_day: int | None  # 23 or 25: a day on which the clocks changed
    coverage: float  # what was measured while the clock was not sure included
    measured: bool  # any of it while the clock was sure: else its vehicles are in no day
    clock_unsure: bool  # some of its hours were measured while the clock was not sure
    n: int
    mean_kmh: float | None
    v85_kmh: float | None
    over_share: float | None
    over_10_share: float | None


def unit_for(days: int) -> Unit:
    """What so many days are best told by.

    >>> unit_for(31), unit_for(90), unit_for(365)
    (<Unit.DAY: 'day'>, <Unit.WEEK: 'week'>, <Unit.MONTH: 'month'>)
    """
    if days <= MOST_DAYS:
        return Unit.DAY
    return Unit.WEEK if days <= 7 * MOST_WEEKS else Unit.MONTH


def spans_of(period: Period, direction: str = BOTH) -> tuple[Unit, tuple[Span, ...]]:
    """The period's parts by date."""
    days = period.days()
    unit = unit_for(len(days))
    start = _STARTS[unit]
    parts = (list(of_one) for _, of_one in groupby(days, key=lambda day: start(day.date)))
    return unit, tuple(_span(period, direction, unit, part) for part in parts)


def _span(period: Period, direction: str, unit: Unit, days: Sequence[Day]) -> Span:
    facts = period.standing.facts
    hours = [hour for day in days for hour in day.hours]
    counts = period.counts(direction, hours=hours)
    found = compute(counts, facts.limit_kmh, rounds=facts.rounds)
    first, last = days[0].date, days[-1].date
    length = hours_of_day(first, period.zone)
    complete = [day for day in days if _complete(day, narrowed=period.narrowed)]
    wanted = _length(unit, first)
    return Span(
        first,
        last,
        days=len(days),
        complete_days=len(complete),
        complete=len(complete) == len(days) and (period.narrowed or len(days) == wanted),
        hours_of_day=length if unit is Unit.DAY and length != ORDINARY_DAY_HOURS else None,
        coverage=coverage_of(hours, sum(hour.undated_s for hour in hours)),
        measured=any(hour.measured_s > 0 for hour in hours),
        clock_unsure=any(hour.undated_s > 0 for hour in hours),
        n=found.n,
        mean_kmh=found.mean_kmh,
        v85_kmh=found.percentiles_kmh[85],
        over_share=found.over_limit_share,
        over_10_share=found.over_limit_10_share,
    )


def _complete(day: Day, *, narrowed: bool) -> bool:
    """Where only some hours were asked for, a day is complete when those were measured."""
    if narrowed:
        return all(hour.whole and hour.enough for hour in day.hours)
    return day.complete


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> date:
    return day.replace(day=1)


def _same(day: date) -> date:
    return day


_STARTS: dict[Unit, Callable[[date], date]] = {Unit.DAY: _same, Unit.WEEK: _monday, Unit.MONTH: _month}


def _length(unit: Unit, first: date) -> int:
    """Days of a whole one."""
    if unit is Unit.MONTH:
        start = _month(first)
        return (_month(start + timedelta(days=31)) - start).days
    return 7 if unit is Unit.WEEK else 1
