"""One sign, its street and its panel, a broker and a hub, in one process; all of it can break."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from drivers.bus_owner import BusOwner
from drivers.display.dm56a04 import Dm56a04
from drivers.display.owner import SignDisplay
from drivers.display.panel import PanelSettings
from drivers.radar.link import RadarLink
from simulator.line import MemoryLine
from simulator.panels.dm56a04 import Dm56a04Twin
from speedsign.assemble import Pace, plan
from speedsign.beats import LOOP_DEADLINE_S, STORE_DEADLINE_S, Beats
from speedsign.believed import BelievedClock
from speedsign.config.schema import Config
from speedsign.config.wanted import radar_settings
from speedsign.daemon import Daemon, Parts
from speedsign.model import ClockQuality, Face, Fault, VehicleRecord
from speedsign.ports import RadarDriver
from speedsign.registry import load_radar
from speedsign.sign_health import SignHealth
from speedsign.supervisor import Means
from telemetry.ballast import Ballast
from telemetry.hub.hub import Hub, HubSettings
from telemetry.hub.store import SqliteHubStore
from telemetry.message.messages import Identity
from telemetry.outbox.publisher import Publisher, PublisherSettings
from telemetry.store import SqliteStore, open_or_replace
from tests.power.card import Disk
from tests.year.baton import Baton, YearRecorder
from tests.year.broker import Broker, Client
from tests.year.bus import PanelLine, YearBus
from tests.year.cards import LiveCard
from tests.year.life import HUB_WATCHDOG_S, WATCHDOG_S, Board, Heard, Watchdog
from tests.year.log import Log
from tests.year.settings import SIGN_ID, config
from tests.year.street import Street
from tests.year.timeline import BEGIN, BootClock

BUILT = BEGIN - timedelta(days=7)  # this program, or the sign would believe no clock of that year
KEEPALIVE_S = 10.0  # of a panel that keeps its number for ever: less to simulate


@dataclass(frozen=True, slots=True)
class Given:
    """A vehicle that a process gave to its store."""

    record: VehicleRecord
    boot_s: float  # when that boot began, on the loop's time

    @property
    def first_s(self) -> float:
        return self.boot_s + self.record.vehicle.t_first_mono_s

    @property
    def last_s(self) -> float:
        return self.boot_s + self.record.vehicle.t_last_mono_s


@dataclass(slots=True)
class Away:
    """From when to when the sign's program did not run; `power`: its devices had none either."""

    from_s: float
    until_s: float = float("inf")
    power: bool = False


@dataclass(slots=True)
class Lie:
    """From when to when a wrong time was vouched for, and how far it was ahead of the truth."""

    from_s: float
    error_s: float
    until_s: float = float("inf")


class _Glimpse:
    """Gets a store's call instead of the store, to see what it is called with."""

    def __init__(self) -> None:
        self.record: VehicleRecord | None = None

    def __getattr__(self, name: str) -> Callable[..., None]:
        def called(record: Any = None, *_more: object, **_named: object) -> None:
            if name == "add_vehicle":
                self.record = record

        return called


class Process:
    """The sign's program from its start to its end, however that comes."""

    def __init__(self, stand: Stand) -> None:
        self.stand, self.clock = stand, stand.clock
        loop = asyncio.get_running_loop()
        self.given: list[tuple[Callable[..., object], Given]] = []  # not confirmed yet
        self.baton = Baton(loop)
        beats = Beats()
        self.watchdog = Watchdog(loop.time, WATCHDOG_S)
        believed = BelievedClock(self.clock)
        self.ballast = Ballast(stand.path, size_bytes=8192)
        self.recorder = YearRecorder(
            self._open,
            self.baton,
            self._submitted,
            self._done,
            beside=self.ballast.faults,
            takes_s=stand.sign_card.takes_s,
            beat=beats.part("store", STORE_DEADLINE_S),
        )
        driver = stand.driver()
        self.radar = RadarLink(
            stand.line.port,
            driver,
            radar_settings(stand.config.radar, stand.config.tracking, driver),
            self.clock,
            beat=beats.part("radar", LOOP_DEADLINE_S),
        )
        self.bus = YearBus(stand.panel_line)
        settings = PanelSettings(keepalive_s=stand.keepalive_s)
        self.display = SignDisplay(self.clock, self._acked)
        owner = BusOwner(self.bus, beat=beats.part("display", LOOP_DEADLINE_S))
        self.display.add_panel(self.display.add_line(owner), Dm56a04(), 1, settings)
        self.client = Client(stand.broker, SIGN_ID, stand.chance("client"))
        self.client.network(stand.network)
        who = Identity(SIGN_ID, "0.0.0", stand.street.radar, "dm56a04")
        health = SignHealth(stand.path, believed, self.recorder, Board())
        self.publisher = Publisher(
            self.client,
            self.recorder,
            who,
            PublisherSettings(),
            clock=self.clock,
            chance=stand.chance("sender"),
            health=health,
        )
        parts = Parts(
            self.clock, self.radar, self.recorder, self.display, telemetry=self.publisher,
            notify=self.watchdog.notify, means=Means(beats),
        )  # fmt: skip
        made = plan(stand.config, driver, Pace(), None)
        self.daemon = Daemon(replace(made, built_utc=BUILT), parts)
        believed.judged_by(lambda: self.daemon.clock_quality() is ClockQuality.OK)
        health.watch(self.daemon)
        self.began_s = loop.time()
        self.task = asyncio.create_task(self.daemon.run(), name="daemon")

    def _open(self, previous: SqliteStore | None) -> tuple[SqliteStore, Fault | None]:
        return open_or_replace(
            self.stand.path, SIGN_ID, at_utc=self.clock.now_utc(), previous=previous, vehicles=True,
            ballast=self.ballast,
        )  # fmt: skip

    def _acked(self, face: Face, t_mono_s: float) -> None:
        self.daemon.on_acked(face, t_mono_s)

    def _submitted(self, what: str, call: Callable[..., object]) -> None:
        if what != "vehicle":
            return
        glimpse = _Glimpse()
        call(glimpse)
        assert glimpse.record is not None
        self.given.append((call, Given(glimpse.record, self.clock.began_s)))

    def _done(self, what: str, call: Callable[..., object]) -> None:
        if what == "vehicle":
            found = next(one for one in self.given if one[0] is call)
            self.given.remove(found)
            self.stand.confirmed(found[1])

    async def stop(self) -> None:
        """As systemd stops it."""
        self.watchdog.judge()
        self.task.cancel()
        await asyncio.wait([self.task])
        self._look_at_the_end()

    async def die(self, disk: Disk) -> None:
        """At once, without a last word; `disk` is what is left."""
        self.watchdog.judge()
        self.stand.sign_card.off = True
        self.bus.killed = True
        self.client.kill()
        self.stand.line.port.close()
        self.recorder.abandon()
        self.task.cancel()
        await asyncio.wait([self.task])
        self._look_at_the_end()
        self.stand.sign_card.put(disk)

    def _look_at_the_end(self) -> None:
        if not self.task.cancelled() and (error := self.task.exception()):
            raise AssertionError(f"the daemon ended with {error!r}") from error


class _Inline(Executor):
    """The hub's thread, without one."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  whoever asked gets it
            done.set_exception(error)
        return done


class HubProcess:
    """The hub's program from its start to its end."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.client = Client(stand.broker, "hub", stand.chance("hub"), durable=True)
        self.store = SqliteHubStore(stand.hub_path)
        self.watchdog = Watchdog(stand.loop.time, HUB_WATCHDOG_S)
        self.hub = Hub(self.client, self.store, HubSettings(), stand.good_clock, notify=self.watchdog.notify)
        self.hub._thread = _Inline()  # type: ignore[assignment]
        stand.heard.listen(self.hub)
        self.task = asyncio.create_task(self.hub.run(), name="hub")

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        self.store.close()
        self._look_at_the_end()

    async def die(self, disk: Disk) -> None:
        self.stand.hub_card.off = True
        self.client.kill()
        self.task.cancel()
        await asyncio.wait([self.task])
        self.store.close()
        self._look_at_the_end()
        self.stand.hub_card.put(disk)

    def _look_at_the_end(self) -> None:
        if not self.task.cancelled() and (error := self.task.exception()):
            raise AssertionError(f"the hub ended with {error!r}") from error


class Stand:
    """Where all of it stands. `sign` and `hub` are None while they do not run."""

    keepalive_s = KEEPALIVE_S

    def __init__(
        self, folder: Path, cards: list[LiveCard], seed: int, log: Log, vehicles: tuple[int, int]
    ) -> None:
        self.seed, self.log, radar = seed, log, "ops243"
        self.path, self.hub_path = folder / "sign.db", folder / "hub.db"
        self.sign_card, self.hub_card = cards
        self.loop = asyncio.get_running_loop()
        self._chances = 0
        self.good_clock = BootClock(self.loop, "f" * 32, error_s=0.0, trusted=True, began_s=-100.0)
        self.clock = BootClock(self.loop, self._boot_id(), error_s=0.0, trusted=True, began_s=-10.0)
        self.boots = {self.clock.boot_id(): -10.0}  # when each began
        self.line = MemoryLine("/dev/speedsign-radar")
        self.street = Street(self.line, self.chance("street"), radar, vehicles)
        self.panel = Dm56a04Twin(power_up="0000")
        self.panel_line = PanelLine(self.panel, self.chance("panel"))
        self.broker = Broker()
        self.network = "good"
        self.config = config(radar, 50, ("23:00", "05:00"))
        self.config_since_s = 0.0
        self.sign: Process | None = None
        self.hub: HubProcess | None = None
        self.kept: list[Given] = []  # confirmed by the store since somebody took them away
        self.maybe: list[Given] = []  # given to a store that ended before it said so
        self.downs: list[Away] = []
        self.lies: list[Lie] = []
        self.times: list[tuple[float, bool]] = [(-1e9, True)]  # since when the clock is right, or is not
        self.heard = Heard(self.loop.time, self.failed)
        self.failure: asyncio.Future[None] = self.loop.create_future()  # something that must never be

    def chance(self, what: str) -> random.Random:
        """Another one each time, always the same for the same seed."""
        self._chances += 1
        return random.Random(f"{self.seed}/{what}/{self._chances}")

    def _boot_id(self) -> str:
        return f"{self.chance('boot').getrandbits(128):032x}"

    def driver(self) -> RadarDriver:
        return load_radar(self.config.radar.driver)

    def confirmed(self, given: Given) -> None:
        self.kept.append(given)
        vehicle = given.record.vehicle
        self.log.say(self.loop.time(), f"kept {vehicle.direction} {vehicle.speed_kmh:.2f} {given.last_s:.3f}")

    def say(self, what: str) -> None:
        self.log.say(self.loop.time(), what)

    def failed(self, error: BaseException) -> None:
        """The run ends with it."""
        self.say(f"failed: {error}")
        if not self.failure.done():
            self.failure.set_exception(error)

    # ------------------------------------------------------------------ the sign's program and power

    def start_sign(self) -> None:
        self.say("sign starts")
        if self.downs and self.downs[-1].until_s == float("inf"):
            self.downs[-1].until_s = self.loop.time()
        self.sign = Process(self)

    def boot(self, *, error_s: float, trusted: bool) -> None:
        """Power comes: another boot; its program starts a while later."""
        self.clock = BootClock(
            self.loop, self._boot_id(), error_s=error_s, trusted=trusted, began_s=self.loop.time()
        )
        self.boots[self.clock.boot_id()] = self.loop.time()
        self.times.append((self.loop.time(), trusted and not error_s))

    def set_clock(self, error_s: float, *, trusted: bool) -> None:
        """A synchronisation, or a hand, or a server that is wrong itself."""
        if self.lies and self.lies[-1].until_s == float("inf"):
            self.lies[-1].until_s = self.loop.time()
        if trusted and error_s:
            self.lies.append(Lie(self.loop.time(), error_s))
        self.clock.set(error_s, trusted=trusted)
        self.times.append((self.loop.time(), trusted and not error_s))

    def knew_the_time(self, from_s: float, until_s: float) -> bool:
        """Whether the clock was right and said so, all of that time."""
        since = [*self.times[1:], (float("inf"), True)]
        return all(
            good
            for (at_s, good), (next_s, _) in zip(self.times, since, strict=True)
            if at_s < until_s and next_s > from_s
        )

    async def stop_sign(self) -> None:
        self.say("sign is stopped")
        if sign := self.sign:
            await sign.stop()
            self._leave(sign)

    async def kill_sign(self, disk: Disk | None = None) -> None:
        """`disk`: what a power cut left; None: everything that was written is there."""
        self.say("sign is killed")
        if sign := self.sign:
            left = self.sign_card.files() if disk is None else disk
            await sign.die(left)
            self._leave(sign)

    def _leave(self, sign: Process) -> None:
        self.sign = None
        self.downs.append(Away(self.loop.time()))
        self.maybe += [given for _, given in sign.given]

    def replan(self, changed: Config) -> None:
        """Another limit or another schedule; told to the running program as commands from afar are."""
        self.config, self.config_since_s = changed, self.loop.time()
        if self.sign:
            made = plan(changed, self.driver(), Pace(), None)
            self.sign.daemon.replan(made.installation, made.schedule)

    # ------------------------------------------------------------------ the hub's

    def start_hub(self) -> None:
        self.say("hub starts")
        self.hub = HubProcess(self)

    async def stop_hub(self) -> None:
        self.say("hub is stopped")
        if hub := self.hub:
            self.hub = None
            await hub.stop()

    async def kill_hub(self, disk: Disk | None = None) -> None:
        self.say("hub is killed")
        if hub := self.hub:
            self.hub = None
            await hub.die(self.hub_card.files() if disk is None else disk)

    def set_network(self, state: str) -> None:
        self.network = state
        if self.sign:
            self.sign.client.network(state)


__all__ = ["SIGN_ID", "Given", "HubProcess", "Process", "Stand"]
