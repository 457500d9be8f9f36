"""For how long a radar is proved to have been measuring: the base of every coverage figure."""

from __future__ import annotations


class MeasuredTime:
    """Adds up the time from proof to proof; a gap longer than `limit_s` proves nothing in between.

    A proof is anything that only a working radar says: a usable report, an idle one, an answer.
    `limit_s` None is the weaker kind for a radar that is silent when idle and must not be asked: then
    an open port counts, and a dead radar behind it is not noticed.
    """

    def __init__(self, limit_s: float | None) -> None:
        self._limit_s = limit_s
        self._total_s = 0.0
        self._last_gap_s = 0.0  # counted up to the last proof
        self._end_mono_s = 0.0  # the last moment counted
        self._from_mono_s: float | None = None  # the last proof, while nothing has come between

    def opened(self, t_mono_s: float) -> None:
        """The port is open."""
        if self._limit_s is None:
            self._from_mono_s = t_mono_s

    def proof(self, t_mono_s: float) -> None:
        """The radar has just said something that proves it working."""
        if self._limit_s is None:
            self._from_mono_s = t_mono_s if self._from_mono_s is None else self._from_mono_s
            return
        if self._from_mono_s is not None and t_mono_s - self._from_mono_s <= self._limit_s:
            self._count(t_mono_s)
        self._from_mono_s = t_mono_s

    def interrupted(self, t_mono_s: float) -> None:
        """The port was lost, or what the radar says cannot be used: the next proof starts anew."""
        if self._limit_s is None and self._from_mono_s is not None:
            self._count(t_mono_s)
        self._from_mono_s = None

    def at(self, t_mono_s: float) -> float:
        """Seconds proved up to a moment, which may lie a little before the last proof."""
        if self._limit_s is None and self._from_mono_s is not None:
            return self._total_s + max(t_mono_s - self._from_mono_s, 0.0)
        return self._total_s - min(max(self._end_mono_s - t_mono_s, 0.0), self._last_gap_s)

    def _count(self, t_mono_s: float) -> None:
        assert self._from_mono_s is not None  # noqa: S101  both callers have looked
        self._last_gap_s = max(t_mono_s - self._from_mono_s, 0.0)
        self._total_s += self._last_gap_s
        self._end_mono_s = t_mono_s
