"""What residents may be told: whole hours and more, and no count of fewer than five vehicles.

A vehicle that is told by its hour and speed, on a lane that three households use, is a person. So every count
is part of a list that adds up to the total (bands, directions, hours, days), and of each list

- a count below five is hidden, zero as well;
- while what is hidden adds up to one to four vehicles, which the total would give away, the smallest count
  that is still shown is hidden too. Both bear the same mark.

Lists are never crossed (no bands by direction, no hours by weekday, no speeds by hour or day), and shares,
means and charts are made from what is shown alone. No fastest vehicle, no busiest hour, no hours to patrol.
Reports of periods that overlap can be subtracted from each other: publish periods that do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from speedsign.errors import UsageError
from telemetry.local_time import HOUR
from telemetry.period import Period
from telemetry.query import BOTH
from telemetry.report.facts import Facts, Side
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
    """Without the parts of hours at its ends; UsageError when nothing is left."""
    whole = [hour for hour in period.hours if hour.whole]
    if not whole:
        raise UsageError("a public report has whole hours only; give a period with at least one")
    return replace(period, hours=whole, from_utc=whole[0].start_utc, to_utc=whole[-1].start_utc + HOUR)


def hidden(counts: Sequence[int], total: int) -> list[int | None]:
    """The counts that may be shown beside their total; `total` may hold more than them.

    >>> hidden([100, 3, 40, 7], 150)
    [100, None, 40, None]
    >>> hidden([100, 3, 2, 40], 145)
    [100, None, None, 40]
    """
    shown: dict[int, int] = {place: n for place, n in enumerate(counts) if n >= FEWEST}
    while shown and 0 < total - sum(shown.values()) < FEWEST:
        del shown[min(shown, key=lambda place: (shown[place], -place))]
    return [shown.get(place) for place in range(len(counts))]


def publish(facts: Facts) -> PublicFacts:
    """From the facts of whole hours to what residents may have of them."""
    main = facts.main
    total = main.statistics.n
    bands = bands_of(main, facts)
    by_band = hidden([band.n for band in bands], total)
    spans = hidden([span.n for span in facts.spans], total)
    within, first = by_band[0], by_band[1]
    found = main.statistics
    enough = total >= FEW
    return PublicFacts(
        facts=facts,
        n=total if total >= FEWEST else None,
        adt=_whole(main.volume.adt) if None not in spans and _adt_tells_no_rest(main, total) else None,
        v85_kmh=_whole(found.percentiles_kmh[85]) if enough else None,
        mean_kmh=_whole(found.mean_kmh) if enough else None,
        within_share=found.within_limit_share if enough and within is not None else None,
        over_share=found.over_limit_share if enough and within is not None else None,
        over_10_share=found.over_limit_10_share if enough and None not in (within, first) else None,
        bands=tuple(zip(bands, by_band, strict=True)),
        directions=_directions(facts),
        by_hour=_by_hour(facts),
        spans=tuple(zip(facts.spans, spans, strict=True)),
    )


def _adt_tells_no_rest(main: Side, total: int) -> bool:
    """Vehicles of complete days subtracted from all: none of those few that passed on other days."""
    rest = total - round((main.volume.adt or 0.0) * main.volume.complete_days)
    return not 0 < rest < FEWEST


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _directions(facts: Facts) -> tuple[tuple[str, int | None], ...]:
    if facts.focus != BOTH:
        return ()
    sides = [side for side in facts.sides if side.direction != BOTH]
    counts = hidden([side.statistics.n for side in sides], facts.main.statistics.n)
    return tuple((side.direction, n) for side, n in zip(sides, counts, strict=True))


def _by_hour(facts: Facts) -> tuple[tuple[int, float | None], ...]:
    """Means of hours whose vehicles may be counted: of one day, a mean is a count."""
    counts = hidden([slot.n for slot in facts.by_hour], facts.main.statistics.n)
    return tuple(
        (slot.hour, slot.mean if n is not None else None)
        for slot, n in zip(facts.by_hour, counts, strict=True)
    )
