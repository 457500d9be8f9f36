"""The person at the terminal: told things, asked things, and allowed to stop at any of them.

Answers may be piped. Who ends the input, presses Ctrl-C or loses the connection has not answered: the
command decides what becomes of what was measured.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn, TypeVar

import click

from speedsign.errors import SpeedsignError, UsageError

T = TypeVar("T")

STOPPED = "stopped: no record was kept, and the config is as it was"
_YES, _NO = ("y", "yes"), ("n", "no")


class Stopped(SpeedsignError):  # noqa: N818  the situation is its name
    """The person does not go on: Ctrl-C, the end of the input, or a terminal that is gone."""

    def __init__(self, text: str = STOPPED, *, gone: bool = False) -> None:
        super().__init__(text)
        self.gone = gone  # nobody is there to be asked anything else


class Technician:
    """Asks on the terminal. `yes`: every default is taken and nothing is asked. `aside`: speak on stderr."""

    def __init__(self, *, yes: bool = False, aside: bool = False) -> None:
        self.yes, self._aside = yes, aside
        self._kept = b""  # lines that came before they were asked for
        self._deaf = False

    def say(self, text: str = "") -> None:
        """Print a line; a terminal that is gone swallows it, so that what was measured can still be kept."""
        self._put(text + "\n")

    def confirm(self, question: str, *, default: bool, option: str) -> bool:
        """Yes or no; `option` is named where nobody can answer. Raises Stopped, UsageError."""
        if self.yes:
            return default

        def read(line: str) -> bool:
            word = line.strip().lower()
            if not word:
                return default
            if word not in (*_YES, *_NO):
                raise ValueError("answer y or n")
            return word in _YES

        return self.ask(f"{question} [{'Y/n' if default else 'y/N'}]", read, option=option)

    def ask(self, question: str, read: Callable[[str], T], *, option: str) -> T:
        """The first answer that `read` takes; it raises ValueError with a sentence for any other.

        `option` gives the answer where nobody can. Raises Stopped, UsageError.
        """
        while True:
            with _may_be_stopped():
                self._put(f"{question} ")
                line = self._line()
            if line is None:
                self.say()
                if sys.stdin is not None and sys.stdin.isatty():
                    raise Stopped(gone=True)
                raise UsageError(f"nobody answers {question!r}; give {option}")
            try:
                return read(line)
            except ValueError as error:
                self.say(str(error))

    def keep(self, typed: bytes) -> None:
        """Give back what somebody else has read and not used."""
        self._kept += typed

    def _line(self) -> str | None:
        """What is typed next; None: the input has ended.

        Byte by byte: whoever reads the input next finds the rest of it.
        """
        kept, newline, rest = self._kept.partition(b"\n")
        if newline:
            self._kept = rest
            return kept.decode(errors="replace")
        self._kept = b""
        if sys.stdin is None:
            return kept.decode(errors="replace") or None
        try:
            number = sys.stdin.fileno()
        except io.UnsupportedOperation:  # no file behind it: all of it is there
            line = sys.stdin.readline()
            return kept.decode(errors="replace") + line.rstrip("\n") if line or kept else None
        data, ended = kept, False
        while not (ended := (one := _byte(number)) == b"") and one != b"\n":
            data += one
        return None if ended and not data else data.decode(errors="replace")

    def _put(self, text: str) -> None:
        if self._deaf:
            return
        try:
            click.echo(text, nl=False, err=self._aside)
        except OSError:  # the terminal is gone
            self._deaf = True


def _byte(number: int) -> bytes:
    try:
        return os.read(number, 1)
    except OSError:  # the terminal is gone
        return b""


@contextlib.contextmanager
def _may_be_stopped() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a terminal that goes away become `Stopped`."""

    def hung_up(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Stopped(gone=True)

    def told(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Stopped

    wanted = {signal.SIGTERM: told, signal.SIGHUP: hung_up}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
        del wanted[signal.SIGHUP]
    before = {number: signal.signal(number, what) for number, what in wanted.items()}
    try:
        yield
    except KeyboardInterrupt:
        click.echo(err=True)  # behind the ^C
        raise Stopped from None
    finally:
        for number, what in before.items():
            signal.signal(number, what)
