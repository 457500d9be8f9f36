"""All numbers of a report, computed once: every sentence, table and picture is made from these.

Pure: from a period's hours to numbers, without a word of any language. Ranked hours, hours of the day and
of the week stand on whole clock hours that were measured enough, as all means do; totals, speeds and shares
stand on everything that was counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from telemetry.calibration.proof import InForce
from telemetry.period import Hour, Period
from telemetry.quality import Quality, quality
from telemetry.query import BOTH, Standing
from telemetry.report.spans import Span, Unit, spans_of
from telemetry.rows import unpacked
from telemetry.statistics import FEW, Statistics, compute
from telemetry.uncertainty import Range
from telemetry.volume import HourMean, Volume, volumes

PATROLS = 10  # ranked hours of the week
SURE_HOURS = 2  # of an hour of the week: from a single one nobody is sent out
OVER_KMH = 10  # what a patrol is sent for: more than this over the limit
HOURS_OF_DAY = range(24)
HOURS_OF_WEEK = tuple((weekday, hour) for weekday in range(7) for hour in HOURS_OF_DAY)


@dataclass(frozen=True, slots=True)
class Side:
    """One direction, or both."""

    direction: str  # approaching, receding, unknown, both
    counts: Mapping[int, int]
    statistics: Statistics
    volume: Volume

    @property
    def v85_range_kmh(self) -> Range:
        """95 % range of V85."""
        return self.statistics.percentile_ranges_kmh[85]

    @property
    def pace_kmh(self) -> tuple[int | None, int | None]:
        """Its lowest and highest speed."""
        pace = self.statistics.pace
        return (pace.low_kmh, pace.high_kmh) if pace else (None, None)


@dataclass(frozen=True, slots=True)
class Slot:
    """An hour of the day or of the week, over its hours that were measured enough."""

    weekday: int | None  # 0 Monday to 6; None: of every day
    hour: int
    hours: int  # that went into it
    left_out: int  # that were measured too little
    n: int
    mean: float | None  # vehicles an hour
    over_share: float | None
    over_10_share: float | None
    over_an_hour: float | None  # vehicles over the limit, in an hour
    over_10_an_hour: float | None  # vehicles more than 10 km/h over it, in an hour
    v85_kmh: float | None

    @property
    def sure(self) -> bool:
        """Whether it was met more than once, with vehicles enough to be called the worst."""
        return self.hours >= SURE_HOURS and self.n >= FEW


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one installation and period; `focus` is the direction that hours, days and patrols are of."""

    standing: Standing
    from_utc: datetime
    to_utc: datetime
    focus: str
    sides: tuple[Side, ...]  # the directions there are, then both
    by_hour: tuple[Slot, ...]  # 24
    by_hour_of_week: Mapping[tuple[int, int], Slot]  # (weekday, hour)
    patrols: tuple[Slot, ...]  # the worst hours of the week, the worst first
    unit: Unit
    spans: tuple[Span, ...]
    quality: Quality
    chosen: frozenset[tuple[int, int]] | None  # hours of the week asked for; None: all
    others: tuple[Standing, ...] = ()  # installations of the same period that are not in these numbers
    own_limit_kmh: int | None = None  # the installation's, where the numbers are against another limit
    calibration: InForce | None = None  # that they rest on; None: imported, nobody knows

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.standing.facts.timezone)

    @property
    def limit_kmh(self) -> int:
        return self.standing.facts.limit_kmh

    @property
    def from_local(self) -> datetime:
        return self.from_utc.astimezone(self.zone)

    @property
    def to_local(self) -> datetime:
        return self.to_utc.astimezone(self.zone)

    @property
    def last_day(self) -> date:
        """The last local day that has a part in the period."""
        return self.spans[-1].last if self.spans else self.from_local.date()

    @property
    def days(self) -> int:
        """Local days that have a part in the period."""
        return self.quality.days

    def side(self, direction: str) -> Side:
        return next(side for side in self.sides if side.direction == direction)

    @property
    def main(self) -> Side:
        """The side the report is about."""
        return self.side(self.focus)


def gather(
    period: Period,
    *,
    focus: str = BOTH,
    others: Sequence[Standing] = (),
    own_limit_kmh: int | None = None,
    calibration: InForce | None = None,
) -> Facts:
    """Everything a report says about a period. Some tenths of a second for a year of a busy sign."""
    directions = [*period.directions(), BOTH]
    if focus not in directions:
        directions.insert(0, focus)
    by_week = _by_hour_of_week(period, focus)
    by_direction = volumes(period, directions)
    sides = tuple(_side(period, direction, by_direction[direction]) for direction in directions)
    main = next(side for side in sides if side.direction == focus)
    of_week = _slots_of_week(period, main.volume, by_week)
    unit, spans = spans_of(period, focus)
    return Facts(
        standing=period.standing,
        from_utc=period.from_utc,
        to_utc=period.to_utc,
        focus=focus,
        sides=sides,
        by_hour=_by_hour(period, main.volume, by_week),
        by_hour_of_week=of_week,
        patrols=ranked(of_week.values()),
        unit=unit,
        spans=spans,
        quality=quality(period),
        chosen=_chosen(period),
        others=tuple(others),
        own_limit_kmh=own_limit_kmh,
        calibration=calibration,
    )


def ranked(slots: Iterable[Slot], most: int = PATROLS) -> tuple[Slot, ...]:
    """Hours of the week by vehicles more than 10 km/h over the limit in an hour, then by those over it.

    A patrol meets vehicles, not shares: the fastest night hour has three of them. Hours in which nobody was
    so fast are no hours to patrol. What one hour or a few vehicles say comes last, however bad it looks.
    """
    worth = [slot for slot in slots if slot.over_10_an_hour]
    worth.sort(key=lambda slot: (slot.weekday or 0, slot.hour))
    worth.sort(
        key=lambda slot: (slot.sure, slot.over_10_an_hour or 0.0, slot.over_an_hour or 0.0), reverse=True
    )
    return tuple(worth[:most])


def _side(period: Period, direction: str, measured: Volume) -> Side:
    counts = period.counts(direction)
    facts = period.standing.facts
    found = compute(counts, facts.limit_kmh, rounds=facts.rounds, suspects=period.suspects(direction))
    return Side(direction, counts, found, measured)


def _by_hour_of_week(period: Period, direction: str) -> dict[tuple[int, int], str]:
    """Packed speeds of the hours that may stand in a mean, by hour of the week."""
    texts: dict[tuple[int, int], list[str]] = {}
    for hour in period.hours:
        if hour.whole and hour.enough:
            found = texts.setdefault(_of_week(hour), [])
            found += [part.speeds for part in hour.parts if direction in (BOTH, part.direction)]
    return {key: "".join(found) for key, found in texts.items()}


def _of_week(hour: Hour) -> tuple[int, int]:
    return hour.local.weekday(), hour.local.hour


def _by_hour(period: Period, measured: Volume, by_week: Mapping[tuple[int, int], str]) -> tuple[Slot, ...]:
    texts = {hour: "".join(by_week.get((day, hour), "") for day in range(7)) for hour in HOURS_OF_DAY}
    return tuple(_slot(period, None, hour, measured.by_hour[hour], texts[hour]) for hour in HOURS_OF_DAY)


def _slots_of_week(
    period: Period, measured: Volume, by_week: Mapping[tuple[int, int], str]
) -> dict[tuple[int, int], Slot]:
    return {
        key: _slot(period, *key, measured.by_hour_of_week[key], by_week.get(key, ""), v85=False)
        for key in HOURS_OF_WEEK
    }


def _slot(
    period: Period, weekday: int | None, hour: int, mean: HourMean, speeds: str, *, v85: bool = True
) -> Slot:
    facts = period.standing.facts
    counts = unpacked(speeds)
    n = sum(counts.values())
    over = sum(count for speed, count in counts.items() if speed > facts.limit_kmh)
    over_10 = sum(count for speed, count in counts.items() if speed > facts.limit_kmh + OVER_KMH)
    percentile = None
    if v85 and n:
        percentile = compute(counts, facts.limit_kmh, rounds=facts.rounds).percentiles_kmh[85]
    return Slot(
        weekday,
        hour,
        mean.hours,
        mean.left_out,
        n,
        mean.mean,
        over / n if n else None,
        over_10 / n if n else None,
        over / mean.hours if mean.hours else None,
        over_10 / mean.hours if mean.hours else None,
        percentile,
    )


def _chosen(period: Period) -> frozenset[tuple[int, int]] | None:
    return frozenset(map(_of_week, period.hours)) if period.narrowed else None
