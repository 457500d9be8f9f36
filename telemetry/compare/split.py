"""Which hours are "before" and which are "after": by what the sign was doing, or by dates.

A dark baseline is made of whole dark days, as a study makes them: dark nights of a schedule are other hours
of the week than the lit ones, and where they happen to overlap (winter and summer times) they say nothing
about the sign. What a day or a period was is judged by all of its hours, also where only some are asked for:
ten o'clock of a dark evening is no dark day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from telemetry.compare.hours import MOST_UNSURE, HourCount, Slot
from telemetry.compare.lanes import lanes_of

MOSTLY = 0.95  # of a day's or period's vehicles passed a dark sign: it was dark
HALF = 0.5
DateRange = tuple[date, date]  # both included

# Why hours are in neither side.
LITTLE = "measured_too_little"
UNSURE = "display_not_known"  # a fault, or dark and lit in one interval, for more than a quarter of the hour
SWITCHED = "dark_and_lit"
PLANNED = "dark_on_a_lit_day"
EMPTY = "no_vehicle_and_display_not_known"
UNMATCHED = "not_in_both"
REASONS = (LITTLE, UNSURE, SWITCHED, PLANNED, EMPTY, UNMATCHED)


@dataclass(frozen=True, slots=True)
class UsedHour:
    """An hour of one side, and its vehicles in lanes (telemetry.compare.lanes)."""

    start_utc: datetime
    date: date
    slot: Slot
    lanes: int
    n: int
    part: float = 1.0  # of the time measured, 0 to 1: less where intervals were left out


@dataclass(frozen=True, slots=True)
class Split:
    """Hours by side; `left_out` counts those that belong to a side's days and could not be used."""

    baseline: bool  # before is dark, after is lit
    by_display: bool  # found by what the sign was doing
    before: Sequence[UsedHour]
    after: Sequence[UsedHour]
    coverage: tuple[float, float]  # of all hours of a side's days
    left_out: Mapping[str, int] = field(default_factory=dict)  # reason: hours
    unsure_intervals: int = 0  # in the hours used, and the vehicles in them
    unsure_vehicles: int = 0
    dark_share: tuple[float | None, float | None] = (None, None)  # of all vehicles of a side's days
    lit_share: tuple[float | None, float | None] = (None, None)

    @property
    def lit_then_dark(self) -> bool:
        """Whether before and after are the wrong way round for a baseline."""
        return _is_dark(self.dark_share[1]) and _is_lit(self.lit_share[0])

    @property
    def not_known(self) -> bool:
        """Whether before may have been dark and after lit: of too many vehicles nobody knows (a fault, or
        imported from a device that did not tell).
        """
        lit_before, dark_after = self.lit_share[0], self.dark_share[1]
        if self.baseline or lit_before is None or dark_after is None:
            return False
        return lit_before <= 1 - MOSTLY and dark_after <= 1 - HALF


def _is_dark(share: float | None) -> bool:
    return share is not None and share >= MOSTLY


def _is_lit(share: float | None) -> bool:
    return share is not None and share >= HALF


# --------------------------------------------------------------------------- the two ways


def by_display(hours: Sequence[HourCount]) -> Split:
    """Before: days on which the sign was dark; after: the lit hours of the other days."""
    dark, lit = _days_by_display(hours)
    return _baseline(
        [hour for hour in hours if hour.date in dark],
        [hour for hour in hours if hour.date in lit],
        by_display=True,
    )


def by_dates(hours: Sequence[HourCount], before: Sequence[DateRange], after: Sequence[DateRange]) -> Split:
    """Of local days; a baseline when the first days were dark and the second ones mostly lit."""
    first = [hour for hour in hours if _inside(hour.date, before)]
    second = [hour for hour in hours if _inside(hour.date, after)]
    if _is_dark(_share(first, "n_dark")) and _is_lit(_share(second, "n_lit")):
        return _baseline(first, second, by_display=False)
    left_out: Counter[str] = Counter()
    sides = [
        [_used(hour, hour.speeds) for hour in _enough(side, left_out) if hour.asked]
        for side in (first, second)
    ]
    return Split(
        baseline=False,
        by_display=False,
        before=sides[0],
        after=sides[1],
        coverage=(_coverage(first), _coverage(second)),
        left_out=left_out,
        dark_share=(_share(first, "n_dark"), _share(second, "n_dark")),
        lit_share=(_share(first, "n_lit"), _share(second, "n_lit")),
    )


def _baseline(first: Sequence[HourCount], second: Sequence[HourCount], *, by_display: bool) -> Split:
    left_out: Counter[str] = Counter()
    dark = list(_hours_of(first, "dark", left_out))
    lit = list(_hours_of(second, "lit", left_out))
    return Split(
        baseline=True,
        by_display=by_display,
        before=[_used(hour, hour.dark, hour.sure_part) for hour in dark],
        after=[_used(hour, hour.lit, hour.sure_part) for hour in lit],
        coverage=(_coverage(first), _coverage(second)),
        left_out=left_out,
        unsure_intervals=sum(hour.unsure_intervals for hour in dark + lit),
        unsure_vehicles=sum(len(hour.unsure) for hour in dark + lit),
        dark_share=(_share(first, "n_dark"), _share(second, "n_dark")),
        lit_share=(_share(first, "n_lit"), _share(second, "n_lit")),
    )


# --------------------------------------------------------------------------- days


def _days_by_display(hours: Sequence[HourCount]) -> tuple[set[date], set[date]]:
    """Dark days and others; a day without a vehicle is what the days around it are, or neither."""
    states: dict[date, str | None] = {}
    for day, of_day in groupby(hours, key=lambda hour: hour.date):
        found = list(of_day)
        n_dark, n_lit = sum(hour.n_dark for hour in found), sum(hour.n_lit for hour in found)
        known = n_dark + n_lit
        states[day] = ("dark" if n_dark >= MOSTLY * known else "lit") if known else None
    filled = dict(zip(states, _filled(list(states.values())), strict=True))
    return tuple({day for day, state in filled.items() if state == name} for name in ("dark", "lit"))  # type: ignore[return-value]  # two


def _filled(states: Sequence[str | None]) -> Iterator[str | None]:
    """None becomes what the nearest known ones before and after both are."""
    behind: list[str | None] = []
    last = None
    for state in reversed(states):
        last = state or last
        behind.append(last)
    last = None
    for state, following in zip(states, reversed(behind), strict=True):
        last = state or last
        yield state or (last if last == following else None)


def _inside(day: date, ranges: Sequence[DateRange]) -> bool:
    return any(first <= day <= last for first, last in ranges)


# --------------------------------------------------------------------------- hours


def _enough(hours: Sequence[HourCount], left_out: Counter[str]) -> Iterator[HourCount]:
    for hour in hours:
        if hour.measured():
            yield hour
        elif hour.asked:
            left_out[LITTLE] += 1


def _hours_of(hours: Sequence[HourCount], wanted: str, left_out: Counter[str]) -> Iterator[HourCount]:
    """The hours of one state that were asked for. One without a vehicle is dark on a dark day, lit between
    lit hours.
    """
    measured = list(_enough(hours, left_out))
    states = list(_filled([_state(hour) for hour in measured]))
    for hour, state in zip(measured, states, strict=True):
        if not hour.asked:
            continue
        if hour.unsure_share > MOST_UNSURE:
            left_out[UNSURE] += 1
        elif state == wanted or (state is None and wanted == "dark"):
            yield hour
        elif state is None:
            left_out[EMPTY] += 1
        else:
            left_out[PLANNED if state == "dark" else SWITCHED] += 1


def _state(hour: HourCount) -> str | None:
    """Of its intervals with vehicles; an hour of unsure ones alone says as little as an empty one."""
    if hour.dark and hour.lit:
        return "switched"
    return "dark" if hour.dark else "lit" if hour.lit else None


def _used(hour: HourCount, speeds: str, part: float = 1.0) -> UsedHour:
    return UsedHour(hour.start_utc, hour.date, hour.slot, lanes_of(speeds), len(speeds), part)


# --------------------------------------------------------------------------- shares


def _coverage(hours: Sequence[HourCount]) -> float:
    asked = [hour for hour in hours if hour.asked]
    duration_s = sum(hour.duration_s for hour in asked)
    return min(sum(hour.measured_s for hour in asked) / duration_s, 1.0) if duration_s > 0 else 0.0


def _share(hours: Sequence[HourCount], attribute: str) -> float | None:
    n = sum(len(hour.speeds) for hour in hours)
    return sum(getattr(hour, attribute) for hour in hours) / n if n else None
