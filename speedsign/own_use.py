"""What this process holds and may hold, as the kernel tells: proc(5), getrlimit(2), cgroups v2.

Nothing here raises or waits; what a system does not tell is None.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

from speedsign.leaks import Use


class OwnUse:
    """Reads below `root`, which a test makes by itself."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._self = root / "proc/self"
        self._groups = root / "sys/fs/cgroup"

    def now(self) -> Use:
        """What is held. A fraction of a millisecond."""
        return Use(_entries(self._self / "fd"), self._memory_bytes(), _entries(self._self / "task"))

    def most(self) -> Use:
        """What may be held: RLIMIT_NOFILE, and MemoryMax= and TasksMax= of the service."""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        folder = self._own_group()
        memory, threads = (None, None) if folder is None else (folder / "memory.max", folder / "pids.max")
        return Use(None if files == resource.RLIM_INFINITY else files, _limit(memory), _limit(threads))

    def _memory_bytes(self) -> int | None:
        try:
            resident = int((self._self / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return resident * os.sysconf("SC_PAGE_SIZE")

    def _own_group(self) -> Path | None:
        """Version 2 has one line, "0::/system.slice/speedsign.service"."""
        try:
            lines = (self._self / "cgroup").read_text().splitlines()
        except (OSError, ValueError):
            return None
        for line in lines:
            if line.startswith("0::/"):
                return self._groups / line.removeprefix("0::/")
        return None


def _entries(folder: Path) -> int | None:
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:
        return None


def _limit(file: Path | None) -> int | None:
    """None: "max", or not told."""
    try:
        return int(file.read_text()) if file else None
    except (OSError, ValueError):
        return None
