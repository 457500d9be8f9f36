"""Clock hours or quarter-hours of a period, one after another, with what the intervals in them counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from speedsign.errors import UsageError
from speedsign.model import Interval
from telemetry.period import ENOUGH, Hour, Period
from telemetry.query import BOTH

MINUTES = (15, 60)


@dataclass(slots=True)
class Slot:
    """One of them, or what of it lies in the period; never without a part of an interval that it counts."""

    start_utc: datetime
    end_utc: datetime
    until_utc: datetime  # where the whole one ends
    measured_s: float = 0.0
    intervals: list[Interval] = field(default_factory=list)

    def add(self, interval: Interval) -> None:
        """One that starts in the slot. Counts cannot be cut, so a slot that is cut grows to hold it."""
        end = interval.start_utc + timedelta(seconds=interval.duration_s)
        self.end_utc = max(self.end_utc, min(end, self.until_utc))
        most_s = (self.end_utc - self.start_utc).total_seconds()
        self.measured_s = min(self.measured_s + interval.measured_s, most_s)
        self.intervals.append(interval)

    @property
    def coverage(self) -> float:
        """Measured seconds over seconds, 0 to 1."""
        return min(self.measured_s / (self.end_utc - self.start_utc).total_seconds(), 1.0)

    @property
    def enough(self) -> bool:
        """Whether so much of it was measured that its numbers may be passed on as its own."""
        return self.coverage >= ENOUGH

    def directions(self) -> list[str]:
        """Approaching and receding always, unknown where there was any."""
        found = {cell.direction.value for interval in self.intervals for cell in interval.cells}
        return ["approaching", "receding", *(["unknown"] if "unknown" in found else [])]

    def counts(self, direction: str) -> dict[int, int]:
        """{integer km/h: vehicles} by rising speed."""
        total: dict[int, int] = {}
        for interval in self.intervals:
            for cell in interval.cells:
                if direction in (BOTH, cell.direction.value):
                    for speed, n in cell.counts.items():
                        total[speed] = total.get(speed, 0) + n
        return dict(sorted(total.items()))


def slots(period: Period, minutes: int, intervals: Iterable[Interval]) -> Iterator[Slot]:
    """Every slot of the period's hours, with the intervals that start in it; both in order of time.

    Raises UsageError where an interval is longer than a slot.
    """
    waiting = iter(intervals)
    following = next(waiting, None)
    for hour in period.hours:
        for slot in _parts(hour, minutes, period):
            while following is not None and following.start_utc < slot.end_utc:
                if following.duration_s > 60 * minutes:
                    raise UsageError(
                        f"the intervals are {following.duration_s} s long and cannot be parted into "
                        f"{minutes} minutes; ask for --period 60"
                    )
                if following.start_utc >= slot.start_utc:
                    slot.add(following)
                following = next(waiting, None)
            yield slot


def _parts(hour: Hour, minutes: int, period: Period) -> Iterator[Slot]:
    """Of an hour, what of it lies in the period."""
    step = timedelta(minutes=minutes)
    for number in range(60 // minutes):
        start = max(hour.start_utc + number * step, period.from_utc)
        whole = hour.start_utc + (number + 1) * step
        end = min(whole, period.to_utc)
        if start < end:
            yield Slot(start, end, whole)
