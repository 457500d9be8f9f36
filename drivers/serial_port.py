"""A serial line on the event loop: the one module that imports pyserial.

pyserial opens and configures; bytes are then read straight from the file descriptor, because its own
`read` asks the kernel three times for what one call answers.
"""

from __future__ import annotations

import asyncio
import errno
import getpass
import logging
import os
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serial

from speedsign.errors import PortError
from speedsign.ports import LineSettings

log = logging.getLogger(__name__)

BY_ID = Path("/dev/serial/by-id")
READ_BYTES = 4096  # what the kernel's line discipline holds
MAX_UNSENT_BYTES = 4096  # commands have tens of bytes: more means that nothing is sent any more


class SerialPort:
    """A `speedsign.ports.BytePort` on a serial device, opened exclusively.

    Every setting goes into the constructor of pyserial's port: on a pty a later change fails once parity
    is set (EINVAL).
    """

    def __init__(self, path: str | os.PathLike[str], settings: LineSettings) -> None:
        self.name = os.fspath(path)
        self.settings = settings
        self._serial: Any = None  # pyserial has no types
        self._fd = -1
        self._unsent = bytearray()
        self._on_data: Callable[[bytes], None] | None = None
        self._on_lost: Callable[[Exception], None] | None = None

    async def open(self, on_data: Callable[[bytes], None], on_lost: Callable[[Exception], None]) -> None:
        """Open the device and discard what the system had buffered; raises PortError."""
        self.close()
        try:
            self._serial = self._make()
        # pyserial's own errors are OSErrors; those of termios, which it lets through, are not.
        except (OSError, termios.error, ValueError, OverflowError) as error:
            raise PortError(self.name, _why_not(self.name, error)) from error
        self._fd = self._serial.fileno()
        self._on_data, self._on_lost = on_data, on_lost
        asyncio.get_running_loop().add_reader(self._fd, self._readable)

    def _make(self) -> Any:
        """Open it. VMIN 1: a read of zero bytes then means that the device is gone.

        A pty has no parity: the C library calls it an error (EINVAL) when that is the only change that is
        asked for, as at a second opening. Then the baud rate is changed first, so that it is not.
        """
        line = self.settings
        try:
            return self._configure(line)
        except termios.error as error:
            if error.args[0] != errno.EINVAL or line.parity == "N":
                raise
        self._configure(LineSettings(9_600 if line.baud != 9_600 else 4_800)).close()
        return self._configure(line)

    def _configure(self, line: LineSettings) -> Any:
        return serial.Serial(
            port=self.name,
            baudrate=line.baud,
            bytesize=line.bytesize,
            parity=line.parity,
            stopbits=line.stopbits,
            timeout=0,
            write_timeout=0,
            inter_byte_timeout=0,  # sets VMIN 1
            exclusive=True,
        )

    def write(self, data: bytes) -> None:
        """Send; what the device does not take at once is queued. Raises PortError when closed."""
        if self._fd < 0:
            raise PortError(self.name, "not open")
        if len(self._unsent) + len(data) > MAX_UNSENT_BYTES:
            raise PortError(self.name, "takes no bytes any more; unplug it and plug it in again")
        idle = not self._unsent
        self._unsent += data
        if idle:
            self._send()
            if self._unsent:
                asyncio.get_running_loop().add_writer(self._fd, self._send)

    def close(self) -> None:
        """Close; harmless when closed already."""
        if self._fd < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._fd)
        loop.remove_writer(self._fd)
        self._fd = -1
        self._unsent.clear()
        self._on_data = self._on_lost = None
        self._serial.close()
        self._serial = None

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(f"went away ({error.strerror}); check its cable and its power")
            return
        if not data:
            self._lose("went away (end of file); check its cable and its power")
        elif self._on_data:
            self._on_data(data)

    def _send(self) -> None:
        try:
            sent = os.write(self._fd, self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(f"cannot be written to ({error.strerror}); check its cable and its power")
            return
        del self._unsent[:sent]
        if not self._unsent:
            asyncio.get_running_loop().remove_writer(self._fd)

    def _lose(self, why: str) -> None:
        lost = self._on_lost
        self.close()
        if lost:
            # Not from inside `write`: the caller hears of it when it is back on the loop.
            asyncio.get_running_loop().call_soon(lost, PortError(self.name, why))


def stable_names(by_id: Path = BY_ID) -> dict[str, str]:
    """The names that stay with a device whatever else is plugged in -> the device behind each."""
    if not by_id.is_dir():
        return {}
    return {str(link): str(link.resolve()) for link in sorted(by_id.iterdir())}


def stable_name_hint(path: str, by_id: Path = BY_ID) -> str | None:
    """A sentence when a port is named by a number that can change; None when its name is stable."""
    if Path(path).parent != Path("/dev") or not Path(path).name.startswith(("ttyUSB", "ttyACM")):
        return None
    for name, device in stable_names(by_id).items():
        if device == path:
            return f"{path} can become another device after a restart; name it {name}"
    return f"{path} can become another device after a restart; name it by /dev/serial/by-id"


def holders(path: str, proc: Path = Path("/proc")) -> list[str]:
    """Which programs have a device open, as far as we may see: "name (pid)"."""
    device = str(Path(path).resolve())
    found = []
    for process in proc.glob("[0-9]*"):
        try:
            if any(_points_to(fd, device) for fd in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} ({process.name})")
        except OSError:
            continue  # somebody else's process, or one that has just ended
    return found


def _points_to(link: Path, device: str) -> bool:
    try:
        return str(link.readlink()) == device
    except OSError:
        return False


def _why_not(path: str, error: Exception) -> str:
    """What is wrong with a port, and what to do about it."""
    number = _errno(error) or _errno(error.__context__)  # pyserial wraps those of termios
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        known = ", ".join(stable_names()) or "none"
        return f"no such device; check the cable and the name in the config (ports found: {known})"
    if number in (errno.EACCES, errno.EPERM):
        return f"not permitted; add the user to its group (sudo usermod -aG dialout {_user()}) and restart"
    if number in (errno.EAGAIN, errno.EBUSY):
        who = ", ".join(holders(path)) or f"find it with: sudo fuser -v {path}"
        return f"in use by another program ({who}); stop that first"
    if number in (errno.ENOTTY, errno.EISDIR):
        return "not a serial device; check the name in the config"
    return f"cannot be opened: {error}"


def _errno(error: BaseException | None) -> int | None:
    """The number of an OSError, or of termios' own error, which has it first among its arguments."""
    if isinstance(error, OSError):
        return error.errno
    return error.args[0] if isinstance(error, termios.error) and error.args else None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "speedsign"
