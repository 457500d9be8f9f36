"""Which database, sign, installation and hours an officer's command is about: asked for alike by all of them.

@period_options
@config_option
def stats(choice: Choice, config_path: Path, ...) -> None:
    selected = select(choice, config_path)
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from speedsign.cli.database import database as database_of
from speedsign.cli.database import database_option
from speedsign.cli.periods import parse_between, parse_days, parse_moment, parse_month
from speedsign.errors import StoreError, UsageError
from telemetry.local_time import iso_local
from telemetry.measured import measured_spans
from telemetry.period import Hour, Period, read_period
from telemetry.query import Standing, read_installations, whole_intervals

LONGEST = timedelta(days=366 * 30)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was typed."""

    db_path: Path | None = None
    sign: str | None = None
    installation_id: int | None = None
    from_text: str | None = None
    to_text: str | None = None
    month: str | None = None
    between: str | None = None
    days: str | None = None
    limit_kmh: int | None = None

    @property
    def open(self) -> bool:
        """Whether no time was given: everything that was counted."""
        return self.from_text is None and self.to_text is None and self.month is None

    def bounds(self, timezone: str) -> tuple[datetime | None, datetime | None]:
        """From and to as UTC, None where they were left open. Raises UsageError."""
        if self.month is not None:
            if self.from_text is not None or self.to_text is not None:
                raise UsageError("give --month, or --from and --to, not both")
            return parse_month(self.month, timezone)
        start = None if self.from_text is None else parse_moment(self.from_text, timezone)
        end = None if self.to_text is None else parse_moment(self.to_text, timezone, end=True)
        if start is not None and end is not None and end <= start:
            raise UsageError(f"--to {self.to_text} is not after --from {self.from_text}")
        return start, end


@dataclass(frozen=True, slots=True)
class Selected:
    """What is to be counted. `standing` (and the period's) has the limit that was asked for."""

    path: Path
    standing: Standing
    period: Period
    others: tuple[Standing, ...] = ()  # that measured in the period too and are left out
    hours: str = ""  # "07-09, mon-fri" where only some hours were asked for
    own_limit_kmh: int | None = None  # the installation's, where another was asked for
    widened: tuple[datetime, datetime] | None = None  # the period, where the one asked for cut intervals

    @property
    def note(self) -> str:
        """What a reader has to know about the choice; empty: nothing. Sentences, a line each."""
        lines = []
        moved = [str(one.id) for one in self.others if not one.imported]
        imported = [str(one.id) for one in self.others if one.imported]
        if moved:
            lines.append(
                f"Only installation {self.standing.id} ({self.standing.name}, since "
                f"{self.standing.from_utc.astimezone(self.period.zone):%Y-%m-%d}) is counted; the sign stood "
                f"differently in another part of the period: see --installation {', '.join(moved)}."
            )
        if imported:
            lines.append(f"Imported numbers are left out: see --installation {', '.join(imported)}.")
        if self.widened:
            start, end = (iso_local(at, self.period.zone)[:16] for at in self.widened)
            lines.append(f"Counts are of whole intervals: the period is {start} to {end}.")
        if self.own_limit_kmh is not None:
            lines.append(
                f"Counted against a limit of {self.standing.facts.limit_kmh} km/h as asked for; "
                f"the installation's is {self.own_limit_kmh} km/h."
            )
        return "\n".join(lines)


_OPTIONS = (
    database_option,
    click.option("--sign", metavar="ID", help="Which sign, in a database of several."),
    click.option(
        "--installation",
        "installation_id",
        type=int,
        help="Which installation; else the newest in the period.",
    ),
    click.option("--from", "from_text", metavar="TIME", help="Date or time, in the sign's time zone."),
    click.option("--to", "to_text", metavar="TIME", help="Date (that day included) or time."),
    click.option("--month", metavar="YYYY-MM", help="A whole month, instead of --from and --to."),
    click.option("--between", metavar="HH-HH", help="Only these hours of the day: 07-09, or 22-06."),
    click.option("--days", metavar="DAYS", help="Only these days of the week: mon-fri, or sat,sun."),
    click.option(
        "--limit",
        "limit_kmh",
        type=click.IntRange(5, 130),
        metavar="KMH",
        help="Count against this limit instead of the installation's.",
    ),
)


def period_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--db, --sign, --installation, --from, --to, --month, --between, --days, --limit as one `choice`."""
    names = [field.name for field in fields(Choice)]

    @functools.wraps(command)
    def gathered(**kwargs: Any) -> Any:
        choice = Choice(**{name: kwargs.pop(name) for name in names})
        return command(choice=choice, **kwargs)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def select(choice: Choice, config_path: Path) -> Selected:
    """The period that was asked for, read; everything under the newest installation in it when not said.

    The config is read for its [store] path alone, and only without --db. Raises UsageError, StoreError and
    ConfigError.
    """
    path = database(choice, config_path)
    wanted = wanted_hours(choice)
    standings = signs_standings(path, choice)
    found = _measured(path, standings, choice)
    standing, (start, end) = found[-1]
    others = tuple(one for one, _ in found[:-1])
    bounds = whole_intervals(path, standing.id, start, end)
    period = _kept(path, _with_limit(standing, choice.limit_kmh), *bounds, ever=choice.open)
    if wanted is not None:
        period = period.only(wanted)
    other_limit = choice.limit_kmh not in (None, standing.facts.limit_kmh)
    return Selected(
        path=path,
        standing=period.standing,
        period=period,
        others=others,
        hours=", ".join(text.strip() for text in (choice.between, choice.days) if text),
        own_limit_kmh=standing.facts.limit_kmh if other_limit else None,
        widened=bounds if bounds != (start, end) else None,
    )


def _kept(path: Path, standing: Standing, start: datetime, end: datetime, *, ever: bool) -> Period:
    """The period, read. A year's vehicles stay until the command ends: no need to search them for garbage."""
    gc.disable()
    try:
        period = read_period(path, standing, start, end, ever=ever)
        gc.freeze()
    finally:
        gc.enable()
    return period


def database(choice: Choice, config_path: Path) -> Path:
    """The database named, else the config's."""
    return database_of(choice.db_path, config_path)


def signs_standings(path: Path, choice: Choice) -> list[Standing]:
    """The installation asked for, else all of the sign asked for, the newest last; never of two signs."""
    everything = read_installations(path)
    if not everything:
        raise StoreError(f"{path}: nothing has been measured yet; start the sign once")
    standings = [one for one in everything if choice.sign is None or one.sign == choice.sign]
    signs = sorted({one.sign for one in everything if one.sign})
    if not standings:
        raise UsageError(
            f"there is no sign {choice.sign!r}; there are {', '.join(signs) or 'none with a name'}"
        )
    if choice.installation_id is not None:
        return [_installation(choice.installation_id, standings)]
    if choice.sign is None and len(signs) > 1:
        raise UsageError(f"{path} holds several signs; name one with --sign: {', '.join(signs)}")
    return standings


def _installation(number: int, standings: list[Standing]) -> Standing:
    for standing in standings:
        if standing.id == number:
            return standing
    known = ", ".join(str(standing.id) for standing in standings)
    raise UsageError(f"there is no installation {number}; there are {known}")


Bounds = tuple[datetime, datetime]


def _measured(path: Path, standings: list[Standing], choice: Choice) -> list[tuple[Standing, Bounds]]:
    """Those that have intervals in the period, the newest last, each with the period in its own time zone.

    An end that was left open is that of what was measured. None has any: the newest. What the sign measured
    itself is newer than any file.
    """
    asked = {zone: choice.bounds(zone) for zone in {standing.facts.timezone for standing in standings}}
    spans = {zone: measured_spans(path, *bounds) for zone, bounds in asked.items()}
    found = []
    for standing in standings:
        zone = standing.facts.timezone
        span = spans[zone].get(standing.id)
        if span is not None:
            found.append((standing, _while_it_stood(_bounds(asked[zone], span), standing)))
    found.sort(key=lambda pair: not pair[0].imported)
    if not found:
        newest = standings[-1]
        found = [(newest, _bounds(asked[newest.facts.timezone], (newest.from_utc, newest.from_utc)))]
    return found


def _while_it_stood(bounds: Bounds, standing: Standing) -> Bounds:
    """Without the time in which the sign stood otherwise: that is no time in which nothing was measured."""
    start, end = bounds
    if standing.stood_otherwise:
        start = max(start, standing.from_utc)
    if standing.to_utc is not None and not standing.imported:
        end = min(end, standing.to_utc)
    return min(start, end), end


def _bounds(asked: tuple[datetime | None, datetime | None], span: Bounds) -> Bounds:
    start, end = asked
    first = span[0] if start is None else start
    last = max(span[1], first) if end is None else end
    first = min(first, last)
    if last - first > LONGEST:
        raise UsageError("a period of more than 30 years cannot be counted at once; give a later --from")
    return first, last


def _with_limit(standing: Standing, limit_kmh: int | None) -> Standing:
    if limit_kmh is None:
        return standing
    return replace(standing, facts=replace(standing.facts, limit_kmh=limit_kmh))


def wanted_hours(choice: Choice) -> Callable[[Hour], bool] | None:
    """Whether an hour was asked for; each by its own day, so the night of a Friday ends at midnight."""
    if choice.between is None and choice.days is None:
        return None
    hours = frozenset(range(24)) if choice.between is None else parse_between(choice.between)
    days = frozenset(range(7)) if choice.days is None else parse_days(choice.days)
    return lambda hour: hour.local.hour in hours and hour.local.weekday() in days
