"""What the run itself holds: memory, files, tasks, and the size of the databases. None of it may grow.

All of it is one process, so that a leak of the sign, the hub or the broker's client is seen here. What the
books of the run hold is taken off; what the first days need is the measure of the others.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from tests.year.books import Books

WARM_DAYS = 2
MORE_BLOCKS = 3_000  # of 190,000; from one midnight to another hundreds differ
MORE_HANDLES, MORE_TASKS = 4, 4
# A block of Python's allocator is one small object: an entry of `Books.expected` is a key and a value, both
# tuples, and five numbers.
BLOCKS_A_BOOK = 7
WAL_BYTES = 6 << 20  # SQLite brings a log home at 1000 pages, which is 4 MB, and begins it anew
SIGN_BYTES, SIGN_A_DAY = 4 << 20, 40 << 10  # quarters are kept for years, vehicles for 30 days
HUB_BYTES, HUB_A_DAY = 8 << 20, 400 << 10  # a hub keeps what it is told


class VitalsError(AssertionError):
    """Something grows that must not."""


@dataclass(slots=True)
class Vitals:
    """`look` at each midnight; `end` when all has been stopped."""

    folder: Path
    books: Books
    threads: int = field(default_factory=threading.active_count)
    _base: dict[str, int] = field(default_factory=dict)

    def look(self, day: int) -> dict[str, int]:
        """What there is; raises VitalsError."""
        found = self._found()
        if day <= WARM_DAYS:
            self._base = {name: max(n, self._base.get(name, 0)) for name, n in found.items()}
        else:
            for name, more in (("blocks", MORE_BLOCKS), ("handles", MORE_HANDLES), ("tasks", MORE_TASKS)):
                self._judge(name, found[name], self._base[name] + more)
        self._judge("threads", found["threads"], self.threads)
        self._judge("sign_wal_bytes", found["sign_wal_bytes"], WAL_BYTES)
        self._judge("hub_wal_bytes", found["hub_wal_bytes"], WAL_BYTES)
        self._judge("sign_bytes", found["sign_bytes"], SIGN_BYTES + day * SIGN_A_DAY)
        self._judge("hub_bytes", found["hub_bytes"], HUB_BYTES + day * HUB_A_DAY)
        return found

    def end(self) -> str:
        """When all has been stopped nobody is left but who asks; what is wrong, or nothing."""
        left = sorted(task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task())
        return f"VitalsError: tasks are left after the end: {', '.join(left)}" if left else ""

    def _judge(self, name: str, now: int, most: int) -> None:
        if now > most:
            raise VitalsError(f"{name} have grown to {now:,}; there were {self._base.get(name, 0):,} of "
                              f"them in the first days, and {most:,} are enough")  # fmt: skip

    def _found(self) -> dict[str, int]:
        gc.collect()
        own = BLOCKS_A_BOOK * len(self.books.expected)
        return {
            "blocks": sys.getallocatedblocks() - own,
            "rss_kb": int(Path("/proc/self/statm").read_text().split()[1]) * 4,
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
            "handles": len(list(Path("/proc/self/fd").iterdir())),
            "sign_bytes": self._bytes("sign.db*"),
            "hub_bytes": self._bytes("hub.db*"),
            "sign_wal_bytes": self._bytes("sign.db-wal"),
            "hub_wal_bytes": self._bytes("hub.db-wal"),
        }

    def _bytes(self, files: str) -> int:
        return sum(file.stat().st_size for file in self.folder.glob(files))
