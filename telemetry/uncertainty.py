"""How far a mean or a percentile of n vehicles could be from that of the road: standard errors and ranges.

They take vehicles as independent of each other. Vehicles of one day are not (weather, road works, a
column behind a tractor), so these ranges hold for the traffic of the measured days alone; whether two
periods differ is a question for `speedsign compare`, which takes days.

The mean's is s/√n. A percentile's is √(p(1-p)/n)/f, with f the share of vehicles per km/h at it (Cramér's;
FHWA-HRT-05-042, appendix F). Its range is Woodruff's: the percentiles at p ± 1.96·√(p(1-p)/n).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from telemetry.percentiles import Rule, SpeedClass, class_at, percentile

Z_95 = 1.96
Range = tuple[float | None, float | None]


def mean_error(sd_kmh: float | None, n: int) -> float | None:
    """Standard error of the mean; None for fewer than two vehicles."""
    return None if sd_kmh is None or n < 2 else sd_kmh / math.sqrt(n)


def mean_range(mean_kmh: float | None, error_kmh: float | None) -> Range:
    """The 95 % range of a mean."""
    if mean_kmh is None or error_kmh is None:
        return None, None
    return mean_kmh - Z_95 * error_kmh, mean_kmh + Z_95 * error_kmh


def percentile_error(groups: Sequence[SpeedClass], percent: float) -> float | None:
    """Standard error of a percentile by the density of the class it falls in; None without vehicles."""
    n = sum(group.n for group in groups)
    at = class_at(groups, percent)
    if at is None:
        return None
    return _share_error(percent, n) / (at.n / (n * at.width))


def percentile_range(groups: Sequence[SpeedClass], percent: float, rule: Rule = Rule.GROUPED) -> Range:
    """The 95 % range of a percentile, by the same rule as the percentile itself."""
    n = sum(group.n for group in groups)
    if n == 0:
        return None, None
    more = 100 * Z_95 * _share_error(percent, n)
    return (
        percentile(groups, max(percent - more, 0.0), rule),
        percentile(groups, min(percent + more, 100.0), rule),
    )


def _share_error(percent: float, n: int) -> float:
    share = percent / 100
    return math.sqrt(share * (1 - share) / n)
