"""From merged counts to the numbers an officer reads.

Counts are {integer km/h: vehicles}. Numbers are computed from counts that were merged first, never from
other numbers: the mean of hourly V85s is about 2 km/h too high, because quiet hours are fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from telemetry.percentiles import Counts, classes, grouped_percentile, mean_sd

PERCENTILES = (15, 50, 85, 95)
PACE_WIDTH_KMH = 15
BANDS: tuple[tuple[int, int | None], ...] = ((1, 10), (11, 20), (21, 30), (31, 40), (41, 50), (51, None))


@dataclass(frozen=True, slots=True)
class Pace:
    """The consecutive integer speeds that hold most vehicles, both ends included."""

    low_kmh: int
    high_kmh: int
    n: int


@dataclass(frozen=True, slots=True)
class Band:
    """Vehicles from `from_kmh` to `to_kmh`, both included; None: no upper end."""

    name: str
    from_kmh: int
    to_kmh: int | None
    n: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """What `compute` found; None where so few vehicles leave a number undefined."""

    n: int
    mean_kmh: float | None
    sd_kmh: float | None
    percentiles_kmh: Mapping[float, float | None]
    max_kmh: int | None
    pace: Pace | None
    pace_share: float | None
    over_limit_share: float | None
    over_limit_10_share: float | None
    over_limit_20_share: float | None
    bands: tuple[Band, ...]


def merge(many: Iterable[Counts]) -> dict[int, int]:
    """The sum of counts, by rising speed; classes without a vehicle are left out."""
    total: dict[int, int] = {}
    for counts in many:
        for speed, n in counts.items():
            total[speed] = total.get(speed, 0) + n
    return {speed: total[speed] for speed in sorted(total) if total[speed]}


def pace(counts: Counts, width: int = PACE_WIDTH_KMH) -> Pace | None:
    """The `width` consecutive integer speeds that hold most vehicles, the lowest on ties; never below 0."""
    if not any(counts.values()):
        return None
    best: Pace | None = None
    lowest = min(speed for speed in counts if counts[speed])
    for low in range(max(lowest - width + 1, 0), max(counts) + 1):
        n = sum(counts.get(speed, 0) for speed in range(low, low + width))
        if best is None or n > best.n:
            best = Pace(low, low + width - 1, n)
    return best


def over(counts: Counts, speed_kmh: int) -> int:
    """Vehicles strictly faster than an integer speed."""
    return sum(n for speed, n in counts.items() if speed > speed_kmh)


def bands(counts: Counts, limit_kmh: int) -> tuple[Band, ...]:
    """Within the limit, then 1-10, 11-20 … over it (the steps of the Latvian and Lithuanian fines)."""
    total = sum(counts.values())

    def band(name: str, low: int, high: int | None) -> Band:
        n = sum(n for speed, n in counts.items() if speed >= low and (high is None or speed <= high))
        return Band(name, low, high, n, n / total if total else None)

    found = [band("within limit", 0, limit_kmh)]
    for low, high in BANDS:
        name = f">{low - 1}" if high is None else f"{low}-{high}"
        found.append(band(name, limit_kmh + low, None if high is None else limit_kmh + high))
    return tuple(found)


def compute(
    counts: Counts, limit_kmh: int, *, rounds: bool = True, percents: Sequence[float] = PERCENTILES
) -> Statistics:
    """Every number of one set of counts. No vehicle: None for what is then undefined, never an error."""
    groups = classes(counts, rounds=rounds)
    n = sum(group.n for group in groups)
    mean_kmh, sd_kmh = mean_sd(groups)
    window = pace(counts)

    def share(part: int) -> float | None:
        return part / n if n else None

    return Statistics(
        n=n,
        mean_kmh=mean_kmh,
        sd_kmh=sd_kmh,
        percentiles_kmh={percent: grouped_percentile(groups, percent) for percent in percents},
        max_kmh=max((speed for speed in counts if counts[speed]), default=None),
        pace=window,
        pace_share=share(window.n) if window else None,
        over_limit_share=share(over(counts, limit_kmh)),
        over_limit_10_share=share(over(counts, limit_kmh + 10)),
        over_limit_20_share=share(over(counts, limit_kmh + 20)),
        bands=bands(counts, limit_kmh),
    )


def method(*, rounds: bool) -> str:
    """One sentence that says how the numbers were made, for every report and answer."""
    edges = "[k-0.5, k+0.5), the radar rounds" if rounds else "[k, k+1), the radar truncates"
    return (
        f"Percentiles are grouped by integer km/h with classes {edges}, linear inside the class; "
        "mean and sd (N-1) are of class mid-points; "
        f"pace is the {PACE_WIDTH_KMH} consecutive integer speeds holding most vehicles, the lowest on ties; "
        "over the limit is strictly more than the limit, in whole km/h."
    )


def summarise(
    direction: str,
    counts: Counts,
    *,
    from_utc: datetime,
    to_utc: datetime,
    timezone: str,
    limit_kmh: int,
    measured_s: float,
    rounds: bool = True,
) -> dict[str, object]:
    """One direction (or "both") over a period; speeds km/h, shares and coverage 0 to 1, times ISO 8601 local.

    `measured_s` is the time for which the radar was proved to be measuring inside the period.
    """
    zone = ZoneInfo(timezone)
    found = compute(counts, limit_kmh, rounds=rounds)
    return {
        "direction": direction,
        "from": from_utc.astimezone(zone).isoformat(),
        "to": to_utc.astimezone(zone).isoformat(),
        "timezone": timezone,
        "limit_kmh": limit_kmh,
        **_numbers(found),
        "bands": [
            {"band": b.name, "from_kmh": b.from_kmh, "to_kmh": b.to_kmh, "n": b.n, "share": _tidy(b.share)}
            for b in found.bands
        ],
        "coverage": coverage(measured_s, from_utc, to_utc),
        "method": method(rounds=rounds),
    }


def _numbers(found: Statistics) -> dict[str, object]:
    return {
        "n": found.n,
        "mean_kmh": _tidy(found.mean_kmh),
        "sd_kmh": _tidy(found.sd_kmh),
        **{f"v{percent:g}_kmh": _tidy(speed) for percent, speed in found.percentiles_kmh.items()},
        "max_kmh": found.max_kmh,
        "pace_low_kmh": found.pace.low_kmh if found.pace else None,
        "pace_high_kmh": found.pace.high_kmh if found.pace else None,
        "pace_share": _tidy(found.pace_share),
        "over_limit_share": _tidy(found.over_limit_share),
        "over_limit_10_share": _tidy(found.over_limit_10_share),
        "over_limit_20_share": _tidy(found.over_limit_20_share),
    }


def coverage(measured_s: float, from_utc: datetime, to_utc: datetime) -> float | None:
    """Measured seconds over the seconds of the period, 0 to 1; None for a period without a second."""
    period_s = (to_utc - from_utc).total_seconds()
    if period_s <= 0:
        return None
    return round(min(max(measured_s / period_s, 0.0), 1.0), 6)


def _tidy(value: float | None) -> float | None:
    """Six decimals: the digits after them are the machine's, not the road's."""
    return None if value is None else round(value, 6)
