"""Questions to a technician while the panel is kept lit: lines of the keyboard on the event loop."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from enum import StrEnum
from types import TracebackType
from typing import Self

_READ_BYTES = 4096


class Answer(StrEnum):
    """What a person says to a question, or what stands for it."""

    YES = "yes"
    NO = "no"
    SKIPPED = "skipped"
    AGAIN = "again"
    QUIT = "quit"
    NOT_ASKED = "not asked"


_KEYS = {answer.value[0]: answer for answer in (Answer.YES, Answer.NO, Answer.SKIPPED, Answer.QUIT)}
_KEYS["a"] = Answer.AGAIN
KEYS = "y yes, n no, s skip, a again, q quit"


def answer_of(line: str) -> Answer | None:
    """What a line says: its first letter counts. None: nothing that was asked for.

    >>> answer_of(" Yes"), answer_of("perhaps")
    (<Answer.YES: 'yes'>, None)
    """
    return _KEYS.get(line.strip()[:1].lower())


class Keyboard:
    """Lines of standard input; what comes before a question is kept for it, so that answers can be piped."""

    def __init__(self) -> None:
        self._data = b""
        self._ended = False
        self._fd: int | None = None
        self.changed = asyncio.Event()  # a line is there, or no more will come

    async def __aenter__(self) -> Self:
        if sys.stdin is None:  # closed before we began
            self._ended = True
            self.changed.set()
            return self
        try:
            self._fd = sys.stdin.fileno()
            asyncio.get_running_loop().add_reader(self._fd, self._readable)
        except (
            io.UnsupportedOperation,
            PermissionError,
        ):  # a file, or none at all: all of it is there at once
            self._fd = None
            self._data, self._ended = sys.stdin.buffer.read(), True
            self.changed.set()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop_reading()

    def take(self) -> str | None:
        """The next line; None where none has come yet, or none will."""
        line, newline, rest = self._data.partition(b"\n")
        if not newline and not self._ended:
            return None
        if not newline and not line:
            return None
        self._data = rest
        if b"\n" not in rest and not self._ended:
            self.changed.clear()
        return line.decode(errors="replace")

    def rest(self) -> bytes:
        """What was read and not taken: for who asks next."""
        rest, self._data = self._data, b""
        return rest

    @property
    def ended(self) -> bool:
        """Whether nobody will answer any more."""
        return self._ended and not self._data

    def _readable(self) -> None:
        assert self._fd is not None  # noqa: S101  it is read from
        try:
            data = os.read(self._fd, _READ_BYTES)
        except OSError:  # the terminal went away
            data = b""
        if not data:
            self._ended = True
            self._stop_reading()
        self._data += data
        if self._ended or b"\n" in self._data:
            self.changed.set()

    def _stop_reading(self) -> None:
        if self._fd is not None:
            asyncio.get_running_loop().remove_reader(self._fd)
            self._fd = None
