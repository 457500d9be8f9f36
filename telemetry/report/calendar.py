"""The worst hours as a calendar (RFC 5545) that Outlook, Google and phones take: weekly events.

Times are those of the sign's zone, which is described in the file itself from its own changes of the clock,
as some programs do not know the name of a zone alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from speedsign.language import Language
from telemetry.report import labels
from telemetry.report.facts import SURE_HOURS, Facts, Slot
from telemetry.statistics import FEW

WEEKS = 4  # how often each event is repeated; a report of the next month brings the next ones
_OCTETS = 75  # in a line, without its end
_DAY = timedelta(days=1)
_STAMP = "%Y%m%dT%H%M%S"


def render_calendar(facts: Facts, words: Language, *, first: date, now_utc: datetime) -> str:
    """An event for each ranked hour, on its first weekday from `first` on and in the weeks after.

    `now_utc` is the stamp that the format wants. The text is to be written as UTF-8, as it is: its lines end
    in CRLF.
    """
    zone = facts.zone
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//speedsign//speedsign report//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(_title(facts, words))}",
        *_timezone(zone, first, first + (WEEKS + 1) * 7 * _DAY),
    ]
    for rank, slot in enumerate(facts.patrols, 1):
        for run in _runs(slot, first, zone):
            lines += _event(facts, words, slot, rank, run=run, first=first, now_utc=now_utc)
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def next_monday(day: date) -> date:
    """The Monday of the week after that day.

    >>> next_monday(date(2026, 5, 31)), next_monday(date(2026, 6, 1))
    (datetime.date(2026, 6, 1), datetime.date(2026, 6, 8))
    """
    return day + (7 - day.weekday()) * _DAY


def begins(last_day: date, today: date) -> date:
    """The Monday after the period, or after today where that Monday is over: nobody patrols in the past.

    >>> begins(date(2026, 5, 31), date(2026, 6, 10)), begins(date(2026, 6, 30), date(2026, 6, 10))
    (datetime.date(2026, 6, 15), datetime.date(2026, 7, 6))
    """
    return max(next_monday(last_day), next_monday(today))


def _runs(slot: Slot, first: date, zone: ZoneInfo) -> Iterator[list[datetime]]:
    """Its local beginnings, week after week, parted where the clocks leave the hour out in spring.

    Programs differ in what they make of a time that there is not: so none is written.
    """
    day = first + ((slot.weekday or 0) - first.weekday()) % 7 * _DAY
    run: list[datetime] = []
    for week in range(WEEKS):
        begin = datetime.combine(day + 7 * week * _DAY, time(slot.hour), zone)
        if begin.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == begin.replace(tzinfo=None):
            run.append(begin)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _title(facts: Facts, words: Language) -> str:
    return words.say("Speed check: {site}", site=labels.site(facts.standing, words))


def _event(
    facts: Facts,
    words: Language,
    slot: Slot,
    rank: int,
    *,
    run: list[datetime],
    first: date,
    now_utc: datetime,
) -> Iterator[str]:
    """With a length, not an end: an hour from 02:00 ends at 04:00 in spring, from 03:00 at 03:00 in
    autumn.
    """
    zone = facts.standing.facts.timezone
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(facts, slot, run[0].date(), first)}"
    yield f"DTSTAMP:{now_utc.astimezone(UTC):{_STAMP}}Z"
    yield f"DTSTART;TZID={zone}:{run[0]:{_STAMP}}"
    yield "DURATION:PT1H"
    yield f"RRULE:FREQ=WEEKLY;COUNT={len(run)}"
    yield f"SUMMARY:{_escaped(_title(facts, words))}"
    yield f"LOCATION:{_escaped(labels.site(facts.standing, words))}"
    yield f"DESCRIPTION:{_escaped(_description(facts, words, slot, rank))}"
    yield "END:VEVENT"


def _description(facts: Facts, words: Language, slot: Slot, rank: int) -> str:
    text = words.say(
        "Rank {rank}: {over_10} vehicles an hour more than 10 km/h over the limit of {limit} km/h;"
        " {mean} vehicles an hour in all. Counted: {period}.",
        rank=rank,
        over_10=words.decimal(slot.over_10_an_hour or 0.0),
        limit=facts.limit_kmh,
        mean=words.decimal(slot.mean or 0.0),
        period=labels.period(facts, words),
    )
    if slot.sure:
        return text
    return f"{text} " + words.say(
        "Uncertain: measured in fewer than {hours} hours, or fewer than {n} vehicles.",
        hours=SURE_HOURS,
        n=FEW,
    )


def _uid(facts: Facts, slot: Slot, begin: date, first: date) -> str:
    """The same for the same event: a file that is taken twice doubles nothing."""
    standing = facts.standing
    what = (standing.sign, standing.id, standing.facts.site, slot.weekday, slot.hour, begin, first)
    return f"{hashlib.sha256(repr(what).encode()).hexdigest()[:32]}@speedsign"


# --------------------------------------------------------------------------- the time zone


def _timezone(zone: ZoneInfo, first: date, last: date) -> Iterator[str]:
    """Which offset holds when the first event begins, and each change of the clock until the last."""
    at = datetime.combine(first - _DAY, time(), UTC)
    yield "BEGIN:VTIMEZONE"
    yield f"TZID:{zone.key}"
    yield from _observance(at, at, zone)
    while at.date() <= last:
        if _offset(at, zone) != _offset(at + _DAY, zone):
            yield from _observance(*_change(at, at + _DAY, zone), zone)
        at += _DAY
    yield "END:VTIMEZONE"


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The last second of the old offset and the first of the new one."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _offset(middle, zone) == _offset(after, zone):
            after = middle
        else:
            before = middle
    return before, after


def _observance(before: datetime, after: datetime, zone: ZoneInfo) -> Iterator[str]:
    local = after.astimezone(zone)
    name = "DAYLIGHT" if local.dst() else "STANDARD"
    onset = (after + _offset(before, zone)).replace(tzinfo=None)
    yield f"BEGIN:{name}"
    yield f"DTSTART:{onset:{_STAMP}}"
    yield f"TZOFFSETFROM:{_sign(_offset(before, zone))}"
    yield f"TZOFFSETTO:{_sign(_offset(after, zone))}"
    yield f"TZNAME:{local.tzname()}"
    yield f"END:{name}"


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _sign(offset: timedelta) -> str:
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}{minutes % 60:02}"


# --------------------------------------------------------------------------- the text


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(text.splitlines())


def _folded(line: str) -> str:
    """Not more than 75 octets a line; what goes on begins with a space. Never inside a letter."""
    parts, room = [""], _OCTETS
    for letter in line:
        size = len(letter.encode())
        if size > room:
            parts.append("")
            room = _OCTETS - 1
        parts[-1] += letter
        room -= size
    return "\r\n ".join(parts)
