"""How often something may happen: so many at once, then so many in a time. Pure; time is passed in."""

from __future__ import annotations


class Meter:
    """A token bucket."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst, self._per_s = float(burst), per_s
        self._left, self._at_s = float(burst), 0.0

    def take(self, now_s: float) -> bool:
        """Whether once more is allowed; a clock that went back gives nothing."""
        self._left = min(self._burst, self._left + max(now_s - self._at_s, 0.0) * self._per_s)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
