"""What systemd does with a service, as far as its unit says so: ready, watchdog, what runs afterwards, again.

A stand-in for tests on machines without a systemd of their own; the real one is met by `make test-install`.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.cli.command import environment
from tests.docs.test_unit import directives


@dataclass
class Unit:
    """The settings that are followed, from the unit's own file."""

    watchdog_s: float = field(default_factory=lambda: float(directives()["WatchdogSec"][0]))
    abort_s: float = field(default_factory=lambda: float(directives()["TimeoutAbortSec"][0]))
    restart_s: float = field(default_factory=lambda: float(directives()["RestartSec"][0]))
    watchdog_signal: signal.Signals = field(
        default_factory=lambda: signal.Signals[directives()["WatchdogSignal"][0]]
    )
    after: list[str] = field(
        default_factory=lambda: shlex.split(directives()["ExecStopPost"][0].lstrip("-"))[1:-1]
    )

    def __post_init__(self) -> None:
        assert directives()["Restart"] == ["always"]
        assert directives()["StartLimitIntervalSec"] == ["0"]


class Service:
    """Keeps one program running, as the unit says, until `stop`. `ends`: return codes, signals below zero."""

    def __init__(self, folder: Path, config: Path, *start: str) -> None:
        self.unit, self.config = Unit(), config
        self.start = start
        self.log = folder / "service.log"
        self.ends: list[int] = []
        self.starved = 0  # ends by the watchdog
        self.ready = 0
        self.status: list[str] = []
        self.process: asyncio.subprocess.Process | None = None
        self._address = str(folder / "notify")
        self._fed_s: float | None = None  # None: the watchdog is not armed
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(self._address)
        asyncio.get_running_loop().add_reader(self._socket, self._hear)
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._task
        self._task.cancel()
        await asyncio.wait([self._task])
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                for line in self._socket.recv(4096).decode().splitlines():
                    self._told(line)

    def _told(self, line: str) -> None:
        now_s = asyncio.get_running_loop().time()
        name, _, value = line.partition("=")
        if name == "READY":
            self.ready += 1
            self._fed_s = now_s
        elif name == "WATCHDOG" and self._fed_s is not None:
            self._fed_s = now_s
        elif name == "STATUS":
            self.status.append(value)

    async def _keep(self) -> None:
        try:
            while True:
                self.process = process = await self._run(*self.start)
                self.ends.append(await self._watched(process))
                self._fed_s = None
                await (await self._run("-m", "speedsign", *self.unit.after)).wait()
                await asyncio.sleep(self.unit.restart_s)
        finally:
            if self.process and self.process.returncode is None:
                self.process.kill()
                await self.process.wait()

    async def _watched(self, process: asyncio.subprocess.Process) -> int:
        """Until it ends, by itself or by the watchdog."""
        ended = asyncio.create_task(process.wait())
        while not ended.done():
            await asyncio.wait([ended], timeout=0.1)
            hungry_s = 0.0 if self._fed_s is None else asyncio.get_running_loop().time() - self._fed_s
            if not ended.done() and hungry_s > self.unit.watchdog_s:
                self.starved += 1
                process.send_signal(self.unit.watchdog_signal)
                await asyncio.wait([ended], timeout=self.unit.abort_s)
                if not ended.done():
                    process.kill()
                    await ended
        return ended.result()

    async def _run(self, *words: str) -> asyncio.subprocess.Process:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, *words, str(self.config),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env={**environment(), "NOTIFY_SOCKET": self._address},
            )  # fmt: skip
