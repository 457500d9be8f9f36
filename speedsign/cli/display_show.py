"""speedsign display show: put something on the panel, and say what it holds."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import click

from drivers.display.hand import Told
from speedsign.cli.common import (
    EXIT_FAILED,
    SignCommand,
    config_option,
    json_option,
    print_json,
    set_up_logging,
)
from speedsign.cli.display_line import (
    Chosen,
    chosen,
    face_of,
    panel_options,
    stay,
    told_to_json,
    with_the_panel,
    words_of,
)
from speedsign.cli.field import NumberRange
from speedsign.errors import DeviceError, UsageError
from speedsign.model import Face


@click.command(cls=SignCommand, example="speedsign display show 47 --port /dev/ttyUSB0 --driver dm56a04")
@click.argument("text")
@click.option(
    "--for", "seconds", type=NumberRange(0.2, 3600), default=10.0, show_default=True,
    help="Keep it on for so long, or until Ctrl-C; then dark.",
)  # fmt: skip
@click.option("--brightness", type=NumberRange(0, 1), help="0 (dimmest) to 1; else the config's, or 1.")
@click.option("--blink", is_flag=True, help="By the panel itself, where it can.")
@panel_options
@config_option
@json_option
@click.pass_context
def show(
    ctx: click.Context,
    config_path: Path,
    *,
    text: str,
    seconds: float,
    brightness: float | None,
    blink: bool,
    port: str | None,
    driver: str | None,
    profile: str | None,
    unit: int | None,
    baud: int | None,
    parity: str | None,
    digits: int | None,
    timeout_s: float | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Put TEXT on the panel for a while: a number, "dark", a word, or "=47" for a word of digits.

    Every reply is checked, and what the panel holds is read where it can be read. The panel is dark at the
    end, whatever happens. Exit code 1 when it did not take it.
    """
    set_up_logging(debug=debug, level=logging.WARNING)
    given = {"port": port, "driver": driver, "profile": profile, "unit": unit, "baud": baud}
    choice = chosen(ctx, config_path, **given, parity=parity, digits=digits, timeout_s=timeout_s)
    capabilities = choice.driver.capabilities
    face = face_of(text, capabilities, blink=blink)
    if brightness is not None and not capabilities.brightness_levels:
        raise UsageError("the brightness of this panel cannot be set over its line; leave out --brightness")
    level = choice.parts.display.brightness if brightness is None else brightness
    told: list[Told] = []
    try:
        asyncio.run(_show(choice, face, level, seconds, told, as_json=as_json))
    except DeviceError as error:
        if as_json:
            print_json(_to_json(choice, face, level, told, error))
        raise
    if as_json:
        print_json(_to_json(choice, face, level, told))
    ctx.exit(0 if all(one.ok for one in told) else EXIT_FAILED)


async def _show(
    choice: Chosen, face: Face, level: float, seconds: float, told: list[Told], *, as_json: bool
) -> None:
    """`told` is filled with what the panels said, also where it ends in an error."""
    with with_the_panel() as stop:
        async with choice.hand(level) as hand:
            told += await hand.put(face)
            if not as_json:
                _say(told, face)
            await stay(hand, stop, seconds)
    if not as_json:
        click.echo(choice.at_the_end)


def _say(told: list[Told], face: Face) -> None:
    for one in told:
        click.echo(f"{face}: {words_of(one)}")


def _to_json(
    choice: Chosen, face: Face, level: float, told: list[Told], error: DeviceError | None = None
) -> dict[str, object]:
    return {
        "ok": error is None and all(one.ok for one in told),
        "error": None if error is None else str(error),
        "face": str(face),
        "blink": face.blink,
        "brightness": level,
        "panel": choice.name,
        "port": choice.port,
        "panels": [told_to_json(one) for one in told],
        "at_the_end": choice.at_the_end if error is None else None,
    }
