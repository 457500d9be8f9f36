"""Parts of a study: dark before and dark after apart, and the change week by week since the sign was lit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from telemetry.compare.bootstrap import Spread
from telemetry.compare.hours import Slot
from telemetry.compare.measures import Road
from telemetry.compare.sides import Change, Draws, Side, changes, side_of, side_spread
from telemetry.compare.split import UsedHour
from telemetry.compare.week import mean_week, slots_of

FEWEST_WEEKS = 2
DRAWS_A_WEEK = 400  # each week has its own ranges; an error of 4 % in their width is seen nowhere
_WEEK = 7


@dataclass(frozen=True, slots=True)
class WeekChange:
    """A week of the lit time against the whole baseline, over the hours of the week that both have."""

    week: int  # 1: the first seven days
    first: date
    last: date
    side: Side
    changes: tuple[Change, ...]


def phases(before: Sequence[UsedHour], after: Sequence[UsedHour], road: Road) -> tuple[Side, ...]:
    """Dark before, lit, dark between, dark after, over the hours of the week that all of them have.

    () where the dark days lie on one side of the lit ones: then there is nothing apart to say.
    """
    first, last = min(hour.date for hour in after), max(hour.date for hour in after)
    parts = {
        "dark_before": [hour for hour in before if hour.date < first],
        "lit": list(after),
        "dark_between": [hour for hour in before if first <= hour.date <= last],
        "dark_after": [hour for hour in before if hour.date > last],
    }
    parts = {key: hours for key, hours in parts.items() if hours}
    if len(parts) < 3:
        return ()
    slots = frozenset.intersection(*(slots_of(hours) for hours in parts.values()))
    if not slots:
        return ()
    return tuple(side_of(key, mean_week(hours, slots), road) for key, hours in parts.items())


def lit_since(before: Sequence[UsedHour], after: Sequence[UsedHour]) -> date:
    """The first lit day that follows a dark one; without such a day, the first lit one."""
    dark = min(hour.date for hour in before)
    days = {hour.date for hour in after}
    return min((day for day in days if day > dark), default=min(days))


def weekly(
    before: Sequence[UsedHour], after: Sequence[UsedHour], road: Road, draws: Draws
) -> tuple[WeekChange, ...]:
    """Each week since it was lit; () where there are fewer than two."""
    began = lit_since(before, after)
    by_week: dict[int, list[UsedHour]] = {}
    for hour in after:
        if hour.date >= began:
            by_week.setdefault((hour.date - began).days // _WEEK, []).append(hour)
    if len(by_week) < FEWEST_WEEKS:
        return ()
    fewer = replace(draws, resamples=min(draws.resamples, DRAWS_A_WEEK))
    dark = slots_of(before)
    # Whole weeks have the same hours of the week, and so the same baseline.
    baselines: dict[frozenset[Slot], tuple[Side, Spread]] = {}
    found = []
    for week, hours in sorted(by_week.items()):
        slots = slots_of(hours) & dark
        if not slots:
            continue
        if slots not in baselines:
            baselines[slots] = _spread_side("before", before, slots, road, fewer)
        side, spread = _spread_side(f"week {week + 1}", hours, slots, road, fewer)
        base, base_spread = baselines[slots]
        spreads = (base_spread, spread) if base.enough and side.enough else None
        first = began + timedelta(days=_WEEK * week)
        last = first + timedelta(days=_WEEK - 1)
        found.append(WeekChange(week + 1, first, last, side, changes((base, side), spreads)))
    return tuple(found)


def _spread_side(
    key: str, hours: Sequence[UsedHour], slots: frozenset[Slot], road: Road, draws: Draws
) -> tuple[Side, Spread]:
    week = mean_week(hours, slots)
    side = side_of(key, week, road)
    return side, side_spread(side, [week], [road], draws)
