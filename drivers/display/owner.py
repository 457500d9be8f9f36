"""The one task that owns the panel: what is to be shown, kept lit, proved, and dark at the end.

Nobody waits for the panel: `show` only notes the newest face. What was replaced before it was sent is
never sent; what failed is not repeated but overtaken by the newest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from speedsign.errors import BadReply, DeviceError, NoReply, PortError
from speedsign.model import BLANK, Counters, Face, Fault
from speedsign.ports import Clock, ModbusBus, PanelDriver, WriteRegisters

_log = logging.getLogger(__name__)

_NEVER_S = float("inf")
_COUNTERS = (
    "writes", "acked", "retries", "timeouts", "bad_replies", "mismatches", "reconnects", "readbacks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OwnerSettings:
    """How often the panel is written to and looked at."""

    keepalive_s: float = 1.0  # at most 1/5 of a panel's own time-out (Fema: 10 s)
    verify_s: float = 10.0  # while a number is lit
    verify_dark_s: float = 0.5  # after going dark: a number that stays lit is worse than one missing
    refresh_s: float = 60.0  # blink and brightness again: a short power dip loses them unseen
    retry_s: float = 1.0  # between tries once a fault is raised
    reconnect_s: float = 0.5  # doubling up to …
    reconnect_max_s: float = 2.0
    leave_s: float = 1.0  # to darken the panel at the end
    mismatches: int = 3  # in a row, before it is called a fault


class PanelOwner:
    """A `speedsign.ports.Display`.

    `on_acked(face, t_mono_s)` is called when the panel has acknowledged another number, or dark.
    """

    def __init__(
        self,
        bus: ModbusBus,
        driver: PanelDriver,
        unit: int,
        clock: Clock,
        settings: OwnerSettings | None = None,
        on_acked: Callable[[Face, float], None] | None = None,
    ) -> None:
        self._bus, self._driver, self._unit, self._clock = bus, driver, unit, clock
        self._settings = settings or OwnerSettings()
        self._on_acked = on_acked
        self._wanted: Face = BLANK
        self._lit: Face | None = None
        self._level = 1.0  # brightness as last wanted
        self._dimmed: tuple[WriteRegisters, ...] | None = None  # as last acknowledged
        self._changed = asyncio.Event()
        self._counters = Counters(dict.fromkeys(_COUNTERS, 0))
        self._link_fault: Fault | None = None
        self._failures = 0  # steps in a row that ended without the panel's word
        self._mismatches = 0  # in a row
        self._connects = 0
        self._in_order = False  # blanked and set up since it may have been without power
        # On the loop's time; all are set when the panel is put in order.
        self._keepalive_at_s = self._refresh_at_s = self._verify_number_at_s = 0.0
        self._verify_at_s = _NEVER_S  # asked for, whatever is lit
        self._retry_at_s = self._step_began_s = 0.0

    # ------------------------------------------------------------------ what the daemon calls

    def show(self, face: Face) -> None:
        """From now on this face; returns at once, the newest wins."""
        if face != self._wanted:
            self._wanted = face
            self._changed.set()

    def lit(self) -> Face | None:
        """The face that the panel acknowledged last; None while it is not known what it shows."""
        return None if self._mismatches else self._lit

    def faults(self) -> list[Fault]:
        """What is wrong now, in sentences that name the port and the unit id."""
        faults = [self._link_fault] if self._link_fault else []
        if self._mismatches >= self._settings.mismatches:
            text = (
                f"unit {self._unit} on {self._bus.name} acknowledges but holds something else than it was "
                f"told ({self._mismatches} read-backs in a row); check that the display driver fits the "
                "panel and switch the panel off and on, replace it if this stays"
            )
            faults.append(Fault("display", "mismatch", text))
        return faults

    def health(self) -> Mapping[str, int]:
        """Counters since the start: writes, acked, retries, timeouts, bad_replies, and so on."""
        return dict(self._counters.values)

    async def run(self) -> None:
        """Own the panel until cancelled: blank first, keep alive, read back, blank last."""
        try:
            while True:
                await self._connect()
                try:
                    await self._serve()
                except PortError as error:
                    self._port_lost(error)
                    await self._bus.close()
                await asyncio.sleep(self._settings.reconnect_s)
        finally:
            try:
                await self._leave()
            finally:
                await self._bus.close()

    # ------------------------------------------------------------------ the port

    async def _connect(self) -> None:
        """Until the port is open, with a growing pause between tries."""
        pause_s = self._settings.reconnect_s
        while True:
            try:
                await self._bus.connect()
            except PortError as error:
                self._port_lost(error)
            else:
                break
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._settings.reconnect_max_s)
        if self._connects:
            self._counters.add("reconnects")
        self._connects += 1
        self._failures = 0

    def _port_lost(self, error: PortError) -> None:
        self._lit, self._in_order, self._mismatches = None, False, 0
        self._raise_fault(error.code, f"unit {self._unit} cannot be reached: {error}")

    # ------------------------------------------------------------------ the loop

    async def _serve(self) -> None:
        """Until the port is lost, which is raised."""
        while True:
            try:
                await self._step()
            except (NoReply, BadReply) as error:
                self._failed(error)
            else:
                self._succeeded()
            await self._wait()

    async def _step(self) -> None:
        """Everything that is due now, the newest face before all else."""
        self._step_began_s = _loop_s()
        if not self._in_order:
            await self._put_in_order()
        await self._bus.ready()  # a face that is replaced meanwhile is never sent
        self._changed.clear()
        face, now_s = self._wanted, _loop_s()
        if self._lit is None or face.number != self._lit.number or now_s >= self._keepalive_at_s:
            await self._put(face)
        if not self._changed.is_set():
            await self._dim(face.level)
            self._lit = face
        if now_s >= self._refresh_at_s and not self._changed.is_set():
            await self._refresh()
        if now_s >= self._verify_due_s() and not self._changed.is_set():
            await self._verify(face)

    async def _wait(self) -> None:
        """Until something is due: a face at once, the rest by the clock; after a failure, the retry."""
        if self._failures == 1:
            self._counters.add("retries")
            return  # once at once: the bus itself leaves the line quiet before
        if self._failures:
            await asyncio.sleep(self._retry_at_s - _loop_s())
            return
        due_s = min(self._keepalive_at_s, self._refresh_at_s, self._verify_due_s())
        # Not asyncio.timeout: a face that is waited for passes through here, and this is half as far.
        timer = asyncio.get_running_loop().call_at(due_s, self._changed.set)
        try:
            await self._changed.wait()
        finally:
            timer.cancel()

    def _failed(self, error: DeviceError) -> None:
        self._counters.add("timeouts" if isinstance(error, NoReply) else "bad_replies")
        self._failures += 1
        self._lit = None
        self._refresh_at_s = 0.0  # it may have been a dip of its power: blink and brightness are lost then
        if self._failures == 1:
            _log.info("%s; trying once more", error)
            self._verify_at_s = 0.0  # once it answers: what did it take?
            return
        # It may have been without power: put in order again before a face is shown.
        self._in_order, self._mismatches = False, 0
        self._retry_at_s = self._step_began_s + self._settings.retry_s
        self._raise_fault(
            error.code,
            f"{error}; check the power of the panel, the wires A and B, "
            f"its unit id {self._unit} and its baud rate",
        )

    def _succeeded(self) -> None:
        self._failures = 0
        if self._link_fault:
            _log.warning("display: unit %d on %s is back", self._unit, self._bus.name)
            self._link_fault = None

    def _raise_fault(self, code: str, text: str) -> None:
        """Say it aloud when it is new."""
        if self._link_fault is None or self._link_fault.code != code:
            _log.warning("display: %s", text)
        self._link_fault = Fault("display", code, text)

    # ------------------------------------------------------------------ what is sent

    async def _put_in_order(self) -> None:
        """Dark before anything else; what it lit by itself at power-up means nothing."""
        await self._send(self._driver.writes(BLANK))
        self._acked(BLANK)
        await self._refresh()
        self._verify_number_at_s = 0.0
        self._verify_at_s = 0.0
        self._in_order = True

    async def _refresh(self) -> None:
        """Blink and brightness as they are to be."""
        await self._send(self._driver.start())
        self._dimmed = None
        await self._dim(self._wanted.level)
        self._refresh_at_s = _loop_s() + self._settings.refresh_s

    async def _dim(self, level: float | None) -> None:
        """Set the brightness where the panel's own steps differ; None: as it is."""
        if level is not None:
            self._level = level
        requests = tuple(self._driver.brightness(self._level))
        if requests != self._dimmed:
            await self._send(requests)
            self._dimmed = requests

    async def _put(self, face: Face) -> None:
        """Write the face; given up between two requests when a newer one is wanted."""
        if await self._send(self._driver.writes(face), or_newer_than=face):
            self._acked(face)

    async def _send(self, writes: Sequence[WriteRegisters], or_newer_than: Face | None = None) -> bool:
        for write in writes:
            if or_newer_than is not None and self._wanted is not or_newer_than:
                return False
            self._counters.add("writes")
            await self._bus.write_registers(self._unit, write.address, write.values)
            self._counters.add("acked")
        return True

    def _acked(self, face: Face) -> None:
        before, self._lit = self._lit, face
        self._keepalive_at_s = _loop_s() + self._settings.keepalive_s
        if before is not None and face.number == before.number:
            return
        if face.is_blank and self._verify_at_s == _NEVER_S:
            self._verify_at_s = _loop_s() + self._settings.verify_dark_s
        if self._on_acked and not self._mismatches:
            self._on_acked(face, self._clock.monotonic())

    # ------------------------------------------------------------------ what is read back

    def _verify_due_s(self) -> float:
        lit = self._lit is not None and not self._lit.is_blank
        return min(self._verify_at_s, self._verify_number_at_s if lit else _NEVER_S)

    async def _verify(self, face: Face) -> None:
        """Ask the panel what it holds; an acknowledgement alone proves little."""
        expect = self._driver.read_back(face)
        matches = True
        if expect is not None and self._driver.capabilities.reads_back:
            self._counters.add("readbacks")
            held = await self._bus.read_registers(self._unit, expect.address, len(expect.values))
            matches = tuple(held) == expect.values
        self._verify_at_s = _NEVER_S
        if not face.is_blank:
            self._verify_number_at_s = _loop_s() + self._settings.verify_s
        if not matches:
            self._mismatched(face)
        elif self._mismatches:
            self._mismatches = 0
            if self._on_acked:
                self._on_acked(face, self._clock.monotonic())

    def _mismatched(self, face: Face) -> None:
        """Write it again at once, settings too (it may have restarted); slower once that did not help."""
        self._counters.add("mismatches")
        self._mismatches += 1
        self._lit = None
        self._refresh_at_s = 0.0
        if self._mismatches < self._settings.mismatches:
            self._verify_at_s = 0.0
            return
        if self._mismatches == self._settings.mismatches:
            _log.warning("display: %s was not taken by unit %d on %s", face, self._unit, self._bus.name)
        self._verify_at_s = _loop_s() + self._settings.retry_s

    # ------------------------------------------------------------------ the end

    async def _leave(self) -> None:
        """Dark, and proved where that can be, within a bounded time: the panel keeps its last number."""
        self._wanted = BLANK
        try:
            async with asyncio.timeout(self._settings.leave_s):
                while True:
                    try:
                        await self._send(self._driver.writes(BLANK))
                        self._acked(BLANK)
                        await self._verify(BLANK)
                    except (NoReply, BadReply) as error:
                        self._lit = None
                        _log.info("%s; trying to darken it once more", error)
                    if self.lit() is not None:
                        return
                    await asyncio.sleep(0.05)
        except (TimeoutError, PortError) as error:
            self._lit = None
            why = str(error) or "it was not seen to go dark in time"
            _log.warning("display: unit %d on %s may still be lit: %s", self._unit, self._bus.name, why)


def _loop_s() -> float:
    return asyncio.get_running_loop().time()
