"""Entry against exit speed: how much vehicles slow down while they pass the sign, lit and dark.

Only of single vehicles that are still kept; older ones are deleted (store.keep_vehicles_days).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import variance
from typing import NamedTuple

from speedsign.model import SUSPECT
from telemetry.compare.bootstrap import MANY_ENOUGH, Spread, draws, half_ranges, strata
from telemetry.compare.sides import FEWEST_DAYS, FEWEST_VEHICLES, Draws
from telemetry.compare.split import UsedHour
from telemetry.local_time import HOUR
from telemetry.query import BOTH, Source, reading
from telemetry.rows import from_ms, to_ms

_QUARTER_MS = 900_000  # hours of every time zone begin with a quarter of an hour


class Passage(NamedTuple):
    """Kept vehicles of one quarter of an hour that no flag is against."""

    at_utc: datetime  # in the quarter in which they were last seen
    display: str
    drop_kmh: float | None  # entry less exit, added up; None: they were imported with one speed alone
    n: int = 1


@dataclass(slots=True)
class DaySum:
    """Of the vehicles of one day: a year of single ones is not kept in memory."""

    n: int = 0
    total_kmh: float = 0.0


@dataclass(frozen=True, slots=True)
class Passed:
    """Of both sides: what their days add up to, and how many vehicles had one speed alone."""

    days: tuple[dict[date, DaySum], dict[date, DaySum]]
    one_speed: tuple[int, int]

    @property
    def not_known(self) -> bool:
        """Whether vehicles of both times are kept, but nothing of how they slowed down."""
        kept = [bool(days or bare) for days, bare in zip(self.days, self.one_speed, strict=True)]
        return all(kept) and not all(self.days)


@dataclass(frozen=True, slots=True)
class Drop:
    """Of one side: mean of entry less exit speed."""

    n: int
    dates: tuple[date, ...]
    mean_kmh: float


@dataclass(frozen=True, slots=True)
class DropChange:
    """How much more (above 0) vehicles slowed down in the second time; no range with few days or vehicles."""

    before: Drop
    after: Drop
    difference_kmh: float
    low_kmh: float | None = None
    high_kmh: float | None = None


def read_passages(
    source: Source, installation_ids: Collection[int], from_utc: datetime, to_utc: datetime, direction: str
) -> Iterator[Passage]:
    """Kept vehicles last seen in [from, to), by quarter and display state; blocking. Raises StoreError.

    Of imported ones that came with one speed only (no readings, entry and exit the same) the drop is None.
    The database adds them up: a year of single vehicles is some millions.
    """
    wanted = ("approaching", "receding") if direction == BOTH else (direction,)
    known = "(readings > 0 OR entry_kmh != exit_kmh)"
    with reading(source) as db:
        rows = db.execute(
            f"SELECT last_ms / {_QUARTER_MS}, display, {known},"  # noqa: S608  ours
            " total(entry_kmh - exit_kmh), count(*) FROM vehicle"
            " WHERE last_ms >= ? AND last_ms < ? AND clock != 'unknown'"
            f" AND installation_id IN ({_marks(installation_ids)}) AND direction IN ({_marks(wanted)})"
            + "".join(" AND instr(flags, ?) = 0" for _ in SUSPECT)
            + " GROUP BY 1, 2, 3",
            (
                *(to_ms(from_utc), to_ms(to_utc), *installation_ids, *wanted),
                *(f'"{flag}"' for flag in SUSPECT),
            ),
        )
        for quarter, display, is_known, drop_kmh, n in rows:
            yield Passage(from_ms(quarter * _QUARTER_MS), display, drop_kmh if is_known else None, n)


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def add_up(
    passages: Iterable[Passage],
    sides: tuple[Sequence[UsedHour], Sequence[UsedHour]],
    displays: tuple[Collection[str] | None, Collection[str] | None],
) -> Passed:
    """The vehicles in each side's hours under these display states (None: any), by local day."""
    hours = sorted((hour.start_utc, at, hour.date) for at, side in enumerate(sides) for hour in side)
    starts = [start for start, _, _ in hours]
    days: tuple[dict[date, DaySum], dict[date, DaySum]] = ({}, {})
    one_speed = [0, 0]
    for at_utc, display, drop_kmh, n in passages:
        place = bisect_right(starts, at_utc) - 1
        if place < 0 or at_utc >= starts[place] + HOUR:
            continue
        _, side, day = hours[place]
        shown = displays[side]
        if shown is not None and display not in shown:
            continue
        if drop_kmh is None:
            one_speed[side] += n
            continue
        added = days[side].setdefault(day, DaySum())
        added.n += n
        added.total_kmh += drop_kmh
    return Passed(days, (one_speed[0], one_speed[1]))


def drop_change(passed: Passed, drawing: Draws) -> DropChange | None:
    """None where a side has none."""
    before, after = passed.days
    if not before or not after:
        return None
    first, second = _drop(before), _drop(after)
    difference = second.mean_kmh - first.mean_kmh
    if min(first.n, second.n) < FEWEST_VEHICLES or min(len(before), len(after)) < FEWEST_DAYS:
        return DropChange(first, second, difference)
    half = half_ranges(_spread("before", before, drawing), _spread("after", after, drawing))[0]
    if half is None:
        return DropChange(first, second, difference)
    return DropChange(first, second, difference, difference - half, difference + half)


def _drop(by_day: Mapping[date, DaySum]) -> Drop:
    n = sum(day.n for day in by_day.values())
    return Drop(n, tuple(sorted(by_day)), sum(day.total_kmh for day in by_day.values()) / n)


def _spread(name: str, by_day: Mapping[date, DaySum], drawing: Draws) -> Spread:
    found = strata({day: (added.total_kmh, added.n) for day, added in by_day.items()})
    means = []
    for groups in draws(found, drawing.resamples, drawing.source(f"passing {name}")):
        total = n = 0.0
        for group, of_group in zip(found.groups, groups, strict=True):
            weight = len(group) / (len(group) - 1)
            total += weight * sum(pair[0] for pair in of_group)
            n += weight * sum(pair[1] for pair in of_group)
        if n:
            means.append(total / n)
    enough = len(means) >= max(MANY_ENOUGH * drawing.resamples, 2)
    return Spread((variance(means) if enough else None,), found.degrees)
