"""How far the numbers of a period may be believed, counted; `telemetry.report` says it in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive hours that were measured less than 75 %, from first start to last end."""

    from_utc: datetime
    to_utc: datetime
    measured_s: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Of a whole period."""

    coverage: float  # 0 to 1
    measured_s: float
    assumed: bool  # imported: coverage is what the importer was told, not what a radar proved
    hours: int  # clock hours of the period, whole or cut
    hours_left_out: int  # measured less than 75 %: marked, and in no mean
    days: int
    complete_days: int
    gaps: Sequence[Gap]
    undated: int  # vehicles whose time nobody vouches for: in totals, in no hour or day
    suspect: int  # vehicles that a flag is against: counted, never the maximum
    scaled: int  # vehicles whose speed could only be scaled when the mounting angle was corrected
    no_direction: int  # vehicles of unknown direction: in "both" alone
    fault: int  # vehicles that passed while the panel was not under control
