"""speedsign rules explain: which rule decides what a vehicle gets to see, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from speedsign.cli.common import SignCommand, config_option, json_option, print_json
from speedsign.cli.periods import parse_moment
from speedsign.cli.rules_words import WEEKDAYS, in_force, rows, settings_json, why_dark, why_zone
from speedsign.clock import SystemClock
from speedsign.config.load import load_config
from speedsign.config.schema import Config
from speedsign.model import Direction, Face, Target
from speedsign.rules import DARK, Zone, rounded, step
from speedsign.schedule import NO_CLOCK, Active, Schedule

DIRECTIONS = [direction.value for direction in Direction]


class Speed(click.FloatRange):
    """A speed in km/h; what is no number of the road is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        speed_kmh: float = super().convert(value, param, ctx)
        if math.isnan(speed_kmh):
            self.fail("must be a number", param, ctx)
        return speed_kmh


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vehicle would be shown that comes into sight then."""

    active: Active
    number: int
    direction: Direction
    zone: Zone
    faces: tuple[Face, ...]  # in turn; one that is blank: dark
    because: str


@click.command(
    cls=SignCommand,
    example="speedsign rules explain --at 2026-11-23T08:00 --speed 62 --config speedsign.toml",
)
@click.option(
    "--at",
    "at_text",
    default="now",
    show_default=True,
    metavar="TIME",
    help="Date and time, in the sign's time zone or with an offset.",
)
@click.option("--speed", "speed_kmh", type=Speed(0, 400), required=True, help="Of the vehicle, km/h.")
@click.option(
    "--direction",
    type=click.Choice(DIRECTIONS),
    default="approaching",
    show_default=True,
    help="Its direction.",
)
@click.option("--clock-unknown", is_flag=True, help="As long as the sign does not know the time.")
@config_option
@json_option
def explain(
    config_path: Path,
    *,
    at_text: str,
    speed_kmh: float,
    direction: str,
    clock_unknown: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """What a vehicle would be shown at a time, and which rule decides it.

    The vehicle comes into sight then. One that was faster a moment before keeps its face until it is
    hysteresis_kmh below the threshold.
    """
    config = load_config(config_path)
    schedule = Schedule.of(config)
    moment, note = _moment(at_text, config.sign.timezone)
    active = schedule.at(None if clock_unknown else moment)
    answer = answer_for(active, speed_kmh, Direction(direction))
    local = moment.astimezone(schedule.zone)
    if as_json:
        print_json(_as_json(answer, local, config, schedule))
        return
    kind = schedule.kind_of_day(local.date())
    if clock_unknown:
        click.echo(f"{NO_CLOCK[0].upper()}{NO_CLOCK[1:]}")
    else:
        said = [f"{WEEKDAYS[local.weekday()]} {local.isoformat(timespec='minutes')}", kind]
        click.echo(", ".join(filter(None, said)))
    for line in _lines(answer, config):
        click.echo(line)
    if note and not clock_unknown:
        click.echo(f"note      {note}")


def answer_for(active: Active, speed_kmh: float, direction: Direction) -> Answer:
    """By the same step that the sign takes."""
    rules, number = active.rules, rounded(speed_kmh)
    shown = step(DARK, Target(1, speed_kmh, direction, 0.0, readings=5), 0.0, rules)
    if rules.dark:
        because = why_dark(active)
    elif shown.zone is Zone.NONE:
        wanted = " and ".join(sorted(rules.directions))
        because = f"{direction} vehicles are not shown their speed, {wanted} ones are: show in [rules]"
    else:
        because = why_zone(number, shown.zone, rules)
    blink, beacon = shown.zone in rules.blink, shown.zone in rules.beacon
    faces = tuple(page.face(number, blink=blink, beacon=beacon) for page in rules.pages(shown.zone))
    return Answer(active, number, direction, shown.zone, faces or (shown.face,), because)


def _moment(text: str, timezone: str) -> tuple[datetime, str]:
    """The time asked for as UTC, and what has to be said of one that comes twice or not at all."""
    if text.strip() == "now":
        return SystemClock().now_utc(), ""
    moment = parse_moment(text, timezone)
    given = datetime.fromisoformat(text.strip())
    if given.tzinfo is not None:
        return moment, ""
    local = moment.astimezone(ZoneInfo(timezone))
    if local.replace(tzinfo=None) != given:
        return moment, f"the clocks leave out {given:%H:%M} on that day; this is {local:%H:%M}"
    second = local.replace(fold=1)
    if second.utcoffset() != local.utcoffset():
        again = second.isoformat(timespec="minutes")
        return moment, f"this hour comes twice; the second time is {again}"
    return moment, ""


def _lines(answer: Answer, config: Config) -> list[str]:
    active = answer.active
    lines = [
        f"{answer.number} km/h {answer.direction}: {_faces(answer, config)}",
        f"because   {answer.because}",
    ]
    if active.windows or active.study:
        lines.append(f"in force  {in_force(active)}")
    if not active.dark:
        width = max(len(value) for _, value, _ in rows(active, answer.zone))
        lines += [
            f"  {what:<15}{value:<{width}}  {source}" for what, value, source in rows(active, answer.zone)
        ]
    if config.display is None:
        lines.append("note      the config has no [display]: this sign only measures")
    return lines


def _faces(answer: Answer, config: Config) -> str:
    face = answer.faces[0]
    text = " in turn with ".join(str(one) for one in answer.faces)
    if len(answer.faces) > 1:
        text += f", {config.rules.page_s:g} s each"
    extras = [name for name, on in (("blinking", face.blink), ("the beacon is lit", face.beacon)) if on]
    return ", ".join([text, *extras])


def _as_json(answer: Answer, local: datetime, config: Config, schedule: Schedule) -> dict[str, Any]:
    active = answer.active
    known = active.clock_known
    return {
        "at": local.isoformat(timespec="seconds") if known else None,
        "timezone": config.sign.timezone,
        "day": schedule.kind_of_day(local.date()) if known else "",
        "number": answer.number,
        "direction": answer.direction.value,
        "zone": answer.zone.value,
        "shown": [str(face) for face in answer.faces],
        "blink": answer.faces[0].blink,
        "beacon": answer.faces[0].beacon,
        "because": answer.because,
        "dark": active.dark,
        "in_force": list(active.windows),
        "study": active.study,
        "phase": active.phase,
        "settings": settings_json(active),
    }
