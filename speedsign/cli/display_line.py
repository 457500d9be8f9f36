"""Which panel a field tool works with: from its options, else from the config."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from unicodedata import normalize

import click

from drivers.display.darken import held_text
from drivers.display.hand import Hand, Told
from speedsign.cli.display_parts import Parts
from speedsign.cli.field import (
    NumberRange,
    a_port_has_one_reader,
    config_or_none,
    modbus_target,
    told_to_stop,
)
from speedsign.config.schema import Config, DisplayConfig
from speedsign.errors import DriverError, UsageError
from speedsign.model import Face
from speedsign.ports import Capabilities, PanelDriver

Command = TypeVar("Command", bound=Callable[..., Any])
_SHORT = 20  # digits that can be read in a sentence


@dataclass(frozen=True, slots=True)
class Chosen:
    """The panel of a field tool; `config` None: all of it stands in the options."""

    parts: Parts
    driver: PanelDriver
    config: Config | None

    @property
    def name(self) -> str:
        """For a report: dm56a04, or led485 (2024)."""
        profile = self.parts.display.profile
        return self.driver.name if profile is None else f"{self.driver.name} ({profile})"

    @property
    def port(self) -> str:
        return self.parts.display.port

    @property
    def at_the_end(self) -> str:
        """What the panel was seen to take last, without a lie about those that cannot go dark."""
        if self.driver.capabilities.can_blank:
            return "dark"
        return "told to show nothing; this panel cannot go dark and may show 0"

    def hand(self, level: float) -> Hand:
        return Hand(self.parts.panels(self.driver), level)


def panel_options(command: Command) -> Command:
    """--port, --driver, and what else says which panel: instead of a config, or over it."""
    options = (
        click.option("--port", metavar="PORT", help="/dev/… or tcp://host:502; else the config's."),
        click.option("--driver", metavar="NAME", help="The panel driver; else the config's."),
        click.option("--profile", metavar="NAME", help="The register map, of a driver that has several."),
        click.option("--unit", type=click.IntRange(1, 247), help="Its Modbus id; else the config's, or 1."),
        click.option("--baud", type=click.IntRange(1200, 115_200), help="Else the config's or the driver's."),
        click.option("--parity", type=click.Choice(["N", "E", "O"]), help="Else the config's, or N."),
        click.option("--digits", type=click.IntRange(2, 8), help="Else the config's or the driver's."),
        click.option(
            "--timeout",
            "timeout_s",
            type=NumberRange(0.05, 2),
            metavar="SECONDS",
            help="Wait so long for a reply, 0.05 to 2; else the config's, or 0.24.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def chosen(ctx: click.Context, config_path: Path, **given: Any) -> Chosen:
    """The panel that the options name; the config is read where they leave something open.

    `given`: port, driver, profile, unit, baud, parity, digits, timeout_s. Raises UsageError, ConfigError.
    """
    if given["port"] is not None:
        modbus_target(given["port"])
    needed = given["port"] is None or given["driver"] is None
    config = config_or_none(ctx, config_path, needed=needed)
    said = {key: value for key, value in given.items() if value is not None}
    if config is None:
        parts = Parts(DisplayConfig(**said))
    elif config.display is None:
        if needed:
            raise UsageError(f"{config_path} has no [display]; name --port and --driver")
        parts = Parts(DisplayConfig(**said), config.beacon, config.supply)
    else:
        parts = Parts(_over(config.display, said), config.beacon, config.supply)
    try:
        return Chosen(parts, parts.driver(), config)
    except DriverError as error:
        raise UsageError(str(error)) from error


def _over(display: DisplayConfig, said: dict[str, Any]) -> DisplayConfig:
    """The config's panel, but for what was said; another driver brings its own profile, rate and digits."""
    if said.get("driver", display.driver) != display.driver:
        display = replace(display, profile=None, baud=None, digits=None, registers=None)
    if "unit" in said:
        display = replace(display, mirror_units=())
    return replace(display, **said)


# --------------------------------------------------------------------------- what a panel can show


def face_of(text: str, capabilities: Capabilities, *, blink: bool = False) -> Face:
    """A number, "dark", a word, or "=TEXT" for a word that looks like something else.

    Raises UsageError for what the panel cannot show: nothing is cut, and no letter is replaced.
    """
    if blink and not capabilities.blinks:
        raise UsageError("this panel cannot blink")
    if text == "dark":
        return Face()
    if text.isascii() and text.isdigit():
        number = text.lstrip("0") or "0"
        if len(number) > capabilities.digits:
            named = number if len(number) <= _SHORT else f"a number of {len(number)} digits"
            raise UsageError(f"{named} does not fit: the panel has {capabilities.digits} digits")
        return Face(int(number), blink=blink)
    word = normalize("NFC", text.removeprefix("="))  # one code a letter, however it was typed
    if problem := word_problem(word, capabilities):
        raise UsageError(problem)
    return Face(word=word, blink=blink)


def word_problem(word: str, capabilities: Capabilities) -> str | None:
    """Why a panel cannot show a word, as a sentence; None: it can."""
    if not word.strip():
        return "an empty word is nothing to show; a dark panel is called dark"
    if not capabilities.cells:
        return f"{word!r} is a word, and this panel shows numbers only"
    if missing := sorted(set(word) - capabilities.glyphs):
        return f"{word!r} cannot be shown: the panel lacks {' '.join(missing)}"
    if len(word) > capabilities.cells:
        return f"{word!r} does not fit: it has {len(word)} characters, the panel {capabilities.cells}"
    return None


# --------------------------------------------------------------------------- what a panel has answered


def words_of(told: Told) -> str:
    """What one panel did, in words."""
    if told.held is None:
        return f"panel {told.unit}: acknowledged; it cannot be read back"
    if told.ok:
        return f"panel {told.unit}: acknowledged, and holds what it was told ({held_text(told.held)})"
    assert told.wanted is not None  # noqa: S101  what is held was asked for
    held, wanted = held_text(told.held), held_text(told.wanted)
    return f"panel {told.unit}: acknowledged, but holds {held} instead of {wanted}"


def told_to_json(told: Told) -> dict[str, object]:
    return {
        "unit": told.unit,
        "ok": told.ok,
        "held": None if told.held is None else list(told.held),
        "wanted": None if told.wanted is None else list(told.wanted),
    }


@contextmanager
def with_the_panel() -> Iterator[asyncio.Event]:
    """Set by Ctrl-C, SIGTERM, or a terminal that goes away. Says what to do about a port that is in use."""
    with a_port_has_one_reader(), told_to_stop(hang_up=True) as stop:
        yield stop


async def stay(hand: Hand, stop: asyncio.Event, seconds: float | None) -> bool:
    """Keep on what is on for so long, or until told to stop; whether it was.

    Raises what ended the keep-alive.
    """
    waiting = [asyncio.create_task(event.wait()) for event in (stop, hand.failed)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    raise_if_lost(hand)
    return stop.is_set()


def raise_if_lost(hand: Hand) -> None:
    """What ended the keep-alive is the command's error."""
    if hand.lost is not None:
        raise hand.lost
