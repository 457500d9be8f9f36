"""One commissioning of a config at a time: two would write over each other's draft."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from speedsign.errors import SpeedsignError

_MODE = 0o600


def path_of(config: Path) -> Path:
    return config.with_name(f".{config.name}.commission")


@contextlib.contextmanager
def alone(config: Path) -> Iterator[None]:
    """Hold the config's lock, which the kernel lets go of in any case; raises SpeedsignError."""
    path = path_of(config)
    file = _locked(path, config)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(file)


def _locked(path: Path, config: Path) -> int:
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
        except OSError as error:
            raise SpeedsignError(
                f"{path}: cannot be made: {error.strerror}; make room, or use sudo"
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(file, 20, 0).decode("ascii", "replace").strip()
            os.close(file)
            raise SpeedsignError(_in_use(config, owner)) from None
        if _still_there(path, file):
            with contextlib.suppress(OSError):  # a full disk: it is locked all the same
                os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
            return file
        os.close(file)  # whoever had it has just taken it away


def _still_there(path: Path, file: int) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(file))


def _in_use(config: Path, owner: str) -> str:
    how = f"; end it there, or with: sudo kill {owner}" if owner else "; end it first"
    return f"{config}: another speedsign commission is at it{f' (process {owner})' if owner else ''}{how}"
