"""speedsign rules week: what is in force from when to when, seven days long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.periods import parse_moment
from speedsign.cli.rules_words import WEEKDAYS, in_force, settings_json, why_dark
from speedsign.clock import SystemClock
from speedsign.config.load import load_config
from speedsign.schedule import Active, Schedule

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hours of one day in which nothing changes; `end` is what the clock on the wall would say then."""

    start: datetime
    end: str  # "24:00" for the end of the day
    active: Active


@click.command(cls=SignCommand, example="speedsign rules week --from 2026-11-23 --config speedsign.toml")
@click.option("--from", "from_text", metavar="DATE", help="The first day; today, where none is given.")
@config_option
@json_option
def week(config_path: Path, *, from_text: str | None, debug: bool, as_json: bool) -> None:
    """The plan of seven days: limit, thresholds and darkness, from when to when, and by which tables."""
    config = load_config(config_path)
    schedule = Schedule.of(config)
    moment = parse_moment(from_text, config.sign.timezone) if from_text else SystemClock().now_utc()
    first = moment.astimezone(schedule.zone).date()
    days = [first + timedelta(days=n) for n in range(7)]
    if as_json:
        print_json([_day_json(schedule, day) for day in days])
        return
    for day in days:
        kind = schedule.kind_of_day(day)
        click.echo("  ".join(filter(None, [f"{WEEKDAYS[day.weekday()]} {day}", kind])))
        for hours, said, names in _rows(schedule, day):
            click.echo(f"  {hours}  {said:<44}{names}".rstrip())


def stretches(schedule: Schedule, day: date) -> Iterator[Stretch]:
    """The whole local day, 23 or 25 hours where the clocks change, minute by minute."""
    moment, end = _midnight(schedule, day), _midnight(schedule, day + timedelta(days=1))
    start, active = moment, schedule.at(moment)
    while moment < end:
        moment += _MINUTE
        if moment < end and schedule.at(moment) is active:
            continue
        last = (moment - _MINUTE).astimezone(schedule.zone).replace(tzinfo=None)
        until = "24:00" if moment == end else f"{last + _MINUTE:%H:%M}"
        yield Stretch(start.astimezone(schedule.zone), until, active)
        start, active = moment, schedule.at(moment)


def _midnight(schedule: Schedule, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=schedule.zone).astimezone(UTC)


def _rows(schedule: Schedule, day: date) -> list[tuple[str, str, str]]:
    """(hours, what holds, by which tables); hours that are dark for the same reason are one row."""
    found: list[tuple[str, str, str]] = []
    for stretch in stretches(schedule, day):
        dark = stretch.active.dark
        said, names = _in_words(stretch.active), "" if dark else in_force(stretch.active)
        hours = f"{stretch.start:%H:%M}-{stretch.end}"
        if dark and found and found[-1][1] == said:
            hours = f"{found.pop()[0][:5]}-{stretch.end}"
        found.append((hours, said, names))
    return found


def _in_words(active: Active) -> str:
    if active.dark:
        return f"dark: {why_dark(active)}"
    rules = active.rules
    said = f"limit {rules.limit_kmh}, shown {rules.minimum_kmh} to {rules.ceiling_kmh}"
    return f"{said}, too fast from {rules.too_fast_kmh}" if rules.too_fast_kmh <= rules.ceiling_kmh else said


def _day_json(schedule: Schedule, day: date) -> dict[str, Any]:
    return {
        "date": str(day),
        "weekday": WEEKDAYS[day.weekday()].lower(),
        "day": schedule.kind_of_day(day),
        "stretches": [
            {
                "from": stretch.start.isoformat(timespec="minutes"),
                "to": stretch.end,
                "dark": stretch.active.dark,
                "in_force": list(stretch.active.windows),
                "study": stretch.active.study,
                "phase": stretch.active.phase,
                "settings": settings_json(stretch.active),
            }
            for stretch in stretches(schedule, day)
        ],
    }
