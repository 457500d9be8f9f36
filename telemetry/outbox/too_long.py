"""Messages that the broker refuses because of their length: they are set aside, and hold up no other.

The next try would get the same answer, and costs the whole message. So of all that were set aside one is
tried now and then, the shortest, and after each new connection: a broker that was set right was started
again. When it is taken, all the others have their chance again. Pure; times are monotonic seconds.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from math import inf

_AT_MOST = 10_000  # that are known by their numbers; half a year of vehicles on a busy road


class TooLong:
    """What was set aside, by seq. `wait_s`: between tries; later up to four times that."""

    def __init__(self, wait_s: float, chance: random.Random) -> None:
        self._wait_s, self._chance = wait_s, chance
        self._bytes: dict[int, int] = {}
        self._trying: tuple[int, int] | None = None  # seq, bytes
        self._tries = 0
        self._due_s = inf

    @property
    def seqs(self) -> Collection[int]:
        """Rows that are not to be loaded now."""
        return self._bytes.keys()

    @property
    def rows(self) -> int:
        """How many the broker does not take, as far as is known."""
        return len(self._bytes) + (self._trying is not None)

    @property
    def shortest_bytes(self) -> int:
        """Of what was refused; 0: nothing was."""
        tried = [self._trying[1]] if self._trying else []
        return min([*self._bytes.values(), *tried], default=0)

    @property
    def next_s(self) -> float:
        return self._due_s if self._bytes else inf

    def refused(self, seq: int, size_bytes: int, now_s: float) -> None:
        """The broker says that this one is too long."""
        again = self._trying is not None and self._trying[0] == seq
        if not self._bytes:
            self._tries = self._tries if again else 0
            self._wait(now_s)
        if again:
            self._trying = None
        while len(self._bytes) >= _AT_MOST:
            del self._bytes[next(iter(self._bytes))]
        self._bytes[seq] = size_bytes

    def taken(self, seq: int) -> bool:
        """The broker took this one; True when it was the one that was tried, and all may be."""
        if self._trying is None or self._trying[0] != seq:
            return False
        self.clear()
        return True

    def tried_at_once(self, now_s: float) -> None:
        """Another connection: another broker, perhaps, or the same one set right."""
        self._tries, self._due_s = 0, now_s

    def release(self, now_s: float) -> bool:
        """Let one be tried when it is time; True when there is one."""
        if not self._bytes or now_s < self._due_s:
            return False
        shortest = min(self._bytes, key=lambda seq: (self._bytes[seq], seq))
        self._trying = shortest, self._bytes.pop(shortest)
        self._tries += 1
        self._wait(now_s)
        return True

    def forget(self, covers: Callable[[int], bool]) -> None:
        """The store has these no more."""
        for seq in [seq for seq in self._bytes if covers(seq)]:
            del self._bytes[seq]
        if self._trying and covers(self._trying[0]):
            self._trying = None

    def clear(self) -> None:
        self._bytes.clear()
        self._trying, self._tries = None, 0

    def _wait(self, now_s: float) -> None:
        wait_s = min(4 * self._wait_s, self._wait_s * 2.0 ** min(self._tries, 10))
        self._due_s = now_s + wait_s * self._chance.uniform(0.5, 1.0)
