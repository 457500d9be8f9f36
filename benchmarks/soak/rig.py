"""The processes of a soak: simulated devices on ptys, a sign, a broker, a hub, and one that only sleeps."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any, Self

from benchmarks.soak.plan import Plan
from benchmarks.soak.usage import Gone, connections
from tests.telemetry.broker import Broker

START_S = 120.0
_NO_RESERVE = "single vehicles are dropped first"  # as telemetry.ballast says it
STOP_S = 60.0
CONFIG = """
[sign]
id = "soaked"
limit_kmh = 50
[radar]
driver = "ops243"
port = "{folder}/radar"
[display]
driver = "dm56a04"
port = "{folder}/panel"
[store]
path = "{card}/sign.db"
[clock]
trust = "always"
[mqtt]
host = "127.0.0.1"
port = {port}
vehicles = true
[live]
socket = "{folder}/live.sock"
"""
# What a sign has in memory when it does nothing: the same modules, and a loop that sleeps.
_ASLEEP = """
import asyncio, speedsign.cli.run, speedsign.assemble, telemetry.mqtt.port, paho.mqtt.client
import drivers.radar.ops243, drivers.display.dm56a04
async def main():
    while True:
        await asyncio.sleep(1)
asyncio.run(main())
"""


def boot_s() -> float:
    """Seconds since the machine was switched on: so a sign notes vehicles, too, whatever the date."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SoakError(Exception):
    """The soak cannot go on; says why."""


class Program:
    """A Python program that is started again with the same words; what it says goes to a file."""

    def __init__(self, folder: Path, name: str, *words: str) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        self._words = words
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *, tells: bool = False) -> None:
        """`tells`: its standard output is read, and its standard input is ours."""
        pipe = asyncio.subprocess.PIPE if tells else asyncio.subprocess.DEVNULL
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *self._words, stdin=pipe, stdout=pipe if tells else log, stderr=log
            )

    @property
    def pid(self) -> int:
        """Raises Gone."""
        if self.process is None or self.process.returncode is not None:
            raise Gone(f"{self.name} does not run; it said: {self.last_words()}")
        return self.process.pid

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    async def end(self, number: signal.Signals) -> int:
        """Its exit code, negative for a signal."""
        process, self.process = self.process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_S):
                return await process.wait()
        except TimeoutError:
            process.kill()
            return await process.wait()


class Rig:
    """`async with` starts all; at the end whatever still runs is ended. `card`: where the database is."""

    def __init__(self, folder: Path, card: Path, plan: Plan) -> None:
        self.folder, self.plan, self.card = folder, plan, card
        self.sign_db, self.hub_db = card / "sign.db", folder / "hub.db"
        self.broker = Broker(folder, "persistence true", f"persistence_location {folder}/")
        config = folder / "sign.toml"
        config.write_text(CONFIG.format(folder=folder, card=card, port=self.broker.port))
        port, seed = str(self.broker.port), str(plan.seed)
        words = [str(config) if word == "{config}" else word for word in plan.entry.split()]
        self.sign = Program(folder, "sign", "-m", *words)
        hub = ("speedsign", "hub", "--db", str(self.hub_db), "--host", "127.0.0.1", "--port", port)
        self.hub = Program(folder, "hub", "-m", *hub)
        stand = ("speedsign", "simulate", "--json", "--dir", str(folder), "--per-hour", f"{plan.per_hour:g}")
        self.stand = Program(folder, "stand", "-m", *stand, "--seed", seed)
        self.asleep = Program(folder, "asleep", "-c", _ASLEEP)
        self.passed: list[dict[str, Any]] = []  # vehicles that have left the view, as the stand tells them
        self.zero_s: float = float("inf")  # the stand's second 0, in seconds since boot
        self.watchers: list[socket.socket] = []
        self._reader: asyncio.Task[None] | None = None
        self._read_up_to = 0
        self.kept: dict[int, tuple[float, str, float]] = {}  # by id: s since boot, direction, km/h

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _start(self) -> None:
        await asyncio.to_thread(self.broker.start)
        await self.stand.start(tells=True)
        self._reader = asyncio.create_task(self._read())
        await self.until((self.folder / "panel").exists, START_S, "the simulated devices")
        await self.hub.start()
        await self.asleep.start()
        await self.sign.start()
        await self.until(self.settled, START_S, "the sign at work")

    async def __aexit__(self, *_error: object) -> None:
        for watcher in self.watchers:
            watcher.close()
        with contextlib.suppress(AssertionError, ProcessLookupError):
            os.kill(self.broker.pid, signal.SIGCONT)
        for program in (self.sign, self.hub, self.stand, self.asleep):
            await program.end(signal.SIGTERM)
        await asyncio.to_thread(self.broker.kill)
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def until(self, condition: Any, timeout_s: float, what: str) -> float:
        """How long it took, in s. Raises SoakError."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while not condition():
            if loop.time() - began_s > timeout_s:
                raise SoakError(f"{what}: not within {timeout_s:g} s; {self.state()}")
            await asyncio.sleep(0.1)
        return loop.time() - began_s

    # ------------------------------------------------------------------ the stand

    async def fault(self, words: str) -> None:
        process = self.stand.process
        assert process
        assert process.stdin
        process.stdin.write(words.encode() + b"\n")
        await process.stdin.drain()

    async def _read(self) -> None:
        process = self.stand.process
        assert process
        assert process.stdout
        async for line in process.stdout:
            said = json.loads(line)
            if said["event"] == "error":
                raise SoakError(f"the stand: {said['text']}")
            if said["event"] == "vehicle":
                self.passed.append(said)
                self.zero_s = min(self.zero_s, boot_s() - said["t_s"])

    # ------------------------------------------------------------------ what is seen

    def settled(self) -> bool:
        """Nothing is wrong, and all that was to be sent has been: the sign says so, and so do its sockets."""
        port = self.broker.port
        connected = all(connections(one.pid, port) == 1 for one in (self.sign, self.hub))
        return connected and not self.open_faults() and self.waiting() == 0

    def open_faults(self) -> int:
        """That the sign told and has not taken back; 1 before it is at work.

        That the card was full is said until the reserve is made again, at the end of an interval.
        """
        told, mended, at_work = self._faults(reserve=False)
        return told - mended if at_work else 1

    def lacks_reserve(self) -> bool:
        told, mended, _ = self._faults(reserve=True)
        return told > mended

    def _faults(self, *, reserve: bool) -> tuple[int, int, bool]:
        lines = self.sign.log.read_text(errors="replace").splitlines()
        wanted = [line for line in lines if (_NO_RESERVE in line) is reserve]
        told = sum(line.startswith("WARNING: fault: ") for line in wanted)
        mended = sum(line.startswith("INFO: mended: ") for line in wanted)
        return told, mended, any("set up" in line for line in lines)

    def state(self) -> str:
        lines = self.sign.log.read_text(errors="replace").splitlines()[-6:]
        return (
            f"{self.open_faults()} faults open, {self.waiting()} messages wait; the sign said last: {lines}"
        )

    def waiting(self) -> int:
        """Messages in the outbox; -1: there is none yet."""
        found = look(self.sign_db, "SELECT count(*) FROM outbox")
        return int(found[0][0]) if found else -1

    def open_intervals(self) -> int:
        return int(look(self.sign_db, "SELECT count(*) FROM interval WHERE state = 'open'")[0][0])

    def database_mb(self) -> float:
        files = (self.sign_db, self.sign_db.with_name("sign.db-wal"))
        return sum(file.stat().st_size for file in files if file.exists()) / 2**20

    def read_vehicles(self) -> None:
        """Those that came since; a full card may drop them later."""
        ask = "SELECT id, last_mono_s, direction, speed_kmh FROM vehicle WHERE id > ? ORDER BY id"
        for number, *facts in look(self.sign_db, ask, self._read_up_to):
            self.kept[number] = (facts[0], facts[1], facts[2])
            self._read_up_to = number


def look(path: Path, query: str, *words: object) -> list[tuple[Any, ...]]:
    """Rows; none while there is no such file or table, or when it is locked or full."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
            return db.execute(query, words).fetchall()
    except sqlite3.OperationalError:
        return []
