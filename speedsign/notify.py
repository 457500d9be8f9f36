"""Telling systemd how we are (sd_notify(3)); silent where nobody listens."""

from __future__ import annotations

import os
import socket


def sd_notify(state: str) -> None:
    """Send "READY=1", "WATCHDOG=1", "STATUS=…" to whoever started us; nothing without a supervisor."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket, as in a container
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        try:
            out.sendto(state.encode(), address)
        except OSError:
            return  # the supervisor went away: it will notice by itself
