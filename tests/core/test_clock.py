"""The system's clock: the one place where the machine is asked."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from speedsign.clock import SystemClock


def test_monotonic_is_boot_time_and_never_goes_back() -> None:
    clock = SystemClock()
    seen = [clock.monotonic() for _ in range(100)]
    assert seen == sorted(seen)
    assert abs(seen[-1] - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1.0


def test_the_wall_clock_is_aware_utc() -> None:
    now = SystemClock().now_utc()
    assert now.tzinfo is UTC
    assert abs((datetime.now(UTC) - now).total_seconds()) < 1.0


def test_whether_it_is_trusted_is_an_answer_and_no_error() -> None:
    assert SystemClock().trusted() in (True, False)
