"""A sign on real wires: a process, simulated devices on ptys, a real broker, a real database."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from simulator.stand import Lit, Stand, Traffic
from simulator.traffic import scripted
from simulator.vehicles import Passed
from speedsign.model import VehicleRecord
from telemetry.query import vehicles_since
from tests.support import until

CONFIG = """
[sign]
id = "wired"
limit_kmh = 50
[radar]
driver = "{radar}"
port = "{folder}/radar"
[display]
driver = "dm56a04"
port = "{folder}/panel"
[store]
path = "{folder}/sign.db"
[mqtt]
host = "127.0.0.1"
port = {broker_port}
retire_on = "puback"  # whoever listens here is no hub
"""

Script = Iterable[tuple[float, int, float, str]]  # second, lane (0 approaching, 1 receding), km/h, kind


class Rig:
    """`async with` plugs the devices in and starts the daemon; at the end it is stopped."""

    def __init__(
        self,
        folder: Path,
        script: Script,
        *,
        radar: str = "ops243",
        broker_port: int = 1,
        boundary_in_s: float | None = None,
    ) -> None:
        self.folder = folder
        self.database = folder / "sign.db"
        self.log = folder / "sign.log"
        self.stand = Stand.on_ptys(folder, radar=radar, traffic=Traffic(script=scripted(script)))
        self._config = folder / "sign.toml"
        self._config.write_text(CONFIG.format(folder=folder, radar=radar, broker_port=broker_port))
        self._boundary_in_s = boundary_in_s
        self._daemon: asyncio.subprocess.Process | None = None
        self._world: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.stand.__aenter__()
        try:
            await self._begin()
        except BaseException:  # a sign that is left would open the ptys of others that get the same number
            await self.__aexit__()
            raise
        return self

    async def _begin(self) -> None:
        await self.start()
        # Traffic begins when the sign is ready for it, as on any street.
        await self.panel_dark()
        await self.said("set up")
        self._world = asyncio.create_task(self.stand.run())

    async def __aexit__(self, *error: object) -> None:
        await self.stop()
        if self._world:
            self._world.cancel()
            await asyncio.gather(self._world, return_exceptions=True)
        await self.stand.__aexit__(*error)

    # ------------------------------------------------------------------ the daemon

    async def start(self) -> None:
        args = ["-m", "speedsign", "run", "--config", str(self._config)]
        if self._boundary_in_s is not None:
            args = ["-m", "tests.wires.sign_process", str(self._config), str(self._boundary_in_s)]
        with self.log.open("ab") as log:
            self._daemon = await asyncio.create_subprocess_exec(
                sys.executable, *args, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def kill(self) -> None:
        """kill -9."""
        assert self._daemon
        self._daemon.kill()
        await self._daemon.wait()

    async def stop(self) -> int:
        """Ask it to end, as systemd does; its exit code."""
        daemon = self._daemon
        assert daemon
        if daemon.returncode is None:
            daemon.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(10):
                return await daemon.wait()
        except TimeoutError:
            daemon.kill()
            await daemon.wait()
            raise

    async def said(self, words: str, times: int = 1, timeout_s: float = 20.0) -> None:
        """Until the daemon's log has these words so often."""
        await until(lambda: self.log.read_text().count(words) >= times, timeout_s, f"{words!r} in the log")

    # ------------------------------------------------------------------ what is seen

    @property
    def t_s(self) -> float:
        return self.stand.world.t_s

    @property
    def lit(self) -> list[Lit]:
        return self.stand.log.lit

    async def panel_dark(self) -> None:
        await until(lambda: not self.stand.panel.lit().strip(), what="a dark panel")

    async def panel_shows(self, low: int, high: int) -> None:
        """Until a number from low to high is lit."""
        await until(lambda: low <= self.number() <= high, 30.0, f"{low} to {high} on the panel")

    def number(self) -> int:
        text = self.stand.panel.lit().strip()
        return int(text) if text.isdigit() else -1

    async def world_is(self, t_s: float) -> None:
        await until(lambda: self.t_s >= t_s, 90.0, f"second {t_s} of the world")

    async def passed(self, n: int) -> list[Passed]:
        """Until so many vehicles have left the view."""
        await until(lambda: len(self.stand.world.truth()) >= n, 90.0, f"{n} vehicles gone by")
        return self.stand.world.truth()

    async def kept(self, n: int) -> list[VehicleRecord]:
        """Until so many vehicles are in the database; all that are in it."""
        await until(lambda: self.database.exists() and len(self.records()) >= n, 30.0, f"{n} vehicles kept")
        return self.records()

    def records(self) -> list[VehicleRecord]:
        return [record for _, record in vehicles_since(self.database, 0)]

    def shown_between(self, from_s: float, to_s: float) -> list[int]:
        """Numbers lit at some time in the interval, in order."""
        numbers = []
        for lit, end_s in zip(self.lit, [*[lit.t_s for lit in self.lit[1:]], self.t_s], strict=True):
            if lit.text.strip().isdigit() and lit.t_s < to_s and end_s > from_s:
                numbers.append(int(lit.text))
        return numbers

    def longest_unsupported_s(self) -> float:
        """The longest time for which a number was lit that no vehicle in view drove, within 4 km/h."""
        return max((self._unsupported_s(lit, end_s) for lit, end_s in self._lit_numbers()), default=0.0)

    def _lit_numbers(self) -> list[tuple[Lit, float]]:
        ends = [*[lit.t_s for lit in self.lit[1:]], self.t_s]
        return [(lit, end) for lit, end in zip(self.lit, ends, strict=True) if lit.text.strip().isdigit()]

    def _unsupported_s(self, lit: Lit, end_s: float) -> float:
        number = int(lit.text)
        seen_until_s = max(
            (
                min(truth.t_exit_s, end_s)
                for truth in self.stand.world.truth()
                if truth.t_enter_s < end_s and -9 <= number - truth.mean_kmh <= 4
            ),
            default=lit.t_s,
        )
        return end_s - max(seen_until_s, lit.t_s)
