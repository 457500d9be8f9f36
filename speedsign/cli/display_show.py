"""speedsign display show: put something on the panel, and say what it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
from speedsign.errors import UsageError
from speedsign.model import Face


@click.command(cls=SignCommand, example="speedsign display show 47 --port /dev/ttyUSB0 --driver dm56a04")
@click.argument("text")
@click.option(
    "--for", "seconds", type=click.FloatRange(0.2, 3600), default=10.0, show_default=True,
    help="Keep it on for so long, or until Ctrl-C; then dark.",
)  # fmt: skip
@click.option("--brightness", type=click.FloatRange(0, 1), help="0 (dimmest) to 1; else the config's, or 1.")
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
    debug: bool,
    as_json: bool,
) -> None:
    """Put TEXT on the panel for a while: a number, "dark", a word, or "=47" for a word of digits.

    Every reply is checked, and what the panel holds is read where it can be read. The panel is dark at the
    end, whatever happens. Exit code 1 when it did not take it.
    """
    set_up_logging(debug=debug)
    given = {"port": port, "driver": driver, "profile": profile, "unit": unit, "baud": baud}
    choice = chosen(ctx, config_path, **given, parity=parity, digits=digits)
    capabilities = choice.driver.capabilities
    face = face_of(text, capabilities, blink=blink)
    if brightness is not None and not capabilities.brightness_levels:
        raise UsageError("the brightness of this panel cannot be set over its line; leave out --brightness")
    level = choice.parts.display.brightness if brightness is None else brightness
    told = asyncio.run(_show(choice, face, level, seconds, None if as_json else _say))
    if as_json:
        print_json(_to_json(choice, face, level, told))
    ctx.exit(0 if all(one.ok for one in told) else EXIT_FAILED)


async def _show(
    choice: Chosen, face: Face, level: float, seconds: float, say: Callable[[list[Told], Face], None] | None
) -> list[Told]:
    with with_the_panel() as stop:
        async with choice.hand(level) as hand:
            told = await hand.put(face)
            if say:
                say(told, face)
            await stay(hand, stop, seconds)
    if say:
        click.echo(choice.at_the_end)
    return told


def _say(told: list[Told], face: Face) -> None:
    for one in told:
        click.echo(f"{face}: {words_of(one)}")


def _to_json(choice: Chosen, face: Face, level: float, told: list[Told]) -> dict[str, object]:
    return {
        "ok": all(one.ok for one in told),
        "face": str(face),
        "blink": face.blink,
        "brightness": level,
        "panel": choice.name,
        "port": choice.port,
        "panels": [told_to_json(one) for one in told],
        "at_the_end": choice.at_the_end,
    }
