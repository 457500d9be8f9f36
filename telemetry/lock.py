"""One writer a store: two signs on one database would count coverage twice and fight over one MQTT name."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from speedsign.errors import SpeedsignError

_log = logging.getLogger(__name__)


class StoreInUse(SpeedsignError):  # noqa: N818  the situation is its name
    """Another process writes this store."""


@contextlib.contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Hold the store's lock file; raises StoreInUse. The kernel lets go of it however we end.

    Where no lock file can be made the store itself will say what is wrong, and the display runs on.
    """
    name = path.with_name(path.name + ".lock")
    try:
        name.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        _log.warning("%s: no lock file can be made: %s", name, error.strerror)
        yield
        return
    try:
        _lock(file, path)
        yield
    finally:
        os.close(file)


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise StoreInUse(
            f"{path} is in use by another speedsign (process {owner}); stop that one, or give this sign a "
            "[store] path of its own"
        ) from None
    os.ftruncate(file, 0)
    os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
