"""Entry against exit speed: how much vehicles slow down while they pass the sign, lit and dark.

Only of single vehicles that are still kept; older ones are deleted (store.keep_vehicles_days).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import fmean, variance
from typing import NamedTuple

from speedsign.model import SUSPECT
from telemetry.compare.bootstrap import MANY_ENOUGH, Spread, draws, half_ranges, strata
from telemetry.compare.sides import FEWEST_DAYS, FEWEST_VEHICLES, Draws
from telemetry.compare.split import UsedHour
from telemetry.local_time import HOUR
from telemetry.query import BOTH, Source, reading
from telemetry.rows import from_ms, to_ms


class Passage(NamedTuple):
    """One kept vehicle that no flag is against."""

    at_utc: datetime  # last seen: decides its hour
    display: str
    drop_kmh: float  # entry less exit


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
) -> list[Passage]:
    """Kept vehicles last seen in [from, to); blocking. Raises StoreError.

    Imported ones that came with one speed only (no readings, entry and exit the same) say nothing here.
    """
    marks = ", ".join("?" * len(installation_ids))
    with reading(source) as db:
        rows = db.execute(
            "SELECT last_ms, display, entry_kmh - exit_kmh, flags, direction FROM vehicle"  # noqa: S608  ours
            f" WHERE last_ms >= ? AND last_ms < ? AND clock != 'unknown' AND installation_id IN ({marks})"
            " AND (readings > 0 OR entry_kmh != exit_kmh)",
            (to_ms(from_utc), to_ms(to_utc), *installation_ids),
        )
        wanted = ("approaching", "receding") if direction == BOTH else (direction,)
        return [
            Passage(from_ms(at_ms), display, drop_kmh)
            for at_ms, display, drop_kmh, flags, way in rows
            if way in wanted and not any(f'"{flag}"' in flags for flag in SUSPECT)
        ]


def drop_change(
    passages: Iterable[Passage],
    sides: tuple[Sequence[UsedHour], Sequence[UsedHour]],
    displays: tuple[Collection[str] | None, Collection[str] | None],
    drawing: Draws,
) -> DropChange | None:
    """Of the vehicles in each side's hours under these display states (None: any); None where a side has
    none.
    """
    found = list(passages)
    before, after = (_by_day(found, side, shown) for side, shown in zip(sides, displays, strict=True))
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


def _by_day(
    passages: Sequence[Passage], side: Sequence[UsedHour], displays: Collection[str] | None
) -> dict[date, list[float]]:
    """Drops by local day."""
    hours = sorted(side, key=lambda hour: hour.start_utc)
    starts = [hour.start_utc for hour in hours]
    found: dict[date, list[float]] = defaultdict(list)
    for at_utc, display, drop_kmh in passages:
        at = bisect_right(starts, at_utc) - 1
        if at >= 0 and at_utc < starts[at] + HOUR and (displays is None or display in displays):
            found[hours[at].date].append(drop_kmh)
    return dict(found)


def _drop(by_day: Mapping[date, Sequence[float]]) -> Drop:
    every = [drop for drops in by_day.values() for drop in drops]
    return Drop(len(every), tuple(sorted(by_day)), fmean(every))


def _spread(name: str, by_day: Mapping[date, Sequence[float]], drawing: Draws) -> Spread:
    found = strata({day: (math.fsum(drops), len(drops)) for day, drops in by_day.items()})
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
