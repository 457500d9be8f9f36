"""What a process holds: of this one, and of files that look like the kernel's."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from speedsign.leaks import Use
from speedsign.own_use import OwnUse


def test_of_this_process() -> None:
    own = OwnUse()
    before = own.now()
    assert before.files is not None
    assert before.threads is not None
    go = threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    more = [os.open("/dev/null", os.O_RDONLY) for _ in range(7)]
    ballast = bytearray(b"x") * (32 << 20)
    try:
        after = own.now()
        assert (after.files, after.threads) == (before.files + 7, before.threads + 1)
        assert before.memory_bytes is not None
        assert after.memory_bytes is not None
        assert after.memory_bytes - before.memory_bytes > 20 << 20, len(ballast)
    finally:
        go.set()
        thread.join()
        for fd in more:
            os.close(fd)
    assert own.most().files is not None


def made(root: Path, group: str, limits: dict[str, str]) -> OwnUse:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(group)
    folder = root / "sys/fs/cgroup/system.slice/speedsign.service"
    folder.mkdir(parents=True)
    for name, text in limits.items():
        (folder / name).write_text(text)
    return OwnUse(root)


def test_the_service_s_limits_are_read(tmp_path: Path) -> None:
    limits = {"memory.max": "201326592\n", "pids.max": "64\n"}
    most = made(tmp_path, "0::/system.slice/speedsign.service\n", limits).most()
    assert (most.memory_bytes, most.threads) == (192 << 20, 64)


@pytest.mark.parametrize(
    ("group", "limits"),
    [
        ("0::/system.slice/speedsign.service\n", {"memory.max": "max\n", "pids.max": "max\n"}),
        ("0::/system.slice/speedsign.service\n", {}),
        ("12:memory:/system.slice\n1:name=systemd:/\n", {"memory.max": "1\n"}),
        ("", {}),
        ("0::/system.slice/speedsign.service\n", {"memory.max": "\x00nonsense", "pids.max": ""}),
    ],
)
def test_no_limit_or_none_that_is_told(tmp_path: Path, group: str, limits: dict[str, str]) -> None:
    most = made(tmp_path, group, limits).most()
    assert (most.memory_bytes, most.threads) == (None, None)


def test_nothing_is_told(tmp_path: Path) -> None:
    own = OwnUse(tmp_path)
    assert own.now() == Use()
    assert own.most().memory_bytes is None
