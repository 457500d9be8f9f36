"""How far the numbers of a period may be believed, counted; `telemetry.report` says it in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from telemetry.local_time import HOUR
from telemetry.period import Hour, Part, Period
from telemetry.undated import Between


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive hours that were measured less than 75 %, from first start to last end."""

    from_utc: datetime
    to_utc: datetime
    measured_s: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Of a whole period."""

    coverage: float  # 0 to 1
    measured_s: float
    assumed: bool  # imported: coverage is what the importer was told, not what a radar proved
    hours: int  # clock hours of the period, whole or cut
    hours_left_out: int  # measured less than 75 %: marked, and in no mean
    hours_undated: int  # measured, but while nobody vouched for the clock: in no mean
    days: int
    complete_days: int
    gaps: Sequence[Gap]
    undated: int  # vehicles whose time nobody vouches for: in totals, in no hour or day
    corrected: int  # vehicles of intervals in which some were dated only after the clock was set
    hours_corrected: int  # that hold such vehicles
    between: Sequence[Between]  # known times that the undated ones lie between, where that can be said
    stepped: int  # intervals in which the clock was set by more than a second
    suspect: int  # vehicles that a flag is against: counted, never the maximum
    scaled: int  # vehicles whose speed could only be scaled when the mounting angle was corrected
    no_direction: int  # vehicles of unknown direction: in "both" alone
    fault: int  # vehicles that passed while the panel was not under control; 0 where nobody knows


def quality(period: Period) -> Quality:
    """Of all directions together."""
    standing = period.standing
    odd = [  # few of some hundred thousand
        part
        for part in period.parts()
        if part.suspects or part.display == "fault" or part.direction == "unknown"
    ]
    days = period.days()
    return Quality(
        coverage=period.coverage,
        measured_s=period.measured_s,
        assumed=standing.assumed,
        hours=len(period.hours),
        hours_left_out=sum([not (hour.enough or hour.clock_unsure) for hour in period.hours]),
        hours_undated=sum([hour.clock_unsure for hour in period.hours]),
        days=len(days),
        complete_days=sum(day.complete for day in days),
        gaps=tuple(_gaps(period)),
        undated=_n(period.undated),
        corrected=sum([hour.corrected for hour in period.hours]),
        hours_corrected=sum([hour.corrected > 0 for hour in period.hours]),
        between=tuple(period.between),
        stepped=sum([hour.stepped for hour in period.hours]),
        suspect=sum([len(part.suspects) for part in odd]),
        scaled=period.scaled,
        no_direction=_n([part for part in odd if part.direction == "unknown"]),
        fault=_n([part for part in odd if part.display == "fault"]) if standing.display_known else 0,
    )


def _n(parts: Iterable[Part]) -> int:
    return sum(len(part.speeds) for part in parts)


def _gaps(period: Period) -> Iterator[Gap]:
    """Hours in a row; one that was left out on purpose ends a gap."""
    run: list[Hour] = []
    for hour in period.hours:
        missing = not (hour.enough or hour.clock_unsure)
        if run and hour.start_utc > run[-1].start_utc + HOUR:
            yield _gap(run, period)
            run = []
        if missing:
            run.append(hour)
    if run:
        yield _gap(run, period)


def _gap(run: Sequence[Hour], period: Period) -> Gap:
    """Inside the period, which may cut the first hour and the last."""
    return Gap(
        max(run[0].start_utc, period.from_utc),
        min(run[-1].start_utc + HOUR, period.to_utc),
        sum(hour.measured_s for hour in run),
    )
