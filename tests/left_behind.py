"""What a test must not leave: a thread, a pty, a socket, a database open."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Fail when something is running or open at the end that was not so at the beginning."""
    threads = set(threading.enumerate())
    devices = _open_devices()
    yield
    more = set(threading.enumerate()) - threads
    for thread in more:
        thread.join(1.0)  # one that is on its way out: asyncio's, that has waited for a process
    left = [thread.name for thread in more if thread.is_alive()]
    assert not left, f"threads left running: {left}"
    opened = _open_devices() - devices
    assert not opened, f"left open: {sorted(opened)}"


def _open_devices() -> set[str]:
    """Files, ptys and sockets that this process holds open, by what they point to."""
    names = set()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            names.add(f"{fd.name} -> {fd.readlink()}")
        except OSError:
            continue  # the listing's own
    return {
        name for name in names if any(word in name for word in ("/pts", "ptmx", "socket:", ".db", "ttyUSB"))
    }
