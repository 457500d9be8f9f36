"""What was counted in a period under one installation, by local clock hour: the base of every statistic.

Vehicles of an interval whose clock nobody vouches for are `undated`: they count in totals and speeds, and in
no hour or day. Nothing here is a mean or a percentile: those are made from counts that were merged first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from telemetry.local_time import HOUR, hours_of_day, local_hours
from telemetry.query import BOTH, Source, Standing, reading
from telemetry.rows import to_ms, unpacked

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
    parts: list[Part] = field(default_factory=list)

    @property
    def coverage(self) -> float:
        """Measured seconds over seconds, 0 to 1."""
        return min(self.measured_s / self.duration_s, 1.0) if self.duration_s > 0 else 0.0

    @property
    def enough(self) -> bool:
        """Whether so much of it was measured that it may stand in a mean."""
        return self.coverage >= ENOUGH

    @property
    def whole(self) -> bool:
        """Whether all of the clock hour lies in the period."""
        return self.duration_s >= HOUR.total_seconds()

    def n(self, direction: str = BOTH) -> int:
        """Vehicles."""
        return sum(len(part.speeds) for part in self.parts if direction in (BOTH, part.direction))


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

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.standing.facts.timezone)

    @property
    def measured_s(self) -> float:
        return sum(hour.measured_s for hour in self.hours) + self.undated_measured_s

    @property
    def coverage(self) -> float:
        """Measured seconds over the seconds of the period's hours, 0 to 1; undated ones included."""
        return coverage_of(self.hours, self.undated_measured_s)

    def parts(self, hours: Iterable[Hour] | None = None) -> Iterator[Part]:
        """Of these hours; without, of all, undated ones too."""
        for hour in self.hours if hours is None else hours:
            yield from hour.parts
        if hours is None:
            yield from self.undated

    def counts(
        self,
        direction: str = BOTH,
        *,
        displays: Collection[str] | None = None,
        hours: Iterable[Hour] | None = None,
    ) -> dict[int, int]:
        """{integer km/h: vehicles}, merged exactly; of all display states and hours, or of these."""
        return unpacked("".join(_speeds(self.parts(hours), direction, displays)))

    def suspects(self, direction: str = BOTH, hours: Iterable[Hour] | None = None) -> dict[int, int]:
        """Those of `counts` that a flag of the tracker is against."""
        return unpacked(
            "".join(part.suspects for part in self.parts(hours) if direction in (BOTH, part.direction))
        )

    def n(self, direction: str = BOTH) -> int:
        return sum(len(part.speeds) for part in self.parts() if direction in (BOTH, part.direction))

    def directions(self) -> list[str]:
        """Approaching and receding always, unknown where there was any."""
        unknown = any(part.direction == "unknown" for part in self.parts())
        return ["approaching", "receding", *(["unknown"] if unknown else [])]

    def days(self) -> list[Day]:
        """Every local day that has a part in the period, by date."""
        return list(_days(self.hours, self.zone))

    def only(self, wanted: Callable[[Hour], bool]) -> Period:
        """Nothing but these hours, and nothing undated: who asks for hours trusts the clock."""
        hours = [hour for hour in self.hours if wanted(hour)]
        return replace(self, hours=hours, undated=(), undated_measured_s=0.0, narrowed=True)


def coverage_of(hours: Sequence[Hour], more_s: float = 0.0) -> float:
    """Measured seconds over seconds, 0 to 1."""
    duration_s = sum(hour.duration_s for hour in hours)
    measured_s = sum(hour.measured_s for hour in hours) + more_s
    return min(measured_s / duration_s, 1.0) if duration_s > 0 else 0.0


def _speeds(parts: Iterable[Part], direction: str, displays: Collection[str] | None) -> Iterator[str]:
    for part in parts:
        if direction in (BOTH, part.direction) and (displays is None or part.display in displays):
            yield part.speeds


def _days(hours: Sequence[Hour], zone: ZoneInfo) -> Iterator[Day]:
    for day, found in groupby(hours, key=lambda hour: hour.local.date()):
        of_day = list(found)
        whole = len(of_day) == hours_of_day(day, zone) and all(hour.whole for hour in of_day)
        yield Day(day, of_day, whole)


def read_period(source: Source, standing: Standing, from_utc: datetime, to_utc: datetime) -> Period:
    """The intervals of one installation that start in [from, to), open ones included.

    Blocking; a year of a busy sign is some hundred thousand rows. Raises StoreError.
    """
    hours = _empty_hours(from_utc, to_utc, ZoneInfo(standing.facts.timezone))
    starts = [int(hour.start_utc.timestamp()) for hour in hours]
    bounds = (standing.id, -(-to_ms(from_utc) // 1000), -(-to_ms(to_utc) // 1000))
    where = "installation_id = ? AND start_s >= ? AND start_s < ?"
    undated_s = 0.0
    with reading(source) as db:
        cursor = db.cursor()
        cursor.row_factory = None
        rows = cursor.execute(f"SELECT start_s, measured_s, clock FROM interval WHERE {where}", bounds)  # noqa: S608
        for start_s, measured_s, clock in rows:
            if clock == "unknown":
                undated_s += measured_s
            else:
                hours[bisect_right(starts, start_s) - 1].measured_s += measured_s
        cells = "SELECT start_s, direction, display, speeds, suspects, clock, scaled FROM interval"
        cells += f" JOIN cell ON interval_id = interval.id WHERE {where} ORDER BY start_s"
        undated, scaled = [], 0
        for start_s, direction, display, speeds, suspects, clock, is_scaled in cursor.execute(cells, bounds):
            part = Part(start_s, direction, display, speeds, suspects)
            if clock == "unknown":
                undated.append(part)
            else:
                hours[bisect_right(starts, start_s) - 1].parts.append(part)
            scaled += len(speeds) if is_scaled else 0
    return Period(standing, from_utc, to_utc, hours, tuple(undated), undated_s, scaled)


def _empty_hours(from_utc: datetime, to_utc: datetime, zone: ZoneInfo) -> list[Hour]:
    hours = []
    for start in local_hours(from_utc, to_utc, zone):
        inside: timedelta = min(start + HOUR, to_utc) - max(start, from_utc)
        hours.append(Hour(start, start.astimezone(zone), inside.total_seconds()))
    return hours
