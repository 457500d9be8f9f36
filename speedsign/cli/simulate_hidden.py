"""Options of `speedsign simulate`: what a street hides from the one who puts up a sign."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from simulator.hidden import Hidden
from simulator.stand import Stand

Command = TypeVar("Command", bound=Callable[..., Any])
BAUDS = ("1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200", "230400", "256000", "460800")
HIDDEN = (
    "angle_deg",
    "inverted",
    "approaching_only",
    "sensor_angle_deg",
    "radar_baud",
    "panel_baud",
    "panel_unit",
    "dim",
    "worn",
)


def hidden_options(command: Command) -> Command:
    """--angle, --inverted, … --worn; `hidden_of` takes them out again."""
    options = (
        click.option(
            "--angle", "angle_deg", type=click.FloatRange(3, 45), metavar="DEG",
            help="The radar stands so far to the side, and turned, that cars are read at about this angle.",
        ),
        click.option("--inverted", is_flag=True, help="The radar tells approaching cars as receding."),
        click.option(
            "--approaching-only", is_flag=True, help="The radar has been set to tell approaching cars alone."
        ),
        click.option(
            "--sensor-angle", "sensor_angle_deg", type=click.FloatRange(0, 60), default=0.0, metavar="DEG",
            help="The radar has been set to correct for this angle itself.",
        ),
        click.option(
            "--radar-baud", type=click.Choice(BAUDS), metavar="N",
            help="The radar's line is at this rate: at another one there is garbage. Else any rate does.",
        ),
        click.option("--panel-baud", type=click.Choice(BAUDS), metavar="N", help="The same for the panel."),
        click.option(
            "--panel-unit", type=click.IntRange(1, 247), default=1, show_default=True, metavar="N",
            help="The panel's Modbus address.",
        ),
        click.option("--dim", is_flag=True, help="The panel begins at its dimmest step."),
        click.option(
            "--worn", type=click.FloatRange(0.05, 1), default=1.0, metavar="PART",
            help="How much of its light the panel has left, 0.4 for 40 %.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def hidden_of(options: dict[str, Any]) -> Hidden:
    """What the options say, taken out of them."""
    said = {name: options.pop(name) for name in HIDDEN}
    for name in ("radar_baud", "panel_baud"):
        said[name] = None if said[name] is None else int(said[name])
    return Hidden(**said)


def street(stand: Stand) -> dict[str, Any]:
    """What is hidden, for the one who plays the street; nothing where all is as usual."""
    hidden = stand.hidden
    if hidden == Hidden():
        return {}
    facts: dict[str, Any] = {
        name: value for name in HIDDEN if (value := getattr(hidden, name)) != getattr(Hidden(), name)
    }
    if stand.aim is not None:
        height_m = stand.world.physics.parameters.mounting_height_m
        facts |= {"lateral_m": stand.aim.offset_m, "height_m": height_m, "turned_deg": stand.aim.turned_deg}
    if stand.panel.brightness is not None:
        facts["brightness"] = stand.panel.brightness
    return facts
