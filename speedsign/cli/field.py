"""What the field tools share: the config where it is needed, a port that is in use, Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from click.core import ParameterSource

from speedsign.config.schema import Config
from speedsign.errors import PortError, UsageError


def config_or_none(ctx: click.Context, path: Path, *, needed: bool) -> Config | None:
    """The config that was named, or the usual one where it is needed; raises UsageError, ConfigError."""
    from speedsign.config.load import load_config

    if ctx.get_parameter_source("config_path") is not ParameterSource.DEFAULT:
        return load_config(path)
    if not needed:
        return None
    if not path.exists():
        raise UsageError(f"name --port and --driver, or a config with --config; there is no {path}")
    return load_config(path)


def stable_name(port: str) -> str:
    """The name of a port that stays with the device, where it has one."""
    from drivers.serial_port import stable_names

    return next((name for name, device in stable_names().items() if device == port), port)


@contextmanager
def a_port_has_one_reader() -> Iterator[None]:
    """Says what to do where the port is in use: the usual reader of a radar's port is the sign."""
    try:
        yield
    except PortError as error:
        if "in use" not in error.reason:
            raise
        hint = "if that is the sign: sudo systemctl stop speedsign"
        raise PortError(error.device, f"{error.reason}; {hint}") from error


@contextmanager
def told_to_stop(*, hang_up: bool = False) -> Iterator[asyncio.Event]:
    """Set by Ctrl-C and SIGTERM, which then end nothing by themselves.

    `hang_up`: also when the terminal goes away, as that of a phone does; not under nohup.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hang_up and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
