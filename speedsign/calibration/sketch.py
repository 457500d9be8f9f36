"""A drawing in plain characters of where the radar is meant to look, from above and from the side.

Not to scale: the way along the road and the ways across are each stretched to fill the drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from speedsign.calibration.geometry import Mounting, Place

LEAST_COLUMNS = 32
_ROWS_ABOVE, _ROWS_SIDE = 6, 4
_MARGIN = 2
_FULL = 1.25  # the road is drawn so much farther than the aim


@dataclass(frozen=True, slots=True)
class Labels:
    """The words of the drawing; `above` and `side` head its two parts."""

    above: str = "from above"
    side: str = "from the side"
    sign: str = "sign"
    lane: str = "middle of the lane"
    cars: str = "cars"


def sketch(place: Place, mounting: Mounting, columns: int = 80, labels: Labels | None = None) -> list[str]:
    """Lines of at most so many columns, no colour, ASCII but for the labels; at least 32 columns.

    `S` is the radar, `X` where its beam meets the lane, dots are the beam.
    """
    if columns < LEAST_COLUMNS:
        raise ValueError(f"a drawing needs {LEAST_COLUMNS} columns at least")
    labels = labels or Labels()
    width = columns - _MARGIN
    shown_m = _FULL * next((way for way in (mounting.aim_m, mounting.lands_m) if isfinite(way)), 1.0)
    aim, lands = (_column(way, shown_m, width) for way in (mounting.aim_m, mounting.lands_m))
    lines = [_headed(labels.above, f"{mounting.angle_deg:.1f} deg", width)]
    lines += _beam(width, _ROWS_ABOVE, aim, f" {labels.sign}, {place.lateral_m:g} m")
    lines += [_road(width, aim, labels.cars), _scale(width, aim, mounting.aim_m)]
    lines += [_fitted(f"= {labels.lane}", width), ""]
    lines.append(_headed(labels.side, f"{mounting.down_deg:.1f} deg", width))
    lines += _beam(width, _ROWS_SIDE, lands, f" {labels.sign}, {place.height_m:g} m")
    lines += [_road(width, lands, labels.cars), _scale(width, lands, mounting.lands_m)]
    return [(" " * _MARGIN + line).rstrip() for line in lines]


def _column(way_m: float, shown_m: float, width: int) -> int | None:
    """Where a way along the road ends in the drawing; may be beyond it. None: it never ends."""
    return round(max(way_m / shown_m, 0.0) * (width - 1)) if isfinite(way_m) else None


def _headed(words: str, right: str, width: int) -> str:
    room = max(width - len(right) - 1, 0)
    return f"{words[:room]:<{room}} {right}"


def _fitted(words: str, width: int) -> str:
    return words[:width]


def _beam(width: int, rows: int, aim: int | None, words: str) -> list[str]:
    """The beam on its way from the radar, row by row; it meets the row after the last, or none."""
    cells = [[" "] * width for _ in range(rows)]
    for column in range(2, width if aim is None else min(aim, width), 2):
        cells[column * rows // aim if aim else 0][column] = "."
    cells[0][0] = "S"
    lines = ["".join(row).rstrip() for row in cells]
    if len(lines[0]) + len(words) <= width:
        lines[0] += words
    return lines


def _road(width: int, aim: int | None, cars: str) -> str:
    road = ["="] * width
    words = f"<- {cars}"
    if aim is None or not aim < width:
        aim = 0
    else:
        road[aim] = "X"
    if width - len(words) > aim + 1:
        road[width - len(words) :] = words
    return "".join(road)


def _scale(width: int, aim: int | None, aim_m: float) -> str:
    """Metres along the road: at the radar, and where the beam comes down."""
    if aim is None or aim >= width:
        return "0 m" if aim is None else f"0 m  X: {aim_m:.0f} m"
    told = f"{aim_m:.0f} m"
    at = max(min(aim - len(told) // 2, width - len(told)), 4)
    return f"{'0 m':<{at}}{told}"
