"""A radar on one open line, for a person's tools: listen, ask, set up. It ends when the line is lost.

The daemon's link keeps a radar for years; here somebody looks at one for minutes, and wants to know at once
when the cable is out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Self, TypeVar

from drivers.radar.polling import Poller
from drivers.radar.setup import (
    ANSWERS_KEPT,
    CommandLine,
    RadarRestarted,
    SettingResult,
    SetupReport,
    offer,
    set_up,
)
from drivers.radar.talk import QuietSender
from speedsign.errors import PortError
from speedsign.model import RadarEvent, Reply, Restarted
from speedsign.ports import BytePort, Clock, RadarDriver, Setting

T = TypeVar("T")

ANSWER_S = 0.6  # an answer takes 0.1 s at 9600 baud
MUTE_AFTER = 2  # questions without an answer: the rest would only cost time
RESTARTS = 3  # in the middle of a set-up: it is begun anew so often


class Conversation:
    """`on_chunk` gets every chunk with its time, decodes it, and returns the events.

    `async with` opens the port (PortError) and closes it again.
    """

    def __init__(
        self,
        port: BytePort,
        driver: RadarDriver,
        clock: Clock,
        on_chunk: Callable[[bytes, float], Sequence[RadarEvent]],
    ) -> None:
        self._port, self._driver, self._clock, self._on_chunk = port, driver, clock, on_chunk
        self._sender = QuietSender(port, clock)
        self._poller = Poller(driver, self._sender, clock) if driver.poll is not None else None
        self._answers: asyncio.Queue[Reply | Restarted] = asyncio.Queue(ANSWERS_KEPT)
        self._lost: asyncio.Future[PortError] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        await self._port.open(self._take, self._lose)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._port.close()

    # ----------------------------------------------------------------- to the radar

    async def open_up(self) -> None:
        """Send what the driver sends after each opening of the line."""
        await self._sender.send_all(self._driver.opening, self._driver.command_gap_s)

    async def ask_all(self, questions: Iterable[bytes]) -> dict[str, str]:
        """Everything that the radar says in answer to harmless questions; raises PortError."""
        said: dict[str, str] = {}
        unanswered = 0
        for question in dict.fromkeys(questions):
            answer = await self._ask(question)
            unanswered = 0 if answer else unanswered + 1
            said |= answer
            if unanswered == MUTE_AFTER:
                break
        return said

    async def set_up(
        self,
        settings: Sequence[Setting],
        on_result: Callable[[SettingResult], None],
        *,
        dry_run: bool = False,
    ) -> SetupReport:
        """As `drivers.radar.setup.set_up`; raises PortError when the radar restarts again and again."""
        line = CommandLine(
            self._sender.send, self._answers, self._driver.command_gap_s, turn=self._sender.turn
        )
        for _ in range(RESTARTS):
            try:
                return await self._unless_lost(set_up(settings, line, on_result, dry_run=dry_run))
            except RadarRestarted:
                continue
        raise PortError(self._port.name, "the radar starts again and again; check its power")

    async def stay(self, seconds: float | None, stop: asyncio.Event) -> None:
        """Listen, and poll where the radar wants it, until the time is over or `stop`; raises PortError."""
        poll = None if self._poller is None else asyncio.create_task(self._poller.run())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._unless_lost(stop.wait())
        finally:
            if poll is not None:
                poll.cancel()
                await asyncio.wait([poll])

    async def _ask(self, question: bytes) -> dict[str, str]:
        said: dict[str, str] = {}
        async with self._sender.turn:
            while not self._answers.empty():
                self._answers.get_nowait()
            await self._sender.send(question)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_S):
                    said |= await self._unless_lost(self._reply())
                await asyncio.sleep(self._driver.command_gap_s)  # an answer can have more lines
            while not self._answers.empty():
                answer = self._answers.get_nowait()
                said |= answer.values if isinstance(answer, Reply) else {}
        return said

    async def _reply(self) -> dict[str, str]:
        while True:
            answer = await self._answers.get()
            if isinstance(answer, Reply):
                return dict(answer.values)

    async def _unless_lost(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this, but end it with the error of the port when that is lost."""
        task = asyncio.ensure_future(work)
        try:
            either: set[asyncio.Future[Any]] = {task, self._lost}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise self._lost.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])

    # ----------------------------------------------------------------- from the radar

    def _take(self, data: bytes) -> None:
        now = self._clock.monotonic()
        self._sender.heard(now)
        for event in self._on_chunk(data, now):
            if self._poller is not None:
                self._poller.heard(now)
            if isinstance(event, Reply | Restarted):
                offer(self._answers, event)

    def _lose(self, error: Exception) -> None:
        if not self._lost.done():
            self._lost.set_result(
                error if isinstance(error, PortError) else PortError(self._port.name, str(error))
            )
