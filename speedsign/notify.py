"""Telling systemd how we are (sd_notify(3)); silent where nobody listens."""

from __future__ import annotations

import contextlib
import os
import socket

_KIND = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
_READY_S = 1.0  # it is said once, and a busy boot may fill the queue


def sd_notify(state: str) -> None:
    """Send "READY=1", "WATCHDOG=1", "STATUS=…" to whoever started us; nothing without a supervisor.

    Never raises, and does not wait (READY=1: a second): a supervisor that reads no more, or a process without
    a free descriptor, must not hold up a display.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket, as in a container
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, _KIND) as out:
        out.settimeout(_READY_S if state.startswith("READY=1") else 0.0)
        out.sendto(state.encode(errors="replace"), address)
