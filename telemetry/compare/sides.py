"""The numbers of both sides, their differences, and the range of each difference."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from telemetry.compare.bootstrap import Spread, half_ranges, spread_of
from telemetry.compare.hours import Slot
from telemetry.compare.measures import MEASURES, Numbers, Road
from telemetry.compare.split import UsedHour
from telemetry.compare.week import MeanWeek, mean_week

FEWEST_DAYS = 3
FEWEST_VEHICLES = 30


@dataclass(frozen=True, slots=True)
class Side:
    """Before, after, or a phase: `numbers` in the order of MEASURES, of its mean week; None without a
    vehicle.
    """

    key: str  # before, after, dark_before, lit, dark_after, dark_between
    dates: tuple[date, ...]  # that gave an hour
    hours: int
    n: int
    counts: Sequence[float]  # of the mean week, by whole km/h
    numbers: Numbers | None
    coverage: float | None = None  # of all hours of its days

    @property
    def days(self) -> int:
        return len(self.dates)

    @property
    def enough(self) -> bool:
        """Whether a range and a claim may be made of it."""
        return self.days >= FEWEST_DAYS and self.n >= FEWEST_VEHICLES


@dataclass(frozen=True, slots=True)
class Change:
    """After less before, of one measure; no range where days or vehicles are too few."""

    measure: str
    before: float | None
    after: float | None
    difference: float | None
    low: float | None = None
    high: float | None = None

    @property
    def clear(self) -> bool:
        return self.rises or self.falls

    @property
    def rises(self) -> bool:
        """Whether the range lies above zero, as it is read: 0.04 km/h is printed as 0.0, which is no rise."""
        return self.low is not None and _printed(self.low) > 0

    @property
    def falls(self) -> bool:
        """Whether the range lies below zero, as it is read."""
        return self.high is not None and _printed(self.high) < 0


def _printed(value: float) -> Decimal:
    """With the one decimal of speeds and vehicles an hour, as telemetry.report.values writes them."""
    return Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Draws:
    """How ranges are made: the same seed gives the same ranges."""

    resamples: int = 2000
    seed: int = 1

    def source(self, name: str) -> random.Random:
        """Of one side, whatever else was drawn before."""
        return random.Random(f"{self.seed} {name}")  # noqa: S311  no secret


def side_of(key: str, week: MeanWeek, road: Road, coverage: float | None = None) -> Side:
    return Side(key, tuple(sorted(week.days)), week.hours, week.n, week.counts, week.numbers(road), coverage)


def sides_of(
    before: Sequence[UsedHour], after: Sequence[UsedHour], slots: Collection[Slot]
) -> tuple[MeanWeek, MeanWeek]:
    return mean_week(before, slots), mean_week(after, slots)


def changes_of(
    sides: tuple[Side, Side],
    weeks: tuple[Sequence[MeanWeek], Sequence[MeanWeek]],
    roads: Sequence[Road],
    draws: Draws,
) -> tuple[Change, ...]:
    """The differences of two sides; `weeks` are the sign's and its controls', the numbers are the sides'
    own.
    """
    if not all(side.enough for side in sides):
        return changes(sides, None)
    first, second = (side_spread(side, of, roads, draws) for side, of in zip(sides, weeks, strict=True))
    return changes(sides, (first, second))


def side_spread(side: Side, weeks: Sequence[MeanWeek], roads: Sequence[Road], draws: Draws) -> Spread:
    """How much the numbers of a side vary with its days."""
    return spread_of(weeks, roads, draws.resamples, draws.source(side.key))


def changes(sides: tuple[Side, Side], spreads: tuple[Spread, Spread] | None) -> tuple[Change, ...]:
    """The differences, with ranges where the spreads are known."""
    before, after = (side.numbers or (None,) * len(MEASURES) for side in sides)
    halves = (None,) * len(MEASURES) if spreads is None else half_ranges(*spreads)
    return tuple(map(_change, MEASURES, before, after, halves))


def _change(measure: str, before: float | None, after: float | None, half: float | None) -> Change:
    difference = None if before is None or after is None else after - before
    if difference is None or half is None:
        return Change(measure, before, after, difference)
    return Change(measure, before, after, difference, difference - half, difference + half)
