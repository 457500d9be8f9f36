"""Ranges from whole days: vehicles of one day share its weather and its traffic, days do not.

Days are drawn again and again within Monday-Friday and within the weekend, apart for before and after. From
n days n-1 are drawn and weighted n/(n-1) (Rao and Wu, J. Am. Stat. Assoc. 83 (1988) 231): drawing n of few
days makes the range too narrow. The spread of the results is the standard error; the range is the
difference +- t times that, with the degrees of freedom of Welch and Satterthwaite.
benchmarks/compare_coverage measures how often such ranges hold the truth.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, variance
from typing import Generic, TypeVar

from telemetry.compare.lanes import spread
from telemetry.compare.measures import MEASURES, Numbers, Road, measure
from telemetry.compare.week import MeanWeek

MANY_ENOUGH = 0.95  # of the draws must have given a number
_EXTRA = 1 << 12  # n/(n-1) in lanes
_SATURDAY = 5

# t for 95 % by degrees of freedom; between them linear in 1/df, right to 0.5 %.
_T = {
    1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228,
    12: 2.179, 15: 2.131, 20: 2.086, 30: 2.042, 60: 2.000, 120: 1.980,
}  # fmt: skip
_T_MANY = 1.960
_UNKNOWN = (None,) * len(MEASURES)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one side: the variance of each measure over the draws, and the degrees of freedom of its days."""

    variances: tuple[float | None, ...]  # in the order of MEASURES; None: too few draws gave a number
    degrees: int


@dataclass(frozen=True, slots=True)
class Strata(Generic[T]):
    """Days of one side that are drawn among themselves."""

    groups: tuple[tuple[T, ...], ...]

    @property
    def degrees(self) -> int:
        return sum(len(group) - 1 for group in self.groups)


def strata(days: Mapping[date, T]) -> Strata[T]:
    """Monday-Friday and the weekend; one of a single day cannot vary and joins the other."""
    week = tuple(value for day, value in sorted(days.items()) if day.weekday() < _SATURDAY)
    weekend = tuple(value for day, value in sorted(days.items()) if day.weekday() >= _SATURDAY)
    if min(len(week), len(weekend)) < 2:
        return Strata(tuple(group for group in (week + weekend,) if group))
    return Strata((week, weekend))


def draws(found: Strata[T], resamples: int, rng: random.Random) -> Iterator[tuple[list[T], ...]]:
    """Of each group n-1 of its n, with replacement; groups of one day give none."""
    for _ in range(resamples):
        yield tuple(rng.choices(group, k=len(group) - 1) for group in found.groups)


def spread_of(
    sites: Sequence[MeanWeek],
    roads: Sequence[Road],
    resamples: int,
    rng: random.Random,
) -> Spread:
    """How much the numbers of one side vary with its days.

    `sites` are over the same hours of the week: the sign, then its controls, of which the mean is taken
    off. A drawn day is drawn for all of them: what a day does to all is shared. It brings its vehicles and
    its hours: the only Wednesday of two weeks, drawn twice, is no more traffic.
    """
    rows = {
        day: tuple((site.days.get(day, 0), site.day_hours.get(day, 0.0)) for site in sites)
        for day in sites[0].days
    }
    if len(rows) < 2:
        return Spread(_UNKNOWN, 0)
    found = strata(rows)
    weighted = Strata(
        tuple(
            tuple(tuple(_weighted(*site, len(group)) for site in row) for row in group)
            for group in found.groups
        )
    )
    results = []
    for groups in draws(weighted, resamples, rng):
        together = [row for group in groups for row in group]
        drawn = [_sum(of_site) for of_site in zip(*together, strict=True)]
        result = _numbers(drawn, roads)
        if result is not None:
            results.append(result)
    if len(results) < max(MANY_ENOUGH * resamples, 2):
        return Spread(_UNKNOWN, found.degrees)
    return Spread(tuple(variance(column) for column in zip(*results, strict=True)), found.degrees)


def _weighted(lanes: int, hours: float, n: int) -> tuple[int, float]:
    weight = round(_EXTRA * n / (n - 1))
    return lanes * weight, hours * weight


def _sum(days: Sequence[tuple[int, float]]) -> tuple[int, float]:
    return sum([lanes for lanes, _ in days]), sum([hours for _, hours in days])


def _numbers(drawn: Sequence[tuple[int, float]], roads: Sequence[Road]) -> Numbers | None:
    """The sign's, less the mean of the controls'."""
    found = []
    for (lanes, hours), road in zip(drawn, roads, strict=True):
        numbers = measure(spread(lanes), road, hours)
        if numbers is None:
            return None
        found.append(numbers)
    own, *others = found
    if not others:
        return own
    return tuple(mine - fmean(theirs) for mine, *theirs in zip(own, *others, strict=True))


def half_ranges(before: Spread, after: Spread) -> tuple[float | None, ...]:
    """Half the width of the 95 % range of each difference; None where the days do not tell."""
    both = zip(before.variances, after.variances, strict=True)
    return tuple(_half(first, before.degrees, second, after.degrees) for first, second in both)


def _half(first: float | None, first_df: int, second: float | None, second_df: int) -> float | None:
    if first is None or second is None:
        return None
    return t_95(_degrees(first, first_df, second, second_df)) * math.sqrt(first + second)


def _degrees(first: float, first_df: int, second: float, second_df: int) -> float:
    """Welch and Satterthwaite's."""
    if first + second <= 0 or not first_df or not second_df:
        return 1.0
    return (first + second) ** 2 / (first**2 / first_df + second**2 / second_df)


def t_95(degrees: float) -> float:
    """The quantile of Student's t that leaves 2.5 % on each side.

    >>> t_95(5), round(t_95(13.0), 2), t_95(1e9)
    (2.571, 2.16, 1.96)
    """
    below = max((df for df in _T if df <= degrees), default=1)
    above = min((df for df in _T if df >= degrees), default=None)
    if above == below:
        return _T[below]
    end = 0.0 if above is None else 1 / above
    part = (1 / below - 1 / max(degrees, 1.0)) / (1 / below - end)
    high = _T_MANY if above is None else _T[above]
    return round(_T[below] + part * (high - _T[below]), 6)
