"""What residents may be told: whole hours and more, and no count of fewer than five vehicles.

A vehicle that is told by its hour and speed, on a lane that three households use, is a person. So every count
is part of a list (bands, directions, hours, days), and of each list

- a count below five is hidden, zero as well;
- where those that are hidden add up to one to four vehicles, or to four each, their sum tells too much: then
  the nearest count before the first of them that is still shown is hidden too (without one, the nearest
  after it). By its place, never by its size: whoever knows this rule learns nothing about what is hidden.

Lists do not hold the same vehicles: those whose clock nobody vouches for are in no hour and day, and those of
hours that were measured too little are in no hour of the day. What is left of a total that one list tells is
known to who reads another, so a list is judged by its own sum, not only by that of the report, and one to
four vehicles that are in one list and not in another count as one more hidden count of the other.

Lists are never crossed (no bands by direction, no hours by weekday, no speeds by hour or day), and shares,
means and charts are made from what is shown alone. No fastest vehicle, no busiest hour, no hours to patrol.
Reports of periods that overlap, or of each direction alone, can be subtracted from each other: publish one
report of a period, and periods that do not overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from speedsign.errors import UsageError
from telemetry.local_time import HOUR
from telemetry.period import Period
from telemetry.query import BOTH
from telemetry.report.facts import Facts
from telemetry.report.spans import Span
from telemetry.report.tables import bands_of
from telemetry.statistics import FEW, Band

FEWEST = 5


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What is left of the facts; None: hidden, or not known. Counts stand beside what they count."""

    facts: Facts  # for names and bounds; its numbers are not for residents
    n: int | None
    adt: int | None
    v85_kmh: int | None
    mean_kmh: int | None
    within_share: float | None
    over_share: float | None
    over_10_share: float | None
    bands: tuple[tuple[Band, int | None], ...]
    directions: tuple[tuple[str, int | None], ...]  # none where the report is of one direction
    by_hour: tuple[tuple[int, float | None], ...]  # vehicles an hour
    spans: tuple[tuple[Span, int | None], ...]


def whole_hours(period: Period) -> Period:
    """Without the parts of hours at its ends; UsageError when nothing is left of what there was."""
    if not period.hours:  # a sign that never measured: the report says so
        return period
    whole = [hour for hour in period.hours if hour.whole]
    if not whole:
        raise UsageError("a public report has whole hours only; give a period with at least one")
    return replace(period, hours=whole, from_utc=whole[0].start_utc, to_utc=whole[-1].start_utc + HOUR)


def hidden(counts: Sequence[int], total: int) -> list[int | None]:
    """The counts that may be shown where their sum is known; `total` may be one to four more: so many
    vehicles are in no count of the list, and nobody may find that out either.

    >>> hidden([100, 3, 40, 7], 150)
    [None, None, 40, 7]
    >>> hidden([100, 3, 2, 40], 145)
    [100, None, None, 40]
    """
    shown: dict[int, int] = {place: n for place, n in enumerate(counts) if n >= FEWEST}
    small = [n for n in counts if n < FEWEST]
    rest = total - sum(counts)
    more = [rest] if 0 < rest < FEWEST else []
    if shown and (_tells(small) or _tells([*small, *more])):
        first = next((place for place, n in enumerate(counts) if n < FEWEST), len(counts))
        del shown[max((place for place in shown if place < first), default=min(shown))]
    return [shown.get(place) for place in range(len(counts))]


def _tells(small: Sequence[int]) -> bool:
    """Whether the sum of counts of zero to four says too much about them."""
    most = (FEWEST - 1) * len(small)
    return bool(small) and (0 < sum(small) < FEWEST or sum(small) == most)


def publish(facts: Facts) -> PublicFacts:
    """From the facts of whole hours to what residents may have of them."""
    main = facts.main
    total = main.statistics.n
    bands = bands_of(main, facts)
    by_band = hidden([band.n for band in bands], total)
    spans = _spans(facts)
    within, first = by_band[0], by_band[1]
    found = main.statistics
    enough = total >= FEW
    return PublicFacts(
        facts=facts,
        n=total if total >= FEWEST else None,
        adt=_whole(main.volume.adt) if _all_shown(spans) and _adt_tells_no_rest(facts) else None,
        v85_kmh=_whole(found.percentiles_kmh[85]) if enough else None,
        mean_kmh=_whole(found.mean_kmh) if enough else None,
        within_share=found.within_limit_share if enough and within is not None else None,
        over_share=found.over_limit_share if enough and within is not None else None,
        over_10_share=found.over_limit_10_share if enough and None not in (within, first) else None,
        bands=tuple(zip(bands, by_band, strict=True)),
        directions=_directions(facts),
        by_hour=_by_hour(facts),
        spans=spans,
    )


def _dated(facts: Facts) -> int:
    """Vehicles that are in a day."""
    return sum(span.n for span in facts.spans)


def _timed(facts: Facts) -> int:
    """Vehicles that are in an hour of the day."""
    return sum(slot.n for slot in facts.by_hour)


def _spans(facts: Facts) -> tuple[tuple[Span, int | None], ...]:
    """One in which nothing was measured is no count: everybody knows that it is empty."""
    counted = [span for span in facts.spans if span.measured]
    shown = dict(zip(counted, hidden([span.n for span in counted], facts.main.statistics.n), strict=True))
    return tuple((span, shown.get(span)) for span in facts.spans)


def _all_shown(spans: Sequence[tuple[Span, int | None]]) -> bool:
    return all(n is not None or not span.measured for span, n in spans)


def _adt_tells_no_rest(facts: Facts) -> bool:
    """Vehicles of complete days subtracted from others: none of those few that passed on other days."""
    volume = facts.main.volume
    complete = round((volume.adt or 0.0) * volume.complete_days)
    wholes = (facts.main.statistics.n, _dated(facts), _timed(facts))
    return all(not 0 < abs(whole - complete) < FEWEST for whole in wholes)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _directions(facts: Facts) -> tuple[tuple[str, int | None], ...]:
    if facts.focus != BOTH:
        return ()
    sides = [side for side in facts.sides if side.direction != BOTH]
    counts = hidden([side.statistics.n for side in sides], facts.main.statistics.n)
    return tuple((side.direction, n) for side, n in zip(sides, counts, strict=True))


def _by_hour(facts: Facts) -> tuple[tuple[int, float | None], ...]:
    """Means of hours whose vehicles may be counted: a mean times its hours is a count."""
    measured = [slot for slot in facts.by_hour if slot.hours]
    timed = _timed(facts)
    # In no hour of the day: those of hours that were measured too little, then those without a clock as well.
    lost = (_dated(facts) - timed, facts.main.statistics.n - timed)
    few = next((n for n in lost if 0 < n < FEWEST), 0)
    counts = hidden([slot.n for slot in measured], timed + few)
    shown = {slot.hour for slot, n in zip(measured, counts, strict=True) if n is not None}
    return tuple((slot.hour, slot.mean if slot.hour in shown else None) for slot in facts.by_hour)
