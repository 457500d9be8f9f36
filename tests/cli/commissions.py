"""What tests of `commission` share: devices that are told what to be, a service, a technician who types."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from drivers.display.hand import Told
from drivers.display.maps import IDENTITY, TEN, Device
from drivers.display.scan import Plan, Search
from drivers.display.scan_frames import Answer, Heard
from drivers.radar.detect import Hearing, candidates
from drivers.radar.probe import Finding, How
from drivers.radar.setup import Outcome as SetOutcome
from drivers.radar.setup import SettingResult, SetupReport
from speedsign.cli import commission, main
from speedsign.cli.commissioning.devices import Interview, Lit
from speedsign.cli.commissioning.trial import Outcome
from speedsign.cli.display_parts import Parts
from speedsign.cli.hearing import Hearer
from speedsign.cli.radar_line import Chosen
from speedsign.config.schema import Config, MqttConfig
from speedsign.errors import PortError, SpeedsignError
from speedsign.model import Direction, Face, Unit, Vehicle
from speedsign.ports import LineSettings, PanelDriver
from tests.calibration.passes import street
from tests.cli.calibrations import CLEAN, passing

RADAR, PANEL = "/dev/ttyUSB0", "/dev/ttyUSB1"
SIGN = ("--id", "test-sign", "--limit", "50")


def radar_on(port: str, driver: str = "ops243", baud: int = 19_200) -> Finding:
    """What the probe says of a radar that answered."""
    candidate = candidates([driver])[0]
    return Finding(
        port, LineSettings(baud), Hearing(candidate, 1, 0, 1, 100), How.ANSWERED, heard_bytes=100, asked=1
    )


def panel_at(unit: int = 1, baud: int = 9600) -> Device:
    """A DM56A04 that tells who it is."""
    device = Device(unit, baud)
    codes = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
    device.note(Answer(IDENTITY, Heard.VALUES, (unit, codes.index(baud), 0), unit=unit))
    device.note(Answer(TEN, Heard.VALUES, (32, 32, 32, 48, 32, 32, 0, 0, 0, 8), unit=unit))
    return device


RIGHT = SetupReport((SettingResult("unit", "km/h", SetOutcome.RIGHT, "Units km-per-hour"),))
DIFFERS = SetupReport((SettingResult("unit", "km/h", SetOutcome.DIFFERS, "Units m-per-sec"),))


@dataclass
class Bench:
    """Devices as a test wants them; `done` tells what was asked of them, in order."""

    radars: dict[str, Finding] = field(default_factory=lambda: {RADAR: radar_on(RADAR)})
    panels: dict[str, list[Device]] = field(default_factory=lambda: {PANEL: [panel_at()]})
    others: list[str] = field(default_factory=list)  # ports without anything
    said: dict[str, str] = field(default_factory=dict)  # by the radar, of itself
    report: SetupReport = DIFFERS
    unit: Unit | None = None  # as the radar says
    stands_at: int | None = 1
    holds: tuple[int, ...] | None = (1,)  # what the panel holds when it was told (1,)
    cars: list[Vehicle] = field(default_factory=lambda: [passing(47.0)])
    beside_m: float | None = None  # of the lane that approaching cars drive in, for traffic
    outcome: Outcome = field(default_factory=lambda: Outcome([], 2, 40, 48))
    broker: list[str] = field(default_factory=lambda: [""])  # one answer a try, the last for ever
    trouble: dict[str, SpeedsignError] = field(default_factory=dict)  # by what is asked for, once
    interrupt: str = ""  # what is asked for when somebody presses Ctrl-C
    on_interrupt: Callable[[], None] = lambda: None
    done: list[str] = field(default_factory=list)
    lit: str = "dark"
    levels: list[float] = field(default_factory=list)

    async def do(self, what: str) -> None:
        """Note it; fail or be interrupted where a test wants that."""
        self.done.append(what)
        word = what.split(maxsplit=1)[0]
        if self.interrupt == word:
            self.interrupt = ""
            self.on_interrupt()
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        if (error := self.trouble.pop(word, None)) is not None:
            raise error

    def ports(self) -> list[str]:
        return [*self.radars, *self.panels, *self.others]

    async def look_at(
        self, port: str, driver: str | None, listen_s: float, say: Callable[[str], None]
    ) -> Finding:
        await self.do(f"look {port}")
        say(f"{port}: listening at 9600 8N1")
        say(f"{port}: asking everybody")
        found = self.radars.get(port)
        if found is None or (driver and found.hearing and found.hearing.candidate.name != driver):
            return Finding(port, asked=3)
        return found

    async def interview(self, choice: Chosen) -> Interview:
        await self.do(f"interview {choice.radar.port}")
        return Interview(self.said, self.report, self.unit)

    async def set_up(self, choice: Chosen) -> SetupReport:
        await self.do(f"set_up {choice.radar.port}")
        self.said = dict.fromkeys(self.said, "0.0")
        return RIGHT

    async def hear(self, choice: Chosen, hearer: Hearer, seconds: float, stop: asyncio.Event) -> None:
        await self.do(f"hear {choice.radar.port} inverted={choice.radar.invert_direction}")
        if self.beside_m is not None:
            self._traffic(hearer, stop)
        elif self.cars:
            hearer.vehicles([self.cars.pop(0)])
        if self.cars or self.beside_m is not None:
            async with asyncio.timeout(5):
                await stop.wait()

    def _traffic(self, hearer: Hearer, stop: asyncio.Event) -> None:
        from speedsign.model import Reading

        assert self.beside_m is not None
        approaches, _ = street(160, 1, beside_m=self.beside_m)
        at_s = 0.0
        for one in approaches:
            for t_s, kmh in zip(one.times_s, one.speeds_kmh, strict=True):
                if stop.is_set():
                    return
                hearer.events(at_s + t_s, [Reading(at_s + t_s, kmh, Direction.APPROACHING)])
            at_s += one.times_s[-1] + 10.0
            hearer.events(at_s, [])

    async def scan(self, port: str, plan: Plan, say: Callable[[str], None]) -> Search:
        await self.do(f"scan {port}")
        say(f"{port}: asking at {plan.bauds[0]} 8N1")
        if port not in self.panels and port not in (*self.radars, *self.others):
            raise PortError(port, "no such device")
        found = Search(asked=8)
        found.devices = [one for one in self.panels.get(port, []) if one.baud in plan.bauds]
        return found

    async def standing_step(self, parts: Parts, driver: PanelDriver) -> int | None:
        await self.do("standing_step")
        return self.stands_at

    def hold(self, parts: Parts, driver: PanelDriver, level: float) -> AbstractAsyncContextManager[Lit]:
        return self._held(parts, level)

    @contextlib.asynccontextmanager
    async def _held(self, parts: Parts, level: float) -> AsyncIterator[Lit]:
        await self.do(f"hold {parts.display.port}")
        self.levels.append(level)
        try:
            yield _Hand(self, parts.display.unit)
        finally:
            self.lit = "dark"

    async def run_sign(self, config: Config, seconds: float, say: Callable[[str], None]) -> Outcome:
        await self.do("run_sign")
        return self.outcome

    async def connect(self, mqtt: MqttConfig, sign: str) -> str:
        await self.do(f"connect {mqtt.host} as {sign}")
        return self.broker.pop(0) if len(self.broker) > 1 else self.broker[0]


@dataclass
class _Hand:
    bench: Bench
    unit: int

    async def put(self, face: Face) -> list[Told]:
        self.bench.lit = str(face)
        await self.bench.do(f"put {face}")
        return [Told(self.unit, (1,), self.bench.holds)]

    async def dim(self, level: float) -> list[Told]:
        self.bench.levels.append(level)
        return []


@dataclass
class FakeService:
    """systemd, as far as the sign knows it."""

    name: str = "speedsign"
    there: bool = True
    runs: bool = False
    calls: list[str] = field(default_factory=list)
    trouble: str = ""

    def running(self) -> bool:
        return self.runs

    def stop(self) -> None:
        self.calls.append("stop")
        self.runs = False

    def start(self) -> None:
        self.calls.append("start")
        if self.trouble:
            raise SpeedsignError(self.trouble)
        self.runs = True

    def by_hand(self, word: str) -> str:
        return f"sudo systemctl {word} {self.name}"


@dataclass
class Office:
    """A folder with a config or none, the devices before it, and a technician at a terminal."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    bench: Bench = field(default_factory=Bench)
    service: FakeService = field(default_factory=FakeService)
    terminal: bool = True

    @property
    def config(self) -> Path:
        return self.folder / "speedsign.toml"

    @property
    def draft(self) -> Path:
        return self.folder / "speedsign.toml.draft"

    @property
    def text(self) -> str:
        return self.config.read_text(encoding="utf-8")

    @property
    def records(self) -> list[dict[str, Any]]:
        path = self.folder / "calibrations.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def write(self, radar: str = "", display: str = "", more: str = "") -> str:
        """An old config."""
        text = (
            '# of the town\n[sign]\nid = "old-sign"  # ours\nlimit_kmh = 50\nsite = "Main Street"\n'
            f'[radar]\ndriver = "ops243"\nport = "{RADAR}"\n{radar}'
            f'[display]\ndriver = "dm56a04"\nport = "{PANEL}"\n{display}'
            f'[store]\npath = "{self.folder}/sign.db"\n[clock]\ntrust = "always"\n{more}'
        )
        self.config.write_text(text, encoding="utf-8")
        return text

    def run(self, *args: object, typed: Sequence[str] | bytes = ()) -> Result:
        """`commission …`; nothing but what it foresees may be raised. `typed`: a line each."""
        lines = typed if isinstance(typed, bytes) else "".join(f"{line}\n" for line in typed).encode()
        words = [str(arg) for arg in ("commission", *args, "--config", self.config)]
        with self._plugged():
            result = CliRunner().invoke(main, words, input=lines, env=CLEAN)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    @contextlib.contextmanager
    def _plugged(self) -> Iterator[None]:
        with self.monkeypatch.context() as patch:
            patch.setattr(commission, "RealDevices", lambda _clock: self.bench)
            patch.setattr(commission, "Service", lambda _name: self.service)
            patch.setattr(commission, "is_terminal", lambda: self.terminal)
            yield
