"""What a service manager and a hub's owner see of a sign that lives: WATCHDOG=1 in time, health each hour."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speedsign.machine import Machine, MachineFacts

if TYPE_CHECKING:
    from telemetry.hub.hub import Hub
    from tests.year.breaking import Breaker
    from tests.year.stand import Stand

WATCHDOG_S = 10.0  # WatchdogSec= of systemd/speedsign.service
HUB_WATCHDOG_S = 60.0  # of systemd/speedsign-hub.service
HEALTH_S = 3600.0
ARRIVES_S = 600.0  # after all links are there: the pauses between tries to connect
LOOK_S = 900.0


class LifeError(AssertionError):
    """It would have been ended by its watchdog, or nobody knows how it is."""


class Board(Machine):
    """A machine that is the same everywhere: what it tells is in the messages."""

    def facts(self, disk: Path) -> MachineFacts:
        return MachineFacts(
            temperature_c=41.5,
            troubles=(),
            disk_free_bytes=20 << 30,
            disk_free_share=0.7,
            memory_bytes=60 << 20,
        )


@dataclass(slots=True)
class Watchdog:
    """Of one process: `notify` is its line to the service manager."""

    now: Callable[[], float]
    most_s: float
    fed_s: float = 0.0
    ended: bool = False
    longest_s: float = 0.0

    def __post_init__(self) -> None:
        self.fed_s = self.now()

    def notify(self, state: str) -> None:
        if state == "STOPPING=1":
            self.ended = True
        if state == "WATCHDOG=1":
            self.judge()
            self.fed_s = self.now()

    def judge(self) -> None:
        """Raises LifeError when it was not fed in time."""
        if self.ended:
            return
        waited_s = self.now() - self.fed_s
        self.longest_s = max(self.longest_s, waited_s)
        if waited_s > self.most_s:
            raise LifeError(f"no WATCHDOG=1 for {waited_s:.1f} s; {self.most_s:.0f} s are allowed")


@dataclass(slots=True)
class Heard:
    """What a hub took and what it refused, whichever process of it did."""

    now: Callable[[], float]
    failed: Callable[[BaseException], None]
    health_s: float = float("-inf")
    health: int = 0

    def listen(self, hub: Hub) -> None:
        """To a hub that was made and does not run yet."""
        answer, refuse = hub._answer, hub._refuse

        def answered(batch: Any, taken: Any) -> None:
            for one, _ in batch:
                if one.kind == "health" and not one.retained:
                    self.health_s, self.health = self.now(), self.health + 1
            answer(batch, taken)

        def refused(sentences: Sequence[str]) -> None:
            refuse(sentences)
            self.failed(LifeError(f"the hub refuses {'; '.join(sentences)}"))

        hub._answer, hub._refuse = answered, refused  # type: ignore[method-assign]


@dataclass(slots=True)
class LifeBook:
    """`run` beside everything else."""

    stand: Stand
    breaker: Breaker
    counts: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Until cancelled; raises LifeError."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Now: are both fed, and is the newest health message not too old?"""
        stand = self.stand
        for program in (stand.sign, stand.hub):
            if program:
                program.watchdog.judge()
        age_s = stand.loop.time() - stand.heard.health_s
        if not self._was_whole(HEALTH_S + ARRIVES_S):
            return
        self.counts["looks at the newest health message"] += 1
        if age_s > HEALTH_S + ARRIVES_S:
            raise LifeError(f"no health message came for {age_s:.0f} s, and all links were there")

    def _was_whole(self, for_s: float) -> bool:
        """Whether everything between the sign and the hub's disk has been there for so long."""
        stand, from_s = self.stand, self.stand.loop.time() - for_s
        return (
            from_s > 0
            and stand.sign is not None
            and stand.hub is not None
            and all(away.until_s < from_s for away in stand.downs)
            and not any(
                trouble.until_s > from_s
                for trouble in self.breaker.troubles
                if trouble.fault.part in ("broker", "network", "hub", "sign", "card")
            )
        )
