"""The other end of the live socket: what a running sign tells, line by line.

Nothing is ever sent to the sign; it does not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

from speedsign.errors import PortError
from speedsign.live.shapes import LIVE, MAX_LINE, Line, decode

GREETING_S = 3.0  # a sign that stands still for so long is none to watch


def greeting(path: Path) -> Line | None:
    """What the sign behind this socket says first; None: there is none. Waits a moment.

    Raises PortError where there is one that cannot be listened to.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(GREETING_S)
        try:
            line.connect(str(path))
            data = _first_line(line)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return None  # no sign runs, or one that was killed has left its socket
        except OSError as error:
            raise _refusal(path, error) from error
    return checked_greeting(path, decode(data) if data else None)


def _first_line(line: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n") and len(data) < MAX_LINE:
        chunk = line.recv(4096)
        if not chunk:
            break
        data += chunk
        if b"\n" in chunk:
            return data[: data.index(b"\n")]
    return data


def checked_greeting(path: Path, line: Line | None) -> Line:
    """The greeting; raises PortError where it is none, or one of another version."""
    if line is None:
        raise PortError(str(path), "closed before a word was said; is it a sign that stops just now?")
    if line["event"] == "refused":
        raise PortError(str(path), str(line.get("text", "refused")))
    if line["event"] != "hello":
        raise PortError(str(path), "no sign: its first line is no greeting; check [live] socket")
    if line.get("live") != LIVE:
        text = f"the sign speaks version {line.get('live')} and this program {LIVE}; restart the sign"
        raise PortError(str(path), text)
    return line


def _refusal(path: Path, error: OSError) -> PortError:
    if isinstance(error, PermissionError):
        who = "try with sudo, or: sudo usermod -a -G speedsign $USER, and log in again"
        return PortError(str(path), f"not permitted; {who}")
    if isinstance(error, TimeoutError | BlockingIOError):  # EAGAIN: so many wait already that no more may
        return PortError(str(path), "the sign runs and does not answer; look at: systemctl status speedsign")
    return PortError(str(path), f"{error.strerror or error}; check [live] socket")


def _connected(path: Path) -> socket.socket:
    """Raises OSError at once: asyncio takes the EAGAIN of a Unix socket for a connection under way."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.setblocking(False)
        line.connect(str(path))
    except BaseException:
        line.close()
        raise
    return line


async def lines(path: Path) -> AsyncGenerator[Line, None]:
    """Everything that the sign tells, its greeting first, until it goes away; raises PortError.

    Raises ConnectionRefusedError or FileNotFoundError where no sign is.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(sock=_connected(path), limit=MAX_LINE)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise
    except OSError as error:
        raise _refusal(path, error) from error
    try:
        try:
            async with asyncio.timeout(GREETING_S):
                first = await _next(reader)
        except OSError as error:  # TimeoutError is one
            raise _refusal(path, error) from error
        yield checked_greeting(path, first)
        while (line := await _next(reader)) is not None:
            yield line
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _next(reader: asyncio.StreamReader) -> Line | None:
    """The next line that is one; None: there is no more."""
    while True:
        try:
            data = await reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return None
        if (line := decode(data)) is not None:
            return line
