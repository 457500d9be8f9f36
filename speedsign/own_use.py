"""What this process holds and may hold, as the kernel tells: proc(5), getrlimit(2), cgroups(7).

Nothing here raises or waits; what a system does not tell is None.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterable, Iterator
from pathlib import Path

from speedsign.leaks import Use

_NO_LIMIT = 1 << 60  # version 1 has no "max": it writes the largest number of pages that there can be


class OwnUse:
    """Reads below `root`, which a test makes by itself."""

    def __init__(self, root: Path = Path("/")) -> None:
        own = root / "proc/self"
        # Strings: this is done each second, and a Path for each open file takes ten times as long.
        self._files, self._threads, self._status = str(own / "fd"), str(own / "task"), str(own / "status")
        self._group = own / "cgroup"
        self._groups = root / "sys/fs/cgroup"

    def now(self) -> Use:
        """What is held. A fraction of a millisecond."""
        return Use(self._held_files(), _memory_bytes(self._status), _entries(self._threads))

    def most(self) -> Use:
        """What may be held: RLIMIT_NOFILE, and MemoryMax= and TasksMax= of the service or of what it is in.

        Where no group limits the memory it is half of the machine's: the rest is for those who keep it alive.
        """
        memory = _least(self._limits("memory", "memory.max", "memory.limit_in_bytes"))
        threads = _least(self._limits("pids", "pids.max", "pids.max"))
        return Use(_most_files(), memory or _half_of_the_machine(), threads)

    def _held_files(self) -> int | None:
        try:
            return len(os.listdir(self._files))  # noqa: PTH208  see __init__
        except OSError as error:
            # Looking takes one more. It has none: it holds all that it may.
            return _most_files() if error.errno == errno.EMFILE else None

    def _limits(self, controller: str, new: str, old: str) -> Iterator[int | None]:
        """Of the own group and of all around it; new and old: what the file is called in versions 2 and 1."""
        for controllers, path in self._own_groups():
            if not controllers:
                roots, name = [self._groups, self._groups / "unified"], new
            elif controller in controllers.split(","):
                roots, name = [self._groups / controllers, self._groups / controller], old
            else:
                continue
            for root in roots:
                yield from (_limit(folder / name) for folder in _upwards(root, path))

    def _own_groups(self) -> list[tuple[str, str]]:
        """Version 2 has one line, "0::/system.slice/speedsign.service"; version 1 one for each controller."""
        try:
            lines = self._group.read_text().splitlines()
        except (OSError, ValueError):
            return []
        found = [line.split(":", 2) for line in lines]
        return [(parts[1], parts[2]) for parts in found if len(parts) == 3]


def _upwards(root: Path, path: str) -> Iterator[Path]:
    """The group and those it lies in.

    In a container the path may be that of the host, which is not there: its own is mounted as the root.
    """
    parts = [part for part in path.split("/") if part]
    if ".." in parts:
        parts = []
    for length in range(len(parts), -1, -1):
        yield root.joinpath(*parts[:length])


def _entries(folder: str) -> int | None:
    try:
        return len(os.listdir(folder))  # noqa: PTH208  see OwnUse.__init__
    except OSError:
        return None


def _memory_bytes(status: str) -> int | None:
    """Resident and swapped out: what grows while memory is short is written out first."""
    found = {}
    try:
        with open(status, "rb") as file:  # noqa: PTH123  see OwnUse.__init__
            for line in file:
                if line.startswith((b"VmRSS:", b"VmSwap:")):
                    name, kilobytes = line.split()[:2]
                    found[name] = int(kilobytes) << 10
    except (OSError, ValueError):
        return None
    return sum(found.values()) if b"VmRSS:" in found else None


def _most_files() -> int | None:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if files == resource.RLIM_INFINITY else files


def _half_of_the_machine() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (OSError, ValueError):
        return None


def _least(limits: Iterable[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _limit(file: Path) -> int | None:
    """None: "max", or not told."""
    try:
        number = int(file.read_text())
    except (OSError, ValueError):
        return None
    return number if 0 < number < _NO_LIMIT else None
