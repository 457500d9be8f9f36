"""The options of `speedsign commission`: an answer each, for images, scripts and tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from speedsign.cli.field import NumberRange

Command = TypeVar("Command", bound=Callable[..., Any])

_BAUD = click.IntRange(1200, 921_600)
_TEXTS = (
    ("--by", "NAME", "Who does it; for the records."),
    ("--id", "ID", "The sign's id."),
    ("--site", "TEXT", "The place."),
    ("--name", "TEXT", "What people call the sign."),
    ("--language", "lv|lt|en", "Of faces and reports."),
    ("--timezone", "NAME", "Europe/Riga, …"),
    ("--coordinates", "LAT,LON", "Or - for none."),
    ("--approaching-name", "TEXT", "Where those who come drive."),
    ("--receding-name", "TEXT", "Where those who go away drive."),
    ("--store", "FILE", "The database; else the usual one."),
    ("--radar-port", "PORT", "Look here only."),
    ("--radar-driver", "NAME", "Try this driver only."),
    ("--radar-profile", "NAME", "With --no-probe: its dialect."),
    ("--radar-unit", "UNIT", "What it is set to, where nobody can ask it."),
    ("--panel-port", "PORT", "Look here only; none: there is no panel."),
    ("--panel-driver", "NAME", "With --no-probe: the panel's driver."),
    ("--panel-profile", "NAME", "With --no-probe: its register map."),
    ("--show", "DIRECTION", "approaching, receding or both."),
    ("--within", "PAGES", "The face up to the limit."),
    ("--over", "PAGES", "The face above it."),
    ("--too-fast", "PAGES", "The face from --too-fast-from on."),
    ("--broker", "HOST", "Or none."),
    ("--ca-file", "FILE", "Who signed the broker's certificate."),
    ("--certificate-file", "FILE", "The sign's certificate."),
    ("--key-file", "FILE", "Its key."),
    ("--username", "NAME", "At the broker."),
    ("--password-file", "FILE", "At the broker."),
)


def answer_options(command: Command) -> Command:
    """Every answer by option; none is needed at a terminal."""
    options = [click.option(name, metavar=metavar, help=about) for name, metavar, about in _TEXTS]
    options += [
        click.option("--limit", type=click.IntRange(5, 130), help="The speed limit, km/h."),
        click.option("--radar-baud", type=_BAUD, help="With --no-probe: its rate."),
        click.option("--panel-baud", type=_BAUD, help="With --no-probe: its rate."),
        click.option("--panel-unit", type=click.IntRange(1, 247), help="With --no-probe: its Modbus id."),
        click.option("--no-probe", is_flag=True, help="Open nothing: believe the options."),
        click.option(
            "--listen", "listen_s", type=NumberRange(0.5, 600), metavar="SECONDS",
            help="To each setting of a radar's line.",
        ),
        click.option("--invert/--no-invert", default=None, help="The radar has it the other way round."),
        click.option(
            "--wait", "wait_s", type=NumberRange(1, 3600), metavar="SECONDS", help="For a car."
        ),
        click.option("--lateral", type=NumberRange(0, 50), metavar="M", help="Radar to the lane's middle."),
        click.option("--height", type=NumberRange(0, 20), metavar="M", help="Radar above the road."),
        click.option("--aim", type=NumberRange(0.1, 1000), metavar="M", help="Along the road to its aim."),
        click.option(
            "--read-at", type=NumberRange(0.1, 1000), metavar="M", help="To where it reads cars."
        ),
        click.option("--angle", type=NumberRange(0, 60), metavar="DEG", help="mounting_angle_deg itself."),
        click.option("--cars", type=click.IntRange(30, 2000), help="Measure the angle from so many cars."),
        click.option("--minimum", type=click.IntRange(0, 100), help="Dark below, km/h."),
        click.option("--ceiling", type=click.IntRange(10, 250), help="Dark above, km/h."),
        click.option("--too-fast-from", type=click.IntRange(10, 250), help="Far too fast from, km/h."),
        click.option("--broker-port", type=click.IntRange(1, 65535), help="Else 8883, 1883 without TLS."),
        click.option("--tls/--no-tls", default=None, help="To the broker."),
        click.option("--allow-plain/--no-allow-plain", default=None, help="Readable to another machine."),
        click.option(
            "--test-for", "trial_s", type=NumberRange(1, 3600), metavar="SECONDS", help="The trial."
        ),
        click.option("--start/--no-start", default=None, help="Start the sign at the end."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def service_name(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """A name that systemctl cannot take for an option."""
    if not re.fullmatch(r"[A-Za-z0-9@_][A-Za-z0-9@_.:-]*", value):
        raise click.BadParameter(f"{value!r} is no name of a service; speedsign, for example")
    return value
