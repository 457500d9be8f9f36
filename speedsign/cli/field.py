"""What the field tools share: the config where it is needed, a port that is in use, Ctrl-C."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from speedsign.cli.numbers import decimal_of
from speedsign.config.schema import Config
from speedsign.errors import DriverError, PortError, UsageError


class NumberRange(click.FloatRange):
    """A number within bounds, with a point or a comma; what is no number ("nan") is within none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and "," in value:
            try:
                value = str(decimal_of(value))
            except ValueError as error:
                self.fail(f"{error}.", param, ctx)
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


def modbus_target(port: str) -> str:
    """The port itself; raises UsageError where it is none, before anything is opened."""
    from drivers.modbus_rules import parse_target

    try:
        _, where, _ = parse_target(port)
    except DriverError as error:
        raise UsageError(str(error)) from error
    if not where.strip():
        raise UsageError(f"{port!r} is no port; write /dev/…, tcp://host:502 or rtu+tcp://host:4001")
    return port


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
        if _is_no_tty(error.device):
            raise PortError(error.device, "not a serial device; check the name in the config") from error
        if "in use" not in error.reason:
            raise
        hint = "if that is the sign: sudo systemctl stop speedsign"
        raise PortError(error.device, f"{_who_has_it(error)}; {hint}") from error


def _is_no_tty(port: str) -> bool:
    """Whether there is such a file and it is something else; asked after it could not be used."""
    if "://" in port or not Path(port).exists():
        return False
    if not Path(port).is_char_device():
        return True
    try:
        fd = os.open(port, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:  # not permitted, or in use
        return False
    try:
        return not os.isatty(fd)
    finally:
        os.close(fd)


def _who_has_it(error: PortError) -> str:
    """The reason, with the programs that have the port where it does not name them yet."""
    from drivers.serial_port import holders

    plain = "in use by another program;"
    if not error.reason.startswith(plain):
        return error.reason
    others = [one for one in holders(error.device) if not one.endswith(f"({os.getpid()})")]
    who = ", ".join(others) or f"find it with: sudo fuser -v {error.device}"
    return error.reason.replace(plain, f"in use by another program ({who});", 1)


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
