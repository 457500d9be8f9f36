"""How far single readings of one vehicle lie off on this sensor: learnt from what it says.

Sensors, and the ways they are mounted, differ tenfold in it. What a reading differs by from the one before is
mostly noise, now and then another vehicle: the median of the differences does not mind those.
"""

from __future__ import annotations

from math import log

from speedsign.model import Direction, Reading

_NEXT_S = 0.35  # readings of one vehicle, one after the other
_STEP = 0.04  # how fast the median is followed: some fifty readings
_DEVIATIONS = 1.05  # from the median difference of two to the standard deviation of one
_EQUAL_KMH = 0.02
_SPEED_KMH, _LEAST_KMH, _MOST_KMH = 0.3, 0.1, 1.5
_LEVEL, _LEAST_LEVEL, _MOST_LEVEL = 0.2, 0.05, 0.8


class Noise:
    """Standard deviations: `speed_kmh`, and `level` of the logarithm of the strength."""

    __slots__ = ("_last", "_same", "_step_kmh", "level", "speed_kmh")

    def __init__(self, speed_kmh: float = _SPEED_KMH, level: float = _LEVEL) -> None:
        self.speed_kmh, self.level = speed_kmh, level
        self._last: dict[Direction, Reading] = {}
        self._same = 0.0  # share of readings that repeat the one before
        self._step_kmh = 0.1  # how far the others differ

    @property
    def step_kmh(self) -> float:
        """The steps in which a coarse sensor tells a speed, as far as they are not drowned in its noise."""
        return self._step_kmh * min(2.0 * self._same, 1.0)

    def learn(self, reading: Reading) -> None:
        """Take the strongest reading of a report."""
        before = self._last.get(reading.direction)
        self._last[reading.direction] = reading
        if before is None or not 0.0 < reading.t_mono_s - before.t_mono_s < _NEXT_S:
            return
        differs = abs(reading.speed_kmh - before.speed_kmh)
        self._same += _STEP * ((differs < _EQUAL_KMH) - self._same)
        if differs >= _EQUAL_KMH:
            self._step_kmh = _towards(self._step_kmh, differs, _EQUAL_KMH, _MOST_KMH)
        differs *= _DEVIATIONS
        self.speed_kmh = _towards(self.speed_kmh, differs, _LEAST_KMH, _MOST_KMH)
        if reading.strength and before.strength:
            differs = abs(log(reading.strength / before.strength)) * _DEVIATIONS
            self.level = _towards(self.level, differs, _LEAST_LEVEL, _MOST_LEVEL)


def _towards(median: float, value: float, least: float, most: float) -> float:
    """A median that is followed: a step up for what lies above, a step down for what lies below."""
    return min(median * (1 + _STEP), most) if value > median else max(median * (1 - _STEP), least)
