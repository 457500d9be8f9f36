"""What was counted in a period under one installation, by local clock hour: the base of every statistic.

Vehicles of an interval whose clock nobody vouches for are `undated`: they count in totals and speeds, and in
no hour or day. Those that were dated later, after the clock was set, are as good as any, and counted.
Nothing here is a mean or a percentile: those are made from counts that were merged first.
"""

from __future__ import annotations

import contextlib
import gc
import math
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import chain, groupby
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from speedsign.model import ClockQuality, Direction, DisplayState
from telemetry.local_time import HOUR, hours_of_day, local_hours
from telemetry.query import BOTH, Source, Standing, reading
from telemetry.rows import to_ms, unpacked
from telemetry.undated import Between, between

HOUR_S = 3600.0
ENOUGH = 0.75  # of an hour measured: less is marked and left out of means (as Berlin's open data does)


class Part(NamedTuple):
    """The vehicles of one interval, direction and display state; speeds as telemetry.rows packs them."""

    start_s: int  # since 1970, UTC
    direction: str
    display: str
    speeds: str
    suspects: str


@dataclass(slots=True)
class Hour:
    """A local clock hour, or what of it lies in the period."""

    start_utc: datetime  # of the clock hour
    local: datetime  # the same at the sign; `fold` is 1 in the second of two equal hours
    duration_s: float  # inside the period
    measured_s: float = 0.0
    undated_s: float = 0.0  # measured while nobody vouched for the clock: perhaps in this hour
    parts: list[Part] = field(default_factory=list)
    longest_s: int = 0  # of its intervals; 0: there is none
    scaled: int = 0  # vehicles whose speed could only be scaled when the angle was corrected
    corrected: int = 0  # vehicles of intervals in which some were dated only after the clock was set
    stepped: int = 0  # intervals in which the clock was set by more than a second

    @property
    def coverage(self) -> float:
        """Measured seconds over seconds, 0 to 1."""
        return min(self.measured_s / self.duration_s, 1.0) if self.duration_s > 0 else 0.0

    @property
    def enough(self) -> bool:
        """Whether so much of it was measured that it may stand in a mean."""
        return self.duration_s > 0 and self.measured_s >= ENOUGH * self.duration_s

    @property
    def clock_unsure(self) -> bool:
        """Whether it was measured, but not surely then: no gap, and in no mean either."""
        return not self.enough and self.measured_s + self.undated_s >= ENOUGH * self.duration_s > 0

    @property
    def whole(self) -> bool:
        """Whether all of the clock hour lies in the period."""
        return self.duration_s >= HOUR_S

    def n(self, direction: str = BOTH) -> int:
        """Vehicles."""
        if direction == BOTH:
            return sum([len(part.speeds) for part in self.parts])
        return sum([len(part.speeds) for part in self.parts if part.direction == direction])


@dataclass(frozen=True, slots=True)
class Day:
    """A local day, or what of it lies in the period."""

    date: date
    hours: Sequence[Hour]
    whole: bool  # all of its 23, 24 or 25 hours lie in the period

    @property
    def complete(self) -> bool:
        """Whether it may stand in a daily mean: whole, and enough measured in every hour."""
        return self.whole and all(hour.enough for hour in self.hours)

    @property
    def coverage(self) -> float:
        return coverage_of(self.hours)

    def n(self, direction: str = BOTH) -> int:
        return sum(hour.n(direction) for hour in self.hours)


@dataclass(frozen=True, slots=True)
class Period:
    """One installation from `from_utc` to `to_utc`; `hours` has every clock hour, measured or not."""

    standing: Standing
    from_utc: datetime
    to_utc: datetime
    hours: Sequence[Hour]
    undated: Sequence[Part] = ()
    undated_measured_s: float = 0.0
    scaled: int = 0  # vehicles whose speed could only be scaled when the angle was corrected
    narrowed: bool = False  # hours were left out on purpose (`only`)
    between: Sequence[Between] = ()  # known times that what is undated lies between
    ever: bool = False  # all of the installation: what is undated is in it, whatever time it was given

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.standing.facts.timezone)

    @property
    def measured_s(self) -> float:
        """Undated seconds lie where nothing else was measured: there are never more of them than that."""
        dated_s = sum(hour.measured_s for hour in self.hours)
        room_s = sum(hour.duration_s for hour in self.hours) - dated_s
        return dated_s + max(min(self.undated_measured_s, room_s), 0.0)

    @property
    def coverage(self) -> float:
        """Measured seconds over the seconds of the period's hours, 0 to 1; undated ones included."""
        return coverage_of(self.hours, self.undated_measured_s)

    def parts(self, hours: Iterable[Hour] | None = None) -> Iterator[Part]:
        """Of these hours; without, of all, undated ones too."""
        dated = chain.from_iterable([hour.parts for hour in (self.hours if hours is None else hours)])
        return chain(dated, self.undated) if hours is None else dated

    def counts(
        self,
        direction: str = BOTH,
        *,
        displays: Collection[str] | None = None,
        hours: Iterable[Hour] | None = None,
    ) -> dict[int, int]:
        """{integer km/h: vehicles}, merged exactly; of all display states and hours, or of these."""
        return unpacked(
            "".join(
                [
                    part.speeds
                    for part in self.parts(hours)
                    if (direction == BOTH or part.direction == direction)
                    and (displays is None or part.display in displays)
                ]
            )
        )

    def suspects(self, direction: str = BOTH, hours: Iterable[Hour] | None = None) -> dict[int, int]:
        """Those of `counts` that a flag of the tracker is against."""
        return unpacked(
            "".join(
                [
                    part.suspects
                    for part in self.parts(hours)
                    if direction == BOTH or part.direction == direction
                ]
            )
        )

    def n(self, direction: str = BOTH) -> int:
        return sum([len(part.speeds) for part in self.parts() if direction in (BOTH, part.direction)])

    def directions(self) -> list[str]:
        """Approaching and receding always, unknown where there was any."""
        unknown = "unknown" in {part.direction for part in self.parts()}
        return ["approaching", "receding", *(["unknown"] if unknown else [])]

    def days(self) -> list[Day]:
        """Every local day that has a part in the period, by date."""
        return list(_days(self.hours, self.zone))

    def only(self, wanted: Callable[[Hour], bool]) -> Period:
        """Nothing but these hours, and nothing undated: who asks for hours trusts the clock."""
        hours = [hour for hour in self.hours if wanted(hour)]
        scaled = sum(hour.scaled for hour in hours)
        return replace(
            self,
            hours=hours,
            undated=(),
            undated_measured_s=0.0,
            between=(),
            ever=False,
            scaled=scaled,
            narrowed=True,
        )


def coverage_of(hours: Sequence[Hour], more_s: float = 0.0) -> float:
    """Measured seconds over seconds, 0 to 1."""
    duration_s = sum(hour.duration_s for hour in hours)
    measured_s = sum(hour.measured_s for hour in hours) + more_s
    return min(measured_s / duration_s, 1.0) if duration_s > 0 else 0.0


def _days(hours: Sequence[Hour], zone: ZoneInfo) -> Iterator[Day]:
    for day, found in groupby(hours, key=lambda hour: hour.local.date()):
        of_day = list(found)
        whole = len(of_day) == hours_of_day(day, zone) and all(hour.whole for hour in of_day)
        yield Day(day, of_day, whole)


def read_period(
    source: Source, standing: Standing, from_utc: datetime, to_utc: datetime, *, ever: bool = False
) -> Period:
    """The intervals of one installation that start in [from, to), open ones included.

    `ever`: that is all of it, so what is undated belongs there, whatever its clock said. Blocking; a year
    of a busy sign is some hundred thousand rows. Raises StoreError.
    """
    bounds = (standing.id, -(-to_ms(from_utc) // 1000), -(-to_ms(to_utc) // 1000))
    with _no_collector(), reading(source) as db:
        cursor = db.cursor()
        cursor.row_factory = None
        clock = _Clock(_empty_hours(from_utc, to_utc, ZoneInfo(standing.facts.timezone)))
        if not clock.hours:
            return Period(standing, from_utc, to_utc, ())
        undated_s, special = _read_measured(cursor, bounds, clock)
        _read_parts(cursor, bounds, clock)
        undated, scaled = _read_special(cursor, bounds, clock) if special else ([], 0)
        if ever:
            more_s, more_scaled = _read_outside(cursor, bounds, undated)
            undated_s, scaled = undated_s + more_s, scaled + more_scaled
        where, of_where = (_EVER, bounds[:1]) if ever else (_WHERE, bounds)
        known = between(cursor, standing, where, of_where) if undated else ()
    return Period(
        standing,
        from_utc,
        to_utc,
        clock.hours,
        tuple(undated),
        undated_s,
        scaled,
        between=known,
        ever=ever,
    )


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """Some hundred thousand tuples are made and kept: looking for garbage among them takes longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Clock:
    """Finds the hour of a moment; quick where moments come in order."""

    def __init__(self, hours: list[Hour]) -> None:
        self.hours = hours
        self._starts = [int(hour.start_utc.timestamp()) for hour in hours]
        self._ends = [*self._starts[1:], math.inf]

    def at(self, start_s: int) -> tuple[Hour, float]:
        """The hour, and the second at which the next one begins."""
        place = bisect_right(self._starts, start_s) - 1
        return self.hours[place], self._ends[place]


_EVER = "installation_id = ?"
_WHERE = "installation_id = ? AND start_s >= ? AND start_s < ?"
_CELLS = f"FROM interval JOIN cell ON interval_id = interval.id WHERE {_WHERE}"
_SPECIAL = "(clock != 'ok' OR scaled)"


def _read_measured(cursor: sqlite3.Cursor, bounds: tuple[int, ...], clock: _Clock) -> tuple[float, bool]:
    """Fill in measured time; the seconds that are undated, and whether `_read_special` has anything to do."""
    undated_s, special = 0.0, False
    rows = cursor.execute(
        f"SELECT start_s, duration_s, measured_s, clock = 'unknown', {_SPECIAL}, stepped"  # noqa: S608  ours
        f" FROM interval WHERE {_WHERE} ORDER BY start_s",
        bounds,
    )
    hour, until = clock.hours[0], -math.inf
    for start_s, duration_s, measured_s, is_undated, is_special, stepped in rows:
        if is_special:
            special = True
        if start_s >= until:
            hour, until = clock.at(start_s)
        if is_undated:
            undated_s += measured_s
            hour.undated_s += measured_s
            continue
        hour.measured_s += measured_s
        hour.stepped += stepped
        if duration_s > hour.longest_s:
            hour.longest_s = duration_s
    return undated_s, special


def _read_parts(cursor: sqlite3.Cursor, bounds: tuple[int, ...], clock: _Clock) -> None:
    """Fill in what most intervals hold: vehicles with a time and with the speed that was measured.

    A number for the two names is read in less time and kept in less memory than two texts a row.
    """
    rows = cursor.execute(
        f"SELECT start_s, unicode(direction) << 8 | unicode(display), speeds, suspects {_CELLS}"
        f" AND NOT {_SPECIAL} ORDER BY start_s",
        bounds,
    )
    make = tuple.__new__  # Part(...) without the detour by names
    parts, until = clock.hours[0].parts, -math.inf
    for start_s, code, speeds, suspects in rows:
        if start_s >= until:
            hour, until = clock.at(start_s)
            parts = hour.parts
        direction, display = _NAMES[code]
        parts.append(make(Part, (start_s, direction, display, speeds, suspects)))


class _Names(dict[int, tuple[str, str]]):
    """Direction and display state by the first letters of both."""

    def __missing__(self, code: int) -> tuple[str, str]:
        raise ValueError(f"a direction or display state that begin with {chr(code >> 8)}, {chr(code & 255)}")


_NAMES = _Names(
    (ord(direction.value[0]) << 8 | ord(display.value[0]), (direction.value, display.value))
    for direction in Direction
    for display in DisplayState
)


def _read_special(cursor: sqlite3.Cursor, bounds: tuple[int, ...], clock: _Clock) -> tuple[list[Part], int]:
    """Fill in the rest; what is undated, and how many vehicles' speeds were scaled."""
    rows = cursor.execute(
        f"SELECT clock, scaled, start_s, direction, display, speeds, suspects {_CELLS}"
        f" AND {_SPECIAL} ORDER BY start_s",
        bounds,
    )
    undated, scaled = [], 0
    for quality, is_scaled, *row in rows:
        part = Part(*row)
        n = len(part.speeds)
        scaled += n if is_scaled else 0
        if quality == ClockQuality.UNKNOWN:
            undated.append(part)
            continue
        hour, _ = clock.at(part.start_s)
        hour.parts.append(part)
        hour.parts.sort(key=attrgetter("start_s"))  # such an interval can lie before others of its hour
        hour.scaled += n if is_scaled else 0
        hour.corrected += n if quality == ClockQuality.CORRECTED else 0
    return undated, scaled


OUTSIDE = "installation_id = ? AND clock = 'unknown' AND (start_s < ? OR start_s >= ?)"


def _read_outside(cursor: sqlite3.Cursor, bounds: tuple[int, ...], undated: list[Part]) -> tuple[float, int]:
    """Add what is undated and lies before or after; the seconds measured, and vehicles scaled."""
    (measured_s,) = cursor.execute(
        f"SELECT total(measured_s) FROM interval WHERE {OUTSIDE}",  # noqa: S608  ours
        bounds,
    ).fetchone()
    rows = cursor.execute(
        "SELECT scaled, start_s, direction, display, speeds, suspects"  # noqa: S608  ours
        f" FROM interval JOIN cell ON interval_id = interval.id WHERE {OUTSIDE} ORDER BY start_s",
        bounds,
    )
    found = [(is_scaled, Part(*row)) for is_scaled, *row in rows]
    undated += [part for _, part in found]
    return measured_s, sum(len(part.speeds) for is_scaled, part in found if is_scaled)


def _empty_hours(from_utc: datetime, to_utc: datetime, zone: ZoneInfo) -> list[Hour]:
    hours = [Hour(start, start.astimezone(zone), HOUR_S) for start in local_hours(from_utc, to_utc, zone)]
    for hour in (hours[0], hours[-1]) if hours else ():  # the others lie inside as a whole
        inside: timedelta = min(hour.start_utc + HOUR, to_utc) - max(hour.start_utc, from_utc)
        hour.duration_s = inside.total_seconds()
    return hours
