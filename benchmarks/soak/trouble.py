"""Each kind of trouble of a soak: how it begins and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks.soak.plan import Kind
from benchmarks.soak.rig import Rig

_WATCHERS = 4  # one of them does not read
_STAND = {
    Kind.RADAR_UNPLUGGED: ("radar unplug", "radar plug"),
    Kind.RADAR_GARBAGE: ("radar garbage", "radar garbage"),
    Kind.PANEL_SILENT: ("panel dead", "panel dead"),
    Kind.PANEL_SLOW: ("panel slow", "panel slow"),
}


@contextlib.asynccontextmanager
async def trouble(rig: Rig, kind: Kind) -> AsyncIterator[None]:
    """It lasts as long as the block."""
    if kind in _STAND:
        begins, ends = _STAND[kind]
        await rig.fault(begins)
        yield
        await rig.fault(ends)
        return
    others = {
        Kind.BROKER_KILLED: _broker_killed,
        Kind.NETWORK_CUT: _network_cut,
        Kind.HUB_KILLED: _hub_killed,
        Kind.WATCHED: _watched,
        Kind.CARD_FULL: _card_full,
    }
    async with others[kind](rig):
        yield


@contextlib.asynccontextmanager
async def _broker_killed(rig: Rig) -> AsyncIterator[None]:
    await asyncio.to_thread(rig.broker.kill)
    yield
    await asyncio.to_thread(rig.broker.start)


@contextlib.asynccontextmanager
async def _network_cut(rig: Rig) -> AsyncIterator[None]:
    os.kill(rig.broker.pid, signal.SIGSTOP)
    yield
    os.kill(rig.broker.pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def _hub_killed(rig: Rig) -> AsyncIterator[None]:
    await rig.hub.end(signal.SIGKILL)
    yield
    await rig.hub.start()


@contextlib.asynccontextmanager
async def _watched(rig: Rig) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()

    async def read(line: socket.socket) -> None:
        while await loop.sock_recv(line, 65_536):
            pass

    for _ in range(_WATCHERS):
        line = socket.socket(socket.AF_UNIX)
        line.setblocking(False)
        rig.watchers.append(line)
        await loop.sock_connect(line, str(rig.folder / "live.sock"))
    readers = [asyncio.create_task(read(line)) for line in rig.watchers[1:]]
    yield
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    while rig.watchers:
        rig.watchers.pop().close()


@contextlib.asynccontextmanager
async def _card_full(rig: Rig) -> AsyncIterator[None]:
    filler = rig.card / "filler"
    _fill(filler)
    yield
    filler.unlink()


def _fill(path: Path) -> None:
    """To the last byte."""
    size = 1 << 20
    with path.open("wb", buffering=0) as file:
        while size >= 512:
            try:
                if file.write(bytes(size)) < size:
                    size //= 2
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                size //= 2
