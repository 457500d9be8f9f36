"""The sign's end of the live socket: a few clients, none of whom can hold it up.

A client that reads too slowly loses the oldest lines and is told how many. What a client sends is thrown
away; one that sends more than a word is shown out.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import select
import socket
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

from speedsign.live.shapes import Line, encode

log = logging.getLogger(__name__)

MOST_CLIENTS = 4
MODE = 0o660  # for the sign's user and its group, nobody else
AGAIN_S = 60.0  # a folder that was missing may be there later
KEPT_LINES = 256  # for a client that is behind; some seconds of a busy road
BUFFER = 16_384  # bytes in this process for each client, and about as many again with the system
MOST_SENT = 1024  # bytes of a client's own


class SocketTaken(OSError):  # noqa: N818  the situation is its name
    """Somebody else has that name."""


class LiveServer:
    """`greet` gives the lines that a new client is told first, `monotonic` the time of its own lines."""

    def __init__(self, path: Path, greet: Callable[[], list[Line]], monotonic: Callable[[], float]) -> None:
        self._path, self._greet, self._monotonic = path, greet, monotonic
        self._clients: list[_Client] = []
        self.listening = False  # whether anybody is there to be told

    def tell(self, lines: Iterable[Line]) -> None:
        """To everybody; returns at once."""
        data = [encode(line) for line in lines]
        if data:
            for client in list(self._clients):
                client.tell(data)

    async def run(self) -> None:
        """Serve until cancelled. A socket that cannot be made is no reason for a sign to stop."""
        said = ""
        while True:
            try:
                with bound(self._path) as line:
                    said = ""
                    await self._serve(line)
            except OSError as error:
                said = _say(self._path, error, said)
            await asyncio.sleep(AGAIN_S)

    async def _serve(self, line: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: _Client(self), sock=line, backlog=MOST_CLIENTS)
        log.debug("live view: %s", self._path)
        try:
            await loop.create_future()
        finally:
            server.close()
            for client in list(self._clients):
                client.leave()

    def now_s(self) -> float:
        """As the lines say it."""
        return round(self._monotonic(), 4)

    # ------------------------------------------------------------------ what clients say

    def came(self, client: _Client) -> bool:
        """Whether there is room for it."""
        if len(self._clients) >= MOST_CLIENTS:
            return False
        client.tell([encode(line) for line in self._greet()])
        self._clients.append(client)
        self.listening = True
        return True

    def went(self, client: _Client) -> None:
        """It is not there any more."""
        if client in self._clients:
            self._clients.remove(client)
        self.listening = bool(self._clients)


class _Client(asyncio.Protocol):
    """One connection. While its buffer is full, lines wait here, the newest ones."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self._transport: asyncio.WriteTransport | None = None
        self._full = False
        self._behind: deque[bytes] = deque(maxlen=KEPT_LINES)
        self._skipped = self._sent = 0

    def tell(self, data: list[bytes]) -> None:
        if self._transport is None:
            return
        if not self._full:
            self._transport.write(b"".join(data))
            return
        self._skipped += max(len(self._behind) + len(data) - KEPT_LINES, 0)
        self._behind.extend(data)

    def leave(self) -> None:
        """The sign stops: what has not been taken by now is not waited for."""
        if self._transport is not None:
            self._transport.close()
            if self._full:
                self._transport.abort()

    # ------------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.set_write_buffer_limits(high=BUFFER)
        line: socket.socket = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        if not self._server.came(self):
            text = f"{MOST_CLIENTS} others are looking already; end one of them"
            self._transport.write(encode({"event": "refused", "t_s": self._server.now_s(), "text": text}))
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.went(self)

    def eof_received(self) -> bool:
        """It says no more; whether it listens on is kept (True). One that is gone makes room at once."""
        return self._transport is not None and not _gone(self._transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        self._sent += len(data)
        if self._sent > MOST_SENT and self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._skipped:
            skipped, self._skipped = self._skipped, 0
            self.tell([encode({"event": "skipped", "t_s": self._server.now_s(), "n": skipped})])
        while self._behind and not self._full:
            self.tell([self._behind.popleft()])


def _gone(line: socket.socket) -> bool:
    """Whether the other end is closed, and not only shut for writing (poll(2): POLLHUP)."""
    poller = select.poll()
    poller.register(line.fileno(), select.POLLHUP)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poller.poll(0))


# --------------------------------------------------------------------------- the socket's file


@contextlib.contextmanager
def bound(path: Path) -> Iterator[socket.socket]:
    """The socket, ready to listen, with its file, which goes with it. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.setblocking(False)
        try:
            line.bind(str(path))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            _clear(path)
            line.bind(str(path))
        ours = path.lstat().st_ino
        try:
            path.chmod(MODE)
            yield line
        finally:
            with contextlib.suppress(OSError):
                if path.lstat().st_ino == ours:
                    path.unlink()


def _clear(path: Path) -> None:
    """Remove a socket that nobody listens on any more, as a killed sign leaves it; raises SocketTaken."""
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise SocketTaken(errno.EADDRINUSE, "there is a file of that name")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # somebody listens, and has much to do
    raise SocketTaken(errno.EADDRINUSE, "another running sign has it")


def _say(path: Path, error: OSError, said: str) -> str:
    """Each reason once; a missing folder is as good as a switch."""
    text = error.strerror or str(error)
    if text != said:
        level = logging.DEBUG if error.errno == errno.ENOENT else logging.WARNING
        log.log(level, "live view: %s: %s; nobody can look at this sign, set [live] socket", path, text)
    return text
