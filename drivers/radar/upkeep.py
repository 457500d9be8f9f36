"""A radar that is set up, and set up again whenever it says or shows that it is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from drivers.radar.setup import ANSWERS_KEPT, CommandLine, RadarRestarted, SetupReport, offer, set_up
from drivers.radar.talk import QuietSender
from speedsign.model import Reply, Restarted
from speedsign.ports import Clock, RadarDriver, Setting

log = logging.getLogger(__name__)

SETUP_AGAIN_FIRST_S = 1.0  # a radar that has just started takes up to 2 s (OPS-DS-003)
SETUP_AGAIN_MAX_S = 60.0  # for a radar that does not answer
SETUP_REFUSED_MAX_S = 3600.0  # for one that answers and does not obey: each try may write to its flash
STEADY_S = 60.0  # set up for this long: the next trouble is a new one
RESTART_BURST_S = 2.0  # the banner has several lines
_RESULT = "radar %s: %s"


class Upkeep:
    """The set-ups of one radar, over all openings of its port. `on_complete` is told of each good one."""

    def __init__(
        self,
        name: str,
        driver: RadarDriver,
        settings: Sequence[Setting],
        sender: QuietSender,
        clock: Clock,
        on_complete: Callable[[], None],
    ) -> None:
        self.report: SetupReport | None = None  # of the last set-up that came to its end
        self.complete = False  # set up, and nothing has said otherwise since
        self.counts = dict.fromkeys(("restarts", "setups"), 0)
        self._name, self._driver, self._settings = name, driver, settings
        self._sender, self._clock, self._on_complete = sender, clock, on_complete
        self._restart_mono_s: float | None = None
        self._due = asyncio.Event()
        self._pause_s = SETUP_AGAIN_FIRST_S
        self._answers: asyncio.Queue[Reply | Restarted] | None = None  # while a set-up runs

    @property
    def is_asking(self) -> bool:
        """Whether a set-up is running, which proves life by itself."""
        return self._answers is not None

    def begin(self) -> None:
        """Before an opening of the port: nothing of the last one counts."""
        self.complete = False
        self._due.clear()

    # ----------------------------------------------------------------- what the radar says

    def reply(self, reply: Reply) -> None:
        """An answer, to a set-up or to somebody else."""
        if self._answers is not None:
            offer(self._answers, reply)
        elif self.complete and any(one.matches(reply) is False for one in self._settings):
            self.ask_again("it says that it is set otherwise")

    def restarted(self, event: Restarted) -> None:
        """What it was set to may be lost."""
        if self._restart_mono_s is None or event.t_mono_s - self._restart_mono_s > RESTART_BURST_S:
            self.counts["restarts"] += 1
            log.warning("radar %s: started again: %s", self._name, event.text)
        self._restart_mono_s = event.t_mono_s
        self.complete = False
        if self._answers is not None:
            offer(self._answers, event)
        else:
            self._due.set()

    def ask_again(self, why: str) -> None:
        """Something shows that the radar is not set as it was."""
        self.complete = False
        log.warning("radar %s: set up again: %s", self._name, why)
        self._due.set()

    # ----------------------------------------------------------------- set-up

    async def run(self) -> None:
        """Set up, and again when it is due or has failed, until cancelled; raises PortError."""
        while True:
            self._due.clear()
            report = await self._once()
            done_mono_s = self._clock.monotonic()
            if report is None:  # it has started again meanwhile
                await asyncio.sleep(self._next_pause_s(SETUP_AGAIN_MAX_S))
            elif not report.ok:
                longest_s = SETUP_AGAIN_MAX_S if report.mute else SETUP_REFUSED_MAX_S
                await self._wait_due(self._next_pause_s(longest_s))
            else:
                await self._due.wait()
                if self._clock.monotonic() - done_mono_s < STEADY_S:  # it forgets again and again
                    await asyncio.sleep(self._next_pause_s(SETUP_AGAIN_MAX_S))
                else:
                    self._pause_s = SETUP_AGAIN_FIRST_S

    def _next_pause_s(self, longest_s: float) -> float:
        """Doubles from one failure to the next, also over a reopening of the port."""
        pause_s = min(self._pause_s, longest_s)
        self._pause_s = pause_s * 2
        return pause_s

    async def _wait_due(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._due.wait()
        except TimeoutError:
            return

    async def _once(self) -> SetupReport | None:
        """One set-up from beginning to end; None: the radar started again meanwhile.

        It begins with what opens the talk: a radar that has lost its power has forgotten that too.
        """
        self.counts["setups"] += 1
        gap_s = self._driver.command_gap_s
        await self._sender.send_all(self._driver.opening, gap_s)
        answers: asyncio.Queue[Reply | Restarted] = asyncio.Queue(ANSWERS_KEPT)
        line = CommandLine(self._sender.send, answers, gap_s, turn=self._sender.turn)
        self._answers = answers
        try:
            report = await set_up(self._settings, line, partial(log.debug, _RESULT, self._name))
        except RadarRestarted:
            return None
        finally:
            self._answers = None
        while not answers.empty():
            if isinstance(answers.get_nowait(), Restarted):
                return None
        self._finish(report)
        return report

    def _finish(self, report: SetupReport) -> None:
        self.report = report
        if report.ok:
            self.complete = True
            self._on_complete()
            if self._settings:
                log.info("radar %s: set up", self._name)
        else:
            log.debug("radar %s: not set up: %s", self._name, report.failed_text)
