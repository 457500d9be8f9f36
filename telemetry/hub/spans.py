"""Which messages of a source came, as ranges of their numbers; pure.

Numbers count from 1. What was received below the first gap is one number, `up_to`; above it there are
ranges that neither overlap nor touch, so that a sign that sends the newest first costs a row for each gap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]  # first and last, both included


class Spans:
    """The numbers that came. `changed` and `gone` say what a table of the ranges has to be told."""

    def __init__(self, up_to: int = 0, ranges: Iterable[Range] = ()) -> None:
        self.up_to = up_to
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self._firsts.append(first)
            self._lasts.append(last)
        self.changed: set[int] = set()  # first numbers of ranges that are new or longer
        self.gone: set[int] = set()  # first numbers of ranges that are no more

    def __contains__(self, seq: object) -> bool:
        if not isinstance(seq, int):
            return False
        if seq <= self.up_to:
            return seq > 0
        place = bisect_right(self._firsts, seq) - 1
        return place >= 0 and seq <= self._lasts[place]

    def __iter__(self) -> Iterator[Range]:
        """The ranges above `up_to`, lowest first."""
        return iter(zip(self._firsts, self._lasts, strict=True))

    def __len__(self) -> int:
        """How many ranges there are above `up_to`."""
        return len(self._firsts)

    @property
    def highest(self) -> int:
        """The highest number that came; 0: none."""
        return self._lasts[-1] if self._lasts else self.up_to

    @property
    def missing(self) -> int:
        """How many numbers below the highest did not come."""
        return self.highest - self.up_to - sum(last - first + 1 for first, last in self)

    def gaps(self) -> list[Range]:
        """What did not come, lowest first, up to the highest that did."""
        ends = [self.up_to, *self._lasts]
        return [(end + 1, first - 1) for end, first in zip(ends, self._firsts, strict=False)]

    def gaps_to(self, last: int) -> list[Range]:
        """What did not come of all up to `last`, lowest first."""
        above = [(self.highest + 1, last)]
        return [(first, min(end, last)) for first, end in [*self.gaps(), *above] if first <= min(end, last)]

    def opens(self, seq: int) -> bool:
        """Whether it would be a range of its own."""
        return seq not in self and seq != self.up_to + 1 and seq - 1 not in self and seq + 1 not in self

    def last_of(self, first: int) -> int:
        """The end of the range that begins there."""
        return self._lasts[bisect_right(self._firsts, first) - 1]

    def add(self, first: int, last: int | None = None) -> int:
        """Put these in; how many were new."""
        last = first if last is None else last
        if not 0 < first <= last:
            raise ValueError(f"{first} to {last} is no range of numbers that count from 1")
        low, high = max(first, self.up_to + 1), last
        if low > high:
            return 0
        new = high - low + 1
        # The ranges that overlap or touch it: they become one with it.
        begin = bisect_right(self._lasts, low - 2)
        end = bisect_right(self._firsts, high + 1)
        for place in range(begin, end):
            one, other = self._firsts[place], self._lasts[place]
            new -= max(0, min(other, high) - max(one, low) + 1)
        if begin < end:
            low, high = min(low, self._firsts[begin]), max(high, self._lasts[end - 1])
        if new:
            self._replace(begin, end, low, high)
        return new

    def _replace(self, begin: int, end: int, low: int, high: int) -> None:
        old = self._firsts[begin:end]
        self.gone.update(old)
        self.changed.difference_update(old)
        if low == self.up_to + 1:
            self.up_to = high
            self._firsts[begin:end], self._lasts[begin:end] = [], []
            return
        self._firsts[begin:end], self._lasts[begin:end] = [low], [high]
        self.gone.discard(low)
        self.changed.add(low)

    def settled(self) -> None:
        """The table knows it all now."""
        self.changed, self.gone = set(), set()

    def around(self, heard: Iterable[int]) -> list[Range]:
        """The ranges above `up_to` that hold one of these, lowest first: what to acknowledge them with."""
        places = set()
        for seq in heard:
            place = bisect_right(self._firsts, seq) - 1
            if place >= 0 and seq <= self._lasts[place]:
                places.add(place)
        return [(self._firsts[place], self._lasts[place]) for place in sorted(places)]

    def newest(self, most: int) -> list[Range]:
        """The highest ranges above `up_to`, lowest first."""
        return list(self)[-most:]
