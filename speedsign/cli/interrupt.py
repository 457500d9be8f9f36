"""Ctrl-C where nobody waits for it: one sentence, and nothing half-done."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import click

from speedsign.errors import SpeedsignError

_KEY = "speedsign.interrupted"


class Interrupted(SpeedsignError):  # noqa: N818  the situation is its name
    """Somebody has pressed Ctrl-C."""


def when_stopped(ctx: click.Context, words: Callable[[], str]) -> None:
    """What is said from now on when Ctrl-C ends the command: what has been done by then, and what not."""
    ctx.meta[_KEY] = words


def interrupted(ctx: click.Context) -> Interrupted:
    """The sentence."""
    words: Callable[[], str] | None = ctx.meta.get(_KEY)
    return Interrupted("stopped" if words is None else words())


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits until what is written within has been written whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told: list[int] = []

    def later(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    before = signal.signal(signal.SIGINT, later)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if told:
        signal.raise_signal(signal.SIGINT)
