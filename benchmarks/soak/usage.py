"""What a process uses at a moment, as the kernel says (proc(5))."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_CONNECTED = "01"  # TCP_ESTABLISHED, as /proc/net/tcp writes it


class Gone(Exception):  # noqa: N818  the situation is its name
    """There is no such process any more."""


@dataclass(frozen=True, slots=True)
class Usage:
    """MB are 2^20 bytes; `uss_mb` is what would be free again if it ended."""

    rss_mb: float
    pss_mb: float
    uss_mb: float
    fds: int
    threads: int
    cpu_s: float

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Raises Gone."""
        folder = Path(f"/proc/{pid}")
        try:
            memory = _kilobytes((folder / "smaps_rollup").read_text())
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            fds = len(list((folder / "fd").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            raise Gone(f"process {pid} has ended") from None
        return cls(
            memory["Rss"] / 1024,
            memory["Pss"] / 1024,
            (memory["Private_Clean"] + memory["Private_Dirty"]) / 1024,
            fds,
            int(fields[17]),
            (int(fields[11]) + int(fields[12])) / _TICKS_PER_S,
        )


def _kilobytes(text: str) -> dict[str, int]:
    rows = [line.split() for line in text.splitlines()[1:]]
    return {row[0].rstrip(":"): int(row[1]) for row in rows if row[2:] == ["kB"]}


def connections(pid: int, port: int) -> int:
    """How many TCP connections to this local port the process has; 0 when it has ended."""
    sockets = set()
    for fd in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            sockets.add(str(fd.readlink()))
        except OSError:
            continue
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    far = f"0100007F:{port:04X}"
    return sum(row[2] == far and row[3] == _CONNECTED and f"socket:[{row[9]}]" in sockets for row in rows)
