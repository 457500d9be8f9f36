"""Time between vehicles, from the single vehicles that are still kept.

A headway is from front to front: from the first sight of a vehicle to the first sight of the next one of the
same direction. Who follows by 5 s or more drives freely: the speed is that driver's own choice (4 to 8 s
are in use). Vehicles that a flag is against stay in the row, as they stay in every count.

A headway never spans a gap in measuring: every interval from the one vehicle's to the other's was measured
for at least 75 %, with a clock that is vouched for. So the first vehicle after a gap has no headway, and
those of unknown direction have none. Nothing else bounds it: at night an hour without a car is a headway.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
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
    """{direction or "both": its headways} in the hours of a period. Blocking. Raises StoreError.

    Vehicles are read one by one and not kept: a year of imported ones is some millions.
    """
    standing = period.standing
    rounds = standing.facts.rounds
    bounds = (standing.id, to_ms(period.from_utc), to_ms(period.to_utc))
    with reading(source) as db:
        rows = db.execute(
            "SELECT start_s, duration_s FROM interval WHERE installation_id = ?"
            " AND (start_s + duration_s) * 1000 > ? AND start_s * 1000 < ?"
            " AND clock != 'unknown' AND NOT stepped AND measured_s >= ? * duration_s ORDER BY start_s",
            (*bounds, ENOUGH),
        ).fetchall()
        stretches = list(
            measured_stretches((start_s * 1000, duration_s * 1000) for start_s, duration_s in rows)
        )
        vehicles = db.cursor()
        vehicles.row_factory = None
        passages = vehicles.execute(
            "SELECT first_ms, direction, speed_kmh FROM vehicle WHERE installation_id = ?"
            " AND last_ms >= ? AND last_ms < ? AND clock != 'unknown' ORDER BY first_ms, id",
            bounds,
        )
        tallies = _tallies(
            (Passage(first_ms, way, speed_class(kmh, rounds=rounds)) for first_ms, way, kmh in passages),
            stretches,
            period.hours,
        )
    return {
        direction: _headways([tallies[name] for name in _wanted(direction)], rounds=rounds)
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
    passages: Iterable[Passage],
    stretches: Sequence[tuple[int, int]],
    direction: str = BOTH,
    *,
    rounds: bool,
    hours: Sequence[Hour],
) -> Headways:
    """Of `passages` (by rising time) in `hours`; each of `stretches` (ms) was measured without a gap."""
    tallies = _tallies(passages, stretches, hours)
    return _headways([tallies[name] for name in _wanted(direction)], rounds=rounds)


def _wanted(direction: str) -> list[str]:
    return [name for name in DIRECTIONS if direction in (BOTH, name)]


class _Tally:
    """One direction: what is left of each vehicle once the next one was seen."""

    def __init__(self) -> None:
        self.first_ms: int | None = None
        self.last_ms = 0
        self.kept = 0
        self.gaps_ms = array("q")  # eight bytes a headway
        self.free: dict[int, int] = {}  # km/h -> vehicles that follow freely
        self._stretch: int | None = None
        self._before_ms = 0

    def add(self, passage: Passage, stretch: int | None, *, inside: bool) -> None:
        """By rising time. `inside`: in the hours that were asked for."""
        gap_ms = passage.first_ms - self._before_ms
        follows = stretch is not None and stretch == self._stretch
        self._stretch, self._before_ms = stretch, passage.first_ms
        if not inside:
            return
        self.first_ms = passage.first_ms if self.first_ms is None else self.first_ms
        self.last_ms = passage.first_ms
        self.kept += 1
        if follows:
            self.gaps_ms.append(gap_ms)
            if gap_ms >= FREE_FLOW_S * 1000:
                self.free[passage.speed_kmh] = self.free.get(passage.speed_kmh, 0) + 1


def _tallies(
    passages: Iterable[Passage], stretches: Sequence[tuple[int, int]], hours: Sequence[Hour]
) -> dict[str, _Tally]:
    measured, asked = _Spans(stretches), _Spans([_hour_ms(hour) for hour in hours])
    tallies = {name: _Tally() for name in DIRECTIONS}
    for passage in passages:
        tally = tallies.get(passage.direction)
        if tally is not None:
            inside = asked.place(passage.first_ms) is not None
            tally.add(passage, measured.place(passage.first_ms), inside=inside)
    return tallies


def _headways(tallies: Sequence[_Tally], *, rounds: bool) -> Headways:
    gaps_ms = array("q", sorted(chain.from_iterable(tally.gaps_ms for tally in tallies)))
    counts: dict[int, int] = {}
    for tally in tallies:
        for speed, n in tally.free.items():
            counts[speed] = counts.get(speed, 0) + n
    free_n, n = sum(counts.values()), len(gaps_ms)
    seen = [tally for tally in tallies if tally.first_ms is not None]
    return Headways(
        vehicles=sum(tally.kept for tally in tallies),
        n=n,
        median_s=_median(gaps_ms),
        free_n=free_n,
        free_share=free_n / n if n else None,
        free_v85_kmh=grouped_percentile(classes(counts, rounds=rounds), 85),
        from_utc=from_ms(min(tally.first_ms or 0 for tally in seen)) if seen else None,
        to_utc=from_ms(max(tally.last_ms for tally in seen)) if seen else None,
    )


def _median(rising_ms: Sequence[int]) -> float | None:
    middle = len(rising_ms) // 2
    if not rising_ms:
        return None
    if len(rising_ms) % 2:
        return rising_ms[middle] / 1000
    return (rising_ms[middle - 1] + rising_ms[middle]) / 2000


class _Spans:
    """Stretches of time (start, end), apart from each other and by rising start."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._spans = spans
        self._next = 0  # whose start lies ahead

    def place(self, at: int) -> int | None:
        """Which of them holds this moment; asked by rising time."""
        while self._next < len(self._spans) and self._spans[self._next][0] <= at:
            self._next += 1
        found = self._next - 1
        return found if found >= 0 and at < self._spans[found][1] else None


def _hour_ms(hour: Hour) -> tuple[int, int]:
    start_ms = to_ms(hour.start_utc)
    return start_ms, start_ms + 3_600_000
