"""A Modbus line in memory on virtual time: each request is answered with the next of some given replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from drivers.display.scan_frames import crc16
from simulator.virtual_time import VirtualLoop

RAW, FRAMED, NOTHING, IN_TWO, RIGHT, LOST, ECHO, LATE = range(8)
_LATE_S = 0.2  # nearly what a bus waits for, and later than that when it comes to the second


def replies_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(what is done, bytes), as many as there are: a byte for each, one for the length, and the bytes."""
    at = 0
    while at + 1 < len(data):
        end = at + 2 + data[at + 1]
        yield data[at] % 8, data[at + 2 : end]
        at = end


class MemoryLine(asyncio.Transport):
    """The other end; `tcp`: frames have Modbus TCP's head instead of a CRC."""

    def __init__(self, protocol: Any, replies: Iterator[tuple[int, bytes]], *, tcp: bool) -> None:
        super().__init__()
        self.heard = b""  # by the bus, since its last request
        self.requests: list[bytes] = []
        self._protocol, self._replies, self._tcp = protocol, replies, tcp
        self._loop = asyncio.get_running_loop()
        self._open = True

    def write(self, data: Any) -> None:
        request = bytes(data)
        self.requests.append(request)
        self.heard = b""
        kind, said = next(self._replies, (NOTHING, b""))
        if kind == LOST:
            self._loop.call_soon(self._lose)
        elif kind != NOTHING:
            whole = self._bytes(kind, said, request)
            parts = (whole[: len(whole) // 2], whole[len(whole) // 2 :]) if kind == IN_TWO else (whole,)
            for number, part in enumerate(parts):
                self._loop.call_later(_LATE_S * (number + (kind == LATE)), self._say, part)

    def _bytes(self, kind: int, said: bytes, request: bytes) -> bytes:
        if kind == RAW:
            return said
        if kind == ECHO:
            return request + said
        if kind in (RIGHT, LATE) or not said:
            said = _right(request[6:] if self._tcp else request[:-2])
        if self._tcp:
            return request[:4] + len(said).to_bytes(2, "big") + said
        return said + crc16(said)

    def _say(self, data: bytes) -> None:
        if self._open and data:
            self.heard += data
            self._protocol.data_received(data)

    def _lose(self) -> None:
        if self._open:
            self._open = False
            self._protocol.connection_lost(None)

    def close(self) -> None:
        self._open = False

    abort = close

    def is_closing(self) -> bool:
        return not self._open


def _right(asked: bytes) -> bytes:
    """What a good device says to this (unit, function and data): a read's values are the address."""
    unit, function, address, count = asked[0], asked[1], asked[2:4], int.from_bytes(asked[4:6], "big")
    if function in (1, 3, 4):
        n = (count + 7) // 8 if function == 1 else 2 * count
        return bytes([unit, function, n & 0xFF]) + (address * n)[:n]
    return bytes([unit, function]) + asked[2:6]


class LineLoop(VirtualLoop):
    """Every TCP connection leads to `made(protocol)`; what a callback raises is kept in `raised`."""

    made: Callable[[Any], MemoryLine]

    def __init__(self) -> None:
        super().__init__()
        self.raised: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _loop, context: self.raised.append(context))

    async def create_connection(  # type: ignore[override]  # of all that it can do, the one thing wanted
        self, factory: Any, *_where: Any, **_how: Any
    ) -> Any:
        protocol = factory()
        line = self.made(protocol)
        protocol.connection_made(line)
        return line, protocol
