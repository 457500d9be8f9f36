"""A sign, a broker and a hub, each a process that can be killed at any moment and started again.

The broker keeps its state on disk (`persistence true`), as often as mosquitto does by itself. Everything is
in one folder: what a run left there is judged by tests.wires.kill_check.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support import until
from tests.telemetry.broker import Broker
from tests.wires.kill_check import Verdict, judge

PARTS = ("sign", "broker", "hub")
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes."""

    seconds: float = 60.0
    retire_on: str = "hub"
    rate_hz: float = 20.0  # intervals a second, of two vehicles each
    resend_s: float = 3.0  # the sign's first time-out; 30 s in the field
    up_s: float = 3.0  # a part lives so long on average
    down_s: float = 3.0  # and is away at most so long
    drain_s: float = 180.0  # the time that is given for the rest


class Process:
    """A program of ours that is started again with the same words."""

    def __init__(self, folder: Path, name: str, *args: str) -> None:
        self._log, self._args = folder / f"{name}.log", args
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self._args, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log
            )

    async def tell(self, words: str) -> None:
        """A line for its standard input."""
        assert self.process
        assert self.process.stdin
        with contextlib.suppress(ConnectionError):  # just ended: the next one will be told
            self.process.stdin.write(words.encode() + b"\n")
            await self.process.stdin.drain()

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """As systemd does; its exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        finally:
            if process.stdin:
                process.stdin.close()
        assert number is signal.SIGKILL or code == 0, f"ended with {code}: {self._log.read_text()[-3000:]}"
        return code


class World:
    """`async with` starts the three; at the end whatever still runs is ended."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self.sign_db, self.hub_db = folder / "sign.db", folder / "hub.db"
        self.broker = Broker(folder, "persistence true", f"persistence_location {folder}/")
        self.kills = dict.fromkeys(PARTS, 0)
        self._going = True
        port = str(self.broker.port)
        self.hub = Process(
            folder, "hub", "speedsign", "hub", "--db", str(self.hub_db), "--host", "127.0.0.1", "--port", port
        )
        self.sign = self.new_sign()

    def new_sign(self, number: int = 0) -> Process:
        """A sign that counts its intervals from `number` on, or from where its database ends."""
        plan = self.plan
        options = [
            "--retire-on",
            plan.retire_on,
            "--rate",
            str(plan.rate_hz),
            "--resend-s",
            str(plan.resend_s),
        ]
        place = [str(self.folder), str(self.broker.port), "--number", str(number)]
        return Process(self.folder, "sign", "tests.wires.kill_sign", *place, *options)

    async def __aenter__(self) -> Self:
        await self.start("broker")
        await self.start("hub")
        await self.start("sign")
        return self

    async def __aexit__(self, *error: object) -> None:
        if self.sign.process:
            await self.sign.kill()
        if self.hub.process:
            await self.hub.kill()
        await asyncio.to_thread(self.broker.kill)

    async def start(self, part: str) -> None:
        match part:
            case "broker":
                await asyncio.to_thread(self.broker.start)
            case "hub":
                await self.hub.start()
            case "sign":
                await self.sign.start()
                await self.go(going=self._going)

    async def kill(self, part: str) -> None:
        """kill -9."""
        self.kills[part] += 1
        match part:
            case "broker":
                await asyncio.to_thread(self.broker.kill)
            case "hub":
                await self.hub.kill()
            case "sign":
                await self.sign.kill()

    async def stop(self) -> None:
        """All three, properly: what is left on the disk can be judged."""
        await self.sign.stop()
        await self.hub.stop()
        await asyncio.to_thread(self.broker.stop)

    async def go(self, *, going: bool) -> None:
        """Let the sign count, or rest and announce what it has."""
        self._going = going
        await self.sign.tell("go" if going else "rest")

    # ------------------------------------------------------------------ what is seen

    def waiting(self) -> int:
        """Messages in the sign's outbox."""
        return _number(self.sign_db, "SELECT count(*) FROM outbox")

    def counted(self) -> int:
        """Intervals that the sign has closed."""
        return _number(self.sign_db, "SELECT count(*) FROM interval WHERE state = 'closed'")

    def announced(self) -> bool:
        """Whether everything that was counted has been told to the outbox."""
        return not _number(self.sign_db, "SELECT count(*) FROM interval WHERE state = 'open'")

    def arrived(self) -> int:
        """Intervals at the hub."""
        return _number(self.hub_db, "SELECT count(*) FROM interval")

    async def has_counted(self, intervals: int) -> None:
        await until(lambda: self.counted() >= intervals, 60.0, f"{intervals} intervals at the sign")

    async def drained(self) -> None:
        """Until nothing waits at the sign: the hub has it, or with `puback` what it will get."""
        await until(self.announced, 30.0, "the sign's last interval")
        await until(lambda: not self.waiting(), self.plan.drain_s, "an empty outbox")
        if self.plan.retire_on == "puback":
            await self._quiet()

    async def _quiet(self, for_s: float = 1.5) -> None:
        last = -1
        while (now := self.arrived()) != last:
            last = now
            await asyncio.sleep(for_s)


def _number(path: Path, query: str) -> int:
    """0 while there is no such file or table."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
            found: int = db.execute(query).fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    return found


async def _killer(world: World, part: str, chance: random.Random, up: asyncio.Event) -> None:
    """Kill this part again and again; when cancelled it is left running."""
    while True:
        await asyncio.sleep(chance.expovariate(1 / world.plan.up_s))
        up.clear()
        await world.kill(part)
        await asyncio.sleep(chance.uniform(0.0, world.plan.down_s))
        await world.start(part)
        up.set()


async def _ended_whole(killers: list[asyncio.Task[None]], ups: list[asyncio.Event]) -> None:
    """Cancel the killers, each while its part is up."""
    for killer, up in zip(killers, ups, strict=True):
        if not killer.done():
            await up.wait()
            killer.cancel()
    for result in await asyncio.gather(*killers, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def run_matrix(folder: Path, seed: int, plan: Plan) -> tuple[Verdict, dict[str, int]]:
    """One seed: the verdict, and how often each part was killed."""
    async with World(folder, plan) as world:
        await world.has_counted(1)
        ups = [asyncio.Event() for _ in PARTS]
        killers = []
        for part, up in zip(PARTS, ups, strict=True):
            up.set()
            killers.append(asyncio.create_task(_killer(world, part, random.Random(f"{seed} {part}"), up)))
        await asyncio.wait(killers, timeout=plan.seconds, return_when=asyncio.FIRST_EXCEPTION)
        await _ended_whole(killers, ups)
        await world.go(going=False)
        await world.drained()
        await world.stop()
        return judge(folder), dict(world.kills)
