"""speedsign display blank: dark and out, as fast as it can be; for the service when the sign has ended."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import click

from drivers.display.darken import SUPPLY, carry_out, dark_ends
from speedsign.cli.common import (
    EXIT_FAILED,
    SignCommand,
    config_option,
    json_option,
    print_json,
    set_up_logging,
)
from speedsign.cli.display_parts import Parts
from speedsign.config.panel_alone import read_panel

BOUND_S = 2.8  # from the start of the program to its last try, so that it ends within 3 s
LEAST_S = 1.0  # for tries, however slow the machine is
_REPLY_S = 0.3  # for a reply, however many panels there are
_REPLIES = 2  # of a slow panel in one try: that it was told, and what it holds

log = logging.getLogger(__name__)


@click.command(cls=SignCommand, example="speedsign display blank")
@config_option
@json_option
@click.pass_context
def blank(ctx: click.Context, config_path: Path, *, debug: bool, as_json: bool) -> None:
    """Make the panel dark, switch its beacon and its supply off, and end; within 3 seconds.

    What the service runs when the sign has ended, however it did: the number of a sign that crashed goes.
    Only the panel's tables of the config are read, so that a mistake elsewhere does not matter. Exit code 0:
    dark and acknowledged, or no panel; 1: not.
    """
    set_up_logging(debug=debug, level=logging.WARNING)
    tables = read_panel(config_path)
    for text in tables.doubts:
        log.warning("%s; left out", text)
    if tables.display is None:
        _say({}, [], as_json=as_json)
        return
    parts = Parts(tables.display, tables.beacon, tables.supply)
    ends, left = asyncio.run(_darken(parts))
    unpowered = SUPPLY in ends and SUPPLY not in left
    zero = not parts.driver().capabilities.can_blank and not unpowered
    _say(left, ends, as_json=as_json, zero=zero)
    ctx.exit(EXIT_FAILED if left else 0)


async def _darken(parts: Parts) -> tuple[list[str], dict[str, str]]:
    """What was to be done, and what could not."""
    within_s = _time_left_s()
    driver = parts.driver()
    panels = parts.panels(driver, longest_s=_longest_reply_s(parts, within_s))
    ends = dark_ends(panels)
    try:
        left = await carry_out(ends, within_s)
    finally:
        for bus in panels.buses:
            await bus.close()
    return [end.what for end in ends], left


def _longest_reply_s(parts: Parts, within_s: float) -> float:
    """The config's time-out holds as far as each panel then has one whole try."""
    n = 1 + len(parts.display.mirror_units)
    return max(_REPLY_S, (within_s - n * _REPLY_S) / (_REPLIES * n))


def _time_left_s() -> float:
    """To try in: a slow machine has needed a part of it to start this program."""
    spent = os.times()
    return max(LEAST_S, BOUND_S - spent.user - spent.system)


def _say(left: dict[str, str], ends: list[str], *, as_json: bool, zero: bool = False) -> None:
    if as_json:
        done = [{"what": what, "ok": what not in left, "why_not": left.get(what)} for what in ends]
        print_json({"ok": not left, "done": done})
        return
    if not ends:
        click.echo("the config has no [display]: there is nothing to darken")
    for what in ends:
        if what in left:
            click.echo(f"{what}: not dark: {left[what]}", err=True)
        elif zero and what.startswith("panel"):
            click.echo(f"{what}: told to show nothing; this panel cannot go dark and may show 0")
        else:
            click.echo(f"{what}: {'dark' if what.startswith('panel') else 'off'}")
