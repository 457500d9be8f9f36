"""All that was seen in a run, and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable


class Log:
    """Everything that was seen from outside, in order; `digest` says whether two runs were the same."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self._hash = hashlib.sha256()
        self._tell = tell
        self.lines = 0

    def say(self, t_s: float, what: str) -> None:
        line = f"{t_s:.6f} {what}"
        self.lines += 1
        self._hash.update(line.encode())
        if self._tell:
            self._tell(f"day {int(t_s // 86_400)} {t_s % 86_400 / 3600:07.4f} h: {what}")

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()[:16]
