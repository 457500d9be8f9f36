"""A vehicle of known speed drives past a few times: does the sign measure right?

Two models of measured over reference speed: a factor through zero, which is what a wrong angle, a wrong unit
or a wrong carrier makes, and a factor with an offset. Least squares with intervals by Student's t. What the
reference itself may be off is the same in all runs (one tachograph, one tyre): it widens the intervals and
no number of runs makes it smaller.

The verdict asks about the sign's mean error at the speeds that were driven, against +-1 km/h up to 50 and
+-2 % above: *within* when the whole interval lies inside, *outside* when it lies outside, else not yet
known. Where the offset is clearly not zero, the error is that of factor and offset together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import hypot, inf, isfinite, sqrt
from statistics import fmean
from typing import NamedTuple

from speedsign.calibration.student import quantile

CONFIDENCE = 0.95
LEAST_RUNS, LEAST_RUNS_OFFSET = 3, 4
MOST_RUNS = 60  # more are not asked for: something else is wrong then
TOLERANCE_KMH, TOLERANCE_PART, TOLERANCE_TO_KMH = 1.0, 0.02, 50.0
SPEED_SPAN_PART = 0.15  # the least spread of the reference speeds that tells an offset from a factor
_LEAST_SD_KMH = 0.05  # runs that agree better than speeds are told do not prove more than that
_NORMAL = 1.96


class Run(NamedTuple):
    """One pass: the vehicle's true speed along the road, and what the sign measured, km/h."""

    reference_kmh: float
    measured_kmh: float


class Verdict(StrEnum):
    """What the runs say of the mean error."""

    WITHIN = "within"
    OUTSIDE = "outside"
    NOT_YET_KNOWN = "not yet known"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class DriveBy:
    """What the runs say. Factors multiply the reference: 0.98 reads 2 % too low."""

    factor: Estimate  # through zero
    factor_with_offset: Estimate | None  # None: too few runs, or all at the same speed
    offset_kmh: Estimate | None
    residuals_kmh: tuple[float, ...]  # measured minus factor times reference, in the order of the runs
    residual_sd_kmh: float
    outliers: tuple[int, ...]  # places of runs that fit the others badly; they are counted all the same
    mean_error_kmh: Estimate  # at the speed where it counts most
    at_kmh: float  # that speed
    tolerance_kmh: float  # there
    verdict: Verdict
    more_runs: int | None  # until a verdict, if they go on like this; 0: it is there, None: no number helps


def tolerance_kmh(reference_kmh: float) -> float:
    """How far a speed may be off: 1 km/h up to 50 km/h, 2 % above."""
    return TOLERANCE_KMH if reference_kmh <= TOLERANCE_TO_KMH else TOLERANCE_PART * reference_kmh


def drive_by(runs: Sequence[Run], reference_sd_kmh: float = 0.0) -> DriveBy:
    """Judge the runs. `reference_sd_kmh`: standard deviation of what the reference is off, in all runs alike.

    Raises ValueError for fewer than 3 runs or impossible speeds.
    """
    _check(runs, reference_sd_kmh)
    line = _Line.through_zero(runs, reference_sd_kmh)
    straight = _Line.with_offset(runs, reference_sd_kmh)
    residuals = tuple(run.measured_kmh - line.slope * run.reference_kmh for run in runs)
    offset = None if straight is None else straight.offset()
    model = line if straight is None or offset is None or offset.holds(0.0) else straight
    at_kmh = max(sorted({run.reference_kmh for run in runs}), key=lambda kmh: _strain(model.error(kmh), kmh))
    error, allowed = model.error(at_kmh), tolerance_kmh(at_kmh)
    verdict = _verdict(error, allowed)
    return DriveBy(
        factor=line.factor(),
        factor_with_offset=None if straight is None else straight.factor(),
        offset_kmh=offset,
        residuals_kmh=residuals,
        residual_sd_kmh=line.sd,
        outliers=_outliers(runs),
        mean_error_kmh=error,
        at_kmh=at_kmh,
        tolerance_kmh=allowed,
        verdict=verdict,
        more_runs=0 if verdict is not Verdict.NOT_YET_KNOWN else model.more_runs(at_kmh, allowed),
    )


def _check(runs: Sequence[Run], reference_sd_kmh: float) -> None:
    if len(runs) < LEAST_RUNS:
        raise ValueError(f"{len(runs)} runs are too few; at least {LEAST_RUNS} are needed")
    if not all(isfinite(speed) and speed > 0.0 for run in runs for speed in run):
        raise ValueError("the speeds of a run have to be numbers above 0")
    if not (isfinite(reference_sd_kmh) and reference_sd_kmh >= 0.0):
        raise ValueError("the uncertainty of the reference has to be a number of 0 or more")


class _Line(NamedTuple):
    """measured = start + slope * reference; `start` is 0 through zero."""

    start: float
    slope: float
    sd: float  # of one run
    n: int
    freedom: int
    middle: float  # mean of the references; 0 through zero
    spread: float  # sum of their squares about that
    common: float  # standard deviation of all references together

    @classmethod
    def through_zero(cls, runs: Sequence[Run], common: float) -> _Line:
        spread = sum(run.reference_kmh**2 for run in runs)
        slope = sum(run.reference_kmh * run.measured_kmh for run in runs) / spread
        squares = sum((run.measured_kmh - slope * run.reference_kmh) ** 2 for run in runs)
        n = len(runs)
        return cls(0.0, slope, _sd(squares, n - 1), n, n - 1, 0.0, spread, common)

    @classmethod
    def with_offset(cls, runs: Sequence[Run], common: float) -> _Line | None:
        """None: too few runs, or speeds too much alike to tell an offset from a factor."""
        references = [run.reference_kmh for run in runs]
        middle, measured = fmean(references), fmean(run.measured_kmh for run in runs)
        if len(runs) < LEAST_RUNS_OFFSET or max(references) - min(references) < SPEED_SPAN_PART * middle:
            return None
        spread = sum((reference - middle) ** 2 for reference in references)
        slope = sum(
            (x - middle) * (run.measured_kmh - measured) for x, run in zip(references, runs, strict=True)
        )
        slope /= spread
        start = measured - slope * middle
        squares = sum((run.measured_kmh - start - slope * run.reference_kmh) ** 2 for run in runs)
        n = len(runs)
        return cls(start, slope, _sd(squares, n - 2), n, n - 2, middle, spread, common)

    @property
    def _is_free(self) -> bool:
        return self.freedom < self.n - 1

    def factor(self) -> Estimate:
        half = quantile(self.freedom) * self.sd / sqrt(self.spread)
        if not self._is_free:  # a reference that is off shifts the factor itself, least where it was fast
            half = hypot(half, _NORMAL * self.common * sqrt(self.n / self.spread))
        return Estimate(self.slope, self.slope - half, self.slope + half)

    def offset(self) -> Estimate:
        half = quantile(self.freedom) * self._sd_at(0.0, 0)
        half = hypot(half, _NORMAL * self.common)
        return Estimate(self.start, self.start - half, self.start + half)

    def error(self, kmh: float, more: int = 0) -> Estimate:
        """The mean error at a speed; with so many more runs like these."""
        value = self.start + (self.slope - 1.0) * kmh
        half = hypot(quantile(self.freedom + more) * self._sd_at(kmh, more), _NORMAL * self.common)
        return Estimate(value, value - half, value + half)

    def more_runs(self, kmh: float, allowed: float) -> int | None:
        """How many more make the interval short enough; None: no reasonable number does."""
        for more in range(1, MOST_RUNS + 1):
            if _verdict(self.error(kmh, more), allowed) is not Verdict.NOT_YET_KNOWN:
                return more
        return None

    def _sd_at(self, kmh: float, more: int) -> float:
        part = (self.n + more) / self.n
        square = (kmh - self.middle) ** 2 / (self.spread * part)
        if self._is_free:
            square += 1.0 / (self.n + more)
        return self.sd * sqrt(square)


def _sd(squares: float, freedom: int) -> float:
    return max(sqrt(squares / freedom), _LEAST_SD_KMH)


def _strain(error: Estimate, kmh: float) -> float:
    """How far the interval reaches, in tolerances: the speed with the most decides."""
    return max(abs(error.low), abs(error.high)) / tolerance_kmh(kmh)


def _verdict(error: Estimate, allowed: float) -> Verdict:
    if -allowed <= error.low and error.high <= allowed:
        return Verdict.WITHIN
    if error.low > allowed or error.high < -allowed:
        return Verdict.OUTSIDE
    return Verdict.NOT_YET_KNOWN


def _outliers(runs: Sequence[Run]) -> tuple[int, ...]:
    """Runs that the factor of all the others does not explain, at 5 % for all runs together."""
    if len(runs) <= LEAST_RUNS:
        return ()
    limit = quantile(len(runs) - 2, 1.0 - 0.05 / len(runs))
    found = []
    for i, run in enumerate(runs):
        others = _Line.through_zero([*runs[:i], *runs[i + 1 :]], 0.0)
        off = abs(run.measured_kmh - others.slope * run.reference_kmh)
        sd = others.sd * sqrt(1.0 + run.reference_kmh**2 / others.spread)
        if (off / sd if sd > 0.0 else inf) > limit:
            found.append(i)
    return tuple(found)
