"""A Modbus line with devices on it, and our commands as processes at its other end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from simulator.line import PtyLine
from simulator.multi_drop import MultiDrop
from simulator.panel_end import PanelEnd
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.rtu_slave import RtuSlave
from tests.cli.command import SPEEDSIGN, environment


class Bench:
    """A line at `folder`/panel with a DM56A04 on it, unless other devices are named by their ids."""

    def __init__(self, folder: Path, *devices: tuple[int, Any], baud: int = 9600) -> None:
        self.folder = folder
        self.line = PtyLine(folder / "panel")
        self.line.rate = baud
        self.drop = MultiDrop(self.line)
        self.ends = [
            PanelEnd(self.drop.tap(), RtuSlave(unit, device))
            for unit, device in devices or ((1, Dm56a04Twin()),)
        ]
        self.seen: list[str] = []  # what the first device lit, in order
        if hasattr(self.twin, "on_change"):
            self.twin.on_change = self.seen.append
        self.children: list[subprocess.Popen[str]] = []

    @property
    def port(self) -> str:
        return str(self.line.link)

    @property
    def twins(self) -> list[Any]:
        """The devices."""
        return [end._device for end in self.ends]

    @property
    def twin(self) -> Any:
        """The first of them."""
        return self.twins[0]

    @property
    def requests(self) -> list[bytes]:
        return list(self.ends[0].requests)

    @property
    def functions(self) -> set[int]:
        """The functions that were asked of anybody."""
        return {frame[1] for frame in self.requests}

    def config(self, more: str = "", sign: str = "") -> Path:
        path = self.folder / "sign.toml"
        path.write_text(
            f'[sign]\nid = "test-sign"\nlimit_kmh = 50\n{sign}'
            '[radar]\ndriver = "ops243"\nport = "/dev/none"\n'
            f'[display]\ndriver = "dm56a04"\nport = "{self.port}"\n{more}',
            encoding="utf-8",
        )
        return path

    def start(self, *args: object) -> subprocess.Popen[str]:
        """`display …`; PORT stands for the port."""
        words = [str(arg).replace("PORT", self.port) for arg in args]
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            [*SPEEDSIGN, "display", *words],
            stdin=pipe, stdout=pipe, stderr=pipe, text=True, env={**environment(), "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.children.append(child)
        return child

    async def end(self, child: subprocess.Popen[str], typed: str | None = "") -> tuple[int, str, str]:
        """Exit code, output, errors; the devices live on meanwhile."""
        out, err = await asyncio.to_thread(child.communicate, typed)
        return child.returncode, out, err

    async def tool(self, *args: object, typed: str = "") -> tuple[int, str, str]:
        return await self.end(self.start(*args), typed)

    async def as_json(self, *args: object, code: int = 0, typed: str = "") -> Any:
        ended, out, err = await self.tool(*args, "--json", typed=typed)
        assert ended == code, out + err
        return json.loads(out)


@contextlib.asynccontextmanager
async def bench(folder: Path, *devices: tuple[int, Any], baud: int = 9600) -> AsyncIterator[Bench]:
    """The devices, plugged in and with time passing; what is still running at the end is killed."""
    one = Bench(folder, *devices, baud=baud)
    one.line.plug()
    living = asyncio.create_task(_live(one))
    try:
        yield one
    finally:
        living.cancel()
        await asyncio.wait([living])
        for child in one.children:
            if child.poll() is None:
                child.kill()
            await asyncio.to_thread(child.communicate)
        for end in one.ends:
            end.close()
        one.line.unplug()


async def _live(one: Bench, step_s: float = 0.05) -> None:
    while True:
        await asyncio.sleep(step_s)
        for end in one.ends:
            end.process(step_s)
