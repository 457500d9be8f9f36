"""A test stand: road, radar and panel on two lines, with every fault to be switched by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from simulator.aim import heard_along, lanes
from simulator.drives import Drives
from simulator.hidden import Hidden, Way, number
from simulator.light_sensor import LightSensorTwin
from simulator.line import PtyLine
from simulator.multi_drop import MultiDrop
from simulator.panel_end import PanelEnd, PanelFault
from simulator.panels.catalogue import make_panel
from simulator.radar_end import RadarFault
from simulator.radars.catalogue import ANTENNAS, SQUELCHES
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
AIMED_PER_HOUR = 400.0  # with an angle and no other wish: the demo's traffic is made for a usual mast


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
class Dimmed:
    """How bright the panel is from a moment on; `light` as a person sees it, 1 being a new panel's most."""

    t_s: float
    step: int
    light: float


@dataclass(slots=True)
class Log:
    """What can be seen from outside, in order."""

    lit: list[Lit] = field(default_factory=list)
    dimmed: list[Dimmed] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Stand:
    """Simulated devices on real lines. `async with` plugs them in and unplugs them again.

    Only its lines lead to the program under test: it is never imported by it. `registers` is the map of
    the panel "registers"; the one of docs/panels.md unless given. With `board` there are a relay board, which
    switches the panel's supply and a beacon, and a light sensor on the panel's line. `hidden` is how all that
    has been mounted and set; ValueError where these devices cannot be so.
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
        hidden: Hidden | None = None,
    ) -> None:
        traffic, self.hidden = traffic or Traffic(), hidden or Hidden()
        self.radar_line, self.panel_line = radar_line, panel_line
        self._set_rates()
        self.panel = make_panel(panel, panel_profile, registers=registers)
        self._set_panel(panel, board=board)
        slave = MbapSlave if isinstance(panel_line, TcpLine) else RtuSlave
        device: Any = self.panel  # which of the functions it has differs from panel to panel
        drop = MultiDrop(panel_line) if board else None
        self.panel_end = PanelEnd(
            drop.tap() if drop else panel_line, slave(self.hidden.panel_unit, device), self._on_request
        )
        self.board, self.light = RelayBoard(2), LightSensorTwin()
        self.light.lux = DAYLIGHT_LX
        self.ends = [self.panel_end]
        if drop:
            self.board.wire(SUPPLY_COIL, self.panel.power_on, self.panel.power_off)
            self.ends += [
                PanelEnd(drop.tap(), slave(BOARD_UNIT, self.board)),
                PanelEnd(drop.tap(), slave(LIGHT_UNIT, self.light)),
            ]
        self.aim = self.hidden.aim(radar)
        self.world = self._world(radar, profile, seed, traffic)
        self.hidden.set_radar(radar, self.world.radar_end.twin)
        self.world.through = self.way = Way(inverted=self.hidden.inverted, seed=seed)
        self.drives = self._drives(radar)
        self.world.others.append(self.drives)
        self.log = Log()
        self.display_writes = 0
        self.panel.on_change = self._on_lit
        self.panel.on_brightness = self._on_brightness

    @classmethod
    def on_ptys(cls, folder: Path, **options: object) -> Stand:
        """A stand whose devices are `folder`/radar and `folder`/panel."""
        return cls(PtyLine(folder / "radar"), PtyLine(folder / "panel"), **options)  # type: ignore[arg-type]

    def _set_rates(self) -> None:
        for line, rate in (
            (self.radar_line, self.hidden.radar_baud),
            (self.panel_line, self.hidden.panel_baud),
        ):
            if isinstance(line, PtyLine):
                line.rate = rate
            elif rate is not None:
                raise ValueError("over TCP there is no baud rate: leave it out, or use ptys")

    def _set_panel(self, name: str, *, board: bool) -> None:
        hidden, panel = self.hidden, self.panel
        if hidden.dim and panel.steps is None:
            raise ValueError(f"the simulated {name} has no brightness that could be set")
        if board and hidden.panel_unit in (BOARD_UNIT, LIGHT_UNIT):
            raise ValueError(
                f"unit {hidden.panel_unit} is taken by the board; choose another one for the panel"
            )
        panel.worn, panel.dims_at_power = hidden.worn, hidden.dim
        panel.be(hidden.panel_unit, hidden.panel_baud)
        if hidden.dim:
            panel.power_cycle()

    def _world(self, radar: str, profile: str | None, seed: int, traffic: Traffic) -> World:
        others = self.ends
        if traffic.script is None and traffic.vehicles_per_hour is None and self.aim is None:
            return make_demo(
                self.radar_line,
                radar=radar,
                profile=profile,
                seed=seed,
                limit_kmh=traffic.limit_kmh,
                until_s=traffic.until_s,
                others=others,
            )
        antenna = ANTENNAS[radar]
        # Who comes by a script is in view soon; random traffic needs the road to sort itself out.
        shape = RoadShape(zone_m=antenna.max_range_m)
        if traffic.script is not None:
            shape = replace(shape, lead_m=5.0)
        if self.aim is not None:
            antenna = replace(antenna, aim_deg=self.aim.turned_deg)
            shape = replace(shape, lanes=lanes(self.aim.offset_m))
        per_hour = traffic.vehicles_per_hour
        return make_world(
            self.radar_line,
            radar=radar,
            profile=profile,
            seed=seed,
            vehicles_per_hour=AIMED_PER_HOUR if per_hour is None else per_hour,
            limit_kmh=traffic.limit_kmh,
            script=traffic.script,
            parameters=antenna,
            shape=shape,
            others=others,
        )

    def _drives(self, radar: str) -> Drives:
        road, antenna, squelch = self.world.road, self.world.physics.parameters, SQUELCHES[radar]
        heard = {
            lane.direction: heard_along(antenna, lane.offset_m, squelch, lane.direction)
            for lane in road.shape.lanes[:2]
        }
        return Drives(road, heard)

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

        A word twice switches it off again. "drive 50" sends a test car, "fork 2235" holds a tuning fork
        before the radar. Raises ValueError with the words that there are.
        """
        words = command.split()
        if not (self._street(words) or self._power(words) or self._break(words)):
            raise ValueError(f"{command!r} is no fault; there are: {', '.join(fault_words())}")

    def _street(self, words: list[str]) -> bool:
        match words:
            case ["clear"]:
                self._clear()
            case ["drive", kmh, *count] if len(count) < 2:
                self._drive(kmh, *count)
            case ["fork", word]:
                self.way.hold(word)
            case ["light", lux] if lux.isdecimal():
                self._light_up(lux)
            case _:
                return False
        return True

    def _power(self, words: list[str]) -> bool:
        match words:
            case ["radar" | "panel" as device, "unplug" | "plug" as word]:
                self._plug(device, in_=word == "plug")
            case ["board", "off"]:
                self.board.power_off()
            case ["board", "on"]:
                self.board.power_on()
            case ["panel", "off"]:
                self.panel.power_off()
            case ["panel", "on"]:
                self.panel.power_on()
            case _:
                return False
        return True

    def _break(self, words: list[str]) -> bool:
        match words:
            case ["radar", word] if word in set(RadarFault):
                self.world.radar_end.faults ^= {RadarFault(word)}
            case ["panel", word] if word in set(PanelFault):
                self.panel_end.faults ^= {PanelFault(word)}
            case _:
                return False
        return True

    def _light_up(self, lux: str) -> None:
        digits = lux.lstrip("0") or "0"
        if len(digits) > len(str(_LIGHT_MAX_LX)) or int(digits) > _LIGHT_MAX_LX:
            raise ValueError(f"light is 0 to {_LIGHT_MAX_LX} lx: the sensor of the stand has one register")
        self.light.lux = float(digits)

    def _drive(self, kmh: str, count: str = "1") -> None:
        speed, times = number(kmh), number(count, int)
        self.drives.order(speed or 0.0, int(times or 0))

    def _clear(self) -> None:
        self.drives.forget()
        self.way.hold("off")
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

    def _on_brightness(self, step: int) -> None:
        self.log.dimmed.append(Dimmed(self.world.t_s, step, self.panel.light or 0.0))
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
    return [
        *radar,
        *panel,
        "board off",
        "board on",
        "light 100",
        "drive 50",
        "drive -50 10",
        "fork 2235",
        "fork off",
        "clear",
    ]
