"""Every panel with every register map on a pty, driven by what drives it in the field."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from drivers.bus_owner import BusOwner
from drivers.display.owner import SignDisplay
from drivers.modbus_bus import BusSettings, PymodbusBus
from simulator.line import PtyLine
from simulator.panel_end import PanelEnd
from simulator.panels.catalogue import make_panel
from simulator.rtu_slave import RtuSlave
from speedsign.clock import SystemClock
from speedsign.model import BLANK, Face
from tests.display.rig import FAST_PANEL, no_error_in_the_loop
from tests.display.test_panels import KINDS, Kind
from tests.support import run, until

pytestmark = pytest.mark.wires

FACES = (Face(47), Face(9), Face(98), Face(8, blink=True), Face(53))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_it_shows_what_it_is_told_and_nothing_else(kind: Kind, tmp_path: Path) -> None:
    async def main() -> None:
        line = PtyLine(tmp_path / "panel")
        twin: Any = make_panel(kind.name, kind.profile, digits=kind.digits, registers=kind.registers)
        twin.process(2.0)  # a greeting is over
        at_first = twin.lit().strip()
        seen: list[str] = []
        twin.on_change = lambda lit: seen.append(lit.strip())
        end = PanelEnd(line, RtuSlave(1, twin))
        line.plug()
        driver = kind.driver()
        dark = "" if driver.capabilities.can_blank else "0"
        display = SignDisplay(SystemClock())
        bus = PymodbusBus(str(line.link), settings=BusSettings(timeout_s=0.5, quiet_s=0.05))
        display.add_panel(display.add_line(BusOwner(bus)), driver, 1, FAST_PANEL)
        display.dim(0.5)
        with no_error_in_the_loop():
            task = asyncio.create_task(display.run())
            try:
                for face in FACES:
                    display.show(face)
                    await until(lambda face=face: display.lit() == face, what=str(face))  # type: ignore[misc]
                    assert twin.lit().strip() == str(face)
                writes = twin.writes
                await until(lambda: twin.writes > writes + 2, what="keep-alive")
                assert twin.lit().strip() == "53"
                health = display.health()
                assert (health["mismatches"], health["timeouts"], health["bad_replies"]) == (0, 0, 0)
                assert (health["readbacks"] > 0) is driver.capabilities.reads_back
                twin.power_cycle()
                await until(lambda: twin.lit().strip() == "53", what="the number after a power cut")
                display.show(BLANK)
                await until(lambda: display.lit() == BLANK, what="dark")
                assert twin.lit().strip() == dark
                display.show(Face(61))
                await until(lambda: twin.lit().strip() == "61", what="a number again")
                assert display.faults() == []
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
                end.close()
                line.unplug()
        assert twin.lit().strip() == dark, "dark at the end"
        assert set(seen) <= {at_first, "0013", "", dark, "61", *map(str, FACES)}

    run(main())
