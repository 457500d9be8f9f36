"""Telling systemd how we are (sd_notify(3)); silent where nobody listens."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import socket

_log = logging.getLogger(__name__)

_KIND = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
_READY_S = 1.0  # it is said once, and a busy boot may fill the queue
_BEATS = 3  # that a watchdog has to wait for: one may be late, and one may be lost


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
    with contextlib.suppress(OSError):
        out = _out()
        out.settimeout(_READY_S if state.startswith("READY=1") else 0.0)
        out.sendto(state.encode(errors="replace"), address)


@functools.cache
def _out() -> socket.socket:
    """One for the whole life: where no descriptor is left, a sign that ends for that can still say so."""
    return socket.socket(socket.AF_UNIX, _KIND)


def watchdog_s() -> float | None:
    """How long WATCHDOG=1 of this process is waited for (sd_watchdog_enabled(3)); None: it is not."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        allowed_s = int(os.environ.get("WATCHDOG_USEC", "")) / 1e6
    except (ValueError, OverflowError):
        return None
    return allowed_s if allowed_s > 0 else None


def mind_the_watchdog(beat_s: float) -> None:
    """Say so when somebody's drop-in makes the watchdog so short that it ends what is well."""
    allowed_s = watchdog_s()
    if allowed_s is not None and allowed_s < _BEATS * beat_s:
        _log.warning(
            "WatchdogSec= is %g s, a sign of life comes each %g s: what is late by a moment is killed; "
            "set it to %g or more in the unit",
            allowed_s, beat_s, _BEATS * beat_s,
        )  # fmt: skip
