"""A display with real timing on a pty or on TCP, and how long what it showed was wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.cases import Case
from drivers.bus_owner import BusOwner
from drivers.display.dm56a04 import Dm56a04
from drivers.display.owner import SignDisplay
from drivers.display.relay import RelaySettings
from drivers.display.supply import GuardSettings
from drivers.modbus_bus import PymodbusBus
from simulator.line import PtyLine
from simulator.multi_drop import MultiDrop, Tap
from simulator.panel_end import PanelEnd
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.relay_board import RelayBoard
from simulator.rtu_slave import MbapSlave, RtuSlave
from simulator.tcp_line import TcpLine
from speedsign.assemble_display import PULSE_S
from speedsign.clock import SystemClock
from speedsign.model import BLANK, Face

SUPPLY_UNIT, SUPPLY_COIL = 11, 0
CHANGE_S = 0.7  # from one face to the next
BEFORE_S, DURING_S, AFTER_S = 2.5, 8.0, 20.0
TICK_S = 0.02

Events = list[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case did: the longest time a wrong number was lit, the faults told, whether all ended well."""

    wrong_s: float
    codes: frozenset[str]
    recovered: bool
    told_s: float | None  # from the trouble to the fault


@dataclass(slots=True)
class Rig:
    """The display, its line and its panels, at work."""

    display: SignDisplay
    line: PtyLine | TcpLine
    ends: list[PanelEnd]
    panels: list[Dm56a04Twin]
    wanted: Events = field(default_factory=list)
    lit: list[Events] = field(default_factory=list)
    told: dict[str, float] = field(default_factory=dict)  # faults, and when each was first seen

    def seen(self) -> set[str]:
        """What is lit now on panels that are connected."""
        return {
            panel.lit().strip() for end, panel in zip(self.ends, self.panels, strict=True) if end.line.plugged
        }

    def show(self, face: Face) -> None:
        self.wanted.append((_now(), "" if face.number is None else str(face.number)))
        self.display.show(face)

    def wrong_s(self, until_s: float) -> float:
        return max(longest_wrong_s(self.wanted, lit, until_s) for lit in self.lit)


def longest_wrong_s(wanted: Events, lit: Events, until_s: float) -> float:
    """The longest time at a stretch in which something was lit that was not wanted at that moment.

    >>> longest_wrong_s([(0.0, "47"), (1.0, "48")], [(0.1, "47"), (1.5, "48")], 9.0)
    0.5
    """
    moments = sorted({at_s for at_s, _ in (*wanted, *lit)} | {until_s})
    longest_s, since_s = 0.0, None
    for at_s in moments:
        seen, right = _last(lit, at_s), _last(wanted, at_s)
        wrong = bool(seen) and seen != right
        if since_s is not None:
            longest_s = max(longest_s, at_s - since_s)
        if not wrong:
            since_s = None
        elif since_s is None:
            since_s = at_s
    return longest_s


def _last(events: Iterable[tuple[float, str]], at_s: float) -> str:
    return next((text for t_s, text in reversed(list(events)) if t_s <= at_s), "")


@contextlib.asynccontextmanager
async def rig(case: Case, folder: Path) -> AsyncIterator[Rig]:
    """A display as the daemon has it, with the settings it has in the field."""
    line = TcpLine() if case.tcp else PtyLine(folder / case.name)
    if isinstance(line, TcpLine):
        await line.start()
        target = f"tcp://{line.address}"
    else:
        line.plug()
        target = str(line.link)
    drop = MultiDrop(line)
    slave = MbapSlave if case.tcp else RtuSlave
    panels = [Dm56a04Twin() for _ in range(case.panels)]
    units = [1 if case.same_id else number for number in range(1, case.panels + 1)]
    ends = [PanelEnd(drop.tap(), slave(unit, panel)) for unit, panel in zip(units, panels, strict=True)]
    display = SignDisplay(SystemClock())
    owner = display.add_line(BusOwner(PymodbusBus(target)))
    for unit in dict.fromkeys(units):
        display.add_panel(owner, Dm56a04(), unit)
    made = Rig(display, line, ends, panels, lit=[_watched(panel) for panel in panels])
    if case.same_id:
        ends[1].line.unplug()
    boards = [_supply(case, display, owner, drop.tap(), panels)] if case.supply else []
    running = [asyncio.create_task(display.run()), asyncio.create_task(_time_passes(made, boards))]
    try:
        yield made
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for end in (*ends, *boards):
            end.close()
        if isinstance(line, TcpLine):
            await line.stop()
        else:
            line.unplug()


def _supply(
    case: Case, display: SignDisplay, owner: BusOwner, tap: Tap, panels: list[Dm56a04Twin]
) -> PanelEnd:
    """A relay board on the same line, with the panels' power on it."""
    board = RelayBoard()

    def switch(*, on: bool) -> None:
        for panel in panels:
            (panel.power_on if on else panel.power_off)()

    board.wire(SUPPLY_COIL, lambda: switch(on=True), lambda: switch(on=False))
    relay = RelaySettings(pulse_s=PULSE_S if case.supply == "pulse" else None)
    display.add_supply(owner, SUPPLY_UNIT, SUPPLY_COIL, relay, GuardSettings(boot_s=0.2))
    return PanelEnd(tap, RtuSlave(SUPPLY_UNIT, board))


def _watched(panel: Dm56a04Twin) -> Events:
    events: Events = []
    panel.on_change = lambda text: events.append((_now(), text.strip()))
    return events


async def _time_passes(made: Rig, boards: list[PanelEnd]) -> None:
    before_s = _now()
    while True:
        await asyncio.sleep(TICK_S)
        now_s = _now()
        for end in (*made.ends, *boards):
            end.process(now_s - before_s)
        before_s = now_s
        for fault in made.display.faults():
            made.told.setdefault(fault.code, now_s)


def _now() -> float:
    return asyncio.get_running_loop().time()


# ---------------------------------------------------------------------- one case


async def run_case(case: Case, folder: Path) -> Outcome:
    """Numbers, then the trouble in the middle of one, numbers all the while, then the end of the trouble."""
    async with rig(case, folder) as made:
        driving = asyncio.create_task(_drive(made))
        try:
            await asyncio.sleep(BEFORE_S)
            while not made.wanted[-1][1] or made.seen() != {made.wanted[-1][1]}:  # noqa: ASYNC110  no event
                await asyncio.sleep(TICK_S)
            made.told.clear()
            began_s = _now()
            _trouble(made, case)
            if case.moment:
                await asyncio.sleep(CHANGE_S)
                _mend(made, case)
            await asyncio.sleep(DURING_S)
            wrong_s, told = made.wrong_s(_now()), dict(made.told)
            _mend(made, case)
            recovered = await _recovers(made)
        finally:
            driving.cancel()
            await asyncio.wait([driving])
        first_s = min(told.values(), default=None)
        return Outcome(wrong_s, frozenset(told), recovered, first_s and first_s - began_s)


async def _drive(made: Rig) -> None:
    """Cars one after the other: five numbers each, then dark for a moment."""
    speed_kmh = 30
    while True:
        for _ in range(5):
            speed_kmh = 30 + (speed_kmh + 7) % 60
            made.show(Face(speed_kmh))
            await asyncio.sleep(CHANGE_S)
        made.show(BLANK)
        await asyncio.sleep(CHANGE_S)


def _trouble(made: Rig, case: Case) -> None:
    first = made.ends[0]
    first.slow_s = case.slow_s
    first.faults = set(case.faults)
    if case.same_id:
        made.ends[1].line.plug()
    if case.unplug:
        made.line.unplug()
    if case.power == "dip":
        made.panels[0].power_cycle()
    elif case.power == "off":
        made.panels[0].power_off()


def _mend(made: Rig, case: Case) -> None:
    made.ends[0].faults = set()
    if case.same_id:
        made.ends[1].line.unplug()
    if case.unplug:
        made.line.plug()
    if case.power == "off":
        made.panels[0].power_on()


async def _recovers(made: Rig) -> bool:
    """Whether all is well again: no fault, and what is wanted is seen."""
    until_s = _now() + AFTER_S
    while _now() < until_s:
        await asyncio.sleep(TICK_S)
        if not made.display.faults() and made.wanted[-1][1] in made.seen() and made.display.lit() is not None:
            return True
    return False
