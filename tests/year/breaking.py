"""Does to a stand what was drawn: begins each fault in its time, and ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from simulator.radar_end import RadarFault
from tests.power.card import Disk
from tests.year.cards import LiveCard
from tests.year.faults import Fault
from tests.year.settings import with_limit, with_night
from tests.year.stand import Stand

BOOT_S = (8.0, 25.0)  # from power to the program's start
NIGHTS = (("23:00", "05:00"), ("22:00", "06:30"), ("12:00", "13:00"), ("21:15", "21:45"))
CATCH_S = 300.0  # in which a sign commits something, as far as its radar lives
LYING_SHARE = 0.3  # of what sets a clock wrong
LIMITS = (30, 50, 70)
CARD_STATES = {"slow", "full", "broken"}
STEPS_S = {
    "seconds": (2.0, 90.0),
    "hours": (900.0, 40_000.0),
    "days": (90_000.0, 3e6),
    "years": (3.1e8, 3.2e8),
}


@dataclass(slots=True)
class Trouble:
    """From when to when what was out of order; `until_s` is infinite while it lasts."""

    fault: Fault
    from_s: float
    until_s: float = float("inf")


@dataclass(slots=True)
class Breaker:
    """`troubles` is what watchers excuse by; `run` ends when `until_s` is reached."""

    stand: Stand
    faults: Iterator[Fault]
    troubles: list[Trouble] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    on_dead: Callable[[], None] = lambda: None  # called when a sign's program has ended, before the next one
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _unplugged: set[str] = field(default_factory=set)  # why the radar has no power
    _off: set[str] = field(default_factory=set)  # why the panel has none
    _sync: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until cancelled."""
        loop = self.stand.loop
        for fault in self.faults:
            await asyncio.sleep(max(fault.at_s - loop.time(), 0.0))
            self._start(self._do(fault), str(fault))
        await loop.create_future()  # a run without any

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """`close` ends it, if nothing else does."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.stand.failed(error)

    async def close(self) -> None:
        tasks = [*self._tasks, *([self._sync] if self._sync else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, fault: Fault) -> None:
        self.stand.say(f"{fault} for {fault.lasts_s:.1f} s")
        self.counts[str(fault)] = self.counts.get(str(fault), 0) + 1
        trouble = Trouble(fault, self.stand.loop.time())
        self.troubles.append(trouble)
        work: dict[str, Callable[[Fault], Awaitable[None]]] = {
            "radar": self._radar,
            "panel": self._panel,
            "broker": self._broker,
            "network": self._network,
            "hub": self._hub,
            "sign": self._sign,
            "card": self._card,
            "clock": self._clock,
            "config": self._config,
            "idle": self._zeros,
        }
        await work[fault.part](fault)
        trouble.until_s = self.stand.loop.time()
        self.stand.say(f"{fault} is over")

    # ------------------------------------------------------------------ devices

    async def _radar(self, fault: Fault) -> None:
        street = self.stand.street
        if fault.what == "unplug":
            await self._without("radar", self._unplugged, fault.what, fault.lasts_s)
        elif fault.what == "restart":
            street.end.twin.power_cycle()
            street.stir()
        else:
            street.end.faults.add(RadarFault(fault.what))
            street.stir()
            await asyncio.sleep(fault.lasts_s)
            street.end.faults.discard(RadarFault(fault.what))

    async def _zeros(self, fault: Fault) -> None:
        """The radar was set to say ten times a second that nothing moves; a restart ends it as well."""
        self.stand.street.says_zeros(on=True)
        await asyncio.sleep(fault.lasts_s)
        self.stand.street.says_zeros(on=False)

    async def _without(self, device: str, why: set[str], reason: str, seconds: float) -> None:
        """A device has no power while there is a reason."""
        why.add(reason)
        self._power(device, on=False)
        await asyncio.sleep(seconds)
        why.discard(reason)
        if not why:
            self._power(device, on=True)

    def _power(self, device: str, *, on: bool) -> None:
        stand = self.stand
        if device == "radar":
            (stand.street.end.plug if on else stand.street.end.unplug)()
            stand.street.stir()
        elif on is not stand.panel.powered:
            (stand.panel.power_on if on else stand.panel.power_off)()

    async def _panel(self, fault: Fault) -> None:
        if fault.what in ("off", "dip"):
            await self._without("panel", self._off, fault.what, fault.lasts_s)
            return
        self.stand.panel_line.set(fault.what, on=True)
        await asyncio.sleep(fault.lasts_s)
        self.stand.panel_line.set(fault.what, on=False)

    # ------------------------------------------------------------------ what lies between

    async def _broker(self, fault: Fault) -> None:
        self.stand.broker.stop(forget=fault.what == "forgets")
        await asyncio.sleep(fault.lasts_s)
        self.stand.broker.start()

    async def _network(self, fault: Fault) -> None:
        self.stand.set_network("swallows" if fault.what == "swallows" else "gone")
        await asyncio.sleep(fault.lasts_s)
        self.stand.set_network("good")

    async def _hub(self, fault: Fault) -> None:
        stand = self.stand
        if fault.what == "stop":
            await stand.stop_hub()
        elif fault.what == "forgotten":
            await self._forget_hub(fault)
        elif fault.what == "kill":
            await stand.kill_hub()
        elif fault.what == "unheard":  # it commits, and its word does not get out before it is killed
            if stand.hub:
                stand.hub.client.mute = True
            await asyncio.sleep(fault.lasts_s)
            await stand.kill_hub()
        else:
            await self._cut_hub(in_commit=fault.what == "cut_in_commit")
        await asyncio.sleep(0.0 if fault.what in ("unheard", "forgotten") else fault.lasts_s)
        stand.start_hub()

    async def _forget_hub(self, fault: Fault) -> None:
        """It is away, and so is, then, all that the broker had acknowledged in its place."""
        await self.stand.stop_hub()
        await asyncio.sleep(fault.lasts_s * 0.8)
        self.stand.broker.stop(forget=True)
        await asyncio.sleep(fault.lasts_s * 0.2)
        self.stand.broker.start()

    async def _cut_hub(self, *, in_commit: bool) -> None:
        card = self.stand.hub_card
        chance = self.stand.chance("hub cut")
        disk = await self._caught(card, partial(card.cut, chance)) if in_commit else card.cut(chance)
        await self.stand.kill_hub(disk)

    async def _caught(self, card: LiveCard, image: Callable[[], Disk]) -> Disk:
        """In the middle of its next commit; what is on the card then."""
        found: asyncio.Future[Disk] = self.stand.loop.create_future()

        def now() -> None:
            card.off = True
            disk = image()
            self.stand.loop.call_soon(_settle, found, disk)

        card.on_sync = now
        try:
            async with asyncio.timeout(CATCH_S):
                return await found
        except TimeoutError:
            card.on_sync = None
            return image()

    # ------------------------------------------------------------------ the sign

    async def _sign(self, fault: Fault) -> None:
        stand, card = self.stand, self.stand.sign_card
        if fault.what == "restart":
            await stand.stop_sign()
            await self._again(fault.lasts_s)
        elif fault.what.startswith("kill"):
            in_commit = fault.what.endswith("commit")
            await stand.kill_sign(await self._caught(card, card.files) if in_commit else None)
            await self._again(fault.lasts_s)
        else:
            await self._cut_sign(fault)

    async def _again(self, pause_s: float) -> None:
        self.on_dead()
        await asyncio.sleep(pause_s)
        self.stand.start_sign()

    async def _cut_sign(self, fault: Fault) -> None:
        """Power goes, comes back, and with it a clock that may know nothing."""
        stand, card, draw = self.stand, self.stand.sign_card, fault.draw
        image = partial(card.cut, stand.chance("cut"))
        disk = await self._caught(card, image) if fault.what == "cut_in_commit" else image()
        clock_error_s = stand.clock.error_s
        if self._sync:
            self._sync.cancel()
        devices = [
            self._start(self._without(name, why, "cut", fault.lasts_s), f"{name} without power")
            for name, why in (("radar", self._unplugged), ("panel", self._off))
            if draw > 0.3  # else they have a supply of their own
        ]
        await stand.kill_sign(disk)
        stand.downs[-1].power = True
        self.on_dead()
        await asyncio.sleep(fault.lasts_s)
        await asyncio.gather(*devices)
        self._boot(draw, fault.lasts_s, clock_error_s)
        await asyncio.sleep(stand.chance("start").uniform(*BOOT_S))
        stand.start_sign()

    def _boot(self, draw: float, away_s: float, error_s: float) -> None:
        """With a clock of its own battery, or one that goes on from where it was saved last."""
        chance = self.stand.chance("clock")
        has_battery = chance.random() < 0.25
        error_s = chance.uniform(-0.5, 0.5) if has_battery else error_s - away_s - chance.uniform(0.0, 3600.0)
        self.stand.boot(error_s=error_s, trusted=False)
        after_s = {0: chance.uniform(15, 90), 1: chance.uniform(300, 10_000), 2: None}[
            0 if draw < 0.5 else 1 if draw < 0.8 else 2
        ]
        self.stand.say(f"boots {error_s:+.0f} s off, synchronised after {after_s and round(after_s)} s")
        if after_s is not None:
            self._sync = asyncio.create_task(self._synchronise(after_s))

    async def _synchronise(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self.stand.set_clock(0.0, trusted=True)
        self.stand.say("the clock is synchronised")

    async def _card(self, fault: Fault) -> None:
        stand, card = self.stand, self.stand.sign_card
        if fault.what in CARD_STATES:
            card.state = fault.what
            await asyncio.sleep(fault.lasts_s)
            card.state = ""
            return
        await stand.kill_sign()
        self.on_dead()
        card.put(self._damaged(card.files(), fault.draw))
        await asyncio.sleep(fault.lasts_s)
        stand.start_sign()

    def _damaged(self, left: Disk, draw: float) -> Disk:
        """The database is garbage in its middle or all over; what is beside it may be gone."""
        name = self.stand.path.name
        chance = self.stand.chance("damage")
        content = bytearray(left.get(name, b""))
        low = 0 if draw < 0.5 else len(content) // 3
        content[low : low + 65_536] = chance.randbytes(min(65_536, len(content) - low))
        return {name: bytes(content)} if draw < 0.8 else {**left, name: bytes(content)}

    # ------------------------------------------------------------------ clock and config

    async def _clock(self, fault: Fault) -> None:
        """Somebody sets the clock by hand: the kernel knows then that nobody vouches for it.

        Or a server does that is wrong itself, which nobody can know.
        """
        clock = self.stand.clock
        if not clock.is_trusted:
            return
        low, high = STEPS_S[fault.what]
        error_s = (low + (high - low) * abs(2 * fault.draw - 1)) * (1 if fault.draw < 0.5 else -1)
        lies = fault.draw % 0.25 < LYING_SHARE / 4
        self.stand.set_clock(error_s, trusted=lies)
        self.stand.say(f"the clock is set {error_s:+.0f} s off{' and vouched for' if lies else ''}")
        await asyncio.sleep(fault.lasts_s)
        if self.stand.clock is clock:
            self.stand.set_clock(0.0, trusted=True)

    async def _config(self, fault: Fault) -> None:
        before = self.stand.config
        if fault.what == "limit":
            after = with_limit(before, LIMITS[int(fault.draw * len(LIMITS))])
        else:
            after = with_night(before, NIGHTS[int(fault.draw * len(NIGHTS))])
        self.stand.replan(after)


def _settle(found: asyncio.Future[Disk], disk: Disk) -> None:
    if not found.done():
        found.set_result(disk)


__all__ = ["Breaker", "Trouble"]
