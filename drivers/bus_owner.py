"""The one task that owns a Modbus line: opens it, gives everyone on it their turns, closes it.

On a line there is a panel or several, and perhaps relays and a light sensor. They share silence, time-outs
and the fate of the port, so nobody else may speak there. A new face goes before all else (it is due since
time zero), of two alike the member that was added first. Nobody is interrupted: a face waits for what another
member has begun, one exchange or two.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from speedsign.errors import PortError
from speedsign.ports import ModbusBus

_log = logging.getLogger(__name__)

RECONNECT_S = 0.5  # doubling up to …
RECONNECT_MAX_S = 2.0
LEAVE_S = 1.0  # for everybody's last turn together
_AGAIN_S = 0.05
TURN_S = 2.0  # at least so often the supervisor hears that this goes round


class BusMember(Protocol):
    """A device on a line, as the line's owner sees it. Times are those of the event loop."""

    def due_s(self) -> float:
        """When it wants its next turn; in the past: now."""
        ...

    async def step(self) -> None:
        """Everything that is due; raises PortError when the line is lost, and deals with all else itself."""
        ...

    def lost(self, error: PortError) -> None:
        """The line went away, or cannot be opened."""
        ...

    async def leave(self) -> bool:
        """One try to leave it as it is to be left; whether that is so. Raises PortError alone."""
        ...

    @property
    def answers(self) -> bool:
        """Whether it is known to answer: such a one is not kept waiting by one that does not."""
        ...

    @property
    def rescues(self) -> bool:
        """Whether others are as they are to be left once this one is: a panel's supply."""
        ...

    def left(self, error: str) -> None:
        """The line is closed, and `leave` never came to an end: what is to be said about that."""
        ...


class BusOwner:
    """Runs the members of one line until cancelled."""

    def __init__(
        self,
        bus: ModbusBus,
        reconnect_s: float = RECONNECT_S,
        reconnect_max_s: float = RECONNECT_MAX_S,
        leave_s: float = LEAVE_S,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """`beat` is called at each turn."""
        self.bus = bus
        self._beat = beat
        self.connects = 0
        self._members: list[BusMember] = []
        self._reconnect_s, self._reconnect_max_s = reconnect_s, reconnect_max_s
        self._leave_s = leave_s
        self._changed = asyncio.Event()

    def add(self, member: BusMember) -> None:
        """The next in rank."""
        self._members.append(member)

    def wake(self) -> None:
        """Somebody's turn may have come earlier than it said."""
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled; then every member's last turn."""
        try:
            while True:
                await self._connect()
                try:
                    await self._serve()
                except PortError as error:
                    self._lost(error)
                    await self.bus.close()
                await asyncio.sleep(self._reconnect_s)
        finally:
            try:
                await self._leave()
            finally:
                await self.bus.close()

    async def _leave(self) -> None:
        """Everybody's last turn, again and again for so long: first those that answer, then the others."""
        staying, why = sorted(self._members, key=lambda member: not member.answers), "there was no time"
        try:
            async with asyncio.timeout(self._leave_s):
                while staying := await self._still_there(staying):  # noqa: ASYNC110  tries
                    await asyncio.sleep(_AGAIN_S)
        except TimeoutError:
            why = "it was not seen in time"
        except PortError as error:
            why = str(error)
        for member in staying:
            member.left(why)

    async def _still_there(self, members: list[BusMember]) -> list[BusMember]:
        """A try for each, in this order; where one fails, whoever can do without it comes next."""
        waiting, again = list(members), []
        while waiting:
            member = waiting.pop(0)
            if not await member.leave():
                again.append(member)
                waiting.sort(key=lambda other: not other.rescues)
        return again

    async def _connect(self) -> None:
        """Until the port is open, with a growing pause between tries."""
        pause_s = self._reconnect_s
        while True:
            self._beat()
            try:
                await self.bus.connect()
            except PortError as error:
                self._lost(error)
            else:
                break
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._reconnect_max_s)
        if self.connects:
            _log.info("%s: open again", self.bus.name)
        self.connects += 1

    def _lost(self, error: PortError) -> None:
        for member in self._members:
            member.lost(error)

    async def _serve(self) -> None:
        """Turns, until the port is lost, which is raised. Who is due first is first, then by rank."""
        loop = asyncio.get_running_loop()
        while True:
            self._beat()
            due_s, first = float("inf"), None
            for member in self._members:
                if (member_due_s := member.due_s()) < due_s:
                    due_s, first = member_due_s, member
            if first is not None and due_s <= loop.time():
                await first.step()
            else:
                await self._wait(due_s)

    async def _wait(self, due_s: float) -> None:
        """Until somebody is due, or may have become so."""
        # Not asyncio.timeout: a face that is waited for passes through here, and this is half as far.
        loop = asyncio.get_running_loop()
        timer = loop.call_at(min(due_s, loop.time() + TURN_S), self._changed.set)
        try:
            await self._changed.wait()
        finally:
            timer.cancel()
        self._changed.clear()
