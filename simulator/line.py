"""Both ends of a serial line: a pty that real programs open, and a line in memory for virtual time.

The device's end is the same for both: set `on_data`, call `write`, pull the plug with `unplug`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import struct
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from simulator.uart import garbled
from speedsign.errors import PortError

BITS_PER_CHARACTER = 10  # 8N1
_TCGETS2, _TERMIOS2, _ISPEED_AT = 0x802C542A, 44, 36  # Linux: the rates as numbers, odd ones too


def ignore(_data: bytes) -> None:
    """Bytes to a device that does not listen."""


class DeviceLine(Protocol):
    """A line, seen from the simulated device."""

    on_data: Callable[[bytes], None]

    @property
    def plugged(self) -> bool: ...

    def write(self, data: bytes) -> None: ...

    def unplug(self) -> None: ...

    def plug(self) -> None: ...


class PtyLine:
    """A pty behind a symlink, so that an unplugged device comes back under the same name.

    With `baud`, bytes take the time that the wire would take, in both directions. With `rate` the device
    talks and listens at that rate: whoever has set the port to another one hears and says garbage.
    """

    def __init__(self, link: Path, baud: int | None = None) -> None:
        self.link = link
        self.rate: int | None = None
        self.on_data: Callable[[bytes], None] = ignore
        self.dropped_bytes = 0
        self._baud = baud
        self._fds: tuple[int, int] | None = None
        self._out = _Wire(self._put, baud)
        self._in = _Wire(self._take_in, baud)

    @property
    def plugged(self) -> bool:
        return self._fds is not None

    def plug(self) -> None:
        """Make the pty and its name; must be called on the running loop."""
        if self._fds:
            return
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._fds = ours, theirs  # theirs stays open: no hang-up while nobody has the port open
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(theirs))
        asyncio.get_running_loop().add_reader(ours, self._readable)

    def unplug(self) -> None:
        """Take the device away: whoever has it open gets an I/O error."""
        if not self._fds:
            return
        ours, theirs = self._fds
        self._fds = None
        asyncio.get_running_loop().remove_reader(ours)
        self._out.clear()
        self._in.clear()
        os.close(theirs)
        os.close(ours)
        self.link.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        if self._fds:
            self._out.send(data)

    def _take_in(self, data: bytes) -> None:
        self.on_data(data)

    def _put(self, data: bytes) -> None:
        if not self._fds:
            return
        if self.rate is not None:
            data = garbled(data, self.rate, _rates(self._fds[1])[0])
        sent = 0
        with contextlib.suppress(BlockingIOError):  # nobody reads: a real line would lose it too
            sent = os.write(self._fds[0], data)
        self.dropped_bytes += len(data) - sent

    def _readable(self) -> None:
        if not self._fds:
            return
        try:
            data = os.read(self._fds[0], 4096)
        except OSError:
            return
        if data and self.rate is not None:
            data = garbled(data, _rates(self._fds[1])[1], self.rate)
        if data:
            self._in.send(data)


def _rates(fd: int) -> tuple[int, int]:
    """At which rates the program's end of a pty hears and says."""
    termios2 = fcntl.ioctl(fd, _TCGETS2, bytes(_TERMIOS2))
    hears, says = struct.unpack_from("II", termios2, _ISPEED_AT)
    return hears, says


class _Wire:
    """Hands bytes on after the time they spend on the wire."""

    def __init__(self, deliver: Callable[[bytes], None], baud: int | None) -> None:
        self._deliver, self._baud = deliver, baud
        self._free_at = 0.0
        self._timers: set[asyncio.TimerHandle] = set()

    def send(self, data: bytes) -> None:
        if not self._baud:
            self._deliver(data)
            return
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time()) + len(data) * BITS_PER_CHARACTER / self._baud
        timer: asyncio.TimerHandle

        def arrive() -> None:
            self._timers.discard(timer)
            self._deliver(data)

        timer = loop.call_at(self._free_at, arrive)
        self._timers.add(timer)

    def clear(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()


class MemoryLine:
    """A line without a kernel: the program's end is `port`, the device's end is this object."""

    def __init__(self, name: str, baud: int | None = None) -> None:
        self.on_data: Callable[[bytes], None] = ignore
        self.plugged = True
        self.port = MemoryPort(name, self)
        self._out = _Wire(self.port.arrive, baud)
        self._in = _Wire(self._take_in, baud)

    def _take_in(self, data: bytes) -> None:
        self.on_data(data)

    def plug(self) -> None:
        self.plugged = True

    def unplug(self) -> None:
        self.plugged = False
        self._out.clear()
        self._in.clear()
        self.port.lose()

    def write(self, data: bytes) -> None:
        if self.plugged:
            self._out.send(data)

    def take(self, data: bytes) -> None:
        """Bytes from the program's end."""
        self._in.send(data)


class MemoryPort:
    """The program's end of a `MemoryLine`: a `BytePort`."""

    def __init__(self, name: str, line: MemoryLine) -> None:
        self.name = name
        self._line = line
        self._on_data: Callable[[bytes], None] | None = None
        self._on_lost: Callable[[Exception], None] | None = None

    async def open(self, on_data: Callable[[bytes], None], on_lost: Callable[[Exception], None]) -> None:
        if not self._line.plugged:
            raise PortError(self.name, "no such port; check the cable")
        self._on_data, self._on_lost = on_data, on_lost

    def write(self, data: bytes) -> None:
        if self._on_data is None:
            raise PortError(self.name, "not open")
        self._line.take(data)

    def close(self) -> None:
        self._on_data = self._on_lost = None

    def arrive(self, data: bytes) -> None:
        if self._on_data:
            self._on_data(data)

    def lose(self) -> None:
        lost, self._on_data, self._on_lost = self._on_lost, None, None
        if lost:
            lost(PortError(self.name, "went away"))
