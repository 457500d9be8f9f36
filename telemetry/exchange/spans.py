"""From when to when something is exported, and how far back single vehicles go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from telemetry.local_time import HOUR
from telemetry.period import Period
from telemetry.query import Standing, reading
from telemetry.rows import from_ms


def spans_of(period: Period) -> list[tuple[datetime, datetime]]:
    """The whole period, or the stretches of hours that are left of it."""
    if not period.narrowed:
        return [(period.from_utc, period.to_utc)]
    return list(_joined(period))


def _joined(period: Period) -> Iterator[tuple[datetime, datetime]]:
    begin = end = None
    for hour in period.hours:
        start = max(hour.start_utc, period.from_utc)
        if begin is not None and end is not None and start != end:
            yield begin, end
            begin = None
        begin = begin or start
        end = min(hour.start_utc + HOUR, period.to_utc)
    if begin is not None and end is not None:
        yield begin, end


def kept_from(path: Path, standing: Standing) -> datetime | None:
    """When the first single vehicle of an installation passed that is still kept."""
    with reading(path) as db:
        first_ms = db.execute(
            "SELECT min(last_ms) FROM vehicle WHERE installation_id = ?", (standing.id,)
        ).fetchone()[0]
    return None if first_ms is None else from_ms(first_ms)
