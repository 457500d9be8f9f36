"""One radar on one line: keeps it open, set up and supervised, and passes on what it says at once.

port lost or not there ──► closed ──(back-off)──► open ──► set up ──► supervised
                              ▲                    │ restarted, settings lost, set-up failed: again
                              └──── lost, silent ──┘

Set-ups are kept by `upkeep`, a radar that has to be asked is asked by `polling`, and what silence means is
in `supervision`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from drivers.radar.polling import Poller
from drivers.radar.proof import MeasuredTime
from drivers.radar.setup import SetupReport
from drivers.radar.supervision import PING_AFTER_S, PING_TIMEOUT_S, UNIT_GRACE_S, Silence, UnitTrouble
from drivers.radar.talk import QuietSender
from drivers.radar.upkeep import Upkeep
from speedsign.errors import PortError
from speedsign.model import Fault, RadarEvent, Reading, Rejected, Reply, Restarted
from speedsign.ports import BytePort, Clock, RadarDriver, RadarSettings

log = logging.getLogger(__name__)

REOPEN_FIRST_S = 0.5  # a USB device is back half a second after a glitch
REOPEN_MAX_S = 30.0  # someone who plugs it in again wants to see it work
MOST_SAID = 64  # things that a radar says of itself; none has so many
LEAST_SLEEP_S = 0.01  # so that rounding never makes a loop that does not sleep
TURN_S = 5.0  # at least so often the supervisor hears that this goes round


class RadarLink:
    """Implements `speedsign.ports.Radar` for any driver on any port.

    `set_up` False writes nothing and asks nothing, but for the opening and the poll of a radar that says
    nothing unasked. A radar that is silent when idle cannot be judged then: an open port counts as
    measuring, which is weaker than proof.

    `on_bytes` gets every chunk with its time before it is decoded, for a capture.
    `beat` is called at each turn.

    What is wrong stands in `faults`, which the daemon logs; here it is logged as DEBUG only.
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
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._port, self._driver, self._clock = port, driver, clock
        self._unit, self._may_set_up, self._on_bytes = settings.unit, set_up, on_bytes
        self._beat = beat
        self._on_events: Callable[[Sequence[RadarEvent]], None] = _nobody
        self._decoder = driver.decoder(settings.unit)
        self._sender = QuietSender(port, clock)
        wanted = tuple(driver.settings(settings)) if set_up else ()
        self._upkeep = Upkeep(port.name, driver, wanted, self._sender, clock, self._is_set_up)
        self._poller = Poller(driver, self._sender, clock) if driver.poll is not None else None
        self._asks = set_up and not driver.streams_when_idle and driver.ping is not None
        self._silence = Silence(driver, asks=self._asks)
        self._trouble = UnitTrouble(grace_s=UNIT_GRACE_S if set_up else 0.0)
        self._measured = MeasuredTime(self._silence.proof_limit_s)
        self._counts: dict[str, int] = dict.fromkeys(("reopened", "pings"), 0)
        self._port_error: Exception | None = None
        self._open = False
        self._opened_once = False
        self._lost: asyncio.Future[Exception] | None = None
        self._bare = 0  # the decoder's count of lines in the factory's form when set up
        self._said: dict[str, str] = {}

    # ----------------------------------------------------------------- what the daemon sees

    @property
    def setup_report(self) -> SetupReport | None:
        """The last set-up that came to its end."""
        return self._upkeep.report

    async def run(self, on_events: Callable[[Sequence[RadarEvent]], None]) -> None:
        """Keep the radar open, set up and supervised until cancelled."""
        self._on_events = on_events
        pause_s = REOPEN_FIRST_S
        while True:
            try:
                error = await self._open_and_serve()
            finally:
                self._close()
            if self._silence.heard:
                pause_s = REOPEN_FIRST_S
            self._port_error = error
            log.debug("radar %s; next try in %.1f s", error, pause_s)
            await self._pause(pause_s)
            pause_s = min(pause_s * 2, REOPEN_MAX_S)

    async def _pause(self, pause_s: float) -> None:
        while pause_s > 0:
            self._beat()
            await asyncio.sleep(min(pause_s, TURN_S))
            pause_s -= TURN_S

    def faults(self) -> list[Fault]:
        """What is wrong now, with what to do about it."""
        if self._port_error is not None:
            return [Fault("radar", "port", f"radar {self._port_error}")]
        if not self._open:
            return []
        name, now, found = self._port.name, self._clock.monotonic(), []
        if self._silence.is_at(now):
            found.append(Fault("radar", "silent", self._silence.text(name)))
        if self._trouble.is_fault_at(now):
            found.append(
                Fault(
                    "radar",
                    "unit",
                    f"radar {name}: readings are not used ({self._trouble.reason});"
                    f" set the radar to {self._unit.value}, or let the sign set it up",
                )
            )
        if self.setup_report is not None and not self.setup_report.ok:
            failed = self.setup_report.failed_text
            text = f"radar {name}: not set up ({failed}); check the wire that carries commands"
            found.append(Fault("radar", "setup", text))
        return found

    def says(self) -> Mapping[str, str]:
        """What the radar has said of itself since the line was opened, the newest of each."""
        return self._said

    def measured_s(self, t_mono_s: float) -> float:
        """Seconds proved up to a moment: from proof to proof while the port stayed open."""
        return self._measured.at(t_mono_s)

    def health(self) -> Mapping[str, int]:
        """Counters since the start: bytes, frames, bad, overflow, rejected, reopened, restarts, …"""
        totals = dict.fromkeys(("bytes", "frames", "bad", "overflow", "rejected"), 0)
        totals |= self._counts | self._upkeep.counts
        if self._poller is not None:
            totals["unanswered"] = self._poller.unanswered
        for name, n in self._decoder.counters.values.items():
            totals[name] = totals.get(name, 0) + n
        return totals

    # ----------------------------------------------------------------- the line

    async def _open_and_serve(self) -> Exception:
        """Open the port and work until it is lost; what it was lost by."""
        self._beat()
        self._begin()
        try:
            await self._port.open(self._take, self._lose)
        except PortError as error:
            return error
        self._note_opening()
        lost_by: Exception = PortError(self._port.name, "went away")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_lost())
                tasks.create_task(self._keep_alive())
                if self._may_set_up:
                    tasks.create_task(self._upkeep.run())
                if self._poller is not None:
                    tasks.create_task(self._keep_polling(self._poller))
        except* PortError as group:
            lost_by = group.exceptions[0]
        return lost_by

    def _begin(self) -> None:
        """Nothing of the last opening may be taken for this one's."""
        for name, n in self._decoder.counters.values.items():
            self._counts[name] = self._counts.get(name, 0) + n
        self._decoder = self._driver.decoder(self._unit)
        # Set by hand: whoever wrote `unit` into the config vouches for it, until the radar starts anew.
        self._decoder.unit_confirmed = not self._may_set_up
        self._lost = asyncio.get_running_loop().create_future()
        self._silence.begin()
        self._trouble.ends()
        self._upkeep.begin()
        self._said = {}

    def _note_opening(self) -> None:
        now = self._clock.monotonic()
        self._open = True
        self._silence.opened(now)
        self._measured.opened(now)
        if self._opened_once:
            self._counts["reopened"] += 1
            log.debug("radar %s: opened anew", self._port.name)
        self._opened_once, self._port_error = True, None

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

    async def _keep_polling(self, poller: Poller) -> None:
        """Each set-up opens the talk by itself; without any it is done here."""
        if not self._may_set_up:
            await self._sender.send_all(self._driver.opening, self._driver.command_gap_s)
        await poller.run()

    # ----------------------------------------------------------------- what the radar says

    def _take(self, data: bytes) -> None:
        now = self._clock.monotonic()
        self._sender.heard(now)
        self._silence.bytes_came(len(data))
        if self._on_bytes is not None:
            self._on_bytes(data, now)
        events = self._decoder.feed(data, now)
        if self._upkeep.complete and self._decoder.counters.get("bare") != self._bare:
            events = self._fell_back(events)
        if events:
            self._on_events(events)
            self._note(events, now)

    def _fell_back(self, events: list[RadarEvent]) -> list[RadarEvent]:
        """Plain lines from a radar that was set to state its unit: it has lost its settings.

        Their unit is not known any more, so that the readings of this chunk are dropped.
        """
        self._decoder.unit_confirmed = False
        self._upkeep.ask_again("its lines have fallen back to the factory's form")
        return [event for event in events if not isinstance(event, Reading)]

    def _note(self, events: Sequence[RadarEvent], now: float) -> None:
        self._silence.spoke(now)
        if self._poller is not None:
            self._poller.heard(now)
        for event in events:
            if isinstance(event, Rejected):
                if event.reason.startswith("unit"):
                    self._trouble.begins(event.reason, now)
            elif isinstance(event, Reading):
                self._trouble.ends()
            elif isinstance(event, Reply):
                self._note_reply(event)
            elif isinstance(event, Restarted):
                self._decoder.unit_confirmed = False
                self._upkeep.restarted(event)
        if self._trouble.reason:
            self._measured.interrupted(now)
        else:
            self._measured.proof(now)

    def _note_reply(self, reply: Reply) -> None:
        self._said |= reply.values
        while len(self._said) > MOST_SAID:
            del self._said[next(iter(self._said))]
        if self._decoder.unit_confirmed:
            self._trouble.ends()
        self._upkeep.reply(reply)

    def _is_set_up(self) -> None:
        self._trouble.ends()
        self._decoder.unit_confirmed = True
        self._bare = self._decoder.counters.get("bare")

    # ----------------------------------------------------------------- supervision

    async def _keep_alive(self) -> None:
        """Ask a quiet radar; open the port of a silent one anew. Never while readings flow."""
        judged = self._asks or self._driver.streams_when_idle
        while True:
            self._beat()
            quiet_s = self._clock.monotonic() - self._silence.heard_mono_s
            if judged and quiet_s >= self._silence.reopen_after_s:
                self._silence.lasting = True
                raise PortError(self._port.name, f"silent for {quiet_s:.0f} s; it is opened anew")
            if not self._asks:
                await asyncio.sleep(min(self._driver.silent_after_s, TURN_S))
            elif quiet_s < PING_AFTER_S:
                await asyncio.sleep(min(max(PING_AFTER_S - quiet_s, LEAST_SLEEP_S), TURN_S))
            else:
                await self._ask()

    async def _ask(self) -> None:
        """One question and the time for its answer; a set-up that is running asks by itself."""
        asked_mono_s = self._clock.monotonic()
        if not self._upkeep.is_asking:
            self._counts["pings"] += 1
            async with self._sender.turn:
                await self._sender.send(self._driver.ping or b"")
        await asyncio.sleep(PING_TIMEOUT_S)
        self._silence.missed_since(asked_mono_s)


def _nobody(_events: Sequence[RadarEvent]) -> None:
    """Events of a radar that is not run yet."""
