"""Periods as people type them: dates and times in the sign's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from speedsign.errors import UsageError

EARLIEST_YEAR, LATEST_YEAR = 1970, 9998  # what the calendar of any time zone can hold
HOURS = 24
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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


def parse_month(text: str, timezone: str) -> tuple[datetime, datetime]:
    """A month ("2026-05"): when it begins and ends, in UTC. Raises UsageError."""
    year, dash, month = text.strip().partition("-")
    digits = year.isascii() and month.isascii() and year.isdigit() and month.isdigit()
    if not (dash and digits and len(year) == 4 and 1 <= len(month) <= 2 and 1 <= int(month) <= 12):
        raise UsageError(f"{text!r} is no month; write 2026-05")
    following = (int(year) + 1, 1) if int(month) == 12 else (int(year), int(month) + 1)
    return (
        parse_moment(f"{year}-{int(month):02}-01", timezone),
        parse_moment("{:04}-{:02}-01".format(*following), timezone),
    )


def parse_between(text: str) -> frozenset[int]:
    """Hours of the day: "07-09" is 7 and 8, "22-06" goes over midnight, "00-24" is all. Raises UsageError.

    >>> sorted(parse_between("22-01"))
    [0, 22, 23]
    """
    first, dash, end = (part.strip() for part in text.partition("-"))
    begin, until = _hour(first), _hour(end)
    if not dash or begin is None or until is None or begin in (until, HOURS):
        raise UsageError(f"{text!r} is no span of whole hours; write 07-09 (7:00 to 9:00) or 22-06")
    span = (until - begin) % HOURS or HOURS
    return frozenset((begin + step) % HOURS for step in range(span))


def _hour(text: str) -> int | None:
    whole, _, minutes = text.partition(":")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 2 and minutes in ("", "00")):
        return None
    return int(whole) if int(whole) <= HOURS else None


def parse_days(text: str) -> frozenset[int]:
    """Days of the week, Monday is 0: "mon-fri", "mon,wed", "sat-mon", in any mixture. Raises UsageError.

    >>> sorted(parse_days("sat-mon,wed"))
    [0, 2, 5, 6]
    """
    days: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = (name.strip() for name in part.partition("-"))
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise UsageError(f"{text!r} is no list of days; write mon-fri, or sat,sun")
        begin = WEEKDAYS.index(first)
        span = (WEEKDAYS.index(last) - begin) % len(WEEKDAYS) if dash else 0
        days.update((begin + step) % len(WEEKDAYS) for step in range(span + 1))
    return frozenset(days)
