"""The readings of a track, in columns, and the lines through its ends."""

from __future__ import annotations

from math import inf, log
from statistics import median

from speedsign.model import Direction, Reading
from speedsign.tracking.junction import LEAST, LONGER_S, MOST, WINDOW_S, Line, breach, line
from speedsign.tracking.noise import Noise
from speedsign.tracking.params import KMH_PER_MPS, MAX_READINGS

WAY = {Direction.APPROACHING: -1.0, Direction.RECEDING: 1.0, Direction.UNKNOWN: 0.0}
_CLOSE_S, _FIRST = 0.04, 6  # from a quicker sensor every second reading tells all, but for the first ones
_QUICK, _QUICK_JUMP_KMH, _QUICK_BEND_KMH, _QUICK_STEP = 4, 0.3, 0.5, 0.5  # `may_part`
_NEXT = 3  # readings whose range counts at a junction: one may be garbled


class Series:
    """Columns of equal length; strengths and ranges stay empty where the radar does not give each.

    At most `MAX_READINGS` are kept: a longer series keeps every second one, then every fourth, …
    """

    __slots__ = ("_every", "_skipped", "levels", "ranges", "speeds", "times")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.speeds: list[float] = []
        self.levels: list[float] = []  # ln of the strength
        self.ranges: list[float] = []
        self._every, self._skipped = 1, 0

    def __len__(self) -> int:
        return len(self.times)

    def add(self, reading: Reading) -> bool:
        """Keep a reading; False: it is one of those that are left out."""
        self._skipped += 1
        n = len(self.times)
        if self._skipped < self._every or (n >= _FIRST and reading.t_mono_s - self.times[-1] < _CLOSE_S):
            return False
        self._skipped = 0
        self.times.append(reading.t_mono_s)
        self.speeds.append(reading.speed_kmh)
        if reading.strength is not None and reading.strength > 0.0 and len(self.levels) == n:
            self.levels.append(log(reading.strength))
        else:
            self.levels = []
        if reading.range_m is not None and len(self.ranges) == n:
            self.ranges.append(reading.range_m)
        else:
            self.ranges = []
        self._thin()
        return True

    def merge(self, other: Series) -> None:
        """Take in the readings of another one, in order of time."""
        self.levels = self.levels + other.levels if self.levels and other.levels else []
        self.ranges = self.ranges + other.ranges if self.ranges and other.ranges else []
        self.times += other.times
        self.speeds += other.speeds
        order = sorted(range(len(self.times)), key=self.times.__getitem__)
        self._pick(order)
        self._every = max(self._every, other._every)
        self._thin()

    def cut(self, at: int) -> Series:
        """Give up the readings from this one on, as a series of their own."""
        later = Series()
        later._every = self._every
        later.times, later.speeds = self.times[at:], self.speeds[at:]
        later.levels, later.ranges = self.levels[at:], self.ranges[at:]
        del self.times[at:], self.speeds[at:], self.levels[at:], self.ranges[at:]
        return later

    def _pick(self, which: list[int] | range) -> None:
        self.times = [self.times[i] for i in which]
        self.speeds = [self.speeds[i] for i in which]
        self.levels = [self.levels[i] for i in which] if self.levels else []
        self.ranges = [self.ranges[i] for i in which] if self.ranges else []

    def _thin(self) -> None:
        while len(self.times) > MAX_READINGS:
            self._pick(range(0, len(self.times), 2))
            self._every *= 2

    # ------------------------------------------------------------------ lines through it

    def beginning(self, direction: Direction) -> Line:
        """How it began."""
        return self._run_from(0, direction)

    def end(self, direction: Direction) -> Line:
        """How it stood last."""
        return self._run_to(len(self.times), direction)

    def breach_at(self, cut: int, direction: Direction, noise: Noise) -> float:
        """How far the readings before `cut` and from it on are from being one vehicle's."""
        before, after = self._run_to(cut, direction), self._run_from(cut, direction)
        if before.slope_variance == inf or after.slope_variance == inf:
            return 0.0
        return breach(before, after, direction, noise)

    def may_part(self, cut: int, direction: Direction) -> bool:
        """A quick look whether `breach_at` is worth its while, from the means of four by four readings.

        A jump against the cosine, a bend the wrong way or a step of the strength, each far below what
        parts two vehicles.
        """
        if cut < 2 * _QUICK or cut + 2 * _QUICK > len(self.times):
            return True
        speeds = self.speeds
        one = sum(speeds[cut - 2 * _QUICK : cut - _QUICK])
        two = sum(speeds[cut - _QUICK : cut])
        three = sum(speeds[cut : cut + _QUICK])
        four = sum(speeds[cut + _QUICK : cut + 2 * _QUICK])
        jump = (two - three if direction is Direction.RECEDING else three - two) / _QUICK
        if jump > _QUICK_JUMP_KMH or four - three - two + one > _QUICK * _QUICK_BEND_KMH:
            return True
        if not self.levels:
            return False
        step = sum(self.levels[cut : cut + _QUICK]) - sum(self.levels[cut - _QUICK : cut])
        return abs(step) > _QUICK * _QUICK_STEP

    def worst_breach(self, direction: Direction, noise: Noise, last: int) -> tuple[float, int]:
        """The worst junction among the `last` readings: how bad, and before which reading."""
        worst, where = 0.0, 0
        for cut in range(max(LEAST, len(self.times) - last), len(self.times) - LEAST + 1):
            bad = self.breach_at(cut, direction, noise)
            if bad > worst:
                worst, where = bad, cut
        return worst, where

    def _run_to(self, last: int, direction: Direction) -> Line:
        """The line through the window that ends before `last`, seen from its last reading."""
        times = self.times
        begin_s, first = times[last - 1] - WINDOW_S, max(last - MOST, 0)
        while first < last - LEAST and times[first] <= begin_s:
            first += 1
        while first < last - 1 and times[first] <= begin_s - LONGER_S:
            first += 1
        found = line(times[first:last], self.speeds[first:last], self.levels[first:last], times[last - 1])
        if not self.ranges:
            return found
        return self._ranged(found, range(max(last - _NEXT, first), last), direction)

    def _run_from(self, first: int, direction: Direction) -> Line:
        """The line through the window that begins with `first`, seen from that reading."""
        times = self.times
        end_s, last = times[first] + WINDOW_S, min(first + MOST, len(times))
        while last > first + LEAST and times[last - 1] >= end_s:
            last -= 1
        while last > first + 1 and times[last - 1] >= end_s + LONGER_S:
            last -= 1
        found = line(times[first:last], self.speeds[first:last], self.levels[first:last], times[first])
        if not self.ranges:
            return found
        return self._ranged(found, range(first, min(first + _NEXT, last)), direction)

    def _ranged(self, found: Line, nearest: range, direction: Direction) -> Line:
        way_mps = WAY[direction] * found.speed_kmh / KMH_PER_MPS
        there = median(self.ranges[i] + way_mps * (found.t_s - self.times[i]) for i in nearest)
        return found._replace(range_m=there)
