"""The sign's ports for a calibration that needs them: the service is stopped, and started again after it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn, TypeVar

import click

from speedsign.cli.calibrating.technician import Stopped, Technician
from speedsign.cli.service import USUAL_NAME, Service
from speedsign.errors import SpeedsignError

Command = TypeVar("Command", bound=Callable[..., Any])


def service_option(command: Command) -> Command:
    """--service"""
    return click.option(
        "--service", "service_name", metavar="NAME", default=USUAL_NAME, show_default=True,
        help="The sign's service, which is stopped meanwhile.",
    )(command)  # fmt: skip


@contextlib.contextmanager
def ports_free(technician: Technician, service: Service) -> Iterator[None]:
    """The service does not run within; it is started again however this ends, if it ran before.

    Ask nothing within. Raises Stopped, UsageError, SpeedsignError.
    """
    if not service.running():
        yield
        return
    if not technician.confirm(
        "The sign runs and has the panel. Stop it meanwhile?", default=True, option="--yes"
    ):
        raise SpeedsignError(f"the sign keeps its ports; later: {service.by_hand('stop')}")
    with _told_late():
        service.stop()
        technician.say(f"{service.name} is stopped")
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the loop has put its own back
                signal.signal(number, signal.SIG_IGN)
            _start(technician, service)


def _start(technician: Technician, service: Service) -> None:
    try:
        service.start()
    except SpeedsignError as error:
        technician.say(f"{error}; then: {service.by_hand('start')}")
        return
    technician.say(f"{service.name} runs again")


@contextlib.contextmanager
def _told_late() -> Iterator[None]:
    """SIGTERM and a terminal that goes away end it by way of `finally`."""

    def told(number: int, _frame: FrameType | None) -> NoReturn:
        raise Stopped(gone=number == signal.SIGHUP)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            if before[number] is not signal.SIG_IGN:  # nohup
                signal.signal(number, told)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
