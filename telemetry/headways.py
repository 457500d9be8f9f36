"""Time between vehicles, from the single vehicles that are still kept.

A headway is from front to front: from the first sight of a vehicle to the first sight of the next one of the
same direction. Who follows by 5 s or more drives freely: the speed is that driver's own choice (4 to 8 s
are in use). Vehicles that a flag is against stay in the row, as they stay in every count.

A headway never spans a gap in measuring: every interval from the one vehicle's to the other's was measured
for at least 75 %, with a clock that is vouched for. So the first vehicle after a gap has no headway, and
those of unknown direction have none. Nothing else bounds it: at night an hour without a car is a headway.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from telemetry.percentiles import classes, grouped_percentile
from telemetry.period import ENOUGH, Hour, Period
from telemetry.query import BOTH, Source, reading
from telemetry.rows import from_ms, speed_class, to_ms

FREE_FLOW_S = 5.0
DIRECTIONS = ("approaching", "receding")


class Passage(NamedTuple):
    """A kept vehicle, as far as headways need it."""

    first_ms: int  # since 1970, UTC
    direction: str
    speed_kmh: int  # the class it is counted under


@dataclass(frozen=True, slots=True)
class Headways:
    """Of one direction, or of both with each direction's own headways; None where there is none."""

    vehicles: int  # kept, with a direction and a time
    n: int  # of those with a headway
    median_s: float | None
    free_n: int  # with 5 s or more
    free_share: float | None  # 0 to 1, of n
    free_v85_kmh: float | None  # of free vehicles alone, grouped by integer km/h
    from_utc: datetime | None  # the first kept vehicle's time
    to_utc: datetime | None  # the last one's
    free_flow_s: float = FREE_FLOW_S


def read_headways(source: Source, period: Period) -> dict[str, Headways]:
    """{direction or "both": its headways} in the hours of a period. Blocking. Raises StoreError."""
    standing = period.standing
    rounds = standing.facts.rounds
    bounds = (standing.id, to_ms(period.from_utc), to_ms(period.to_utc))
    with reading(source) as db:
        passages = [
            Passage(first_ms, direction, speed_class(speed_kmh, rounds=rounds))
            for first_ms, direction, speed_kmh in db.execute(
                "SELECT first_ms, direction, speed_kmh FROM vehicle WHERE installation_id = ?"
                " AND last_ms >= ? AND last_ms < ? AND clock != 'unknown' ORDER BY first_ms, id",
                bounds,
            )
        ]
        rows = db.execute(
            "SELECT start_s, duration_s FROM interval WHERE installation_id = ?"
            " AND (start_s + duration_s) * 1000 > ? AND start_s * 1000 < ?"
            " AND clock != 'unknown' AND measured_s >= ? * duration_s ORDER BY start_s",
            (*bounds, ENOUGH),
        ).fetchall()
    stretches = list(measured_stretches((start_s * 1000, duration_s * 1000) for start_s, duration_s in rows))
    return {
        direction: headways(passages, stretches, direction, rounds=rounds, hours=period.hours)
        for direction in (*period.directions(), BOTH)
    }


def measured_stretches(intervals: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Intervals (start, duration) in a row as one stretch (start, end) each; any unit, by rising start."""
    start: int | None = None
    end = 0
    for begin, duration in intervals:
        if start is not None and begin > end:
            yield start, end
            start = None
        if start is None:
            start, end = begin, begin + duration
        end = max(end, begin + duration)
    if start is not None:
        yield start, end


def headways(
    passages: Sequence[Passage],
    stretches: Sequence[tuple[int, int]],
    direction: str = BOTH,
    *,
    rounds: bool,
    hours: Sequence[Hour],
) -> Headways:
    """Of `passages` (by rising time) in `hours`; each of `stretches` (ms) was measured without a gap."""
    wanted = [name for name in DIRECTIONS if direction in (BOTH, name)]
    of_hours = _Spans([_hour_ms(hour) for hour in hours])
    measured = _Spans(stretches)
    kept = [one for one in passages if one.direction in wanted and of_hours.place(one.first_ms) is not None]
    found = [
        pair
        for name in wanted
        for pair in _pairs([one for one in passages if one.direction == name], measured)
        if of_hours.place(pair[1].first_ms) is not None
    ]
    free = [follower for seconds, follower in found if seconds >= FREE_FLOW_S]
    counts: dict[int, int] = {}
    for follower in free:
        counts[follower.speed_kmh] = counts.get(follower.speed_kmh, 0) + 1
    return Headways(
        vehicles=len(kept),
        n=len(found),
        median_s=_median(sorted(seconds for seconds, _ in found)),
        free_n=len(free),
        free_share=len(free) / len(found) if found else None,
        free_v85_kmh=grouped_percentile(classes(counts, rounds=rounds), 85),
        from_utc=from_ms(kept[0].first_ms) if kept else None,
        to_utc=from_ms(kept[-1].first_ms) if kept else None,
    )


def _median(rising: Sequence[float]) -> float | None:
    middle = len(rising) // 2
    if not rising:
        return None
    return rising[middle] if len(rising) % 2 else (rising[middle - 1] + rising[middle]) / 2


class _Spans:
    """Stretches of time (start, end), apart from each other and by rising start."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._spans = spans
        self._starts = [start for start, _ in spans]

    def place(self, at: int) -> int | None:
        """Which of them holds this moment."""
        found = bisect_right(self._starts, at) - 1
        return found if found >= 0 and at < self._spans[found][1] else None


def _hour_ms(hour: Hour) -> tuple[int, int]:
    start_ms = to_ms(hour.start_utc)
    return start_ms, start_ms + 3_600_000


def _pairs(passages: Sequence[Passage], measured: _Spans) -> Iterator[tuple[float, Passage]]:
    """(headway in s, follower) of one direction, wherever one stretch holds both."""
    before: tuple[int | None, Passage] | None = None
    for passage in passages:
        place = measured.place(passage.first_ms)
        if before is not None and place is not None and place == before[0]:
            yield (passage.first_ms - before[1].first_ms) / 1000, passage
        before = place, passage
