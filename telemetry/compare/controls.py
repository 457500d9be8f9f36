"""Control sites: what changed there between the same hours is taken off (difference in differences).

The hours are those that the sign and every control measured. A day's weather, holidays and fuel prices are
the same for all, so a drawn day is drawn for all sites together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from speedsign.errors import StoreError
from telemetry.compare.hours import HourCount
from telemetry.compare.lanes import lanes_of
from telemetry.compare.measures import SHARES, SPEEDS, Road
from telemetry.compare.sides import Change, Draws, Side, changes_of, side_of
from telemetry.compare.split import UsedHour
from telemetry.compare.week import MeanWeek, mean_week, slots_of

SAME = 0.05  # of the vehicles: a control's own display must have done the same before and after
COMPARED = (*SPEEDS, *SHARES)  # vehicles an hour of two roads have no common difference


@dataclass(frozen=True, slots=True)
class ControlSite:
    """Another place that the sign does not touch: its name and all its hours."""

    name: str
    hours: Sequence[HourCount]
    road: Road


@dataclass(frozen=True, slots=True)
class ControlChange:
    """One control's own change over the shared hours."""

    name: str
    before: Side
    after: Side
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Controlled:
    """The sign's change less the mean of its controls' changes.

    `own` is the sign's change over the shared hours; in `beyond` difference and range are what is left of it.
    """

    hours: int  # that all sites measured
    before: Side  # the sign's, over the shared hours
    after: Side
    own: tuple[Change, ...]
    controls: tuple[ControlChange, ...]
    beyond: tuple[Change, ...]

    def sides(self) -> Iterator[Side]:
        """Of the sign and of every control."""
        yield from (self.before, self.after)
        for one in self.controls:
            yield from (one.before, one.after)


def controlled(
    before: Sequence[UsedHour],
    after: Sequence[UsedHour],
    road: Road,
    sites: Sequence[ControlSite],
    draws: Draws,
) -> Controlled:
    """Raises StoreError where a control shares no hour, or its own display changed."""
    tables = [{hour.start_utc: hour for hour in site.hours if hour.measured()} for site in sites]
    shared = [_shared(side, tables) for side in (before, after)]
    slots = slots_of(shared[0]) & slots_of(shared[1])
    if not slots:
        names = ", ".join(site.name for site in sites)
        raise StoreError(f"{names}: measured no hours that the sign has both before and after")
    shared = [[hour for hour in side if hour.slot in slots] for side in shared]
    for site, table in zip(sites, tables, strict=True):
        _check_display(site.name, *([table[hour.start_utc] for hour in side] for side in shared))
    own = [mean_week(side, slots) for side in shared]
    others = [[mean_week([_at(hour, table) for hour in side], slots) for side in shared] for table in tables]
    roads = [road, *(site.road for site in sites)]
    return _compared(own, others, roads, [site.name for site in sites], draws)


def _compared(
    own: Sequence[MeanWeek],
    others: Sequence[Sequence[MeanWeek]],
    roads: Sequence[Road],
    names: Sequence[str],
    draws: Draws,
) -> Controlled:
    sides = side_of("before", own[0], roads[0]), side_of("after", own[1], roads[0])
    found = []
    for name, weeks, road in zip(names, others, roads[1:], strict=True):
        at = side_of("before", weeks[0], road), side_of("after", weeks[1], road)
        changes = changes_of(at, ([weeks[0]], [weeks[1]]), [road], draws)
        found.append(ControlChange(name, *at, _kept(changes)))
    for one in found:
        if one.before.numbers is None or one.after.numbers is None:
            raise StoreError(f"{one.name}: counted no vehicle in the hours that the sign has")
    # A control of three vehicles would carry as much weight as the sign itself: no range then.
    bare = not all(side.enough for one in found for side in (one.before, one.after))
    own_changes = _kept(changes_of(sides, ([own[0]], [own[1]]), roads[:1], draws))
    weeks_of = [own[0], *(pair[0] for pair in others)], [own[1], *(pair[1] for pair in others)]
    shared = _kept(changes_of(sides, weeks_of, roads, draws))
    beyond = tuple(
        _less(change, [one.changes[at] for one in found], bare) for at, change in enumerate(shared)
    )
    return Controlled(own[0].hours + own[1].hours, *sides, own_changes, tuple(found), beyond)


def _kept(changes: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change.measure in COMPARED)


def _less(change: Change, others: Sequence[Change], bare: bool) -> Change:
    """Shifted by what the controls did; the width came from draws of all sites together."""
    trend = fmean(other.difference or 0.0 for other in others)
    if change.difference is None:
        return change
    low, high = (None if end is None or bare else end - trend for end in (change.low, change.high))
    return Change(change.measure, change.before, change.after, change.difference - trend, low, high)


def _shared(side: Sequence[UsedHour], tables: Sequence[Mapping[datetime, HourCount]]) -> list[UsedHour]:
    return [hour for hour in side if all(hour.start_utc in table for table in tables)]


def _at(hour: UsedHour, table: Mapping[datetime, HourCount]) -> UsedHour:
    """The control's vehicles at the sign's hour."""
    speeds = table[hour.start_utc].speeds
    return UsedHour(hour.start_utc, hour.date, hour.slot, lanes_of(speeds), len(speeds))


def _check_display(name: str, before: Sequence[HourCount], after: Sequence[HourCount]) -> None:
    shares = []
    for side in (before, after):
        n = sum(len(hour.speeds) for hour in side)
        shares.append(sum(hour.n_dark for hour in side) / n if n else None)
    first, second = shares
    if first is not None and second is not None and abs(first - second) > SAME:
        raise StoreError(
            f"{name}: its own display was dark for {100 * first:.0f} % of its vehicles before and for "
            f"{100 * second:.0f} % after, so it is no control site"
        )
