"""From merged counts to the numbers an officer reads.

Counts are {integer km/h: vehicles}. Numbers are computed from counts that were merged first, never from
other numbers: the mean of hourly V85s is about 2 km/h too high, because quiet hours are fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from telemetry.percentiles import Counts, Rule, SpeedClass, classes, mean_sd, percentile
from telemetry.uncertainty import Range, mean_error, mean_range, percentile_error, percentile_range

PERCENTILES = (15, 50, 85, 95)
PACE_WIDTH_KMH = 15
# The steps of the Latvian fines (parkapums.lv); the Lithuanian ones (article 416) end at ">50".
BANDS: tuple[tuple[int, int | None], ...] = (
    *((1, 10), (11, 20), (21, 30), (31, 40), (41, 50), (51, 60), (61, 70)),
    (71, None),
)
LOW, FEW = 100, 30  # fewer vehicles: marked; means and percentiles not shown to people
NONE: Counts = MappingProxyType({})


class Sample(StrEnum):
    """Whether there are enough vehicles (Iowa: at least 50, better 100; Illinois: 100)."""

    OK = "ok"
    LOW = "low"  # fewer than 100: marked
    FEW = "few"  # fewer than 30: people are shown no mean and no percentile


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
    """What `compute` found; None where so few vehicles leave a number undefined. Shares are 0 to 1."""

    n: int
    mean_kmh: float | None
    mean_se_kmh: float | None
    mean_low_kmh: float | None  # of the 95 % range (telemetry.uncertainty)
    mean_high_kmh: float | None
    sd_kmh: float | None
    percentiles_kmh: Mapping[float, float | None]
    percentile_ses_kmh: Mapping[float, float | None]
    percentile_ranges_kmh: Mapping[float, Range]  # 95 %
    max_kmh: int | None  # of vehicles that no flag is against
    suspects: int  # vehicles that a flag is against; in all other numbers
    pace: Pace | None
    pace_share: float | None
    skewness: float | None  # 2 (P93 - P50) / (P93 - P7): 1 is symmetric
    within_limit_share: float | None  # the limit itself included: the key indicator of the EU
    over_limit_share: float | None
    over_limit_10_share: float | None
    over_limit_20_share: float | None
    bands: tuple[Band, ...]
    sample: Sample
    rule: Rule = Rule.GROUPED
    class_width: int = 1


def merge(many: Iterable[Counts]) -> dict[int, int]:
    """The sum of counts, by rising speed; classes without a vehicle are left out."""
    total: dict[int, int] = {}
    for counts in many:
        for speed, n in counts.items():
            total[speed] = total.get(speed, 0) + n
    return {speed: total[speed] for speed in sorted(total) if total[speed]}


def sample_of(n: int) -> Sample:
    if n < FEW:
        return Sample.FEW
    return Sample.LOW if n < LOW else Sample.OK


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


def fastest(counts: Counts, suspects: Counts = NONE) -> int | None:
    """The highest class with a vehicle that no flag is against; None when there is no such vehicle."""
    return max((speed for speed, n in counts.items() if n > suspects.get(speed, 0)), default=None)


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


def merged_bands(found: Sequence[Band], country: str) -> tuple[Band, ...]:
    """As the fines of a country step: for "lt" everything over 50 is one band; others keep all."""
    if country != "lt":
        return tuple(found)
    kept, last = found[:-3], found[-3:]
    total, n = sum(band.n for band in found), sum(band.n for band in last)
    name = f">{BANDS[-3][0] - 1}"
    top = replace(last[-1], name=name, from_kmh=last[0].from_kmh, n=n, share=n / total if total else None)
    return (*kept, top)


def skewness(groups: Sequence[SpeedClass], rule: Rule = Rule.GROUPED) -> float | None:
    """2 (P93 - P50) / (P93 - P7); None without vehicles, or where the two ends are one."""
    low, middle, high = (percentile(groups, percent, rule) for percent in (7, 50, 93))
    if low is None or middle is None or high is None or high <= low:
        return None
    return 2 * (high - middle) / (high - low)


def compute(
    counts: Counts,
    limit_kmh: int,
    *,
    rounds: bool = True,
    percents: Sequence[float] = PERCENTILES,
    suspects: Counts = NONE,
    rule: Rule | str = Rule.GROUPED,
    class_width: int = 1,
) -> Statistics:
    """Every number of one set of counts. No vehicle: None for what is then undefined, never an error.

    `suspects` are those of `counts` that a flag is against; `percents` lie between 0 and 100. Mean, deviation
    and percentiles are of classes `class_width` km/h wide; shares, pace and bands of whole km/h always.
    Raises ValueError for a rule that is not known.
    """
    rule = Rule(rule)
    groups = classes(counts, rounds=rounds, width=class_width)
    n = sum(group.n for group in groups)
    mean_kmh, sd_kmh = mean_sd(groups)
    error_kmh = mean_error(sd_kmh, n)
    mean_low_kmh, mean_high_kmh = mean_range(mean_kmh, error_kmh)
    window = pace(counts)

    def share(part: int) -> float | None:
        return part / n if n else None

    return Statistics(
        n=n,
        mean_kmh=mean_kmh,
        mean_se_kmh=error_kmh,
        mean_low_kmh=mean_low_kmh,
        mean_high_kmh=mean_high_kmh,
        sd_kmh=sd_kmh,
        percentiles_kmh={percent: percentile(groups, percent, rule) for percent in percents},
        percentile_ses_kmh={percent: percentile_error(groups, percent) for percent in percents},
        percentile_ranges_kmh={percent: percentile_range(groups, percent, rule) for percent in percents},
        max_kmh=fastest(counts, suspects),
        suspects=sum(suspects.values()),
        pace=window,
        pace_share=share(window.n) if window else None,
        skewness=skewness(groups, rule),
        within_limit_share=share(n - over(counts, limit_kmh)),
        over_limit_share=share(over(counts, limit_kmh)),
        over_limit_10_share=share(over(counts, limit_kmh + 10)),
        over_limit_20_share=share(over(counts, limit_kmh + 20)),
        bands=bands(counts, limit_kmh),
        sample=sample_of(n),
        rule=rule,
        class_width=class_width,
    )


def method(*, rounds: bool, rule: Rule | str = Rule.GROUPED, class_width: int = 1) -> str:
    """How the numbers were made, in a few sentences, for every report and answer."""
    edges = _edges(class_width, rounds=rounds)
    by = "integer km/h" if class_width == 1 else f"{class_width} km/h"
    how = {
        Rule.GROUPED: f"grouped by {by} with classes {edges}, linear inside the class",
        Rule.VALUE: f"value-plotted: linear between the mid-points of classes {edges}, "
        "each bearing the share up to and with its class",
        Rule.COUNTED: f"counted: the mid-point of the class {edges} that holds the vehicle of rank p·N, "
        "rounded, from the slowest; nothing is interpolated",
    }[Rule(rule)]
    return (
        f"Percentiles are {how}; mean and sd (N-1) are of class mid-points; "
        f"pace is the {PACE_WIDTH_KMH} consecutive integer speeds holding most vehicles, the lowest on ties; "
        "over the limit is strictly more than the limit, in whole km/h. "
        "Ranges are 95 % (mean ± 1.96 standard errors; percentiles by Woodruff) and take vehicles as "
        "independent: how days differ is not in them."
    )


def _edges(width: int, *, rounds: bool) -> str:
    why = "the radar rounds" if rounds else "the radar truncates"
    if width == 1:
        return f"{'[k-0.5, k+0.5)' if rounds else '[k, k+1)'}, {why}"
    first = f"[k-0.5, k+{width - 0.5:g})" if rounds else f"[k, k+{width})"
    return f"{first}, k a multiple of {width}, {why}"
