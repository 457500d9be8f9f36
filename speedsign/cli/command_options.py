"""What the commands to signs share: whom, signed by whom, by which broker, for how long."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from speedsign.cli.common import config_option, json_option

PHRASE_VARIABLE = "SPEEDSIGN_KEY_PASSPHRASE"

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Way:
    """By which broker, and how long to wait for answers."""

    config_path: Path | None  # None: there is none, and the broker was named
    host: str | None
    port: int | None
    wait_s: float
    as_json: bool


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask, and who asks."""

    way: Way
    to: str
    signs: tuple[str, ...]  # of a group; none: all that the broker knows
    key_path: Path
    key_id: str
    minutes: int
    challenge: str | None
    sign_only: Path | None


def way_options(command: Command) -> Command:
    """--host, --port, --wait, --config, --debug, --json; the command gets them as `way`."""

    @functools.wraps(command)
    def with_way(**given: Any) -> Any:
        ctx = click.get_current_context()
        names = ("host", "port", "wait_s", "as_json")
        path: Path = given.pop("config_path")
        said = ctx.get_parameter_source("config_path") is not ParameterSource.DEFAULT
        needed = said or path.exists() or given["host"] is None
        given.pop("debug")
        way = Way(path if needed else None, **{name: given.pop(name) for name in names})
        return command(way=way, **given)

    options: list[Callable[[Any], Any]] = [
        click.option("--host", metavar="NAME", help="The broker, instead of the config's."),
        click.option("--port", type=click.IntRange(1, 65535), help="Its port, instead of the config's."),
        click.option(
            "--wait",
            "wait_s",
            type=click.FloatRange(0, 3600),
            default=60.0,
            show_default=True,
            metavar="SECONDS",
            help="How long to wait for answers.",
        ),
        config_option,
        json_option,
    ]
    return _with(with_way, options)  # type: ignore[return-value]  # the same command with another front


def asking_options(command: Command) -> Command:
    """--to, --key and what goes with them; the command gets all of it as `asking`."""

    @functools.wraps(command)
    def with_asking(way: Way, **given: Any) -> Any:
        signs = tuple(filter(None, (given.pop("signs_text") or "").split(",")))
        names = ("to", "key_path", "minutes", "challenge", "sign_only")
        key_id = given.pop("key_id") or given["key_path"].stem
        asking = Asking(way, signs=signs, key_id=key_id, **{name: given.pop(name) for name in names})
        return command(asking=asking, **given)

    file = click.Path(path_type=Path)
    options: list[Callable[[Any], Any]] = [
        click.option("--to", required=True, metavar="SIGN", help="A sign's id, or group:NAME."),
        click.option("--signs", "signs_text", metavar="LIST", help="The signs of the group, such as a,b,c."),
        click.option("--key", "key_path", required=True, type=file, metavar="FILE", help="Your private key."),
        click.option(
            "--key-id", metavar="NAME", help="Its id in the signs' configs, if not the file's name."
        ),
        click.option(
            "--minutes",
            type=click.IntRange(1, 1440),
            default=10,
            show_default=True,
            help="How long the command is good.",
        ),
        click.option("--challenge", metavar="HEX", help="Of the sign's birth, if the broker is not asked."),
        click.option(
            "--sign-only", type=file, metavar="FILE", help="Write the signed command, and send nothing."
        ),
        way_options,
    ]
    return _with(with_asking, options)  # type: ignore[return-value]  # as above


def dry_run_option(command: Command) -> Command:
    return click.option("--dry-run", is_flag=True, help="Only say what it would change.")(command)


def _with(command: Callable[..., Any], options: list[Callable[[Any], Any]]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command
