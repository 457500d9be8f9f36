"""Questions with defaults, for somebody in gloves: short, one thing each, and any of them can be left.

At every question: `?` help, `b` one step back, `s` skip this step, `q` stop. The lines come over the event
loop, so that a panel stays lit and a radar is listened to while somebody thinks.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeVar

import click

from speedsign.cli.display_ask import Keyboard
from speedsign.errors import SpeedsignError, UsageError
from speedsign.supervise import to_its_end

T = TypeVar("T")

KEYS = "? help, b back, s skip, q stop"
NONE = "-"  # an answer that means: nothing
_NO_LETTER = "\N{REPLACEMENT CHARACTER}"  # what the keyboard makes of bytes that are no text


class Back(Exception):  # noqa: N818  the situation is its name
    """One step back."""


class Skipped(Exception):  # noqa: N818  the same
    """Not this step now."""


class Left(SpeedsignError):  # noqa: N818  the same
    """Whoever was asked does not go on; the text says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer by option: `value` None where the option was not used; `option` names it for a person."""

    option: str
    value: object = None


def is_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


@dataclass(slots=True)
class Asker:
    """Asks on the terminal; `yes`: defaults are taken and nothing is asked. `aside`: speak on stderr."""

    keyboard: Keyboard
    yes: bool = False
    aside: bool = False
    gone: bool = False  # the terminal
    asked: list[str] = field(default_factory=list)  # every question, as it was put

    def say(self, text: str = "") -> None:
        """A line; a terminal that is gone swallows it, so that what has to be done at the end is done."""
        self._put(text + "\n")

    async def ask(
        self,
        question: str,
        read: Callable[[str], T],
        *,
        default: str | None = None,
        given: Given | None = None,
        about: str = "",
    ) -> T:
        """The first answer that `read` takes; it raises ValueError with a sentence for any other.

        An empty line is `default`; None: there is none. `about`: the help. Raises Back, Skipped, Left, and
        UsageError where nobody is there and no option answers.
        """
        if given is not None and given.value is not None:
            return self._by_option(question, read, given)
        if self.yes:
            if default is None:
                raise UsageError(_nobody(question, given))
            return self._by_default(question, read, default)
        return await self._by_person(question, read, default, about)

    async def confirm(
        self, question: str, *, default: bool | None = True, given: Given | None = None, about: str = ""
    ) -> bool:
        """Yes or no."""
        words = {True: "y", False: "n", None: None}
        return await self.ask(question, yes_or_no, default=words[default], given=given, about=about)

    async def choose(
        self,
        question: str,
        choices: Sequence[str],
        *,
        default: str | None = None,
        given: Given | None = None,
        about: str = "",
    ) -> str:
        """One of a few words; their beginning is enough."""
        return await self.ask(question, one_of(choices), default=default, given=given, about=about)

    async def unless_typed(
        self, doing: Coroutine[Any, Any, T], stop: asyncio.Event | None = None
    ) -> T | None:
        """What this comes to, or None where somebody presses Enter meanwhile; b, s and q leave.

        `stop` is set then, and the work given its time to end; without one it is cancelled. Raises what it
        raises, Back, Skipped, Left.
        """
        work = asyncio.ensure_future(doing)
        try:
            if self.yes:
                return await work
            await self._until_typed(work, stop)
            return None if work.cancelled() else work.result()
        finally:
            if not work.done():
                work.cancel()
                await to_its_end(work)

    async def _until_typed(self, work: asyncio.Future[T], stop: asyncio.Event | None) -> None:
        while not work.done():
            changed = asyncio.ensure_future(self.keyboard.changed.wait())
            try:
                either: set[asyncio.Future[Any]] = {work, changed}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()
                await asyncio.wait({changed})
            if work.done():
                return
            line = self.keyboard.take()
            if line is None and not self.keyboard.ended:
                continue
            if stop is None:
                work.cancel()
            else:
                stop.set()
            await to_its_end(work)
            self._leave_by(line)

    def _leave_by(self, line: str | None) -> None:
        """Enter alone only ends the listening."""
        if line is None:
            raise Left("nobody is there any more")
        _reserved(line.strip().lower())

    def _by_option(self, question: str, read: Callable[[str], T], given: Given) -> T:
        text = _as_typed(given.value)
        try:
            value = read(text)
        except ValueError as error:
            raise UsageError(f"{given.option}: {error}") from None
        self.say(f"{question}: {text}")
        return value

    def _by_default(self, question: str, read: Callable[[str], T], default: str) -> T:
        try:
            value = read(default)
        except ValueError as error:
            raise UsageError(f"{question}: {error}") from None
        self.say(f"{question}: {default}")
        return value

    async def _by_person(self, question: str, read: Callable[[str], T], default: str | None, about: str) -> T:
        prompt = f"{question}: " if default is None else f"{question} [{default}]: "
        self.asked.append(question)
        while True:
            self._put(prompt)
            line = (await self._line()).replace("\t", " ").strip()
            if not line.isprintable() or _NO_LETTER in line:
                self.say("that had what is no letter in UTF-8; type it again")
                continue
            if line == "?":
                self.say(about or "no more is known about this")
                self.say(KEYS)
                continue
            _reserved(line.lower())
            if not line and default is None:
                self.say("an answer is needed; ? helps")
                continue
            try:
                return read(line or default or "")
            except ValueError as error:
                self.say(str(error))

    async def _line(self) -> str:
        """The next line that is typed. Raises Left at the end of the input."""
        while (line := self.keyboard.take()) is None:
            if self.keyboard.ended:
                self.say()
                raise Left("the input has ended")
            await self.keyboard.changed.wait()
        return line

    def _put(self, text: str) -> None:
        if self.gone:
            return
        try:
            click.echo(text, nl=False, err=self.aside)
        except OSError:
            self.gone = True


def _reserved(word: str) -> None:
    match word:
        case "b" | "back":
            raise Back
        case "s" | "skip":
            raise Skipped
        case "q" | "quit":
            raise Left("stopped")
        case _:
            return


def _nobody(question: str, given: Given | None) -> str:
    option = f"give {given.option}" if given is not None else "run it at a terminal"
    return f"{question}: nobody is asked with --yes; {option}"


def _as_typed(value: object) -> str:
    if isinstance(value, bool):
        return "y" if value else "n"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


# --------------------------------------------------------------------------- what an answer can be


def yes_or_no(text: str) -> bool:
    """
    >>> yes_or_no(" YES")
    True
    """
    word = text.strip().lower()
    if word in ("y", "yes"):
        return True
    if word in ("n", "no"):
        return False
    raise ValueError("answer y or n")


def one_of(choices: Sequence[str]) -> Callable[[str], str]:
    """One of these words; the beginning of one is enough where no other begins so, and a word for a letter.

    >>> one_of(["approaching", "both"])("B")
    'both'
    >>> one_of(["y", "n", "a"])("Yes")
    'y'
    """

    def read(text: str) -> str:
        word = text.strip().lower()
        letters = [
            one for one in choices if len(one) == 1 and word.isalpha() and word.startswith(one.lower())
        ]
        found = [one for one in choices if one.lower() == word] or [
            one for one in choices if word and one.lower().startswith(word)
        ]
        found = found or letters
        if len(found) != 1:
            raise ValueError(f"answer {', '.join(choices[:-1])} or {choices[-1]}")
        return found[0]

    return read


def number(text: str) -> float:
    """A number; a comma is as good as a point."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"{text.strip()!r} is no number") from None
    if not isfinite(value):
        raise ValueError(f"{text.strip()!r} is no number")
    return value


def whole(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise ValueError(f"{text.strip()!r} is no whole number") from None


def words(text: str) -> str | None:
    """A text; `-` is none."""
    return None if text.strip() in ("", NONE) else " ".join(text.split())
