"""The system's clocks: the one module that asks the machine for the time."""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, datetime

_STA_UNSYNC = 0x0040  # <sys/timex.h>: the kernel's clock has no source
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


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
