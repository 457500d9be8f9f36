"""The system's clock: the one place where the machine is asked."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from speedsign.clock import SystemClock, read_boot_id


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


def test_the_boot_has_a_name_that_stays() -> None:
    found = SystemClock().boot_id()
    assert re.fullmatch("[0-9a-f]{32}", found)
    assert SystemClock().boot_id() == found
    assert found == Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip().replace("-", "")


@pytest.mark.parametrize("content", [None, b"", b"not a name\n", b"\xff" * 36, b"0123-4567"])
def test_where_the_kernel_names_none_nobody_elses_rows_are_taken_for_ours(
    content: bytes | None, tmp_path: Path
) -> None:
    file = tmp_path / "boot_id"
    if content is not None:
        file.write_bytes(content)
    found = {read_boot_id(file) for _ in range(3)}
    assert len(found) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in found)
