"""What must hold between thresholds, pages, windows, calendar and studies; also in every window's hours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from speedsign.config.page_relations import page_problems
from speedsign.config.problem import Problem
from speedsign.config.schema import Config, RulesConfig, WindowConfig
from speedsign.countries import country_of
from speedsign.days import parse_minutes, parse_span
from speedsign.settings import Settings, settle
from speedsign.windows import Window

Path = tuple[str, ...]
_Numbered = tuple[int, WindowConfig]
_RULES, _SCHEDULE = ("rules",), ("rules", "schedule")
_LIMIT = ("sign", "limit_kmh")


def rules_problems(config: Config) -> Iterator[Problem]:
    """Everything about what is shown when that does not fit together."""
    yield from _thresholds(config)
    yield from _windows(config)
    yield from _calendar(config)
    yield from _studies(config)
    yield from page_problems(config)


# --------------------------------------------------------------------------- thresholds


def _thresholds(config: Config) -> Iterator[Problem]:
    """[rules] alone, with each table of the schedule, and with every two that can be in force together."""
    schedule = list(enumerate(config.rules.schedule))
    said = _out_of_order(config, ())
    yield from said.values()
    alone: dict[int, dict[str, Problem]] = {}
    for one in schedule:
        alone[one[0]] = _out_of_order(config, (one,))
        yield from (problem for key, problem in alone[one[0]].items() if key not in said)
    for one, other in combinations(schedule, 2):
        if _may_meet(one[1], other[1]):
            known = said.keys() | alone[one[0]].keys() | alone[other[0]].keys()
            both = _out_of_order(config, (one, other))
            yield from (problem for key, problem in both.items() if key not in known)


def _out_of_order(config: Config, windows: tuple[_Numbered, ...]) -> dict[str, Problem]:
    """By key: what is wrong with the thresholds while these tables are in force."""
    settings = settle(config, [window for _, window in windows])
    if settings.dark and not any(window.dark is False for window in config.rules.schedule):
        return {}  # nothing is shown; a table that lights again would show what they come to
    return {key: _placed(key, text, settings, windows) for key, text in _order(settings)}


def _may_meet(one: WindowConfig, other: WindowConfig) -> bool:
    try:
        return Window.of(one).may_meet(Window.of(other))
    except ValueError:
        return False  # said elsewhere


def _order(settings: Settings) -> Iterator[tuple[str, str]]:
    """(key, what is wrong with it) for thresholds that are not in order."""
    limit, minimum, ceiling = settings.limit_kmh, settings.minimum_kmh, settings.ceiling_kmh
    if ceiling <= minimum:
        yield "ceiling_kmh", f"must be above minimum_kmh, which is {minimum}"
    elif not settings.is_default("ceiling_kmh") and ceiling < limit:
        yield "ceiling_kmh", f"must be at least the limit, {limit}: else speeding is never shown"
    elif not settings.is_default("too_fast_kmh") and not limit < settings.too_fast_kmh <= ceiling:
        yield (
            "too_fast_kmh",
            f"must be above the limit, {limit}, and at most the ceiling, {ceiling}",
        )


def _placed(key: str, text: str, settings: Settings, windows: tuple[_Numbered, ...]) -> Problem:
    """At the key in the last table that sets one of those it is about."""
    about = ("limit_kmh", "minimum_kmh", "ceiling_kmh", "too_fast_kmh")
    value = getattr(settings, key)
    base = _LIMIT, *((*_RULES, one) for one in about)
    for number, window in reversed(windows):
        path = (*_SCHEDULE, str(number))
        mine = [one for one in (key, *about) if getattr(window, one) is not None]
        if not mine:
            continue
        others = [f'"{other.name}"' for n, other in windows if n != number]
        if mine[0] != key:
            text = f"{key} is then {value} and {text}"
            value = getattr(window, mine[0])
        if others:
            text += f"; while {others[0]} is in force too"
        tables = tuple((*_SCHEDULE, str(n)) for n, _ in windows) if others else ()
        keys = tuple((*path, one) for one in mine)
        return Problem((*path, mine[0]), text, value, (*keys, *tables, *base))
    if key == "ceiling_kmh" and settings.is_default(key):
        return _low_default(text, settings, base)
    return Problem((*_RULES, key), text, value, base)


def _low_default(text: str, settings: Settings, base: tuple[Path, ...]) -> Problem:
    """A ceiling that nobody wrote: at the limit that it follows from, or the minimum that goes beyond it."""
    ceiling, minimum = settings.ceiling_kmh, settings.minimum_kmh
    if minimum != RulesConfig().minimum_kmh:
        said = f"must be below ceiling_kmh, {ceiling}: if not set, {settings.sources['ceiling_kmh']}"
        return Problem((*_RULES, "minimum_kmh"), said, minimum, base)
    advice = "set ceiling_kmh, or a lower minimum_kmh, in [rules]"
    said = f"ceiling_kmh is then {ceiling}, twice the limit, and {text}; {advice}"
    return Problem(_LIMIT, said, settings.limit_kmh, base)


# --------------------------------------------------------------------------- windows


def _windows(config: Config) -> Iterator[Problem]:
    names: dict[str, int] = {}
    for number, window in enumerate(config.rules.schedule):
        path = (*_SCHEDULE, str(number))
        first = names.setdefault(window.name, number)
        if first != number:
            yield Problem((*path, "name"), f"is the name of table {first + 1} too", window.name)
        yield from _hours(path, window)
        yield from _dates((*path, "dates"), window.dates)
        yield from _days_known(config, path, window)


def _hours(path: Path, window: WindowConfig) -> Iterator[Problem]:
    found: dict[str, int] = {}
    for key in ("start", "end"):
        text = getattr(window, key)
        try:
            found[key] = parse_minutes(text)
        except ValueError as error:
            yield Problem((*path, key), str(error), text)
    if found.get("start") == 24 * 60:
        yield Problem((*path, "start"), "is the end of a day; write 00:00", window.start)
    elif len(found) == 2 and found["start"] == found["end"]:
        against = ((*path, "start"),)
        yield Problem((*path, "end"), "is the start too; a whole day is 00:00 to 24:00", window.end, against)


def _dates(path: Path, texts: tuple[str, ...]) -> Iterator[Problem]:
    for number, text in enumerate(texts):
        try:
            parse_span(text)
        except ValueError as error:
            yield Problem((*path, str(number)), str(error), text)


def _days_known(config: Config, path: Path, window: WindowConfig) -> Iterator[Problem]:
    """A table that asks for holidays or school days needs somebody who knows them."""
    if window.school != "any" and not config.calendar.school_terms:
        text = "needs school_terms in [calendar]: without them no day is a school day"
        yield Problem((*path, "school"), text, window.school, (("calendar", "school_terms"),))
    country = country_of(config.sign.country, config.sign.timezone)
    if window.holidays != "any" and country.holidays is None and not config.calendar.holidays:
        text = "needs holidays in [calendar], or sign.country: those of this country are not known"
        against = ("calendar", "holidays"), ("sign", "country"), ("sign", "timezone")
        yield Problem((*path, "holidays"), text, window.holidays, against)


# --------------------------------------------------------------------------- calendar and studies


def _calendar(config: Config) -> Iterator[Problem]:
    yield from _dates(("calendar", "school_terms"), config.calendar.school_terms)
    yield from _dates(("calendar", "holidays"), config.calendar.holidays)


def _studies(config: Config) -> Iterator[Problem]:
    """A day belongs to one phase at most, and each has a name of its own."""
    names: dict[str, int] = {}
    for number, study in enumerate(config.study):
        path = ("study", str(number))
        first = names.setdefault(study.name, number)
        if first != number:
            yield Problem((*path, "name"), f"is the name of phase {first + 1} too", study.name)
        if study.last < study.first:
            text = f"is before the first day, {study.first}"
            yield Problem((*path, "last"), text, str(study.last), ((*path, "first"),))
            continue
        for n, other in enumerate(config.study[:number]):
            if other.first <= study.last and study.first <= other.last:
                text = f'overlaps #{n + 1}, "{other.name}" ({other.first} to {other.last})'
                yield Problem((*path, "first"), text, str(study.first), ((*path, "last"),))
