"""Setting a radar up: ask, compare, write only where it differs, ask again.

Knows no port and no protocol: commands go out by a function, answers come in by a queue. Readings never
enter that queue, so that one cannot be taken for an answer and none waits for the set-up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from speedsign.model import Reply, Restarted
from speedsign.ports import Setting

ANSWER_TIMEOUT_S = 1.0  # an answer takes 0.1 s at 9600 baud; a radar with traffic to report takes longer
ASK_TRIES = 3  # an answer can be lost among glued readings
ANSWERS_KEPT = 64  # between two questions come ten lines at most
WRITE_TRIES = 2  # a command can be dropped when it comes close to another; more would wear the memory


class Outcome(StrEnum):
    """How it went with one setting; the value is what the technician reads."""

    RIGHT = "was right"
    CHANGED = "changed"
    WRITTEN = "written (cannot be asked for)"
    REFUSED = "refused"
    NO_ANSWER = "no answer"
    DIFFERS = "differs"  # found by a look that writes nothing
    NOT_ASKED = "cannot be asked for"  # the same


@dataclass(frozen=True, slots=True)
class SettingResult:
    """One setting: what was wanted, what the radar said before and after (None: nothing)."""

    name: str
    wanted: str
    outcome: Outcome
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        change = f", {self.before} -> {self.after}" if self.before != self.after else ""
        return f"{self.name} = {self.wanted}: {self.outcome.value}{change}"


@dataclass(frozen=True, slots=True)
class SetupReport:
    """The results in the order of the settings."""

    results: tuple[SettingResult, ...]

    @property
    def failed(self) -> tuple[SettingResult, ...]:
        """Those that could not be brought to what is wanted."""
        return tuple(one for one in self.results if one.outcome in (Outcome.REFUSED, Outcome.NO_ANSWER))

    @property
    def failed_text(self) -> str:
        """Those, for the technician."""
        return "; ".join(str(one) for one in self.failed)

    @property
    def mute(self) -> bool:
        """Whether some question stayed unanswered, rather than some setting refused."""
        return any(one.outcome is Outcome.NO_ANSWER for one in self.results)

    @property
    def ok(self) -> bool:
        return not self.failed


class RadarRestarted(Exception):  # noqa: N818  the situation is its name
    """The radar started again while it was being set up: what has been set so far is lost."""


@dataclass(slots=True)
class CommandLine:
    """The way to a radar: `send` waits for a good moment, `answers` gets what comes back.

    `turn` is held from a question to its answer, so that nobody else asks meanwhile (a polled radar's line).
    """

    send: Callable[[bytes], Awaitable[None]]
    answers: asyncio.Queue[Reply | Restarted]
    gap_s: float  # silence to leave after a command
    timeout_s: float = ANSWER_TIMEOUT_S
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


def offer(answers: asyncio.Queue[Reply | Restarted], answer: Reply | Restarted) -> None:
    """Put an answer into a bounded queue; the oldest makes room."""
    if answers.full():
        answers.get_nowait()
    answers.put_nowait(answer)


async def set_up(
    settings: Sequence[Setting],
    line: CommandLine,
    on_result: Callable[[SettingResult], None] | None = None,
    *,
    dry_run: bool = False,
) -> SetupReport:
    """Bring every setting to what is wanted; raises RadarRestarted, and PortError from `line.send`.

    `dry_run` asks and compares, and writes nothing.

    Once a question stays unanswered the later ones are asked only once, so that a mute radar costs
    seconds: at most `(ASK_TRIES + settings) * timeout_s` and the gaps.
    """
    engine = _Engine(line)
    results = []
    for setting in settings:
        result = await (engine.look(setting) if dry_run else engine.bring(setting))
        results.append(result)
        if on_result:
            on_result(result)
    return SetupReport(tuple(results))


class _Engine:
    def __init__(self, line: CommandLine) -> None:
        self._line = line
        self._tries = ASK_TRIES

    async def bring(self, setting: Setting) -> SettingResult:
        """One setting, from question to question."""
        if setting.query is None:
            await self._command(setting.write)
            return SettingResult(setting.name, setting.wanted, Outcome.WRITTEN)
        found = await self.look(setting)
        if found.outcome is not Outcome.DIFFERS:
            return found
        before = after = found.before
        outcome = Outcome.NO_ANSWER
        for _ in range(WRITE_TRIES):
            await self._command(setting.write)
            right, text = await self._ask(setting, setting.query)
            if right is None:
                outcome, after = Outcome.NO_ANSWER, None
                break
            outcome, after = (Outcome.CHANGED if right else Outcome.REFUSED), text
            if right:
                break
        return SettingResult(setting.name, setting.wanted, outcome, before, after)

    async def look(self, setting: Setting) -> SettingResult:
        """What the radar is set to, compared with what is wanted: right, differs, or not known."""
        if setting.query is None:
            return SettingResult(setting.name, setting.wanted, Outcome.NOT_ASKED)
        right, said = await self._ask(setting, setting.query)
        if right is None:
            self._tries = 1
            return SettingResult(setting.name, setting.wanted, Outcome.NO_ANSWER)
        self._tries = ASK_TRIES
        outcome = Outcome.RIGHT if right else Outcome.DIFFERS
        return SettingResult(setting.name, setting.wanted, outcome, said, said)

    async def _ask(self, setting: Setting, query: bytes) -> tuple[bool | None, str | None]:
        """What the answer means and says; (None, None) when there is none."""
        for _ in range(self._tries):
            async with self._line.turn:
                self._drain()
                await self._line.send(query)
                try:
                    async with asyncio.timeout(self._line.timeout_s):
                        right, text = await self._answer(setting)
                except TimeoutError:
                    continue
                await asyncio.sleep(self._line.gap_s)  # an answer can have more lines
            return right, text
        return None, None

    async def _answer(self, setting: Setting) -> tuple[bool, str]:
        while True:
            answer = await self._line.answers.get()
            if isinstance(answer, Restarted):
                raise RadarRestarted
            right = setting.matches(answer)
            if right is not None:
                return right, ", ".join(f"{key} {value}" for key, value in answer.values.items())

    async def _command(self, command: bytes) -> None:
        async with self._line.turn:
            self._drain()
            await self._line.send(command)
            await asyncio.sleep(self._line.gap_s)

    def _drain(self) -> None:
        """Forget answers to earlier questions; a restart among them is not forgotten."""
        while not self._line.answers.empty():
            if isinstance(self._line.answers.get_nowait(), Restarted):
                raise RadarRestarted
