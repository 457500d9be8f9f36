"""What traffic tells of the angle, judged and put into words and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from speedsign.calibration.approach import Approach
from speedsign.calibration.sensor_angle import RangeCheck, by_ranges, can_be_asked
from speedsign.calibration.traffic_angle import CannotTell, TrafficAngle, traffic_angle
from speedsign.errors import DriverError
from speedsign.ports import RadarDriver

_NO_DIRECTION = "not at all"
_MOST_READINGS = 20_000  # in a record


@dataclass(frozen=True, slots=True)
class Judged:
    """What the cars tell. `refusal`: why the angle must not be used, although there is one."""

    found: TrafficAngle | CannotTell
    ranges: RangeCheck | None = None
    refusal: str | None = None

    @property
    def usable_deg(self) -> float | None:
        """The angle to propose; 0 where that is as likely. None: there is none to be used."""
        if self.refusal is not None or isinstance(self.found, CannotTell):
            return None
        return self.found.angle_deg if self.found.low_deg > 0.0 else 0.0


def judged(approaches: Sequence[Approach], *, has_directions: bool = True) -> Judged:
    """The angle by all cars, held against the ranges where the radar tells them."""
    if not has_directions:
        why = "the radar tells no direction, so that approaching cars cannot be told from others"
        return Judged(CannotTell(why))
    found, ranges = traffic_angle(approaches), by_ranges(approaches)
    if ranges is None or not ranges.corrects:
        return Judged(found, ranges)
    refusal = (
        f"speeds are {ranges.factor:.3f} ({ranges.low:.3f} to {ranges.high:.3f}) of what the ranges shrink"
        f" by: the radar seems to correct for {ranges.angle_deg:.0f} degrees itself; set that to 0 with its"
        " maker's tool, or leave ours at 0"
    )
    return Judged(found, ranges, refusal)


def check_direction(driver: RadarDriver) -> None:
    """Raises DriverError for a radar that cannot tell who approaches."""
    if driver.facts.direction == _NO_DIRECTION:
        raise DriverError(
            f"{driver.name} tells no direction, and only approaching cars tell the angle;"
            " measure it: speedsign calibrate angle"
        )


def told_sentence(angles: Mapping[str, float]) -> str:
    """What to do about a radar that corrects for an angle itself."""
    told = ", ".join(f"{angle:g} degrees ({way})" for way, angle in angles.items() if angle)
    return (
        f"the radar corrects for {told} itself, and the sign's correction would come on top; set it to 0"
        " (speedsign radar setup), or leave mounting_angle_deg at 0"
    )


def words_of(judgement: Judged, driver: str) -> list[str]:
    """For a narrow screen."""
    found = judgement.found
    if isinstance(found, CannotTell):
        return [f"Traffic does not tell: {found.reason}."]
    lines = [
        f"Cars are read at {found.angle_deg:.1f} degrees.",
        f"95 % interval {found.low_deg:.1f} to {found.high_deg:.1f}, {found.passages} cars.",
        f"The lane is {found.beside_m:.1f} m from the radar.",
        f"Left out, one reading is {abs(found.error_percent):.1f} % too low.",
    ]
    if rejected := ", ".join(f"{n} {reason}" for reason, n in found.rejected.items()):
        lines.append(f"Not used: {rejected}.")
    if judgement.refusal is not None:
        lines.append(f"Not to be written: {judgement.refusal}.")
    elif judgement.ranges is None and not can_be_asked(driver):
        lines.append("Whether this radar corrects for an angle itself, it does not say: a drive-by shows it.")
    return lines


def short(found: TrafficAngle | CannotTell) -> str:
    """For a progress line."""
    if isinstance(found, CannotTell):
        return "not yet"
    return f"{found.angle_deg:.1f} deg, {found.low_deg:.1f} to {found.high_deg:.1f}"


def result_of(judgement: Judged) -> dict[str, Any]:
    """For the record."""
    found, ranges = judgement.found, judgement.ranges
    result: dict[str, Any] = {
        "method": "traffic",
        "passages": found.passages,
        "rejected": dict(found.rejected),
    }
    if isinstance(found, CannotTell):
        result["reason"] = found.reason
    else:
        result |= {
            "angle_deg": round(found.angle_deg, 2),
            "low_deg": round(found.low_deg, 2),
            "high_deg": round(found.high_deg, 2),
            "beside_m": round(found.beside_m, 2),
            "error_percent": round(found.error_percent, 2),
        }
    if ranges is not None:
        result["ranges"] = {
            "factor": round(ranges.factor, 4),
            "low": round(ranges.low, 4),
            "high": round(ranges.high, 4),
            "passages": ranges.passages,
        }
    return result


def runs_of(approaches: Sequence[Approach]) -> list[dict[str, Any]]:
    """The raw passages seconds since each one's beginning; the newest where it is too much."""
    runs: list[dict[str, Any]] = []
    left = _MOST_READINGS
    for one in reversed(approaches):
        left -= len(one.times_s)
        if left < 0:
            break
        run: dict[str, Any] = {
            "t_s": [round(t_s - one.times_s[0], 2) for t_s in one.times_s],
            "kmh": [round(speed, 2) for speed in one.speeds_kmh],
        }
        if one.ranges_m:
            run["m"] = [round(range_m, 1) for range_m in one.ranges_m]
        runs.append(run)
    return runs[::-1]
