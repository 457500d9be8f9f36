"""A memory card made of memory: ext4 on a loop device, whose power can be cut and whose writes are counted.

Root alone can do that, with a kernel that has loop devices (a container often has none).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), linux/fs/ext4/ext4.h
_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS
_NO_LOG_FLUSH = struct.pack("I", 2)  # nothing more reaches the device, not even the journal
SECTOR_BYTES = 512  # of /sys/block/*/stat, whatever the device's own is
_FORMAT = "lazy_itable_init=0,lazy_journal_init=0,packed_meta_blocks=1"  # what it needs for itself: in front
OPTIONS = "noatime,errors=remount-ro"  # as docs/install.md has a sign's data partition


class NoCard(Exception):  # noqa: N818  the situation is its name
    """No such card can be made here; the reason is the message."""


class LoopCard:
    """Mounted at `folder`; `with loop_card()` makes one."""

    def __init__(self, device: str, folder: Path) -> None:
        self.device = device
        self.folder = folder

    def mount(self) -> None:
        _run("mount", "-o", OPTIONS, self.device, str(self.folder))

    def unmount(self) -> None:
        _run("umount", str(self.folder))

    def cut(self) -> None:
        """The power goes: what has not reached the device never does. Unmount and mount: it is back."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(folder)

    def written_bytes(self) -> int:
        """That reached the device since it was made."""
        return int(self._stat()[6]) * SECTOR_BYTES

    def writes(self) -> int:
        return int(self._stat()[4])

    def _stat(self) -> list[str]:
        return Path("/sys/block", Path(self.device).name, "stat").read_text().split()


@contextlib.contextmanager
def loop_card(size_mb: int = 256, *, memory_mb: int | None = None) -> Iterator[LoopCard]:
    """An empty card, gone at the end. NoCard where that cannot be done. `memory_mb`: no more is below it."""
    if os.geteuid() != 0:
        raise NoCard("only root can make a loop device; try again with sudo")
    _own_mounts()
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name,
        _so_much(name, memory_mb),
    ):
        folder, image = Path(name, "card"), Path(name, "image")
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        _run("mkfs.ext4", "-q", "-F", "-E", _FORMAT, str(image))
        device = _run("losetup", "--find", "--show", str(image))
        try:
            card = LoopCard(device, folder)
            card.mount()
            try:
                yield card
            finally:
                card.unmount()
        finally:
            _run("losetup", "--detach", device)


@contextlib.contextmanager
def _so_much(folder: str, memory_mb: int | None) -> Iterator[None]:
    """The folder on a file system of that size."""
    if memory_mb is None:
        yield
        return
    _run("mount", "-t", "tmpfs", "-o", f"size={memory_mb}m,mode=700", "tmpfs", folder)
    try:
        yield
    finally:
        _run("umount", folder)


def _own_mounts() -> None:
    """Mounts of this process and its children alone: what another namespace holds stays mounted."""
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS):
        raise NoCard(f"no mounts of one's own: {os.strerror(ctypes.get_errno())}")
    _run("mount", "--make-rprivate", "/")


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise NoCard(f"{command[0]} is not installed (e2fsprogs and util-linux have it)") from None
    except subprocess.CalledProcessError as error:
        raise NoCard(f"{' '.join(command)}: {error.stderr.strip()}") from None
    return done.stdout.strip()
