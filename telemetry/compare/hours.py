"""Each clock hour of the direction that the sign shows: who passed, and what the sign was doing.

An interval (a quarter of an hour) is dark when every vehicle in it passed a dark sign, and lit when none
did and the panel was under control. Vehicles that were shown nothing by a working panel belong to the lit
time: to leave them out would choose by speed. Intervals with a fault, or with both, are unsure; one in which
nobody passed is unsure between two with a fault: what is left out must not depend on the traffic.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from speedsign.model import Direction, DisplayState
from telemetry.local_time import HOUR
from telemetry.period import ENOUGH, Hour, Part, Period
from telemetry.query import BOTH

Slot = tuple[int, int]  # weekday (0 Monday), hour: an hour of the week
DARK = frozenset({DisplayState.DARK.value})
LIT = frozenset({DisplayState.SHOWN.value, DisplayState.WORD.value, DisplayState.BLANK.value})
MOST_UNSURE = 0.25  # of an hour's intervals: with more of them none of the hour is used
_HOUR_S = int(HOUR.total_seconds())
_QUARTER_S = 900  # where no interval says how long it is
_FAULT, _MIXED = "fault", "mixed"


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
    asked: bool = True  # for by --between and --days; the others only tell what its day was

    @property
    def speeds(self) -> str:
        """Of all vehicles."""
        return self.dark + self.lit + self.unsure

    @property
    def sure_part(self) -> float:
        """Of the time measured, 0 to 1, without the unsure intervals. They are taken as measured as a whole:
        of an hour that has a gap, the gap is taken to lie in the others.
        """
        unsure_s = min(self.unsure_share * _HOUR_S, self.measured_s)
        return 1 - unsure_s / self.measured_s if self.measured_s > 0 else 0.0

    def measured(self) -> bool:
        """Whether it is whole, and enough of it was measured."""
        coverage = self.measured_s / self.duration_s if self.duration_s > 0 else 0.0
        return self.whole and coverage >= ENOUGH


def hour_counts(
    periods: Iterable[Period], direction: str, asked: Callable[[Hour], bool] | None = None
) -> list[HourCount]:
    """Every clock hour of the periods by time; `direction` is approaching, receding or both.

    An hour in which one installation ended and the next one began is put together from both. `asked` marks
    the hours that are to be compared; None: all.
    """
    merged: dict[datetime, Hour] = {}
    for period in periods:
        for hour in period.hours:
            other = merged.get(hour.start_utc)
            merged[hour.start_utc] = hour if other is None else _together(other, hour)
    # Vehicles of no known direction may be shown or not: they belong to neither side.
    wanted: Collection[str] = (
        (Direction.APPROACHING.value, Direction.RECEDING.value) if direction == BOTH else (direction,)
    )
    hours = [hour for _, hour in sorted(merged.items())]
    states = _without_gaps([_states(hour, wanted) for hour in hours])
    return [
        _count(hour, wanted, of_hour, asked is None or asked(hour))
        for hour, of_hour in zip(hours, states, strict=True)
    ]


def shown_directions(periods: Iterable[Period]) -> list[str]:
    """The directions of which a vehicle was shown something."""
    parts = (part for period in periods for part in period.parts())
    faces = {DisplayState.SHOWN.value, DisplayState.WORD.value}
    return sorted({part.direction for part in parts if part.display in faces})


def _together(one: Hour, other: Hour) -> Hour:
    duration_s = min(one.duration_s + other.duration_s, float(_HOUR_S))
    return Hour(
        one.start_utc,
        one.local,
        duration_s,
        one.measured_s + other.measured_s,
        parts=[*one.parts, *other.parts],
        longest_s=max(one.longest_s, other.longest_s),
    )


# --------------------------------------------------------------------------- intervals


def _interval_s(hour: Hour) -> int:
    """All lengths divide an hour; one that was cut by a change of the installation is part of a whole one."""
    return min(hour.longest_s or _QUARTER_S, _HOUR_S)


def _place(part: Part, hour: Hour) -> int:
    """Which interval of its hour, from 0."""
    return int(part.start_s - hour.start_utc.timestamp()) // _interval_s(hour)


def _states(hour: Hour, wanted: Collection[str]) -> list[str | None]:
    """Of each of its intervals; None: nobody passed, so nothing is known."""
    own: dict[int, set[str]] = {}
    others: dict[int, set[str]] = {}
    for part in hour.parts:
        if part.speeds:
            displays = own if part.direction in wanted else others
            displays.setdefault(_place(part, hour), set()).add(part.display)
    fault = DisplayState.FAULT.value  # of the panel: who drives the other way tells of it too
    return [
        _state(own[at]) if at in own else _FAULT if fault in others.get(at, ()) else None
        for at in range(_HOUR_S // _interval_s(hour))
    ]


def _state(displays: set[str]) -> str:
    if displays <= DARK:
        return "dark"
    if displays <= LIT:
        return "lit"
    return _FAULT if DisplayState.FAULT.value in displays else _MIXED


def _without_gaps(hours: Sequence[Sequence[str | None]]) -> list[list[str | None]]:
    """An unknown interval becomes a fault where the nearest known ones before and after both are."""
    behind: list[list[bool]] = []
    faulty = False
    for states in reversed(hours):
        row = []
        for state in reversed(states):
            faulty = faulty if state is None else state == _FAULT
            row.append(faulty)
        behind.append(row[::-1])
    found = []
    faulty = False
    for states, following in zip(hours, reversed(behind), strict=True):
        filled = []
        for state, then in zip(states, following, strict=True):
            faulty = faulty if state is None else state == _FAULT
            filled.append(_FAULT if state is None and faulty and then else state)
        found.append(filled)
    return found


def _count(hour: Hour, wanted: Collection[str], states: Sequence[str | None], asked: bool) -> HourCount:
    parts = [part for part in hour.parts if part.direction in wanted and part.speeds]
    speeds: dict[str, list[str]] = {"dark": [], "lit": [], "unsure": []}
    for part in parts:
        state = states[_place(part, hour)]
        speeds[state if state in speeds else "unsure"].append(part.speeds)
    unsure = sum(state in (_FAULT, _MIXED) for state in states)
    return HourCount(
        hour.start_utc,
        hour.local.date(),
        (hour.local.weekday(), hour.local.hour),
        hour.duration_s,
        hour.measured_s,
        hour.whole,
        **{state: "".join(found) for state, found in speeds.items()},
        unsure_intervals=unsure,
        unsure_share=unsure / len(states),
        n_dark=_vehicles(parts, DARK),
        n_lit=_vehicles(parts, LIT),
        asked=asked,
    )


def _vehicles(parts: Sequence[Part], displays: Collection[str]) -> int:
    return sum(len(part.speeds) for part in parts if part.display in displays)
