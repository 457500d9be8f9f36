"""What `speedsign watch` knows: the lines of the live socket, folded into what is to be seen now.

Pure. A line that lacks something, as another version's may, changes nothing and breaks nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from speedsign.live.shapes import Line

KEPT = 60  # readings and vehicles; more fit on no screen
KEPT_REASONS = 32
_MOST = 1e12  # nothing that is told is larger
COVERAGE_STATES = 60  # seconds of which coverage is told


class Model:
    """`take` every line; the rest is there to be looked at."""

    def __init__(self, *, own_radar: str = "") -> None:
        self.own_radar = own_radar  # its port, where no sign runs; else empty
        self.hello: Line = {}
        self.state: Line = {}
        self.shown: Line = {}
        self.tracks: list[Mapping[str, Any]] = []
        self.readings: deque[Line] = deque(maxlen=KEPT)  # the newest first
        self.vehicles: deque[Line] = deque(maxlen=KEPT)
        self.rejected: dict[str, int] = {}  # by reason, the newest last
        self.counts: dict[str, int] = {"readings": 0, "rejected": 0, "vehicles": 0, "skipped": 0}
        self.away = False
        self.peak_strength = 0.0
        self._began_s: float | None = None
        self._measured: deque[tuple[float, float]] = deque(maxlen=COVERAGE_STATES)

    def take(self, line: Line) -> None:
        """One line, as it came."""
        if self._began_s is None:
            self._began_s = number(line.get("t_s"))
        take = getattr(self, f"_{line['event']}", None)
        if take is not None:
            take(line)

    def since(self, t_s: object) -> float:
        """Seconds since the watching began."""
        return max((number(t_s) or 0.0) - (self._began_s or 0.0), 0.0)

    @property
    def coverage(self) -> float | None:
        """The share of the last minute in which the radar was measuring; None: not known yet."""
        if len(self._measured) < 2:
            return None
        (first_s, first), (last_s, last) = self._measured[0], self._measured[-1]
        return min(max((last - first) / (last_s - first_s), 0.0), 1.0) if last_s > first_s else None

    # ------------------------------------------------------------------ each kind of line

    def _hello(self, line: Line) -> None:
        self.hello, self.away = line, False
        self.state, self.shown, self.tracks = {}, {}, []
        self._measured.clear()

    def _away(self, _line: Line) -> None:
        self.away = True
        self.shown, self.tracks = {}, []

    def _state(self, line: Line) -> None:
        self.state = line
        t_s, measured_s = number(line.get("t_s")), number(line.get("measured_s"))
        if t_s is not None and measured_s is not None:
            self._measured.append((t_s, measured_s))

    def _shown(self, line: Line) -> None:
        self.shown = line

    def _tracks(self, line: Line) -> None:
        self.tracks = [one for one in listed(line.get("tracks")) if isinstance(one, dict)]

    def _reading(self, line: Line) -> None:
        self.counts["readings"] += 1
        self.readings.appendleft(line)
        self.peak_strength = max(self.peak_strength, number(line.get("strength")) or 0.0)

    def _rejected(self, line: Line) -> None:
        self.counts["rejected"] += 1
        reason = word(line.get("reason"))
        self.rejected[reason] = self.rejected.pop(reason, 0) + 1
        if len(self.rejected) > KEPT_REASONS:
            del self.rejected[next(iter(self.rejected))]

    def _vehicle(self, line: Line) -> None:
        self.counts["vehicles"] += 1
        self.vehicles.appendleft(line)

    def _skipped(self, line: Line) -> None:
        self.counts["skipped"] += int(number(line.get("n")) or 0)


def number(value: object) -> float | None:
    """A number where there is one that can be printed."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_MOST < value < _MOST:
        return None
    return float(value)


def word(value: object) -> str:
    """A word where there is one."""
    return value if isinstance(value, str) else ""


def listed(value: object) -> list[Any]:
    """A list where there is one."""
    return value if isinstance(value, list) else []
