"""A radar that reports when it is asked: the question, its answer, and the pace."""

from __future__ import annotations

import asyncio

from drivers.radar.talk import QuietSender
from speedsign.ports import Clock, RadarDriver

ANSWER_S = 0.3  # an answer takes 0.1 s at 9600 baud; one that is lost costs so long
OPEN_UP_AGAIN_S = 3.0  # without an answer: it has lost its power, and with it what opened the talk
LEAST_PAUSE_S = 0.005  # so that a slow radar never makes a loop that does not sleep


class Poller:
    """Asks `driver.poll` every `driver.poll_s`, and never again before the answer or its time.

    Others that have a question (a set-up) take turns with it. `unanswered` counts.
    """

    def __init__(self, driver: RadarDriver, sender: QuietSender, clock: Clock) -> None:
        self.unanswered = 0
        self._driver, self._sender, self._clock = driver, sender, clock
        self._answered = asyncio.Event()
        self._heard_mono_s = 0.0  # the last event, or the last opening

    def heard(self, t_mono_s: float) -> None:
        """The radar has just said something that makes sense."""
        self._heard_mono_s = t_mono_s
        self._answered.set()

    async def run(self) -> None:
        """Ask until cancelled; raises PortError."""
        poll = self._driver.poll
        assert poll is not None  # noqa: S101  whoever makes a poller has looked
        self._heard_mono_s = self._clock.monotonic()
        while True:
            began_s = self._clock.monotonic()
            await self._ask(poll)
            if self._driver.opening and self._clock.monotonic() - self._heard_mono_s > OPEN_UP_AGAIN_S:
                await self._sender.send_all(self._driver.opening, self._driver.command_gap_s)
                self._heard_mono_s = self._clock.monotonic()
            left_s = began_s + self._driver.poll_s - self._clock.monotonic()
            await asyncio.sleep(max(left_s, LEAST_PAUSE_S))

    async def _ask(self, poll: bytes) -> None:
        async with self._sender.turn:
            self._answered.clear()
            await self._sender.send(poll)
            try:
                async with asyncio.timeout(max(ANSWER_S, self._driver.poll_s)):
                    await self._answered.wait()
            except TimeoutError:
                self.unanswered += 1
