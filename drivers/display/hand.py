"""A panel in a person's hand: put something on it, look what it holds, and leave it dark whatever happens.

For the field tools, which run while the sign does not. Every reply is checked; what is on is written again
and again, so that a panel with a time-out of its own keeps it while somebody looks; nothing is left lit.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, Self, TypeVar

from drivers.display.darken import HOLDS, Coil, Panels, carry_out, dark_ends, write_request
from speedsign.errors import BadReply, DeviceError, NoReply, PortError
from speedsign.model import BLANK, Face
from speedsign.ports import Expect, WriteRegisters
from speedsign.supervise import to_its_end

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 3
KEEPALIVE_S = 1.0
LEAVE_S = 1.5  # to darken what was lit, at least
_LEAVE_REPLIES = 5  # a slow panel is given: the late one, the probe for it, the proof, and once more
_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Told:
    """What one panel was told, has acknowledged and holds. `held` None: it cannot be read."""

    unit: int
    wanted: tuple[int, ...] | None
    held: tuple[int, ...] | None

    @property
    def ok(self) -> bool:
        return self.held is None or self.held == self.wanted


class Hand:
    """`async with`: powered, dark and in order at its begin; dark, and its lamps off, at its end.

    Errors: PortError, NoReply, BadReply after `TRIES` tries. Where the end cannot be seen dark, the error
    says so; `left_dark` says it too.
    """

    def __init__(self, panels: Panels, level: float = 1.0) -> None:
        self._panels, self._level = panels, level
        self._face: Face = BLANK
        self._showing = "what it showed before"
        self._writes: tuple[WriteRegisters, ...] = ()  # what is on, to be written again
        self._turn = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None
        self.lost: DeviceError | None = None  # what ended the keep-alive
        self.failed = asyncio.Event()  # set with it
        self.left_dark: bool | None = None
        self._undone: dict[str, str] = {}  # at the end, and why

    async def __aenter__(self) -> Self:
        try:
            for bus in self._panels.buses:
                await bus.connect()
        except BaseException:  # nothing was lit yet
            await self._close()
            raise
        try:
            await self._begin()
        except BaseException:
            await self._leave_whole()
            raise
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        await self._leave_whole()
        if self.left_dark:
            return
        may_be_lit = f"it may still show {self._showing}: switch it off"
        if error is None:
            raise self._not_dark(may_be_lit)
        if isinstance(error, DeviceError):
            raise type(error)(error.device, f"{error.reason}; {may_be_lit}") from error

    def _not_dark(self, may_be_lit: str) -> DeviceError:
        """A panel that holds something else has a fault of another kind than one that is silent."""
        name = self._panels.bus.name
        for why in self._undone.values():
            if HOLDS in why:
                return BadReply(name, f"{why.removeprefix(f'{name}: ')}: switch it off")
        return NoReply(name, f"the panel did not acknowledge dark; {may_be_lit}")

    async def _begin(self) -> None:
        if self._panels.supply is not None:
            await _tried(self._switch, self._panels.supply, on=True)
            await asyncio.sleep(self._panels.supply.boot_s)
        await self.put(BLANK)
        for unit in self._panels.units:
            await _tried(self._send, unit, self._panels.driver.start())
        await self.dim(self._level)

    # ------------------------------------------------------------------ what a tool asks for

    async def put(self, face: Face) -> list[Told]:
        """This face on every panel, written again where a panel holds something else; what they hold."""
        self._face, self._showing = face, str(face)
        driver = self._panels.driver
        self._writes = tuple(driver.writes(face, self._level))
        expect = driver.read_back(face, self._level) if driver.capabilities.reads_back else None
        if self._panels.beacon is not None:
            await self.beacon(on=face.beacon)
        return await self._put_all(expect)

    async def dim(self, level: float) -> list[Told]:
        """This brightness, 0 (dimmest) to 1, and the face again for panels that take both together."""
        self._level = level
        for unit in self._panels.units:
            await _tried(self._send, unit, self._panels.driver.brightness(level))
        return await self.put(self._face)

    async def lamp_test(self) -> list[Told]:
        """Everything that the panel can light; it cannot be read back as a face."""
        self._writes = tuple(self._panels.driver.lamp_test(self._level))
        self._showing = "the lamp test"
        return await self._put_all(None)

    async def beacon(self, *, on: bool) -> None:
        """The lamps beside the panel; nothing where there are none."""
        await _tried(self._switch, self._panels.beacon, on=on)

    # ------------------------------------------------------------------ on the line

    async def _put_all(self, expect: Expect | None) -> list[Told]:
        return [await _tried(self._put_one, unit, expect) for unit in self._panels.units]

    async def _put_one(self, unit: int, expect: Expect | None) -> Told:
        """A panel that holds something else is told once more before that is believed."""
        told = Told(unit, None, None)
        for _ in range(TRIES):
            async with self._turn:
                await self._send_now(unit, self._writes)
                if expect is None:
                    return told
                held = await self._panels.bus.read_registers(unit, expect.address, len(expect.values))
            told = Told(unit, tuple(expect.values), tuple(held))
            if told.ok:
                break
        return told

    async def _send(self, unit: int, writes: Sequence[WriteRegisters]) -> None:
        async with self._turn:
            await self._send_now(unit, writes)

    async def _send_now(self, unit: int, writes: Sequence[WriteRegisters]) -> None:
        for write in writes:
            await write_request(self._panels.bus, unit, write)

    async def _switch(self, coil: Coil | None, *, on: bool) -> None:
        if coil is not None:
            async with self._turn:
                await coil.switch(on=on)

    async def _keep(self) -> None:
        """Write again what is on, until cancelled or nobody answers."""
        own_s = self._panels.driver.capabilities.own_timeout_s
        every_s = KEEPALIVE_S if own_s is None else min(KEEPALIVE_S, own_s / 5)
        try:
            while True:
                await asyncio.sleep(every_s)
                supply = self._panels.supply
                if supply is not None and supply.pulsed:
                    await _tried(self._switch, supply, on=True)
                for unit in self._panels.units:
                    await _tried(self._send, unit, self._writes)
        except DeviceError as error:
            self.lost = error
            self.failed.set()

    # ------------------------------------------------------------------ the end

    async def _leave_whole(self) -> None:
        """Whoever presses Ctrl-C meanwhile, or loses the terminal, waits: nothing may stay lit."""
        leaving = asyncio.create_task(self._leave())
        await to_its_end(leaving)
        leaving.result()

    async def _leave(self) -> None:
        """Dark, lamps off, supply off: each for itself, all of it within a bound; then the lines closed."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        ends = dark_ends(self._panels, self._level)
        within_s = max(LEAVE_S, _LEAVE_REPLIES * self._panels.reply_s * len(self._panels.units))
        self._undone = await carry_out(ends, within_s)
        self.left_dark = not self._undone
        await self._close()

    async def _close(self) -> None:
        for bus in self._panels.buses:
            with contextlib.suppress(PortError):
                await bus.close()


async def _tried(call: Callable[P, Awaitable[T]], *args: P.args, **options: P.kwargs) -> T:
    """Once more where the line failed; raises the last error."""
    for _ in range(TRIES - 1):
        try:
            return await call(*args, **options)
        except (NoReply, BadReply):
            await asyncio.sleep(_AGAIN_S)
    return await call(*args, **options)
