"""What a process holds: of this one, and of files that look like the kernel's."""

from __future__ import annotations

import contextlib
import os
import resource
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


OWN = "system.slice/speedsign.service"
HALF = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def made(root: Path, groups: str, limits: dict[str, str]) -> OwnUse:
    """A machine with these groups: the line of the process, and files below /sys/fs/cgroup."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in limits.items():
        file = root / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return OwnUse(root)


V2 = f"0::/{OWN}\n"
V1 = f"8:pids:/{OWN}\n4:cpu,memory:/{OWN}\n1:name=systemd:/{OWN}\n0::/{OWN}\n"
OLD_MAX = "9223372036854771712\n"


@pytest.mark.parametrize(
    ("groups", "limits", "memory", "threads"),
    [
        (V2, {f"{OWN}/memory.max": "1000\n", f"{OWN}/pids.max": "64\n"}, 1000, 64),
        # What it lies in has less.
        (V2, {f"{OWN}/memory.max": "1000\n", "system.slice/memory.max": "700\n"}, 700, None),
        (V2, {f"{OWN}/memory.max": "max\n", "system.slice/memory.max": "700\n"}, 700, None),
        # A container: its own group is the root that it sees; the path may be the host's, or lead out of it.
        ("0::/", {"memory.max": "500\n", "pids.max": "max\n"}, 500, None),
        ("0::/docker/4711", {"memory.max": "500\n", "pids.max": "9\n"}, 500, 9),
        ("0::/../../etc", {"memory.max": "500\n", "pids.max": "9\n"}, 500, 9),
        ("4:memory:/docker/4711", {"memory/memory.limit_in_bytes": "500\n"}, 500, None),
        # Version 1, alone and beside version 2.
        (V1, {f"cpu,memory/{OWN}/memory.limit_in_bytes": "900\n", f"pids/{OWN}/pids.max": "33\n"}, 900, 33),
        (V1, {f"memory/{OWN}/memory.limit_in_bytes": "900\n", f"unified/{OWN}/pids.max": "34\n"}, 900, 34),
        (V1, {f"memory/{OWN}/memory.limit_in_bytes": OLD_MAX}, HALF, None),
        ("0::/with:colon", {"with:colon/memory.max": "300\n"}, 300, None),
    ],
)  # fmt: skip
def test_limits_are_read_wherever_they_stand(
    tmp_path: Path, groups: str, limits: dict[str, str], memory: int, threads: int | None
) -> None:
    most = made(tmp_path, groups, limits).most()
    assert (most.memory_bytes, most.threads) == (memory, threads)


@pytest.mark.parametrize("text", ["max\n", "\x00nonsense", "", "0\n", "-1\n", "9" * 5000, "ž"])
@pytest.mark.parametrize("groups", [V2, "", "nonsense\n::\n", V1])
def test_no_limit_or_none_that_is_told(tmp_path: Path, groups: str, text: str) -> None:
    names = (f"{OWN}/memory.max", f"{OWN}/pids.max", f"memory/{OWN}/memory.limit_in_bytes")
    most = made(tmp_path, groups, dict.fromkeys(names, text)).most()
    assert (most.memory_bytes, most.threads) == (HALF, None)


def test_without_a_free_descriptor_it_holds_all_that_it_may() -> None:
    """Looking takes one: no number at all would be no leak."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))
    try:
        with contextlib.suppress(OSError):
            held.extend(os.open("/dev/null", os.O_RDONLY) for _ in range(256))
        assert OwnUse().now().files == min(256, soft)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in held:
            os.close(fd)


@pytest.mark.parametrize(
    ("status", "memory"),
    [
        ("Name:\tpython\nVmRSS:\t   20 kB\nVmSwap:\t    4 kB\n", 24 << 10),
        ("VmRSS:\t   20 kB\n", 20 << 10),
        ("VmSwap:\t   20 kB\n", None),
        ("VmRSS:\n", None),
        ("VmRSS:\t\x00 kB\n", None),
    ],
)
def test_what_is_swapped_out_is_held_too(tmp_path: Path, status: str, memory: int | None) -> None:
    own = made(tmp_path, "", {})
    (tmp_path / "proc/self/status").write_text(status)
    assert own.now().memory_bytes == memory


def test_nothing_is_told(tmp_path: Path) -> None:
    own = OwnUse(tmp_path)
    assert own.now() == Use()
    assert (own.most().memory_bytes, own.most().threads) == (HALF, None)
