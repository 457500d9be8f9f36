"""Clock hours and days as people at the sign count them; a day of a time change has 23 or 25 hours.

Everything is kept in UTC. The hour that the autumn change repeats comes twice, with two offsets (and `fold`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)


def local_hours(from_utc: datetime, to_utc: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The start, in UTC, of each local clock hour that has a part in [from, to)."""
    at = _hour_start(from_utc, zone)
    while at < to_utc:
        yield at
        following = _hour_start(at + HOUR, zone)
        at = following if following > at else at + HOUR


def _hour_start(moment: datetime, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    if not (local.minute or local.second or local.microsecond):
        return moment  # nearly always
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return moment - into


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins, in UTC; where midnight does not exist, its first moment."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def hours_of_day(day: date, zone: ZoneInfo) -> int:
    """23, 24 or 25.

    >>> hours_of_day(date(2026, 3, 29), ZoneInfo("Europe/Riga"))
    23
    """
    length = day_start(day + timedelta(days=1), zone) - day_start(day, zone)
    return round(length / HOUR)


def iso_local(moment: datetime, zone: ZoneInfo) -> str:
    """ISO 8601 with the offset of that moment, so that a repeated hour is told apart."""
    return moment.astimezone(zone).isoformat()
