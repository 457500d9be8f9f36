"""Each clock hour of the direction that the sign shows: who passed, and what the sign was doing.

An interval (a quarter of an hour) is dark when every vehicle in it passed a dark sign, and lit when none
did and the panel was under control. Vehicles that were shown nothing by a working panel belong to the lit
time: to leave them out would choose by speed. Intervals with a fault, or with both, are unsure.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from speedsign.model import Direction, DisplayState
from telemetry.local_time import HOUR
from telemetry.period import ENOUGH, Hour, Part, Period
from telemetry.query import BOTH

Slot = tuple[int, int]  # weekday (0 Monday), hour: an hour of the week
DARK = frozenset({DisplayState.DARK.value})
LIT = frozenset({DisplayState.SHOWN.value, DisplayState.WORD.value, DisplayState.BLANK.value})
_HOUR_S = int(HOUR.total_seconds())


@dataclass(frozen=True, slots=True)
class HourCount:
    """The vehicles of a clock hour, apart by what the sign was doing; speeds as telemetry.rows packs them."""

    start_utc: datetime
    date: date  # local
    slot: Slot
    duration_s: float
    measured_s: float
    whole: bool
    dark: str  # of dark intervals
    lit: str
    unsure: str
    unsure_intervals: int = 0
    unsure_share: float = 0.0  # of the hour, in intervals that are unsure
    n_dark: int = 0  # vehicles, one by one
    n_lit: int = 0

    @property
    def speeds(self) -> str:
        """Of all vehicles."""
        return self.dark + self.lit + self.unsure

    def measured(self, less_share: float = 0.0) -> bool:
        """Whether it is whole, and enough of it was measured when that share is taken off."""
        coverage = self.measured_s / self.duration_s if self.duration_s > 0 else 0.0
        return self.whole and coverage - less_share >= ENOUGH


def hour_counts(periods: Iterable[Period], direction: str) -> list[HourCount]:
    """Every clock hour of the periods by time; `direction` is approaching, receding or both.

    An hour in which one installation ended and the next one began is put together from both.
    """
    merged: dict[datetime, Hour] = {}
    starts: set[int] = set()
    for period in periods:
        starts.update(part.start_s for part in period.parts())
        for hour in period.hours:
            other = merged.get(hour.start_utc)
            merged[hour.start_utc] = hour if other is None else _together(other, hour)
    interval_s = math.gcd(_HOUR_S, *starts)  # all lengths of intervals divide an hour
    return [_count(hour, direction, interval_s) for _, hour in sorted(merged.items())]


def shown_directions(periods: Iterable[Period]) -> list[str]:
    """The directions of which a vehicle was shown something."""
    parts = (part for period in periods for part in period.parts())
    faces = {DisplayState.SHOWN.value, DisplayState.WORD.value}
    return sorted({part.direction for part in parts if part.display in faces})


def _together(one: Hour, other: Hour) -> Hour:
    duration_s = min(one.duration_s + other.duration_s, float(_HOUR_S))
    measured_s = one.measured_s + other.measured_s
    return Hour(one.start_utc, one.local, duration_s, measured_s, [*one.parts, *other.parts])


def _count(hour: Hour, direction: str, interval_s: int) -> HourCount:
    # Vehicles of no known direction may be shown or not: they belong to neither side.
    wanted: Collection[str] = (
        (Direction.APPROACHING.value, Direction.RECEDING.value) if direction == BOTH else (direction,)
    )
    parts = [part for part in hour.parts if part.direction in wanted and part.speeds]
    states: dict[str, list[str]] = {"dark": [], "lit": [], "unsure": []}
    unsure = 0
    for _, of_interval in groupby(sorted(parts, key=_start), key=_start):
        together = list(of_interval)
        state = _state({part.display for part in together})
        states[state] += [part.speeds for part in together]
        unsure += state == "unsure"
    return HourCount(
        hour.start_utc,
        hour.local.date(),
        (hour.local.weekday(), hour.local.hour),
        hour.duration_s,
        hour.measured_s,
        hour.whole,
        **{state: "".join(speeds) for state, speeds in states.items()},
        unsure_intervals=unsure,
        unsure_share=unsure * interval_s / _HOUR_S,
        n_dark=_vehicles(parts, DARK),
        n_lit=_vehicles(parts, LIT),
    )


def _start(part: Part) -> int:
    return part.start_s


def _state(displays: set[str]) -> str:
    if displays <= DARK:
        return "dark"
    return "lit" if displays <= LIT else "unsure"


def _vehicles(parts: Sequence[Part], displays: Collection[str]) -> int:
    return sum(len(part.speeds) for part in parts if part.display in displays)
