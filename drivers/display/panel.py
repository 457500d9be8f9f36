"""One panel on its line: what it is to show, kept lit, proved, and dark at the end.

Nobody waits for the panel: `show` only notes the newest face. What was replaced before it was sent is
never sent; what failed is not repeated but overtaken by the newest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from speedsign.errors import BadReply, DeviceError, NoReply, PortError
from speedsign.model import BLANK, Counters, Face, Fault
from speedsign.ports import ModbusBus, PanelDriver, WriteRegisters

_log = logging.getLogger(__name__)

_NEVER_S = float("inf")
COUNTERS = ("writes", "acked", "retries", "timeouts", "bad_replies", "mismatches", "readbacks")


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """How often a panel is written to and looked at."""

    keepalive_s: float = 1.0  # at most 1/5 of a panel's own time-out (Fema: 10 s)
    verify_s: float = 2.0  # while something is lit
    verify_dark_s: float = 10.0  # while it is dark: what restarted may light something by itself, and hang
    verify_soon_s: float = 0.5  # after a change: what stays lit of the face before is a wrong number
    refresh_s: float = 60.0  # blink and brightness again: a short power dip loses them unseen
    retry_s: float = 1.0  # between tries once a fault is raised
    mismatches: int = 3  # in a row, before it is called a fault


class Panel:
    """A `drivers.bus_owner.BusMember`.

    `wake` is called when there is something to do, `on_acked(face)` when the panel has acknowledged
    another face.
    """

    def __init__(
        self,
        bus: ModbusBus,
        driver: PanelDriver,
        unit: int,
        settings: PanelSettings | None = None,
        *,
        wake: Callable[[], None],
        on_acked: Callable[[Face], None] | None = None,
    ) -> None:
        self._bus, self._driver, self._unit = bus, driver, unit
        self._settings = settings or PanelSettings()
        self._wake, self._on_acked = wake, on_acked
        self.counters = Counters(dict.fromkeys(COUNTERS, 0))
        self._wanted: Face = BLANK
        self._level = 1.0  # brightness, as last wanted
        self._fresh = False  # a face or a brightness is wanted that nothing was done about yet
        self._powered = True
        self._lit: Face | None = None
        self._held: tuple[WriteRegisters, ...] | None = None  # the face's requests as last acknowledged
        self._dimmed: tuple[WriteRegisters, ...] | None = None  # the same of the brightness
        self._link_fault: Fault | None = None
        self._failures = 0  # steps in a row that ended without the panel's word
        self._mismatches = 0  # in a row
        self._in_order = False  # blanked and set up since it may have been without power
        # On the loop's time; all are set when the panel is put in order.
        self._keepalive_at_s = self._refresh_at_s = 0.0
        self._verified_s = -_NEVER_S
        self._verify_at_s = _NEVER_S
        self._retry_at_s = self._step_began_s = 0.0

    # ------------------------------------------------------------------ what the display calls

    def show(self, face: Face) -> None:
        """From now on this face; returns at once, the newest wins."""
        if face != self._wanted:
            self._wanted, self._fresh = face, True
            self._wake()

    def dim(self, level: float) -> None:
        """From now on this brightness, 0 (dimmest) to 1; returns at once."""
        if level != self._level:
            self._level, self._fresh = level, True
            self._wake()

    def power(self, *, on: bool) -> None:
        """Whether the panel has its supply: without it is dark, and is not asked."""
        if on is self._powered:
            return
        self._powered = on
        self._lit = None if on else BLANK
        self._in_order, self._mismatches = False, 0
        self._failures = 0
        self._wake()

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

    # ------------------------------------------------------------------ turns on the line

    def due_s(self) -> float:
        """Now for a face that waits and after a first failure; else by the clock."""
        if not self._powered:
            return _NEVER_S
        if self._failures == 1:
            return self._step_began_s  # once at once, but not before a panel that waits for its first try
        if self._failures:
            return self._retry_at_s
        if self._fresh or not self._in_order:
            return 0.0
        return min(self._keepalive_at_s, self._refresh_at_s, self._verify_at_s)

    async def step(self) -> None:
        """Everything that is due now, the newest face before all else."""
        self._step_began_s = _loop_s()
        if self._failures == 1:
            self.counters.add("retries")
        try:
            await self._do()
        except (NoReply, BadReply) as error:
            self._failed(error)
        else:
            self._succeeded()

    def lost(self, error: PortError) -> None:
        self._lit, self._in_order, self._mismatches, self._failures = None, False, 0, 0
        self._raise_fault(error.code, f"unit {self._unit} cannot be reached: {error}")

    rescues = False  # nobody else is dark because this one is

    @property
    def answers(self) -> bool:
        return not self._failures and not self._mismatches

    async def leave(self) -> bool:
        """Dark, and proved where that can be: the panel keeps its last number. True without power, too."""
        self._wanted = BLANK
        if not self._powered:
            return True
        try:
            await self._put_dark()
            await self._verify(BLANK)
        except (NoReply, BadReply) as error:
            self._lit = None
            self._failures += 1
            _log.info("%s; trying to darken it once more", error)
        return self.lit() is not None

    def left(self, error: str) -> None:
        self._lit = None
        _log.warning("display: unit %d on %s may still be lit: %s", self._unit, self._bus.name, error)

    def is_at(self, bus: ModbusBus, unit: int) -> bool:
        """Whether it is that unit on that line."""
        return bus is self._bus and unit == self._unit

    def doubt(self) -> None:
        """Another part of the same device did not answer: ask at once whether it is there."""
        self._keepalive_at_s = 0.0
        self._wake()

    async def _do(self) -> None:
        if self._failures > 1:
            # It may hear us though we do not understand it: dark first, whatever it may still answer.
            for write in self._driver.writes(BLANK, self._level):
                await self._bus.tell(self._unit, write)
        if not self._in_order:
            await self._put_in_order()
        await self._bus.ready(self._unit)  # a face that is replaced meanwhile is never sent
        self._fresh = False
        face, now_s = self._wanted, _loop_s()
        requests = tuple(self._driver.writes(face, self._level))
        if self._lit is None or requests != self._held or now_s >= self._keepalive_at_s:
            await self._put(face, requests)
        if not self._fresh:
            await self._dim()
        if now_s >= self._refresh_at_s and not self._fresh:
            await self._refresh()
        if _loop_s() >= self._verify_at_s and not self._fresh:
            await self._verify(face)

    def _failed(self, error: DeviceError) -> None:
        self.counters.add("timeouts" if isinstance(error, NoReply) else "bad_replies")
        self._failures += 1
        self._lit = self._held = None
        self._refresh_at_s = 0.0  # it may have been a dip of its power: blink and brightness are lost then
        if self._failures == 1:
            _log.info("%s; trying once more", error)
            self._verify_at_s = 0.0  # once it answers: what did it take?
            return
        # It may have been without power: put in order again before a face is shown.
        self._in_order, self._mismatches = False, 0
        pause_s = 0.0 if self._failures == 2 else self._settings.retry_s
        self._retry_at_s = self._step_began_s + pause_s
        self._raise_fault(
            error.code,
            f"{error}; check the power of the panel, the wires A and B, "
            f"its unit id {self._unit} and its baud rate",
        )

    def _succeeded(self) -> None:
        self._failures = 0
        if self._link_fault:
            _log.debug("display: unit %d on %s is back", self._unit, self._bus.name)
            self._link_fault = None
            self._wake()

    def _raise_fault(self, code: str, text: str) -> None:
        """The daemon says it aloud, when it comes and when it is mended."""
        if self._link_fault is None or self._link_fault.code != code:
            _log.debug("display: %s", text)
            self._wake()  # whoever can darken it by other means
        self._link_fault = Fault("display", code, text)

    # ------------------------------------------------------------------ what is sent

    async def _put_in_order(self) -> None:
        """Dark before anything else; what it lit by itself at power-up means nothing."""
        await self._put_dark()
        await self._refresh()
        self._verify_at_s = 0.0
        self._in_order = True

    async def _refresh(self) -> None:
        """Blink and brightness as they are to be."""
        await self._send(self._driver.start())
        self._dimmed = None
        await self._dim()
        self._refresh_at_s = _loop_s() + self._settings.refresh_s

    async def _dim(self) -> None:
        """Set the brightness where the panel's own steps differ."""
        requests = tuple(self._driver.brightness(self._level))
        if requests != self._dimmed:
            await self._send(requests)
            self._dimmed = requests

    async def _put_dark(self) -> None:
        """All of it, whatever is wanted meanwhile."""
        requests = tuple(self._driver.writes(BLANK, self._level))
        await self._send(requests)
        self._held = requests
        self._acked(BLANK)

    async def _put(self, face: Face, requests: tuple[WriteRegisters, ...]) -> None:
        """Write the face; given up between two requests when a newer one is wanted."""
        self._held = None  # of a face that is written in part it is not known what is seen
        for write in requests:
            if self._fresh:
                return
            await self._send((write,))
        self._held = requests
        self._acked(face)

    async def _send(self, writes: Sequence[WriteRegisters]) -> None:
        for write in writes:
            self.counters.add("writes")
            if write.single:
                await self._bus.write_register(self._unit, write.address, write.values[0])
            else:
                await self._bus.write_registers(self._unit, write.address, write.values)
            self.counters.add("acked")

    def _acked(self, face: Face) -> None:
        before, self._lit = self._lit, face
        now_s = _loop_s()
        self._keepalive_at_s = now_s + self._settings.keepalive_s
        if before is not None and face == before:
            return
        if self._mismatches < self._settings.mismatches:
            self._verify_at_s = min(self._verify_at_s, self._verify_after_s(face, now_s))
        if self._on_acked and not self._mismatches:
            self._on_acked(face)

    # ------------------------------------------------------------------ what is read back

    def _verify_after_s(self, face: Face, now_s: float) -> float:
        """When a change is looked at: at once where the last look is old, since just then no other is likely.

        By the clock alone it would get into the way of the next number.
        """
        soon_s = self._settings.verify_soon_s
        return now_s if not face.is_blank and now_s >= self._verified_s + soon_s else now_s + soon_s

    async def _verify(self, face: Face) -> None:
        """Ask the panel what it holds; an acknowledgement alone proves little."""
        expect = self._driver.read_back(face, self._level)
        matches = True
        if expect is not None and self._driver.capabilities.reads_back:
            self.counters.add("readbacks")
            held = await self._bus.read_registers(self._unit, expect.address, len(expect.values))
            matches = tuple(held) == expect.values
        self._verified_s = _loop_s()
        pause_s = self._settings.verify_dark_s if face.is_blank else self._settings.verify_s
        self._verify_at_s = self._verified_s + pause_s
        if not matches:
            self._mismatched(face)
        elif self._mismatches:
            self._mismatches = 0
            if self._on_acked:
                self._on_acked(face)

    def _mismatched(self, face: Face) -> None:
        """Write it again at once, settings too (it may have restarted); slower once that did not help."""
        self.counters.add("mismatches")
        self._mismatches += 1
        self._lit = self._held = None
        self._refresh_at_s = 0.0
        if self._mismatches < self._settings.mismatches:
            self._verify_at_s = 0.0
            return
        if self._mismatches == self._settings.mismatches:
            _log.debug("display: %s was not taken by unit %d on %s", face, self._unit, self._bus.name)
            self._wake()
        self._verify_at_s = _loop_s() + self._settings.retry_s


def _loop_s() -> float:
    return asyncio.get_running_loop().time()
