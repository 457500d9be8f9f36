"""One radar on one line: keeps it open, set up and supervised, and passes on what it says at once.

port lost or not there ──► closed ──(back-off)──► open ──► set up ──► supervised
                              ▲                    │ restarted, settings lost, set-up failed: again
                              └──── lost, silent ──┘
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from drivers.radar.proof import MeasuredTime
from drivers.radar.setup import ANSWERS_KEPT, CommandLine, RadarRestarted, SetupReport, offer, set_up
from speedsign.errors import PortError
from speedsign.model import Fault, RadarEvent, Reading, Rejected, Reply, Restarted
from speedsign.ports import BytePort, Clock, RadarDriver, RadarSettings

log = logging.getLogger(__name__)
_RESULT = "radar %s: %s"

REOPEN_FIRST_S = 0.5  # a USB device is back half a second after a glitch
REOPEN_MAX_S = 30.0  # someone who plugs it in again wants to see it work
SETUP_AGAIN_FIRST_S = 1.0  # a radar that has just started takes up to 2 s (OPS-DS-003)
SETUP_AGAIN_MAX_S = 60.0  # for a radar that does not answer
SETUP_REFUSED_MAX_S = 3600.0  # for one that answers and does not obey: each try may write to its flash
STEADY_S = 60.0  # set up for this long: the next trouble is a new one
STREAM_SILENT_S = 3.0  # radars that report an empty road do so several times a second
PING_AFTER_S = 10.0  # long enough that no reading is on its way, short enough for coverage
PING_TIMEOUT_S = 2.0
PINGS_MISSED = 2  # one answer can be lost
REOPEN_SILENT_S = 60.0  # a USB port can hang without an error: opening it anew helps
LINE_QUIET_S = 0.005  # five characters at 9600 baud: a half-duplex line is free between two reports
LINE_QUIET_TRIES = 100
UNIT_GRACE_S = 10.0  # a set-up takes less and ends it
RESTART_BURST_S = 2.0  # the banner has several lines
UNREAD_BYTES = 16  # more without an event is noise, or a language that we do not speak
LEAST_SLEEP_S = 0.01  # so that rounding never makes a loop that does not sleep


class RadarLink:
    """Implements `speedsign.ports.Radar` for any driver on any port.

    `set_up` False sends nothing at all, neither settings nor questions. A radar that is silent when idle
    cannot be judged then: an open port counts as measuring, which is weaker than proof.

    `on_bytes` gets every chunk with its time before it is decoded, for a capture.

    Raises DriverError when the radar cannot do what `settings` ask.
    """

    def __init__(
        self,
        port: BytePort,
        driver: RadarDriver,
        settings: RadarSettings,
        clock: Clock,
        *,
        set_up: bool = True,
        on_bytes: Callable[[bytes, float], None] | None = None,
    ) -> None:
        self.setup_report: SetupReport | None = None  # of the last set-up that came to its end
        self._port, self._driver, self._clock = port, driver, clock
        self._unit = settings.unit
        self._settings = tuple(driver.settings(settings)) if set_up else ()
        self._may_send = set_up
        self._on_bytes = on_bytes
        self._on_events: Callable[[Sequence[RadarEvent]], None] = _nobody
        self._decoder = driver.decoder(settings.unit)
        self._asks = set_up and not driver.streams_when_idle and driver.ping is not None
        self._measured = MeasuredTime(self._supervision_limit_s())
        self._counts: dict[str, int] = dict.fromkeys(("reopened", "restarts", "setups", "pings"), 0)
        self._port_error: Exception | None = None
        self._open = False
        self._opened_once = False
        self._warned = False  # of the port; once, until the radar has spoken again
        self._lost: asyncio.Future[Exception] | None = None
        self._last_byte_mono_s = 0.0
        self._heard_mono_s = 0.0  # the last event, or the opening
        self._unread_bytes = 0  # arrived since the last event
        self._heard = False  # anything since the opening
        self._silent = False  # stays over a reopening, until the radar speaks
        self._missed_pings = 0
        self._unit_trouble = ""  # why readings are not used
        self._unit_trouble_mono_s = 0.0  # since when
        self._unit_grace_s = UNIT_GRACE_S if set_up else 0.0
        self._complete = False  # set up, and nothing has said otherwise since
        self._bare = 0  # the decoder's count of lines in the factory's form when set up
        self._restart_mono_s: float | None = None
        self._setup_due = asyncio.Event()
        self._setup_pause_s = SETUP_AGAIN_FIRST_S
        self._answers: asyncio.Queue[Reply | Restarted] | None = None  # while a set-up runs

    # ----------------------------------------------------------------- what the daemon sees

    async def run(self, on_events: Callable[[Sequence[RadarEvent]], None]) -> None:
        """Keep the radar open, set up and supervised until cancelled."""
        self._on_events = on_events
        pause_s = REOPEN_FIRST_S
        while True:
            try:
                error = await self._open_and_serve()
            finally:
                self._close()
            if self._heard:
                pause_s = REOPEN_FIRST_S
            self._report_port(error, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, REOPEN_MAX_S)

    def faults(self) -> list[Fault]:
        """What is wrong now, with what to do about it."""
        if self._port_error is not None:
            return [Fault("radar", "port", f"radar {self._port_error}")]
        if not self._open:
            return []
        found = []
        if self._is_silent():
            found.append(Fault("radar", "silent", self._silent_text()))
        if self._unit_trouble and self._clock.monotonic() - self._unit_trouble_mono_s >= self._unit_grace_s:
            found.append(
                Fault(
                    "radar",
                    "unit",
                    f"radar {self._port.name}: readings are not used ({self._unit_trouble});"
                    f" set the radar to {self._unit.value}, or let the sign set it up",
                )
            )
        if self.setup_report is not None and not self.setup_report.ok:
            failed = "; ".join(str(one) for one in self.setup_report.failed)
            text = f"radar {self._port.name}: not set up ({failed}); check the wire that carries commands"
            found.append(Fault("radar", "setup", text))
        return found

    def measured_s(self, t_mono_s: float) -> float:
        """Seconds proved up to a moment: from proof to proof while the port stayed open."""
        return self._measured.at(t_mono_s)

    def health(self) -> Mapping[str, int]:
        """Counters since the start: bytes, frames, bad, overflow, rejected, reopened, restarts, …"""
        totals = dict.fromkeys(("bytes", "frames", "bad", "overflow", "rejected"), 0) | self._counts
        for name, n in self._decoder.counters.values.items():
            totals[name] = totals.get(name, 0) + n
        return totals

    # ----------------------------------------------------------------- the line

    async def _open_and_serve(self) -> Exception:
        """Open the port and work until it is lost; what it was lost by."""
        self._begin()
        try:
            await self._port.open(self._take, self._lose)
        except PortError as error:
            return error
        now = self._clock.monotonic()
        self._open = True
        self._heard_mono_s = now
        self._measured.opened(now)
        if self._opened_once:
            self._counts["reopened"] += 1
        self._opened_once, self._port_error = True, None
        lost_by: Exception = PortError(self._port.name, "went away")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_lost())
                tasks.create_task(self._keep_alive())
                if self._may_send:
                    tasks.create_task(self._keep_set_up())
        except* PortError as group:
            lost_by = group.exceptions[0]
        return lost_by

    def _begin(self) -> None:
        """Nothing of the last opening may be taken for this one's."""
        for name, n in self._decoder.counters.values.items():
            self._counts[name] = self._counts.get(name, 0) + n
        self._decoder = self._driver.decoder(self._unit)
        # Set by hand: whoever wrote `unit` into the config vouches for it, until the radar starts anew.
        self._decoder.unit_confirmed = not self._may_send
        self._lost = asyncio.get_running_loop().create_future()
        self._heard, self._complete, self._unit_trouble = False, False, ""
        self._missed_pings, self._unread_bytes = 0, 0
        self._setup_due.clear()

    def _close(self) -> None:
        self._port.close()
        if self._open:
            self._open = False
            self._measured.interrupted(self._clock.monotonic())

    def _lose(self, error: Exception) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(error)

    async def _until_lost(self) -> None:
        assert self._lost is not None  # noqa: S101  made by _begin
        error = await self._lost
        raise error if isinstance(error, PortError) else PortError(self._port.name, str(error))

    def _report_port(self, error: Exception, pause_s: float) -> None:
        level = logging.DEBUG if self._warned else logging.WARNING
        self._warned = True
        log.log(level, "radar %s; next try in %.1f s", error, pause_s)
        self._port_error = error

    async def _send(self, data: bytes) -> None:
        """Send between two reports: a half-duplex line carries one direction at a time."""
        for _ in range(LINE_QUIET_TRIES):
            quiet_s = self._clock.monotonic() - self._last_byte_mono_s
            if quiet_s >= LINE_QUIET_S:
                break
            await asyncio.sleep(LINE_QUIET_S - max(quiet_s, 0.0) + 0.0005)
        self._port.write(data)

    # ----------------------------------------------------------------- what the radar says

    def _take(self, data: bytes) -> None:
        now = self._clock.monotonic()
        self._last_byte_mono_s = now
        self._unread_bytes += len(data)
        if self._on_bytes is not None:
            self._on_bytes(data, now)
        events = self._decoder.feed(data, now)
        if self._complete and self._decoder.counters.get("bare") != self._bare:
            events = self._fell_back(events)
        if events:
            self._on_events(events)
            self._note(events, now)

    def _fell_back(self, events: list[RadarEvent]) -> list[RadarEvent]:
        """Plain lines from a radar that was set to state its unit: it has lost its settings.

        Their unit is not known any more, so that the readings of this chunk are dropped.
        """
        self._decoder.unit_confirmed = False
        self._ask_for_set_up("its lines have fallen back to the factory's form")
        return [event for event in events if not isinstance(event, Reading)]

    def _note(self, events: Sequence[RadarEvent], now: float) -> None:
        self._heard, self._heard_mono_s, self._unread_bytes = True, now, 0
        self._silent, self._missed_pings = False, 0
        if self._warned:
            self._warned = False
            log.info("radar %s: speaks again", self._port.name)
        for event in events:
            if isinstance(event, Rejected):
                if event.reason.startswith("unit"):
                    self._unit_trouble_mono_s = self._unit_trouble_mono_s if self._unit_trouble else now
                    self._unit_trouble = event.reason
            elif isinstance(event, Reading):
                self._unit_trouble = ""
            elif isinstance(event, Reply):
                self._note_reply(event)
            elif isinstance(event, Restarted):
                self._note_restart(event)
        if self._unit_trouble:
            self._measured.interrupted(now)
        else:
            self._measured.proof(now)

    def _note_reply(self, reply: Reply) -> None:
        if self._decoder.unit_confirmed:
            self._unit_trouble = ""
        if self._answers is not None:
            offer(self._answers, reply)
        elif self._complete and any(one.matches(reply) is False for one in self._settings):
            self._ask_for_set_up("it says that it is set otherwise")

    def _note_restart(self, event: Restarted) -> None:
        if self._restart_mono_s is None or event.t_mono_s - self._restart_mono_s > RESTART_BURST_S:
            self._counts["restarts"] += 1
            log.warning("radar %s: started again: %s", self._port.name, event.text)
        self._restart_mono_s = event.t_mono_s
        self._decoder.unit_confirmed = False
        self._complete = False
        if self._answers is not None:
            offer(self._answers, event)
        else:
            self._setup_due.set()

    # ----------------------------------------------------------------- set-up

    def _ask_for_set_up(self, why: str) -> None:
        self._complete = False
        log.warning("radar %s: set up again: %s", self._port.name, why)
        self._setup_due.set()

    async def _keep_set_up(self) -> None:
        while True:
            self._setup_due.clear()
            report = await self._set_up_once()
            done_mono_s = self._clock.monotonic()
            if report is None:  # it has started again meanwhile
                await asyncio.sleep(self._next_pause_s(SETUP_AGAIN_MAX_S))
            elif not report.ok:
                await self._wait_due(
                    self._next_pause_s(SETUP_AGAIN_MAX_S if report.mute else SETUP_REFUSED_MAX_S)
                )
            else:
                await self._setup_due.wait()
                if self._clock.monotonic() - done_mono_s < STEADY_S:  # it forgets again and again
                    await asyncio.sleep(self._next_pause_s(SETUP_AGAIN_MAX_S))
                else:
                    self._setup_pause_s = SETUP_AGAIN_FIRST_S

    def _next_pause_s(self, longest_s: float) -> float:
        """Doubles from one failure to the next, also over a reopening of the port."""
        pause_s = min(self._setup_pause_s, longest_s)
        self._setup_pause_s = pause_s * 2
        return pause_s

    async def _wait_due(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._setup_due.wait()
        except TimeoutError:
            return

    async def _set_up_once(self) -> SetupReport | None:
        """One set-up from beginning to end; None: the radar started again meanwhile."""
        self._counts["setups"] += 1
        answers: asyncio.Queue[Reply | Restarted] = asyncio.Queue(ANSWERS_KEPT)
        line = CommandLine(self._send, answers, self._driver.command_gap_s)
        self._answers = answers
        try:
            report = await set_up(self._settings, line, partial(log.debug, _RESULT, self._port.name))
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
        first = self.setup_report is None or self.setup_report.ok
        self.setup_report = report
        if report.ok:
            self._complete, self._unit_trouble = True, ""
            self._decoder.unit_confirmed = True
            self._bare = self._decoder.counters.get("bare")
            log.info("radar %s: set up", self._port.name)
        else:
            failed = "; ".join(str(one) for one in report.failed)
            level = logging.WARNING if first else logging.DEBUG
            log.log(level, "radar %s: not set up: %s", self._port.name, failed)

    # ----------------------------------------------------------------- supervision

    def _supervision_limit_s(self) -> float | None:
        if self._driver.streams_when_idle:
            return STREAM_SILENT_S
        # One second more for the way of the answer and the loop's own delays.
        return PING_AFTER_S + PINGS_MISSED * PING_TIMEOUT_S + 1.0 if self._asks else None

    def _is_silent(self) -> bool:
        if self._silent:
            return True
        if self._driver.streams_when_idle:
            return self._clock.monotonic() - self._heard_mono_s > STREAM_SILENT_S
        return self._missed_pings >= PINGS_MISSED

    def _silent_text(self) -> str:
        if self._unread_bytes > UNREAD_BYTES:
            return (
                f"radar {self._port.name}: bytes arrive that make no sense;"
                " check the baud rate, the radar's type and the wires A and B"
            )
        return f"radar {self._port.name}: silent; check its power and its data wires"

    async def _keep_alive(self) -> None:
        """Ask a quiet radar; open the port of a silent one anew. Never while readings flow."""
        while self._asks or self._driver.streams_when_idle:
            quiet_s = self._clock.monotonic() - self._heard_mono_s
            if quiet_s >= REOPEN_SILENT_S:
                self._silent = True
                raise PortError(self._port.name, f"silent for {quiet_s:.0f} s; it is opened anew")
            if not self._asks:
                await asyncio.sleep(STREAM_SILENT_S)
            elif quiet_s < PING_AFTER_S:
                await asyncio.sleep(max(PING_AFTER_S - quiet_s, LEAST_SLEEP_S))
            else:
                await self._ask()

    async def _ask(self) -> None:
        """One question and the time for its answer; a set-up that is running asks by itself."""
        asked_mono_s = self._clock.monotonic()
        if self._answers is None:
            self._counts["pings"] += 1
            await self._send(self._driver.ping or b"")
        await asyncio.sleep(PING_TIMEOUT_S)
        if self._heard_mono_s < asked_mono_s:
            self._missed_pings += 1


def _nobody(_events: Sequence[RadarEvent]) -> None:
    """Events of a radar that is not run yet."""
