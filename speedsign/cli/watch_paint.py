"""A terminal that is drawn on by plain ANSI sequences: only what changes is sent, and it is left as it was.

ECMA-48: CUP `ESC[row;colH`, EL `ESC[K`, ED `ESC[2J`, SGR; and the private modes of every terminal of today:
1049 (another screen), 25 (cursor), 7 (wrap).
"""

from __future__ import annotations

import contextlib
import os
import termios
import tty
from collections.abc import Iterator, Sequence
from typing import TextIO

from speedsign.cli.watch_screen import BAD, PLAIN, TITLE, Row

USUAL = (80, 24)  # of a terminal that does not say, as a serial console
LEAST = (20, 4)
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J", "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_PLAIN = "\x1b[0m"
_STYLES = {PLAIN: "", TITLE: "\x1b[1m", BAD: "\x1b[1;31m"}


class Painter:
    """Knows what is on the screen, and gives the bytes that make the next picture of it."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._on_screen: list[Row] = []
        self._anew = True

    def forget(self) -> None:
        """The screen is not what it was: another size, or somebody else wrote on it."""
        self._anew = True

    def paint(self, rows: Sequence[Row]) -> str:
        """What to send; empty: nothing has changed."""
        parts = []
        if self._anew:
            parts.append("\x1b[2J")
            self._on_screen, self._anew = [], False
        for i in range(max(len(rows), len(self._on_screen))):
            new = rows[i] if i < len(rows) else Row("")
            old = self._on_screen[i] if i < len(self._on_screen) else Row("")
            if new != old:
                parts.append(self._change(i + 1, old, new))
        self._on_screen = list(rows)
        return "".join(parts)

    def _change(self, line: int, old: Row, new: Row) -> str:
        """The part of a row that differs; a row with more than ASCII, or of another style, as a whole."""
        begin, end = 0, len(new.text)
        if old.style == new.style and old.text.isascii() and new.text.isascii():
            begin = _alike(old.text, new.text)
            if len(old.text) == len(new.text):
                end -= _alike(old.text[begin:][::-1], new.text[begin:][::-1])
        text = new.text[begin:end]
        style = _STYLES[new.style] if self._colour and text else ""
        rest = "\x1b[K" if len(new.text) < len(old.text) or not new.text.isascii() else ""
        return f"\x1b[{line};{begin + 1}H{style}{text}{_PLAIN if style else ''}{rest}"


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def size_of(out: TextIO) -> tuple[int, int]:
    """Columns and rows that may be written to: the last column stays free, it is special everywhere."""
    try:
        found = os.get_terminal_size(out.fileno())
    except OSError:
        found = os.terminal_size(USUAL)
    columns, rows = found if found.columns and found.lines else USUAL
    return max(columns, LEAST[0]) - 1, max(rows, LEAST[1])


def send(out: TextIO, text: str) -> int:
    """Write at once, whatever the terminal's encoding can hold of it; how many bytes that were."""
    data = text.encode(out.encoding or "ascii", "replace")
    view = memoryview(data)
    while view:
        view = view[os.write(out.fileno(), view) :]
    return len(data)


@contextlib.contextmanager
def screen_of(out: TextIO, keys: TextIO | None) -> Iterator[None]:
    """The terminal as a canvas, single keys to be read where `keys` is one; after it, as it was before."""
    before = None
    if keys is not None:
        before = termios.tcgetattr(keys.fileno())
        tty.setcbreak(keys.fileno())
        _no_suspending(keys.fileno())
    try:
        send(out, _ENTER)
        yield
    finally:
        with contextlib.suppress(OSError):  # a terminal that went away needs nothing put back
            send(out, _LEAVE)
        if keys is not None and before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(keys.fileno(), termios.TCSADRAIN, before)


def _no_suspending(terminal: int) -> None:
    """Ctrl-Z would leave the shell with this screen: it does nothing meanwhile."""
    settings = termios.tcgetattr(terminal)
    settings[6][termios.VSUSP] = b"\0"
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
