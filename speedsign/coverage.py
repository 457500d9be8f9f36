"""How long the radar was really measuring, interval by interval."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from speedsign.model import ClockQuality, Coverage

if TYPE_CHECKING:
    from speedsign.ports import Store

log = logging.getLogger(__name__)

INTERVAL_S = 900


def interval_start(at_utc: datetime, interval_s: int = INTERVAL_S) -> datetime:
    """The start of the interval that a moment lies in; intervals are aligned to the UTC clock."""
    epoch = int(at_utc.timestamp())
    return datetime.fromtimestamp(epoch - epoch % interval_s, UTC)


class CoverageMeter:
    """Turns the radar's growing total of proved seconds into seconds for each interval."""

    def __init__(self, interval_s: int = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._total_s = 0.0
        self._pending: dict[datetime, float] = {}

    def update(self, total_s: float, now_utc: datetime) -> None:
        """The radar's total so far; what is new was measured just before now, also across a boundary."""
        new_s, self._total_s = max(total_s - self._total_s, 0.0), total_s
        start = interval_start(now_utc, self._interval_s)
        while new_s > 0.0:
            inside_s = min((now_utc - start).total_seconds(), new_s)
            if inside_s > 0.0:
                self._pending[start] = self._pending.get(start, 0.0) + inside_s
            new_s -= inside_s
            now_utc, start = start, start - timedelta(seconds=self._interval_s)

    @property
    def is_empty(self) -> bool:
        return not self._pending

    def take(self, clock: ClockQuality) -> list[Coverage]:
        """What has gathered since the last call, to be stored."""
        pending, self._pending = self._pending, {}
        return [Coverage(start, seconds, clock) for start, seconds in sorted(pending.items())]


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
