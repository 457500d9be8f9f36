"""However a sign ends, its panel goes dark: a process, real ptys, signals, the command that systemd runs."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulator.stand import Stand, Traffic
from simulator.traffic import scripted
from tests.cli.command import environment
from tests.support import run, until

pytestmark = pytest.mark.wires

ROOT = Path(__file__).parents[2]
ALIVE_S, DETECTED_S = 2.0, 5.0  # the longest for which a number may outlive what it was for
CONFIG = """
[sign]
id = "ends"
limit_kmh = 50
[radar]
driver = "ops243"
port = "{folder}/radar"
[display]
driver = "dm56a04"
port = "{folder}/panel"
[rules]
beacon = ["over", "too_fast"]
hold_s = 1.0
[beacon]
unit = 11
coil = 1
[supply]
unit = 11
coil = 0
hold = "{hold}"
boot_s = 0.2
[brightness.sensor]
unit = 12
address = 0
[store]
path = "{folder}/sign.db"
[clock]
trust = "always"
"""


class Sign:
    """The process and the devices; a car every six seconds, all of them over the limit."""

    def __init__(self, folder: Path, hold: str) -> None:
        self.config = folder / "sign.toml"
        self.config.write_text(CONFIG.format(folder=folder, hold=hold))
        self.log = folder / "sign.log"
        cars = scripted([(6.0 * n, 0, 57.0, "car") for n in range(20)])
        self.stand = Stand.on_ptys(folder, board=True, traffic=Traffic(script=cars))
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *command: str) -> asyncio.subprocess.Process:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "speedsign", *command, "--config", str(self.config),
                stdout=log, stderr=log, env=environment(),
            )  # fmt: skip

    def number(self) -> str:
        text = self.stand.panel.lit().strip()
        return text if text != "0000" else ""

    async def shows(self) -> None:
        await until(lambda: self.number().isdigit() and self.stand.beacon, 30.0, "a number and the beacon")

    async def dark(self, within_s: float) -> float:
        """How long it took to go dark; fails when it takes longer than it may."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await until(lambda: not self.stand.panel.lit().strip(), within_s, "darkness")
        return loop.time() - began_s

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)


@contextlib.asynccontextmanager
async def lit_sign(folder: Path, hold: str = "on") -> AsyncIterator[Sign]:
    """A sign that shows a number right now."""
    sign = Sign(folder, hold)
    async with sign.stand:
        sign.process = await sign.start("run")
        world = asyncio.create_task(sign.stand.run())
        try:
            await sign.shows()
            yield sign
        finally:
            world.cancel()
            with contextlib.suppress(ProcessLookupError):
                sign.process.kill()
            await asyncio.gather(world, sign.process.wait(), return_exceptions=True)


def test_a_sign_that_is_told_to_stop_is_dark_and_without_power(tmp_path: Path) -> None:
    async def main() -> None:
        async with lit_sign(tmp_path) as sign:
            sign.send(signal.SIGTERM)
            await sign.dark(ALIVE_S)
            assert sign.process
            assert await sign.process.wait() == 0
            assert (sign.stand.panel.powered, sign.stand.beacon) == (False, False)

    run(main(), timeout_s=60)


def test_a_killed_sign_is_darkened_by_the_command_that_systemd_runs(tmp_path: Path) -> None:
    """ExecStopPost of the service, as it stands there, run at once as systemd does."""
    (line,) = [
        line.partition("=")[2].lstrip("-")
        for line in (ROOT / "systemd" / "speedsign.service").read_text().splitlines()
        if line.startswith("ExecStopPost=")
    ]
    program, *arguments = shlex.split(line)
    assert Path(program).name == "speedsign"
    assert arguments[-2] == "--config"

    async def main() -> None:
        async with lit_sign(tmp_path) as sign:
            sign.send(signal.SIGKILL)
            assert sign.process
            await sign.process.wait()
            assert sign.number(), "the panel keeps its number"
            blank = await sign.start(*arguments[:-2])
            await sign.dark(DETECTED_S)
            assert await blank.wait() == 0
            assert (sign.stand.panel.powered, sign.stand.beacon) == (False, False)

    run(main(), timeout_s=60)


def test_a_sign_that_hangs_loses_the_supply_that_it_held_by_pulses(tmp_path: Path) -> None:
    async def main() -> None:
        async with lit_sign(tmp_path, hold="pulse") as sign:
            sign.send(signal.SIGSTOP)
            await sign.dark(ALIVE_S)
            assert not sign.stand.panel.powered
            sign.send(signal.SIGCONT)
            await sign.shows()

    run(main(), timeout_s=60)


def test_a_radar_that_goes_silent_or_away_leaves_no_number(tmp_path: Path) -> None:
    async def main() -> None:
        async with lit_sign(tmp_path) as sign:
            for trouble, mended in (("radar silence", "radar silence"), ("radar unplug", "radar plug")):
                await sign.shows()
                sign.stand.fault(trouble)
                await sign.dark(ALIVE_S)
                sign.stand.fault(mended)

    run(main(), timeout_s=90)


def test_the_light_that_falls_on_the_sign_decides_its_brightness(tmp_path: Path) -> None:
    async def main() -> None:
        async with lit_sign(tmp_path) as sign:
            sign.stand.fault("light 2")
            await until(lambda: sign.stand.panel.brightness == 1, 40.0, "the night's step")

    run(main(), timeout_s=90)
