"""Hours of made-up roads: periods without a database."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from speedsign.model import Installation
from telemetry.compare.split import UsedHour
from telemetry.local_time import HOUR, day_start, local_hours
from telemetry.period import Hour, Part, Period
from telemetry.query import Standing
from telemetry.rows import packed

RIGA = ZoneInfo("Europe/Riga")
MONDAY = date(2026, 5, 4)
SITE = Standing(
    1,
    datetime(2026, 1, 1, tzinfo=UTC),
    Installation("Bauska, Rīgas iela", 50, 0.0, "ops243", "Europe/Riga"),
    sign="test-sign",
)
# (start of the quarter, local) -> [(direction, display, speeds)]
Traffic = Callable[[datetime], Sequence[tuple[str, str, Sequence[int]]]]


def text(speeds: Sequence[int]) -> str:
    """As a cell has them."""
    return packed({speed: list(speeds).count(speed) for speed in set(speeds)})


def period(
    days: int, traffic: Traffic, *, first: date = MONDAY, measured: Callable[[datetime], float] | None = None
) -> Period:
    """So many local days from `first`; `measured` gives the seconds of each local quarter, else all 900."""
    start, end = day_start(first, RIGA), day_start(first + timedelta(days=days), RIGA)
    hours = []
    for at in local_hours(start, end, RIGA):
        hour = Hour(at, at.astimezone(RIGA), 3600.0)
        for quarter in range(4):
            moment = at + timedelta(minutes=15 * quarter)
            local = moment.astimezone(RIGA)
            hour.measured_s += 900.0 if measured is None else measured(local)
            for direction, display, speeds in traffic(local):
                if speeds:
                    start_s = int(moment.timestamp())
                    hour.parts.append(Part(start_s, direction, display, text(speeds), ""))
        hours.append(hour)
    return Period(SITE, start, end, hours)


def coming(display: str, *speeds: int) -> list[tuple[str, str, Sequence[int]]]:
    return [("approaching", display, speeds)]


def study(dark_days: Sequence[int], speeds: Callable[[datetime, bool], Sequence[int]]) -> Traffic:
    """Dark on these days after MONDAY, lit else; `speeds` of a quarter and whether it is lit."""

    def traffic(local: datetime) -> Sequence[tuple[str, str, Sequence[int]]]:
        lit = (local.date() - MONDAY).days not in dark_days
        return coming("shown" if lit else "dark", *speeds(local, lit))

    return traffic


def used(
    day: date, hour: int, speeds: Sequence[int], *, minutes: int = 0, slot: tuple[int, int] | None = None
) -> UsedHour:
    """An hour of a side."""
    lanes = sum(1 << (64 * speed) for speed in speeds)
    moment = datetime(day.year, day.month, day.day, hour, minutes, tzinfo=UTC)
    return UsedHour(moment, day, slot or (day.weekday(), hour), lanes, len(speeds))


def random_side(
    seed: int,
    days: int,
    *,
    start: int = 0,
    mean_kmh: float = 50.0,
    day_sd_kmh: float = 0.5,
    a_day: int = 120,
    hours: Sequence[int] = (8, 12, 17),
    shifts: Sequence[float] = (),
) -> list[UsedHour]:
    """Normal speeds; each day has its own shift, or those that are given."""
    rng = random.Random(seed)
    found = []
    for at in range(days):
        shift = shifts[at] if shifts else rng.gauss(0, day_sd_kmh)
        day = MONDAY + timedelta(days=start + at)
        for hour in hours:
            speeds = [max(round(rng.gauss(mean_kmh + shift, 8)), 0) for _ in range(a_day // len(hours))]
            found.append(used(day, hour, speeds))
    return found


__all__ = ["HOUR", "MONDAY", "RIGA", "SITE", "coming", "period", "random_side", "study", "text", "used"]
