"""From when to when something is exported, and how far back single vehicles go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from telemetry.local_time import HOUR
from telemetry.period import Period
from telemetry.query import Standing, reading
from telemetry.rows import from_ms

Span = tuple[datetime, datetime]  # from, to; UTC
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_ANY, _DATED, _UNDATED = "TRUE", "clock != 'unknown'", "clock = 'unknown'"  # of a row, as SQL


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported of an installation, by time and by how far its clock may be believed."""

    spans: tuple[Span, ...]
    undated: bool = True  # False: nobody vouches for it, so it belongs to none of these hours
    ever: bool = False  # what is undated is wanted whatever time it was given

    def stretches(self) -> Iterator[tuple[datetime, datetime, str]]:
        """From, to, and which rows of them (a condition of SQL about `clock`), by time."""
        if self.ever and self.spans:
            yield _FIRST, self.spans[0][0], _UNDATED
        for start, end in self.spans:
            yield start, end, _ANY if self.undated else _DATED
        if self.ever and self.spans:
            yield self.spans[-1][1], _LAST, _UNDATED

    def only_dated(self) -> Wanted:
        return replace(self, undated=False, ever=False)


def wanted_of(period: Period) -> Wanted:
    """The whole period, or the stretches of hours that are left of it; who asks for hours trusts clocks."""
    if not period.narrowed:
        return Wanted(((period.from_utc, period.to_utc),), ever=period.ever)
    return Wanted(tuple(_joined(period)), undated=False)


def _joined(period: Period) -> Iterator[Span]:
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
            f"SELECT coalesce(min(last_ms) FILTER (WHERE {_DATED}), min(last_ms)) FROM vehicle"  # noqa: S608
            " WHERE installation_id = ?",
            (standing.id,),
        ).fetchone()[0]
    return None if first_ms is None else from_ms(first_ms)
