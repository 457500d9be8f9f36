"""The runs of a drive-by: typed beside what the sign measured, or given; what they tell so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import acos, cos, degrees, radians
from typing import Any

from speedsign.calibration.drive_by import LEAST_RUNS, DriveBy, Estimate, Run, Verdict, drive_by
from speedsign.calibration.record import Verdict as Kept
from speedsign.model import Unit, Vehicle

_VERDICTS = {Verdict.WITHIN: Kept.PASS, Verdict.OUTSIDE: Kept.FAIL, Verdict.NOT_YET_KNOWN: Kept.UNDECIDED}
_REAL_OFF = 0.01  # of a factor: less is no angle that anybody finds


@dataclass(slots=True)
class Pass:
    """One run; `left_out`: somebody says that it was another vehicle."""

    run: Run
    vehicle: Vehicle | None = None  # None: measured elsewhere, and given as a number
    left_out: bool = False

    def as_json(self) -> dict[str, Any]:
        """For the record."""
        found: dict[str, Any] = {
            "reference_kmh": round(self.run.reference_kmh, 2),
            "measured_kmh": round(self.run.measured_kmh, 2),
        }
        if self.vehicle is not None:
            found |= {"direction": self.vehicle.direction.value, "readings": self.vehicle.readings}
            found |= {"flags": list(self.vehicle.flags)} if self.vehicle.flags else {}
        return {**found, "left_out": True} if self.left_out else found


@dataclass(slots=True)
class Runs:
    """All runs so far. `reference_sd_kmh`: what the reference is off in all of them alike."""

    reference_sd_kmh: float
    passes: list[Pass] = field(default_factory=list)
    stopped: bool = False  # before the end, by somebody who knows why: no failure

    @property
    def counted(self) -> list[Run]:
        return [one.run for one in self.passes if not one.left_out]

    def judged(self) -> DriveBy | None:
        """None: too few runs."""
        return None if len(self.counted) < LEAST_RUNS else drive_by(self.counted, self.reference_sd_kmh)

    @property
    def verdict(self) -> Kept:
        found = self.judged()
        return Kept.UNDECIDED if found is None or self.stopped else _VERDICTS[found.verdict]

    def number_of(self, place: int) -> int:
        """The number, from 1, that a counted run has among all."""
        return [number for number, one in enumerate(self.passes, 1) if not one.left_out][place]

    def lines(self) -> list[str]:
        """What they tell, for a narrow screen."""
        found = self.judged()
        if found is None:
            return [f"{LEAST_RUNS - len(self.counted)} more before anything can be said"]
        lines = [f"factor {_interval(found.factor, 3)}"]
        if found.offset_kmh is not None:
            lines.append(f"offset {_interval(found.offset_kmh, 1)} km/h")
        lines.append(f"one run varies by {found.residual_sd_kmh:.2f} km/h")
        lines.append(f"error at {found.at_kmh:.0f} km/h: {_interval(found.mean_error_kmh, 1, '+')}")
        lines.append(f"allowed: {found.tolerance_kmh:.1f} km/h; {_so_far(found)}")
        lines += [
            f"run {number} fits badly: another car? d{number} leaves it out"
            for number in map(self.number_of, found.outliers)
        ]
        return lines

    def sentence(self, mounting_angle_deg: float) -> str:
        """The verdict in words."""
        found = self.judged()
        if found is None:
            return f"{len(self.counted)} runs are too few for a verdict; {LEAST_RUNS} are needed at least."
        begin = "Stopped before the end; " if self.stopped else ""
        told = (
            f"{begin}{len(self.counted)} runs: factor {_interval(found.factor, 3)}; the mean error at"
            f" {found.at_kmh:.0f} km/h is {_interval(found.mean_error_kmh, 1, '+')} km/h,"
            f" {found.tolerance_kmh:.1f} are allowed: {found.verdict.value}."
        )
        return (
            told
            if found.verdict is not Verdict.OUTSIDE
            else f"{told} {hint(found.factor.value, mounting_angle_deg)}"
        )

    def result(self) -> dict[str, Any]:
        """For the record."""
        found = self.judged()
        if found is None:
            return {"runs": len(self.counted), "reference_sd_kmh": self.reference_sd_kmh}
        return {
            "runs": len(self.counted),
            "reference_sd_kmh": self.reference_sd_kmh,
            "factor": _estimate(found.factor),
            "factor_with_offset": _estimate(found.factor_with_offset),
            "offset_kmh": _estimate(found.offset_kmh),
            "residuals_kmh": [round(one, 3) for one in found.residuals_kmh],
            "residual_sd_kmh": round(found.residual_sd_kmh, 3),
            "outliers": [self.number_of(place) for place in found.outliers],
            "mean_error_kmh": _estimate(found.mean_error_kmh),
            "at_kmh": round(found.at_kmh, 2),
            "tolerance_kmh": round(found.tolerance_kmh, 3),
            "verdict": found.verdict.value,
            "more_runs": found.more_runs,
        }


def hint(factor: float, mounting_angle_deg: float) -> str:
    """What a factor that is outside may come from."""
    for unit in (Unit.MPH, Unit.MPS):
        if abs(factor * unit.kmh - 1.0) < 0.05 or abs(factor / unit.kmh - 1.0) < 0.05:
            return f"A factor of {factor:.2f} is that between km/h and {unit.value}: look at [radar] unit."
    if factor > 1.0 + _REAL_OFF and mounting_angle_deg > 0.0:
        return f"mounting_angle_deg = {mounting_angle_deg:g} may be too much: speedsign calibrate traffic."
    if factor < 1.0 - _REAL_OFF:
        angle_deg = degrees(acos(min(factor * cos(radians(mounting_angle_deg)), 1.0)))
        return f"An angle of about {angle_deg:.0f} degrees would do that: speedsign calibrate traffic."
    return "Look at the radar's unit and band, and try a tuning fork: speedsign calibrate fork."


def _so_far(found: DriveBy) -> str:
    if found.verdict is not Verdict.NOT_YET_KNOWN:
        return found.verdict.value
    if found.more_runs is None:
        return "not known, and more runs do not help: the reference is too unsure, or the runs vary too much"
    return f"not yet known, {found.more_runs} more like these"


def _interval(value: Estimate, digits: int, sign: str = "") -> str:
    return f"{value.value:{sign}.{digits}f} ({value.low:{sign}.{digits}f} to {value.high:{sign}.{digits}f})"


def _estimate(value: Estimate | None) -> dict[str, float] | None:
    if value is None:
        return None
    return {"value": round(value.value, 5), "low": round(value.low, 5), "high": round(value.high, 5)}


def as_json(passes: Sequence[Pass]) -> list[dict[str, Any]]:
    """For the record."""
    return [one.as_json() for one in passes]
