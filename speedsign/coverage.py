"""How long the radar was really measuring, interval by interval."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from speedsign.dating import Span
from speedsign.model import Coverage

if TYPE_CHECKING:
    from speedsign.ports import Store

log = logging.getLogger(__name__)

INTERVAL_S = 900
TOGETHER_S = 0.01  # stretches that end and begin within so long are one


def interval_start(at_utc: datetime, interval_s: int = INTERVAL_S) -> datetime:
    """The start of the interval that a moment lies in; intervals are aligned to the UTC clock."""
    epoch = int(at_utc.timestamp())
    return datetime.fromtimestamp(epoch - epoch % interval_s, UTC)


class CoverageMeter:
    """Turns the radar's growing total of proved seconds into stretches of boot time.

    They get their times when they are taken, by what was known of the time while they were measured.
    """

    def __init__(self, interval_s: int = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._total_s = 0.0
        self._pending: list[tuple[float, float]] = []  # from, to; boot time

    def update(self, total_s: float, now_s: float) -> None:
        """The radar's total so far; what is new was measured just before now (boot time)."""
        new_s, self._total_s = max(total_s - self._total_s, 0.0), total_s
        if new_s <= 0.0:
            return
        from_s = now_s - new_s
        if self._pending and from_s <= self._pending[-1][1] + TOGETHER_S:
            # One stretch; what overlaps was measured earlier, and proved only now.
            last_from_s, last_to_s = self._pending.pop()
            from_s -= last_to_s - last_from_s
        self._pending.append((from_s, now_s))

    @property
    def is_empty(self) -> bool:
        return not self._pending

    def take(self, span: Span, boot_id: str = "") -> list[Coverage]:
        """What has gathered since the last call, to be stored; all of it was measured in this span."""
        pending, self._pending = self._pending, []
        if not span.known:
            return [
                Coverage(span.utc(from_s), to_s - from_s, span.quality, boot_id, from_s)
                for from_s, to_s in pending
            ]
        sums: dict[datetime, float] = {}
        for from_s, to_s in pending:
            for start, seconds in self._by_interval(span.utc(from_s), span.utc(to_s)):
                sums[start] = sums.get(start, 0.0) + seconds
        return [Coverage(start, seconds, span.quality, boot_id) for start, seconds in sorted(sums.items())]

    def _by_interval(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
        start, step = interval_start(begin, self._interval_s), timedelta(seconds=self._interval_s)
        while start < end:
            yield start, (min(end, start + step) - max(begin, start)).total_seconds()
            start += step


def close_intervals(store: Store, before_utc: datetime, since_utc: datetime | None) -> None:
    """As `Store.close_intervals`, with a line of the log for each."""
    for interval in store.close_intervals(before_utc, since_utc):
        log.info(
            "interval %s: %d vehicles, measured %.0f of %d s",
            interval.start_utc.isoformat(),
            sum(cell.n for cell in interval.cells),
            interval.measured_s,
            interval.duration_s,
        )
