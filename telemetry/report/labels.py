"""Short texts that many parts of a report share: directions, periods, hours, bands, marks and their notes.

Sentences and titles are built so that nothing put into them has to be declined: a weekday, a site or a date
stands alone, between commas or behind a colon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta

from speedsign.language import Language
from telemetry.query import BOTH, Standing
from telemetry.report.document import Marked, Plain, Value
from telemetry.report.facts import SURE_HOURS, Facts
from telemetry.report.spans import Span, Unit
from telemetry.statistics import FEW, LOW, Band

LOW_MARK, FEW_MARK, PART_MARK, CLOCK_MARK, UNSURE_MARK, RARE_MARK = "*", "†", "‡", "§", "¶", "~"
RANGE = "–"


def site(standing: Standing, words: Language) -> str:
    """Where the sign stands, or what else tells it from others."""
    return standing.facts.site or standing.sign or words.say("Speed display sign")


def direction(name: str, standing: Standing, words: Language) -> str:
    """As the installation names it, else approaching or receding."""
    given = {"approaching": standing.facts.approaching_name, "receding": standing.facts.receding_name}
    if given.get(name):
        return given[name]
    generic = {
        "approaching": words.say("Approaching"),
        "receding": words.say("Receding"),
        "unknown": words.say("Direction not known"),
        BOTH: words.say("Both directions"),
    }
    return generic[name]


def period(facts: Facts, words: Language) -> str:
    """Both days named, the last one included; with times where they are not midnight."""
    return between(facts.from_local, facts.to_local, words)


def between(start: datetime, end: datetime, words: Language) -> str:
    """The same of any two local times."""
    if start.time() == end.time() == time():
        last = (end - timedelta(days=1)).date()
        first = start.date()
        if last <= first:
            return words.day(first)
        return f"{words.day(first)} {RANGE} {words.day(last)}"
    return f"{_moment(start, words)} {RANGE} {_moment(end, words)}"


def _moment(moment: datetime, words: Language) -> str:
    return f"{words.day(moment)}, {words.clock(moment)}"


def installation(one: Standing, facts: Facts, words: Language) -> str:
    """Another installation: when the sign stood so, and what was different then."""
    start = one.from_utc.astimezone(facts.zone)
    if one.imported:
        when = words.say("imported numbers")
    elif one.to_utc is None:
        when = words.day(start)
    else:
        when = between(start, one.to_utc.astimezone(facts.zone), words)
    return f"{when} ({', '.join(_differences(one, facts, words))})"


def _differences(one: Standing, facts: Facts, words: Language) -> Iterator[str]:
    """Site and limit always where they differ; at least one thing."""
    here, there = facts.standing.facts, one.facts
    limit_kmh = facts.limit_kmh if facts.own_limit_kmh is None else facts.own_limit_kmh
    same_site = here.site == there.site
    if not same_site:
        yield site(one, words)
    if there.limit_kmh != limit_kmh or not same_site:
        yield words.say("speed limit {limit} km/h", limit=there.limit_kmh)
    elif there.mounting_angle_deg != here.mounting_angle_deg:
        yield words.say("mounting angle {angle}°", angle=words.decimal(there.mounting_angle_deg))
    elif (there.approaching_name, there.receding_name) != (here.approaching_name, here.receding_name):
        yield words.say("other names of directions")
    else:
        yield words.say("other settings")


def hour(at: int) -> str:
    """07:00–08:00: the whole clock hour."""
    return f"{at:02}:00{RANGE}{at + 1:02}:00"


def hour_of_week(weekday: int, at: int, words: Language) -> str:
    """Friday, 16:00–17:00."""
    return f"{words.weekday(weekday)}, {hour(at)}"


def band(found: Band, words: Language) -> str:
    """Within the limit; 11–20 km/h over; more than 70 km/h over."""
    if found.name == "within limit":
        return words.say("Within the limit")
    if found.to_kmh is None:
        return words.say("More than {speed} km/h over", speed=found.name.removeprefix(">"))
    return words.say("{from_to} km/h over", from_to=found.name.replace("-", RANGE))


def speeds(found: Band) -> str:
    """0–50; 51–60; 121–: the km/h of a band, both included."""
    return f"{found.from_kmh}{RANGE}{'' if found.to_kmh is None else found.to_kmh}"


def span(found: Span, unit: Unit, words: Language) -> str:
    """A day, a week by its days, a month by its number: what heads a row of the table by time."""
    if unit is Unit.MONTH:
        return f"{found.first:%Y-%m}"
    if unit is Unit.DAY or found.first == found.last:
        return words.short_day(found.first)
    return f"{words.short_day(found.first)} {RANGE} {words.short_day(found.last)}"


def chosen_hours(facts: Facts, words: Language) -> str | None:
    """Which days and hours were asked for, when it was not all of them."""
    if facts.chosen is None:
        return None
    days = _runs(sorted({day for day, _ in facts.chosen}))
    hours = _runs(sorted({at for _, at in facts.chosen}))
    return words.say(
        "Only these hours: {days}; {hours}",
        days=", ".join(_days(first, last, words) for first, last in days),
        hours=", ".join(f"{first:02}:00{RANGE}{last + 1:02}:00" for first, last in hours),
    )


def _days(first: int, last: int, words: Language) -> str:
    begin = words.weekday(first, short=True)
    return begin if first == last else f"{begin}{RANGE}{words.weekday(last, short=True)}"


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbours joined: 0, 1, 2, 5 -> (0, 2), (5, 5)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


# --------------------------------------------------------------------------- marks


def by_sample(value: Plain, n: int, *, also: str = "") -> Value:
    """A number of `n` vehicles as people may see it: below 30 not at all, below 100 marked."""
    if value is None or n == 0:
        return Marked(None, also) if also else None
    if n < FEW:
        return Marked(None, FEW_MARK + also)
    mark = (LOW_MARK if n < LOW else "") + also
    return Marked(value, mark) if mark else value


def may_be_shown(n: int) -> bool:
    """Whether so many vehicles carry a mean, a percentile or a share."""
    return n >= FEW


def notes(rows: Iterable[Sequence[Value]], words: Language) -> tuple[str, ...]:
    """What the marks in these rows mean, each once."""
    marks = {mark for row in rows for cell in row if isinstance(cell, Marked) for mark in cell.mark}
    meanings = {
        LOW_MARK: words.say("fewer than {n} vehicles: take this number with care", n=LOW),
        FEW_MARK: words.say("fewer than {n} vehicles: too few for this number", n=FEW),
        PART_MARK: words.say("measured only in part"),
        CLOCK_MARK: words.say("a day of 23 or 25 hours, because the clocks changed"),
        UNSURE_MARK: words.say("measured, but while the clock was not sure: those vehicles are in no day"),
        RARE_MARK: words.say(
            "measured in fewer than {hours} hours, or fewer than {n} vehicles: ranked after the others",
            hours=SURE_HOURS,
            n=FEW,
        ),
    }
    return tuple(f"{mark} {meaning}" for mark, meaning in meanings.items() if mark in marks)
