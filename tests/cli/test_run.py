"""run: the daemon as systemd has it, against simulated devices on ptys."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from simulator.stand import Stand, Traffic
from simulator.vehicles import Arrival
from telemetry.query import read_counts, read_installations
from tests.cli.command import SPEEDSIGN, environment, finished
from tests.cli.wires import EVER, config_text
from tests.support import run, until

pytestmark = pytest.mark.wires
ONE_CAR = [Arrival(0.0, 0, 90.0)]


def play(main: Coroutine[Any, Any, None], timeout_s: float = 30.0) -> None:
    """Run a test; asyncio's threads that wait for children end a moment after the children."""
    run(main, timeout_s)
    for thread in threading.enumerate():
        if thread.name.startswith("asyncio-waitpid"):
            thread.join(5)


class Sign:
    """The daemon as a process; everything it has said is in `lines`."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self.child = child
        self.lines: list[str] = []
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.child.stderr is not None
        async for line in self.child.stderr:
            self.lines.append(line.decode().rstrip())

    def said(self, text: str) -> int:
        return sum(text in line for line in self.lines)

    async def stop(self, number: int = signal.SIGTERM) -> float:
        """Seconds until it was gone."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        self.child.send_signal(number)
        await self.child.wait()
        took_s = loop.time() - began_s
        await self.reader
        return took_s


@contextlib.asynccontextmanager
async def running(config: Path, **env: str) -> AsyncIterator[Sign]:
    child = await asyncio.create_subprocess_exec(
        *SPEEDSIGN,
        *("run", "--config", str(config)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**environment(), "PYTHONUNBUFFERED": "1", **env},
    )
    sign = Sign(child)
    try:
        yield sign
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        await sign.reader


@contextlib.asynccontextmanager
async def street(folder: Path, traffic: list[Arrival]) -> AsyncIterator[Stand]:
    stand = Stand.on_ptys(folder, traffic=Traffic(script=traffic))
    async with stand:
        world = asyncio.create_task(stand.run())
        try:
            yield stand
        finally:
            world.cancel()
            await asyncio.gather(world, return_exceptions=True)


def write_config(folder: Path, database: Path | None = None) -> Path:
    path = folder / "sign.toml"
    path.write_text(config_text(folder / "radar", folder / "panel", database or folder / "data" / "sign.db"))
    return path


def test_a_car_is_shown_and_kept_and_a_signal_ends_it_in_the_dark(
    tmp_path: Path,
) -> None:
    async def check() -> None:
        async with street(tmp_path, ONE_CAR) as stand, running(write_config(tmp_path)) as sign:
            await until(lambda: stand.shown() and not stand.panel.lit().strip(), 20, "shown, and gone by")
            took_s = await sign.stop()
            assert took_s < 3.0
            assert sign.child.returncode == 0
            assert not stand.panel.lit().strip(), "the panel is dark when the sign has stopped"
            assert all(60 < int(text) < 100 for text in stand.shown())
            assert sign.said("sign test-sign starts") == 1
            assert sign.said("sign test-sign has stopped") == 1
            assert not [line for line in sign.lines if not line.startswith("INFO")], sign.lines

    play(check())
    database = tmp_path / "data" / "sign.db"
    assert [standing.facts.radar for standing in read_installations(database)] == ["ops243"]
    assert sum(read_counts(database, *EVER).counts["both"].values()) == 1


def test_ctrl_c_ends_it_too(tmp_path: Path) -> None:
    async def check() -> None:
        async with street(tmp_path, []) as stand, running(write_config(tmp_path)) as sign:
            await until(lambda: stand.display_writes, 10, "the panel is spoken to")
            assert await sign.stop(signal.SIGINT) < 3.0
            assert sign.child.returncode == 0
            assert not stand.panel.lit().strip()

    play(check())


def test_a_config_that_is_wrong_ends_it_at_once_with_every_problem(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    config.write_text(config.read_text().replace("limit_kmh = 50", "limit_kmh = 500\ncolour = 1"))
    began_s = time.monotonic()
    result = finished("run", "--config", config)
    assert time.monotonic() - began_s < 3.0
    assert (result.returncode, result.stdout) == (2, "")
    assert [line.partition(f"{config}:")[2][:1] for line in result.stderr.splitlines()] == ["3", "4"]
    assert not (tmp_path / "data").exists()


def test_devices_that_are_missing_are_waited_for_and_named_once(tmp_path: Path) -> None:
    async def check() -> None:
        async with running(write_config(tmp_path)) as sign:
            radar, panel = str(tmp_path / "radar"), str(tmp_path / "panel")
            await until(lambda: sign.said(radar) and sign.said(panel), 10)
            async with street(tmp_path, [Arrival(0.5, 0, 90.0)]) as stand:
                await until(stand.shown, 20, "it works as soon as they are there")
                await sign.stop()
                assert not stand.panel.lit().strip()
            assert sign.child.returncode == 0
            faults = [line for line in sign.lines if line.startswith("WARNING: fault: ")]
            assert sum(radar in line for line in faults) == 1, sign.lines
            assert sum(panel in line for line in faults) == 1, sign.lines

    play(check(), timeout_s=40)


def test_a_store_that_cannot_be_written_leaves_the_display_running(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")

    async def check() -> None:
        async with street(tmp_path, ONE_CAR) as stand, running(write_config(tmp_path)) as sign:
            await until(stand.shown, 15, "a number on the panel")
            await until(lambda: sign.said(str(tmp_path / "data")), 10)
            assert await sign.stop() < 8.0  # the store is given its time; the panel is dark long before
            assert sign.child.returncode == 0
            assert sign.said("Traceback") == 0
            assert not stand.panel.lit().strip()

    play(check())


def test_with_debug_it_tells_more(tmp_path: Path) -> None:
    async def check() -> None:
        async with (
            street(tmp_path, []),
            running(write_config(tmp_path), SPEEDSIGN_DEBUG="1") as sign,
        ):
            await until(lambda: sign.said("INFO speedsign.cli.run: sign test-sign starts"), 10)
            await sign.stop()

    play(check())


def test_two_signs_on_one_radar_are_told_apart(tmp_path: Path) -> None:
    """The second daemon says that the port is taken and goes on waiting; the first is not disturbed."""

    async def check() -> None:
        async with street(tmp_path, []), running(write_config(tmp_path)) as first:
            await until((tmp_path / "data" / "sign.db").exists, 10)
            async with running(write_config(tmp_path)) as second:
                await until(lambda: second.said("in use") or second.said("busy"), 10)
                assert second.child.returncode is None
                await second.stop()
            assert first.child.returncode is None
            await first.stop()

    play(check())


def test_systemd_is_told_that_it_is_ready_and_that_it_stops(tmp_path: Path) -> None:
    async def check() -> None:
        import socket

        address = tmp_path / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.bind(str(address))
            supervisor.setblocking(False)
            states: list[str] = []

            def drain() -> bool:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        states.append(supervisor.recv(4096).decode())
                return any("READY=1" in state for state in states)

            config = write_config(tmp_path)
            async with street(tmp_path, []), running(config, NOTIFY_SOCKET=str(address)) as sign:
                await until(drain, 10)
                await sign.stop()
            drain()
            assert "STOPPING=1" in states[-1]

    play(check())
    assert (tmp_path / "data" / "sign.db").exists()
