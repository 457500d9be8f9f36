"""Keeping a part of the sign running, by the policy of what it fails with (speedsign.errors.POLICY)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from speedsign.errors import Policy, Restart, SpeedsignError, policy_of
from speedsign.model import Fault

log = logging.getLogger(__name__)

AGAIN_FIRST_S = 1.0
AGAIN_MAX_S = 60.0


class PartEnded(RuntimeError):  # noqa: N818  the situation is its name
    """A part that is to run for ever has ended by itself: a mistake of ours."""


async def to_its_end(work: asyncio.Future[Any]) -> None:
    """Wait until it has ended, however; a cancellation meanwhile is raised then, and does not reach it.

    For what has to be done before anything else may end: a panel that is made dark. Only for work that ends.
    """
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


class KeptPart:
    """One part of the sign. Parts mend what they can themselves; this is for what gets past them.

    Errors that are not ours are never caught: they end the daemon, and the supervisor starts it anew.
    """

    def __init__(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self.fault: Fault | None = None
        self._run = run

    async def run(self) -> None:
        """Until cancelled; raises what ends the daemon."""
        pause_s = AGAIN_FIRST_S
        while True:
            try:
                await self._run()
            except SpeedsignError as error:
                policy = policy_of(error)
                if policy is Policy.EXIT:
                    raise
                self.fault = Fault(self.name, "failed", f"{self.name} has stopped: {error}")
                if policy is Policy.DEGRADE:
                    log.warning("%s; the sign goes on without it", self.fault.text)
                    await asyncio.get_running_loop().create_future()
                log.warning("%s; again in %.0f s", self.fault.text, pause_s)
            else:
                raise PartEnded(f"{self.name} has ended by itself")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, AGAIN_MAX_S)
            self.fault = None


async def stop(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel and wait; what a part raises while it stops is logged, and stops nobody else.

    Not a Restart: who raised it has said so, and it is what all of this stops for.
    """
    going = [task for task in tasks if task]
    for task in going:
        task.cancel()
    for task, result in zip(going, await asyncio.gather(*going, return_exceptions=True), strict=True):
        if isinstance(result, Exception) and not isinstance(result, Restart):
            log.error("%s: stopped with %r", task.get_name(), result)
