"""The mounting angle in words and lines: what was meant, what is left, what it does to the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from speedsign.calibration.geometry import (
    MOST_DEG,
    Mounting,
    Place,
    RangeError,
    aimed_at,
    error_at,
    turned_by,
)
from speedsign.calibration.sketch import LEAST_COLUMNS, sketch

KEY = "radar.mounting_angle_deg"
# benchmarks/traffic_angle: below the first 0 is as good; above the second the panel stays kilometres too low.
AS_GOOD_AS_NONE_DEG, TURN_IT_DEG = 5.0, 20.0
SAME_DEG = 0.05
_WIDE = 60


@dataclass(frozen=True, slots=True)
class Tape:
    """What was measured with a tape, or read off a bracket: one of `aim_m` and `turned_deg`."""

    lateral_m: float
    height_m: float
    aim_m: float | None = None
    turned_deg: float | None = None
    down_deg: float = 0.0

    @property
    def place(self) -> Place:
        """Raises ValueError for what no mast is."""
        return Place(self.lateral_m, self.height_m)

    def mounting(self, limit_kmh: float) -> Mounting:
        """Raises ValueError with a sentence."""
        if self.turned_deg is not None:
            return turned_by(self.place, self.turned_deg, self.down_deg, limit_kmh)
        if self.aim_m is None:
            raise ValueError("either the distance of the aim or the angle of the bracket is needed")
        return aimed_at(self.place, self.aim_m, limit_kmh)

    def read_deg(self, along_m: float) -> float:
        """At which angle a car is read so far along the road. Raises ValueError for more than can be set."""
        read_deg = self.place.angle_deg(along_m)
        if read_deg > MOST_DEG:
            raise ValueError(f"cars at {along_m:g} m are seen at {read_deg:.0f} degrees: too near to be read")
        return read_deg

    def as_run(self) -> dict[str, float]:
        """For the record."""
        told = {
            "lateral_m": self.lateral_m,
            "height_m": self.height_m,
            "aim_m": self.aim_m,
            "turned_deg": self.turned_deg,
            "down_deg": self.down_deg if self.turned_deg is not None else None,
        }
        return {name: value for name, value in told.items() if value is not None}


def lines_of(tape: Tape, mounting: Mounting, written_deg: float, limit_kmh: float, columns: int) -> list[str]:
    """The sketch, and what is off at each range with the angle that is written; fits the columns, from 32."""
    columns = max(columns, LEAST_COLUMNS)
    lines = sketch(tape.place, mounting, min(columns, 80))
    lines += ["", f"Beam to road: {mounting.angle_deg:.1f} degrees"]
    lines.append(f"turned {mounting.horizontal_deg:.1f}, tilted {mounting.down_deg:.1f} degrees")
    lines += ["", *error_table(tape.place, mounting, written_deg, limit_kmh, columns)]
    return lines


def error_table(
    place: Place, mounting: Mounting, written_deg: float, limit_kmh: float, columns: int
) -> list[str]:
    """What one reading is off at each range: as it is, and divided by the cosine of an angle."""
    found = [error_at(place, written_deg, one.along_m, limit_kmh) for one in mounting.table]
    if columns >= _WIDE:
        written = f"with {written_deg:.1f} deg"
        head = f"{'range':>7}  {'seen at':>10}  {'with 0 deg':>19}  {written:>19}"
        rows = [_wide_row(one, limit_kmh) for one in found]
        return [f"What a single reading is off, at {limit_kmh:g} km/h:", head, *rows]
    head = f"{'range':>6} {'seen, deg':>9} {'with 0':>7} {f'{written_deg:.1f}':>7}"
    return ["What a single reading is off:", head, *map(_narrow_row, found)]


def _narrow_row(one: RangeError) -> str:
    off = f"{_signed(one.uncorrected_percent):>6}% {_signed(one.left_percent):>6}%"
    return f"{one.along_m:>4.0f} m {one.angle_deg:>9.1f} {off}"


def _wide_row(one: RangeError, limit_kmh: float) -> str:
    without_kmh = one.uncorrected_percent / 100.0 * limit_kmh
    return (
        f"{one.along_m:>5.0f} m  {one.angle_deg:>6.1f} deg"
        f"  {_signed(one.uncorrected_percent):>7}% {_signed(without_kmh):>5} km/h"
        f"  {_signed(one.left_percent):>7}% {_signed(one.left_kmh):>5} km/h"
    )


def _signed(value: float) -> str:
    """With its sign, and no minus before nothing."""
    return f"{round(value, 1) + 0.0:+.1f}"


def proposal(angle_deg: float) -> tuple[float, list[str]]:
    """What to write for an angle at which cars are read, and what has to be said about it."""
    value = min(round(angle_deg, 1), MOST_DEG)
    said = [f"Cars are read at {value:g} degrees: that is what mounting_angle_deg has to be."]
    if value < AS_GOOD_AS_NONE_DEG:
        said.append(f"Below {AS_GOOD_AS_NONE_DEG:g} degrees 0 does as well.")
    if value > TURN_IT_DEG:
        said.append(
            f"Above {TURN_IT_DEG:g} degrees the panel shows too little whatever is written here:"
            " turn the radar more along the road, or move it nearer to the lane."
        )
    return value, said


def result_of(tape: Tape, mounting: Mounting) -> Mapping[str, Any]:
    """For the record."""
    return {
        "angle_deg": round(mounting.angle_deg, 2),
        "aim_m": _finite(mounting.aim_m),
        "lands_m": _finite(mounting.lands_m),
        "turned_deg": round(mounting.horizontal_deg, 2),
        "down_deg": round(mounting.down_deg, 2),
        "beside_m": round(tape.place.beside_m, 2),
    }


def _finite(value_m: float) -> float | None:
    return round(value_m, 1) if isfinite(value_m) else None
