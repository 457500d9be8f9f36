"""What the charts are drawn from. None: not measured, or too little to be shown."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry.report.document import Kind


@dataclass(frozen=True, slots=True)
class HourPoint:
    """An hour of the day, 0 to 23."""

    hour: int
    mean: float | None  # vehicles an hour
    over_share: float | None  # over the limit, 0 to 1
    v85: float | None = None  # km/h


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A day, week or month; `label` is short: "04.05.", "19", "2026-05"."""

    label: str
    n: float | None  # vehicles
    v85: float | None  # km/h
    coverage: float | None  # measured time over time, 0 to 1
    complete: bool  # False: measured in part, drawn hollow


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A figure before and after; `low` to `high` is the range of after - before, None: not known.

    `unit` says what it is: Kind.CHANGE km/h, Kind.POINTS shares of 0 to 1, Kind.MEAN vehicles an hour.
    """

    label: str
    before: float | None
    after: float | None
    low: float | None
    high: float | None
    unit: Kind
