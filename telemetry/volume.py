"""How many vehicles: by day, by hour, at the peak. Only hours and days that were measured stand in a mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HourMean:
    """An hour of the day or of the week, over the whole hours that were measured enough."""

    hours: int  # that went into it
    n: int  # vehicles in those
    mean: float | None  # vehicles an hour; None: never measured
    left_out: int  # hours of it that were measured too little


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest clock hour and its peak hour factor, PHF = V60 / (4 * the busiest clock quarter of it)."""

    start: datetime  # local
    n: int
    phf: float | None  # None: no vehicle, or intervals longer than a quarter of an hour


@dataclass(frozen=True, slots=True)
class Volume:
    """Of one direction or both. ADT: vehicles of complete days over complete days; never scaled up."""

    adt: float | None
    complete_days: int
    weekday_mean: float | None  # Monday to Friday, public holidays too
    weekdays: int
    weekend_mean: float | None
    weekend_days: int
    by_hour: Mapping[int, HourMean]  # 0 to 23
    by_hour_of_week: Mapping[tuple[int, int], HourMean]  # (0 Monday to 6, 0 to 23)
    peak_hour: int | None  # hour of the day with the highest mean on weekdays (Mon-Fri)
    busiest: Peak | None  # the busiest hour of all that were measured enough
