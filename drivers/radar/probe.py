"""Finding the radar on a port: listen at each setting of the line first, then ask what is harmless to ask."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from drivers.radar.detect import LEAST_SHARE, Candidate, Ear, Hearing, Verdict, line_settings
from drivers.radar.talk import QuietSender
from speedsign.errors import PortError
from speedsign.ports import BytePort, Clock, LineSettings

log = logging.getLogger(__name__)

LISTEN_S = 4.0  # MPH says four reports a second, the slowest
LOOK_S = 0.25
SURE_AFTER_S = 1.0  # a certain verdict need not wait for the rest of the time
NONSENSE_BYTES = 200  # so many without one report: another setting of the line
ANSWER_S = 0.6  # an answer takes 0.1 s at 9600 baud
REST_S = 0.3  # the rest of an answer
BEFORE_ASKING_S = 0.15


class How(StrEnum):
    """Why a radar is believed to be there."""

    HEARD = "heard"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one port. `hearing` None: no radar was recognised there."""

    port: str
    line: LineSettings | None = None
    hearing: Hearing | None = None
    how: How | None = None
    rivals: tuple[Candidate, ...] = ()
    heard_bytes: int = 0  # in the listening that the verdict rests on, or in all
    seconds: float = 0.0
    sample: bytes = b""
    asked: int = 0
    echo: bool = False  # the adapter hears what it sends
    error: PortError | None = None

    @property
    def certain(self) -> bool:
        """Whether it is this driver's radar; in which dialect may still be open (`rivals`)."""
        if self.hearing is None or self.other_drivers:
            return False
        return self.how is How.ANSWERED or self.hearing.is_certain

    @property
    def other_drivers(self) -> list[Candidate]:
        """Rivals that are another radar altogether."""
        return [one for one in self.rivals if self.hearing and one.name != self.hearing.candidate.name]


class Probe:
    """Looks for a radar on ports that `make_port` makes; nothing is sent where `may_ask` is False."""

    def __init__(
        self,
        make_port: Callable[[str, LineSettings], BytePort],
        clock: Clock,
        found: Sequence[Candidate],
        *,
        listen_s: float = LISTEN_S,
        may_ask: bool = True,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._make_port, self._clock, self._candidates = make_port, clock, found
        self._listen_s, self._may_ask, self._say = listen_s, may_ask, say

    async def look_at(self, port: str) -> Finding:
        """Listen, then ask; never raises on what the port or the radar does."""
        began_s = self._clock.monotonic()
        search = _Search(port)
        try:
            await self._listen_all(search)
            await self._try_the_usual(search)
            if self._may_ask and not search.settled:
                await self._ask_all(search)
        except PortError as error:
            search.error = error
        return search.finding(self._clock.monotonic() - began_s)

    # ----------------------------------------------------------------- listening

    async def _listen_all(self, search: _Search) -> None:
        for line in line_settings(self._candidates):
            self._say(f"{search.port}: listening at {words(line)}")
            try:
                verdict = await self._listen(search.port, line)
            except PortError as error:
                search.failed(error)
                continue
            search.note(line, verdict)
            if verdict.n_bytes == 0 or (verdict.best is not None and verdict.best.is_certain):
                return  # bytes come at every setting, though wrong ones: who is silent at one is silent

    async def _try_the_usual(self, search: _Search) -> None:
        """Where a port delivers at any baud rate (USB, TCP), say the driver's own."""
        usual = search.usual_line()
        if usual is None:
            return
        self._say(f"{search.port}: listening at {words(usual)}")
        try:
            verdict = await self._listen(search.port, usual)
        except PortError:
            return  # it does not know that baud rate: the other one it is
        search.confirm(usual, verdict)

    async def _listen(self, port: str, line: LineSettings) -> Verdict:
        ear = Ear(self._candidates, line)
        async with _Opened(self._make_port(port, line), self._clock, ear) as opened:
            began_s = self._clock.monotonic()
            while (heard_s := self._clock.monotonic() - began_s) < self._listen_s:
                await opened.wait(min(LOOK_S, self._listen_s - heard_s))
                verdict = ear.verdict()
                done = verdict.is_certain or (verdict.best is None and verdict.n_bytes >= NONSENSE_BYTES)
                if done and heard_s >= SURE_AFTER_S:
                    break
        return ear.verdict()

    # ----------------------------------------------------------------- asking

    async def _ask_all(self, search: _Search) -> None:
        """First each at its own setting of the line, then at the others it may have been set to."""
        if suspects := search.suspects():
            line, several = suspects
            can_be_asked = [one for one in several if one.questions]
            if not await self._ask_at(search, line, can_be_asked):
                search.did_not_answer(can_be_asked)
            return
        everybody = self._candidates
        first = [(one.lines[0], one) for one in everybody]
        others = [(line, one) for one in everybody for line in one.lines[1:]]
        for asked in (first, others):
            for line in line_settings(everybody):
                here = [one for at, one in asked if at == line and one.questions]
                if here and await self._ask_at(search, line, here):
                    return

    async def _ask_at(self, search: _Search, line: LineSettings, here: Sequence[Candidate]) -> bool:
        """Ask at one setting of the line; whether somebody has answered."""
        done: set[tuple[bytes, ...]] = set()
        for one in here:
            if one.questions in done:
                continue  # dialects of one radar share their question
            done.add(one.questions)
            self._say(f"{search.port}: asking {one.name} at {words(line)}")
            search.asked += 1
            same = [other for other in here if other.questions == one.questions]
            try:
                if await self._ask(search, line, same):
                    return True
            except PortError as error:
                search.failed(error)
        return False

    async def _ask(self, search: _Search, line: LineSettings, same: Sequence[Candidate]) -> bool:
        """Ask those who share a question; the best of them that understands the answer is believed."""
        ear = Ear(same, line)
        driver = same[0].driver
        async with _Opened(self._make_port(search.port, line), self._clock, ear) as opened:
            await opened.wait(BEFORE_ASKING_S)
            for question in same[0].questions:
                await opened.ask(question)
                await opened.wait(driver.command_gap_s)
            waited_s = 0.0
            while waited_s < ANSWER_S and not _answered(ear, same):
                await opened.wait(LOOK_S)
                waited_s += LOOK_S
            if _answered(ear, same):
                await opened.wait(REST_S)
        search.n_bytes += opened.n_bytes
        search.echo |= opened.echo
        hearings = _answered(ear, same)
        if not hearings:
            return False
        best, *rest = sorted(hearings, key=lambda one: (-one.share, -one.good))
        rivals = tuple(one.candidate for one in rest if (one.good, one.bad) == (best.good, best.bad))
        search.answer(line, best, rivals, ear.verdict().sample)
        return True


def _answered(ear: Ear, same: Sequence[Candidate]) -> list[Hearing]:
    """Those that have an answer: a report is one only where reports are asked for."""
    hearings = [hearing for one in same if (hearing := ear.heard_by(one)) is not None]
    polled = same[0].driver.ping is None
    return [one for one in hearings if (one.good if polled else one.answers) and one.share >= LEAST_SHARE]


class _Opened:
    """A port that is open for a while; what arrives goes to the ear, without the echo of a question."""

    def __init__(self, port: BytePort, clock: Clock, ear: Ear) -> None:
        self.n_bytes = 0
        self.echo = False
        self._port, self._clock, self._ear = port, clock, ear
        self._sender = QuietSender(port, clock)
        self._echo_of = b""  # what may still come back of what was sent
        self._lost: PortError | None = None

    async def __aenter__(self) -> Self:
        await self._port.open(self._take, self._lose)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._port.close()

    async def wait(self, seconds: float) -> None:
        """Let time pass; raises PortError when the port is lost."""
        await asyncio.sleep(seconds)
        if self._lost is not None:
            raise self._lost

    async def ask(self, question: bytes) -> None:
        self._echo_of = question
        await self._sender.send(question)

    def _take(self, data: bytes) -> None:
        now = self._clock.monotonic()
        self._sender.heard(now)
        self.n_bytes += len(data)
        if self._echo_of:
            n = _common(data, self._echo_of)
            self._echo_of = self._echo_of[n:] if n == len(data) else b""
            self.echo |= n > 1
            data = data[n:] if n > 1 else data
        if data:
            self._ear.feed(data, now)

    def _lose(self, error: Exception) -> None:
        self._lost = error if isinstance(error, PortError) else PortError(self._port.name, str(error))


class _Search:
    """What has been found out about one port so far."""

    def __init__(self, port: str) -> None:
        self.port = port
        self.n_bytes = self.asked = 0
        self.echo = False
        self.error: PortError | None = None
        self.settled = False
        self._opened = self._failing = False
        self._line: LineSettings | None = None
        self._verdict: Verdict | None = None
        self._sample = b""
        self._answer: tuple[LineSettings, Hearing, tuple[Candidate, ...]] | None = None

    def failed(self, error: PortError) -> None:
        """A port need not know every baud rate; one that fails twice running, or at first, is no port."""
        if self._failing or not self._opened:
            raise error
        self._failing = True

    def note(self, line: LineSettings, verdict: Verdict) -> None:
        """What was heard at one setting; the best is kept."""
        self._opened, self._failing = True, False
        self.n_bytes += verdict.n_bytes
        self._sample = self._sample or verdict.sample
        if verdict.best is None:
            return
        before = self._verdict.best if self._verdict else None
        if before is None or verdict.best.evidence_bits > before.evidence_bits:
            self._line, self._verdict, self._sample = line, verdict, verdict.sample
        self.settled = verdict.is_certain

    def usual_line(self) -> LineSettings | None:
        """The own setting of the driver that was recognised at another one."""
        if not self.settled or self._verdict is None or self._verdict.best is None:
            return None
        usual = self._verdict.best.candidate.lines[0]
        return usual if usual != self._line else None

    def confirm(self, line: LineSettings, verdict: Verdict) -> None:
        """The same radar at its usual setting: that is the one to say."""
        before = self._verdict.best if self._verdict else None
        if verdict.best is None or before is None or not verdict.is_certain:
            return
        if verdict.best.candidate.name == before.candidate.name:
            self._line, self._verdict, self._sample = line, verdict, verdict.sample

    def suspects(self) -> tuple[LineSettings, list[Candidate]] | None:
        """Who explains what was heard, and how the line was set: asking them may tell."""
        if self._line is None or self._verdict is None or self._verdict.best is None:
            return None
        return self._line, [one.candidate for one in (self._verdict.best, *self._verdict.rivals)]

    def did_not_answer(self, asked: Sequence[Candidate]) -> None:
        """They could have: of several explanations those that cannot be asked are the better ones now."""
        if self._verdict is None or self._verdict.best is None:
            return
        several = (self._verdict.best, *self._verdict.rivals)
        mute = {one.name for one in asked}
        best, *rest = sorted(several, key=lambda one: one.candidate.name in mute)
        self._verdict = replace(self._verdict, best=best, rivals=tuple(rest))

    def answer(self, line: LineSettings, best: Hearing, rivals: tuple[Candidate, ...], sample: bytes) -> None:
        self._answer, self._sample = (line, best, rivals), sample

    def finding(self, seconds: float) -> Finding:
        """The end of it."""
        common = Finding(
            self.port,
            heard_bytes=self.n_bytes,
            seconds=seconds,
            sample=self._sample,
            asked=self.asked,
            echo=self.echo,
            error=self.error,
        )
        if self._answer is not None:
            line, best, rivals = self._answer
            return replace(common, line=line, hearing=best, how=How.ANSWERED, rivals=rivals)
        if self._verdict is None or self._verdict.best is None:
            return common
        rivals = tuple(one.candidate for one in self._verdict.rivals)
        return replace(common, line=self._line, hearing=self._verdict.best, how=How.HEARD, rivals=rivals)


def _common(one: bytes, other: bytes) -> int:
    """How many bytes two have in common from their beginning on."""
    n = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        n += 1
    return n


def words(line: LineSettings) -> str:
    """`9600 8N1`."""
    return f"{line.baud} {line.bytesize}{line.parity}{line.stopbits}"
