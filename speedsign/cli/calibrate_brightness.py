"""speedsign calibrate brightness: as bright as it looks right, now; a point of the curve."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from speedsign.calibration.curve import Contradiction, with_point
from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.believed import believed_now
from speedsign.cli.calibrating.book import Book, Finding, finish, keep_what_there_is, open_book
from speedsign.cli.calibrating.change import offered
from speedsign.cli.calibrating.eye import ByEye, Light, ask_sensor, first_step, light_known, look
from speedsign.cli.calibrating.options import record_options, write_option
from speedsign.cli.calibrating.ports import ports_free, service_option
from speedsign.cli.calibrating.technician import Stopped, Technician
from speedsign.cli.common import SignCommand, config_option, json_option, set_up_logging
from speedsign.cli.display_line import Chosen, chosen, panel_options
from speedsign.cli.field import NumberRange
from speedsign.cli.service import Service
from speedsign.config.schema import Config
from speedsign.errors import UsageError

CURVE, FIXED = "brightness.curve", "display.brightness"
_NUMBER = 88


@click.command(cls=SignCommand, example="speedsign calibrate brightness")
@click.option(
    "--lux", type=NumberRange(0, 200_000), help="How light it is; else the sensor or the sun says it."
)
@click.option("--replace", is_flag=True, help="Points of the curve that contradict the new one go.")
@service_option
@write_option
@record_options
@panel_options
@config_option
@json_option
@click.pass_context
def brightness(
    ctx: click.Context,
    /,
    config_path: Path,
    *,
    lux: float | None,
    replace: bool,
    service_name: str,
    write: bool | None,
    by: str | None,
    note: str,
    yes: bool,
    dry_run: bool,
    debug: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Say + or - until the panel looks right: at noon, and again at night.

    Each time a point of [brightness] curve. It needs the panel's port: a sign that runs is stopped meanwhile
    and started again. The panel is dark at the end, also after Ctrl-C. --yes takes the defaults of the other
    questions; how bright it looks is asked all the same.
    """
    set_up_logging(debug=debug)
    technician = Technician(yes=yes, aside=as_json)
    book = open_book(ctx, config_path, technician, by=by, note=note, dry_run=dry_run)
    config = book.config
    if config is None:
        raise UsageError(f"the curve stands in a config; there is no {config_path}: name it with --config")
    choice = chosen(ctx, config_path, **given)
    if not choice.driver.capabilities.brightness_levels:
        raise UsageError(f"the brightness of this panel ({choice.driver.name}) cannot be set by the sign")
    known = light_known(config, lux, believed_now(config.store.path, always=config.clock.trust == "always"))
    with ports_free(technician, Service(service_name)):
        light, eye, stopped = asyncio.run(_by_eye(choice, config, known, technician))
    finding = _settle(technician, book, choice, light, eye, write=write, replace=replace, stopped=stopped)
    written = dict(finding.before) != dict(finding.after)
    finish(ctx, technician, book, finding, written=written, as_json=as_json)


async def _by_eye(
    choice: Chosen, config: Config, light: Light | None, technician: Technician
) -> tuple[Light, ByEye, bool]:
    """In which light, which step, and whether it was stopped. Raises PortError, NoReply, UsageError."""
    sensor = config.brightness.sensor
    if light is None:
        assert sensor is not None  # noqa: S101  else the light is known
        light = await ask_sensor(sensor, choice.parts.display)
    technician.say(light_words(light))
    steps = choice.driver.capabilities.brightness_levels
    eye = ByEye(steps, first_step(config, light, steps))
    stopped = await look(choice, eye, _NUMBER, technician.say, technician.keep)
    technician.say(choice.at_the_end)
    return light, eye, stopped


def _settle(
    technician: Technician,
    book: Book,
    choice: Chosen,
    light: Light,
    eye: ByEye,
    *,
    write: bool | None,
    replace: bool,
    stopped: bool,
) -> Finding:
    """What is written for it. Raises Stopped where nothing is to be kept."""
    config = book.config
    assert config is not None  # noqa: S101  it has the curve
    key = FIXED if light.lux is None else CURVE
    before: Any = choice.parts.display.brightness if light.lux is None else as_lists(config.brightness.curve)
    after: Any = before
    sentence, verdict = "Nobody said that it looks right.", Verdict.UNDECIDED
    if not eye.good:
        enough = len(eye.seen) > 1 or not stopped
        if not (enough and keep_what_there_is(technician, "what was looked at")):
            raise Stopped
    else:
        sentence = f"Step {eye.step + 1} of {eye.steps} looks right: {light_words(light)}."
        for line in bound_words(config, eye.level):
            technician.say(line)
        wanted = _wanted(technician, book, light, eye, replace=replace)
        if wanted is not None and (wanted == before or offered(technician, book, {key: wanted}, write=write)):
            after, verdict = wanted, Verdict.DONE
    return Finding(
        kind=Kind.BRIGHTNESS,
        driver=choice.driver.name,
        sentence=sentence,
        verdict=verdict,
        device={"panel": choice.name, "port": choice.port, "steps": eye.steps},
        before={key: before},
        after={key: after},
        runs=[{"step": step + 1} for step in eye.seen],
        result=_result(light, eye),
    )


def _wanted(technician: Technician, book: Book, light: Light, eye: ByEye, *, replace: bool) -> Any:
    """The config's new value; None: it contradicts what was set before, and that stays."""
    config = book.config
    assert config is not None  # noqa: S101  it has the curve
    if light.lux is None:
        return round(eye.level, 3)
    try:
        return as_lists(with_point(config.brightness.curve, light.lux, eye.level, replace=replace))
    except Contradiction as against:
        technician.say(f"{against}.")
        try:
            go = technician.confirm("Take that out of the curve?", default=False, option="--replace")
        except (Stopped, UsageError):  # what was seen is kept all the same
            go = False
        if go:
            return as_lists(with_point(config.brightness.curve, light.lux, eye.level, replace=True))
        book.troubles.append(f"{against}; nothing was written, --replace takes it out")
        return None


def light_words(light: Light) -> str:
    """How light it is, for a person."""
    if light.lux is None:
        return "brightness is fixed, whatever the light"
    told = f"{light.lux:.2g}" if light.lux < 10 else f"{float(f'{light.lux:.2g}'):.0f}"
    by = {"option": "as you say", "sensor": "by the light sensor"}.get(light.by)
    return f"{told} lx {by or f'by the sun, {light.elevation_deg:.0f} degrees high'}"


def bound_words(config: Config, level: float) -> list[str]:
    """What keeps the sign from being as bright as that."""
    low, high = config.brightness.lowest, config.brightness.highest
    if level < low:
        return [f"note: [brightness] lowest = {low:g} keeps the sign brighter than that"]
    return [f"note: [brightness] highest = {high:g} keeps the sign dimmer than that"] if level > high else []


def as_lists(curve: Any) -> list[list[float]]:
    """As TOML and JSON have it."""
    return [[lux, level] for lux, level in curve]


def _result(light: Light, eye: ByEye) -> Mapping[str, Any]:
    return {
        "lux": light.lux,
        "light_by": light.by,
        "sun_deg": None if light.elevation_deg is None else round(light.elevation_deg, 1),
        "level": round(eye.level, 3) if eye.good else None,
        "step": eye.step + 1 if eye.good else None,
        "steps": eye.steps,
    }
