"""Periods as people type them: dates and times in the sign's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from speedsign.errors import UsageError

EARLIEST_YEAR, LATEST_YEAR = 1970, 9998  # what the calendar of any time zone can hold


def parse_moment(text: str, timezone: str, *, end: bool = False) -> datetime:
    """A date ("2026-05-04") or time ("2026-05-04T07:30", with or without offset) as UTC.

    A date as the `end` of a period means the end of that day. Local time that the autumn change repeats
    is its first occurrence; give an offset for the second. Raises UsageError.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise UsageError(
            f"{text!r} is no date or time of {EARLIEST_YEAR} to {LATEST_YEAR}; "
            "write 2026-05-04, 2026-05-04T07:30 or 2026-05-04T07:30+03:00"
        )
    if end and len(text.strip()) <= len("2026-05-04"):
        moment += timedelta(days=1)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return moment.astimezone(UTC)
