"""The system's clocks: the one module that asks the machine for the time."""

from __future__ import annotations

import ctypes
import functools
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

_STA_UNSYNC = 0x0040  # <sys/timex.h>: the kernel's clock has no source
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # random(4): made anew at each start of the kernel


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2); `modes` 0 only reads."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


class SystemClock:
    """Boot time that never steps, wall time, and whether the kernel calls the wall time synchronised."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def now_utc(self) -> datetime:
        return datetime.now(UTC)

    def trusted(self) -> bool:
        """True when adjtimex(2) knows a source: serves timesyncd, chrony and ntpd alike."""
        timex = _Timex(modes=0)
        state: int = self._libc.adjtimex(ctypes.byref(timex))
        return state not in (-1, _TIME_ERROR) and not timex.status & _STA_UNSYNC

    def boot_id(self) -> str:
        return _boot_id()


@functools.cache
def _boot_id() -> str:
    return read_boot_id(_BOOT_ID)


def read_boot_id(path: Path) -> str:
    """From the kernel's file; a random one where it says none, so that nobody else's rows are taken for ours.

    Then a restart of the program looks like one of the machine, and nothing worse comes of it.
    """
    try:
        found = path.read_text("ascii").strip().replace("-", "").lower()
    except (OSError, UnicodeDecodeError):
        found = ""
    usable = len(found) == 32 and set(found) <= set("0123456789abcdef")
    return found if usable else secrets.token_hex(16)
