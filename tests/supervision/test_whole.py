"""A sign that hangs or leaks, as a process on ptys, below a stand-in of systemd that follows the unit."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulator.stand import Stand, Traffic
from simulator.traffic import scripted
from speedsign.errors import GrownTooFar, PartStuck
from tests.supervision.hurt_sign import HURT, STORE_S
from tests.supervision.unit import Service
from tests.support import run, until
from tests.telemetry.broker import Broker

pytestmark = pytest.mark.wires

CONFIG = """
[sign]
id = "hurt"
limit_kmh = 50
[radar]
driver = "ops243"
port = "{folder}/radar"
[display]
driver = "dm56a04"
port = "{folder}/panel"
[store]
path = "{folder}/sign.db"
[clock]
trust = "always"
[mqtt]
host = "127.0.0.1"
port = {port}
"""


class HurtSign:
    """A service, its devices, and a car every four seconds."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        self.folder = folder
        config = folder / "sign.toml"
        config.write_text(CONFIG.format(folder=folder, port=broker_port))
        cars = scripted([(4.0 * n, 0, 47.0, "car") for n in range(60)])
        self.stand = Stand.on_ptys(folder, traffic=Traffic(script=cars))
        self.service = Service(folder, config, "-m", "tests.supervision.hurt_sign", "--config")

    def number(self) -> str:
        text = self.stand.panel.lit().strip()
        return text if text != "0000" else ""

    async def shows(self) -> None:
        ready = len(self.service.ends) + 1
        await until(lambda: self.service.ready == ready and self.number().isdigit(), 30.0, "a number")

    async def hurt(self, what: str) -> None:
        """While a number is lit."""
        await self.shows()
        (self.folder / HURT).write_text(what)
        assert self.service.process
        self.service.process.send_signal(signal.SIGUSR1)

    async def back(self, what: str) -> int:
        """Hurt it, see it end, its panel dark, and the next one show a number; by what it ended."""
        service = self.service
        ends = len(service.ends)
        await self.hurt(what)
        began_s = asyncio.get_running_loop().time()
        await until(lambda: len(service.ends) > ends, 30.0, f"the end after {what}")
        longest_s = STORE_S + service.unit.watchdog_s + service.unit.abort_s
        assert asyncio.get_running_loop().time() - began_s < longest_s + 2.0, what
        await until(lambda: not self.number(), 10.0, f"darkness after {what}")
        await self.shows()
        return service.ends[-1]

    def logged(self, words: str) -> bool:
        return words in self.service.log.read_text(errors="replace")


@contextlib.asynccontextmanager
async def hurt_sign(folder: Path) -> AsyncIterator[HurtSign]:
    with Broker(folder) as broker:
        sign = HurtSign(folder, broker.port)
        async with sign.stand, sign.service:
            world = asyncio.create_task(sign.stand.run())
            try:
                await sign.shows()
                yield sign
            finally:
                world.cancel()
                await asyncio.wait([world])


async def what_hangs(folder: Path) -> None:
    async with hurt_sign(folder) as sign:
        assert await sign.back("store_hangs") == PartStuck.exit_code
        assert sign.logged("store has not gone round for")
        assert sign.logged("hurt_sign.py"), "where it hangs is in the log"
        assert any(text.startswith("ending: store has not gone round") for text in sign.service.status)
        await sign.hurt("broker_thread_dies")
        await until(lambda: sign.logged("the connection's thread has died; it is made anew"), 20.0)
        await until(lambda: sign.service.log.read_text().count(": connected") >= 3, 20.0)
        assert len(sign.service.ends) == 1, "that is mended without an end"
        assert await sign.back("display_hangs") == PartStuck.exit_code
        assert sign.logged("display has not gone round for")
        assert sign.service.starved == 0


async def what_blocks_or_leaks(folder: Path) -> None:
    async with hurt_sign(folder) as sign:
        assert await sign.back("loop_hangs") == -signal.SIGABRT
        assert sign.service.starved == 1
        assert sign.logged("in loop_hangs"), "where it hung is in the log"
        assert await sign.back("files_leak") == GrownTooFar.exit_code
        assert sign.logged("open files, it needs")
        assert await sign.back("files_run_out") == GrownTooFar.exit_code
        assert sign.logged("the sign holds 1024 open files, the system allows 1024")
        assert await sign.back("memory_leaks") == GrownTooFar.exit_code
        assert sign.logged("MB of memory, it needs")
        assert sign.service.starved == 1
        assert any(text.startswith("showing 4") for text in sign.service.status)


def test_a_sign_that_hangs_or_leaks_ends_dark_and_is_started_again(tmp_path: Path) -> None:
    for name in ("hangs", "leaks"):
        (tmp_path / name).mkdir()

    async def main() -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(what_hangs(tmp_path / "hangs"))
            both.create_task(what_blocks_or_leaks(tmp_path / "leaks"))

    run(main(), timeout_s=150)
