"""A test stand: road, radar and panel on two lines, with every fault to be switched by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from simulator.light_sensor import LightSensorTwin
from simulator.line import PtyLine
from simulator.multi_drop import MultiDrop
from simulator.panel_end import PanelEnd, PanelFault
from simulator.panels.catalogue import make_panel
from simulator.radar_end import RadarFault
from simulator.radars.catalogue import ANTENNAS
from simulator.relay_board import RelayBoard
from simulator.road import RoadShape
from simulator.rtu_slave import MbapSlave, RtuSlave
from simulator.tcp_line import TcpLine
from simulator.vehicles import Arrival
from simulator.world import World, make_demo, make_world
from speedsign.config.schema import RegistersConfig

StandLine = PtyLine | TcpLine

BOARD_UNIT, SUPPLY_COIL, BEACON_COIL = 11, 0, 1  # the relay board on the panel's line
LIGHT_UNIT = 12  # the light sensor there: lux in register 0
DAYLIGHT_LX = 10_000.0
_LIGHT_MAX_LX = 0xFFFF


@dataclass(frozen=True, slots=True)
class Traffic:
    """What drives past: `script`, else `vehicles_per_hour` at random, else the demo's lively traffic."""

    script: Iterable[Arrival] | None = None
    vehicles_per_hour: float | None = None
    limit_kmh: float = 50.0
    until_s: float | None = None  # of the demo's traffic: nobody who would still be in view then


@dataclass(slots=True)
class Lit:
    """What the panel showed from a moment on."""

    t_s: float
    text: str


@dataclass(slots=True)
class Log:
    """What can be seen from outside, in order."""

    lit: list[Lit] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Stand:
    """Simulated devices on real lines. `async with` plugs them in and unplugs them again.

    Only its lines lead to the program under test: it is never imported by it. `registers` is the map of
    the panel "registers"; the one of docs/panels.md unless given. With `board` there are a relay board, which
    switches the panel's supply and a beacon, and a light sensor on the panel's line.
    """

    def __init__(
        self,
        radar_line: StandLine,
        panel_line: StandLine,
        *,
        radar: str = "ops243",
        profile: str | None = None,
        panel: str = "dm56a04",
        panel_profile: str | None = None,
        registers: RegistersConfig | None = None,
        board: bool = False,
        seed: int = 1,
        traffic: Traffic | None = None,
    ) -> None:
        traffic = traffic or Traffic()
        self.radar_line, self.panel_line = radar_line, panel_line
        self.panel = make_panel(panel, panel_profile, registers=registers)
        slave = MbapSlave if isinstance(panel_line, TcpLine) else RtuSlave
        device: Any = self.panel  # which of the functions it has differs from panel to panel
        drop = MultiDrop(panel_line) if board else None
        self.panel_end = PanelEnd(drop.tap() if drop else panel_line, slave(1, device), self._on_request)
        self.board, self.light = RelayBoard(2), LightSensorTwin()
        self.light.lux = DAYLIGHT_LX
        self.ends = [self.panel_end]
        if drop:
            self.board.wire(SUPPLY_COIL, self.panel.power_on, self.panel.power_off)
            self.ends += [
                PanelEnd(drop.tap(), slave(BOARD_UNIT, self.board)),
                PanelEnd(drop.tap(), slave(LIGHT_UNIT, self.light)),
            ]
        self.world = self._world(radar, profile, seed, traffic)
        self.log = Log()
        self.display_writes = 0
        self.panel.on_change = self._on_lit

    @classmethod
    def on_ptys(cls, folder: Path, **options: object) -> Stand:
        """A stand whose devices are `folder`/radar and `folder`/panel."""
        return cls(PtyLine(folder / "radar"), PtyLine(folder / "panel"), **options)  # type: ignore[arg-type]

    def _world(self, radar: str, profile: str | None, seed: int, traffic: Traffic) -> World:
        others = self.ends
        if traffic.script is None and traffic.vehicles_per_hour is None:
            return make_demo(
                self.radar_line,
                radar=radar,
                profile=profile,
                seed=seed,
                limit_kmh=traffic.limit_kmh,
                until_s=traffic.until_s,
                others=others,
            )
        zone_m = ANTENNAS[radar].max_range_m
        # Who comes by a script is in view soon; random traffic needs the road to sort itself out.
        shape = RoadShape(zone_m=zone_m) if traffic.script is None else RoadShape(zone_m=zone_m, lead_m=5.0)
        return make_world(
            self.radar_line,
            radar=radar,
            profile=profile,
            seed=seed,
            vehicles_per_hour=traffic.vehicles_per_hour or 0.0,
            limit_kmh=traffic.limit_kmh,
            script=traffic.script,
            shape=shape,
            others=others,
        )

    # ------------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        for line in (self.radar_line, self.panel_line):
            if isinstance(line, TcpLine):
                await line.start()
            else:
                line.plug()
        return self

    async def __aexit__(self, *_error: object) -> None:
        for end in self.ends:
            end.close()
        for line in (self.radar_line, self.panel_line):
            if isinstance(line, TcpLine):
                await line.stop()
            else:
                line.unplug()

    async def run(self, seconds: float | None = None) -> None:
        """Let time pass at the loop's pace, for so long or until cancelled."""
        await self.world.run(None if seconds is None else self.world.t_s + seconds)

    # ------------------------------------------------------------------ what can go wrong

    def fault(self, command: str) -> None:
        """Switch a fault: "radar silence", "panel dead", "radar unplug", "panel plug", "panel off", "clear".

        A word twice switches it off again. Raises ValueError with the words that there are.
        """
        match command.split():
            case ["clear"]:
                self._clear()
            case ["radar" | "panel" as device, "unplug" | "plug" as word]:
                self._plug(device, in_=word == "plug")
            case ["board", "off"]:
                self.board.power_off()
            case ["board", "on"]:
                self.board.power_on()
            case ["light", lux] if lux.isdecimal():
                self._light_up(lux)
            case ["panel", "off"]:
                self.panel.power_off()
            case ["panel", "on"]:
                self.panel.power_on()
            case ["radar", word] if word in set(RadarFault):
                self.world.radar_end.faults ^= {RadarFault(word)}
            case ["panel", word] if word in set(PanelFault):
                self.panel_end.faults ^= {PanelFault(word)}
            case _:
                raise ValueError(f"{command!r} is no fault; there are: {', '.join(fault_words())}")

    def _light_up(self, lux: str) -> None:
        digits = lux.lstrip("0") or "0"
        if len(digits) > len(str(_LIGHT_MAX_LX)) or int(digits) > _LIGHT_MAX_LX:
            raise ValueError(f"light is 0 to {_LIGHT_MAX_LX} lx: the sensor of the stand has one register")
        self.light.lux = float(digits)

    def _clear(self) -> None:
        self.world.radar_end.faults.clear()
        self.panel_end.faults.clear()
        self._plug("radar", in_=True)
        self._plug("panel", in_=True)
        self.board.power_on()
        if not self.panel.powered and (len(self.ends) == 1 or self.board.lit()[SUPPLY_COIL]):
            self.panel.power_on()

    def _plug(self, device: str, *, in_: bool) -> None:
        line = self.world.radar_end if device == "radar" else self.panel_line
        (line.plug if in_ else line.unplug)()

    # ------------------------------------------------------------------ what is seen

    def _on_request(self, frame: bytes) -> None:
        """Modbus writes, counted as the wire sees them (RTU: unit, function, …; TCP: behind 7 bytes)."""
        function = frame[7] if isinstance(self.panel_end.slave, MbapSlave) else frame[1]
        self.display_writes += function in (6, 16)

    def _on_lit(self, text: str) -> None:
        self.log.lit.append(Lit(self.world.t_s, text))
        self.log.changed.set()

    @property
    def beacon(self) -> bool:
        """Whether the lamps beside the panel are on."""
        return self.board.lit()[BEACON_COIL]

    def shown(self) -> list[str]:
        """Every text that was lit, in order, without the dark ones."""
        return [lit.text.strip() for lit in self.log.lit if lit.text.strip()]


def fault_words() -> list[str]:
    """Everything that `Stand.fault` understands."""
    radar = [f"radar {word}" for word in (*RadarFault, "unplug", "plug")]
    panel = [f"panel {word}" for word in (*PanelFault, "unplug", "plug", "off", "on")]
    return [*radar, *panel, "board off", "board on", "light 100", "clear"]
