"""Values side by side in equal slots, as bars or as a line of dots with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from speedsign.language import Language
from telemetry.report.charts.axes import RIGHT, Panel, Scale, around
from telemetry.report.charts.colours import BLUE, DARK, GREY, MISSING, PAPER
from telemetry.report.charts.drawing import SMALL, Drawing, text_width

_DOT_ROOM = 7.0  # a slot narrower than this has no dots, only the line


@dataclass(frozen=True, slots=True)
class Slots:
    """`n` equal places between `left` and the right end of every panel."""

    left: float
    n: int

    @property
    def width(self) -> float:
        return (RIGHT - self.left) / max(self.n, 1)

    def middle(self, place: int) -> float:
        return self.left + (place + 0.5) * self.width


@dataclass(frozen=True, slots=True)
class Point:
    """A value in its slot; None leaves it open. `hollow`: measured in part. `says` is its text."""

    value: float | None
    says: str
    hollow: bool = False


def open_fill(drawing: Drawing) -> str:
    """What stands where nothing was measured."""
    return drawing.hatch("open", PAPER, MISSING, step=6, width=1)


def draw_bars(
    drawing: Drawing, plot: Panel, slots: Slots, points: Sequence[Point], *, fill: str = BLUE
) -> None:
    """A bar for each value; where there is none, hatching over the whole height."""
    gap = 0.15 * slots.width
    wide = slots.width - 2 * gap
    for place, point in enumerate(points):
        x = slots.middle(place) - wide / 2
        if point.value is None:
            high = plot.bottom - plot.top
            drawing.rect(x, plot.top, wide, high, fill=open_fill(drawing), says=point.says)
            continue
        top = plot.y(point.value)
        inside = PAPER if point.hollow else fill
        drawing.rect(x, top, wide, plot.bottom - top, fill=inside, frame=fill, says=point.says)


def draw_line(
    drawing: Drawing, plot: Panel, slots: Slots, points: Sequence[Point], *, colour: str = BLUE
) -> None:
    """Neighbours are joined, nothing is joined over a gap; who stands alone is a dot at least."""
    runs = groupby(enumerate(points), key=lambda one: one[1].value is not None)
    for run in (list(found) for there, found in runs if there):
        places = [(slots.middle(place), plot.y(point.value or 0.0)) for place, point in run]
        if len(run) > 1:
            drawing.polyline(places, stroke=colour)
        for (x, y), (_, point) in zip(places, run, strict=True):
            if len(run) == 1 or point.hollow or slots.width >= _DOT_ROOM:
                radius = min(3.5, max(slots.width * 0.35, 2.0))
                drawing.dot(
                    x, y, radius, fill=PAPER if point.hollow else colour, stroke=colour, says=point.says
                )


def draw_labels(drawing: Drawing, y: float, slots: Slots, labels: Sequence[str]) -> None:
    """Below the axis: as many as have room, at equal distances."""
    widest = max((text_width(label, SMALL) for label in labels), default=0.0)
    every = next(
        (step for step in (1, 2, 3, 4, 6, 7, 10, 14, 20, 28, 30) if step * slots.width >= widest + 8), 60
    )
    for place in range(0, len(labels), every):
        x = slots.middle(place)
        half = text_width(labels[place], SMALL) / 2
        drawing.line((x, y), (x, y + 4), stroke=GREY)
        drawing.text(min(x, RIGHT + 8 - half), y + 17, labels[place], size=SMALL, anchor="middle")


def speed_axis(values: Sequence[float], limit_kmh: int | None, words: Language) -> tuple[Scale, str]:
    """An axis for V85 that reaches the limit, and its name, which says what the dashed line is."""
    if limit_kmh is None:
        return around(values, words.decimal, least=10), words.say("V85, km/h")
    name = words.say("V85, km/h; dashed: limit {speed}", speed=words.speed(limit_kmh, 0))
    return around([*values, limit_kmh - 1.0, limit_kmh + 1.0], words.decimal, least=10), name


def draw_speeds(
    drawing: Drawing, plot: Panel, slots: Slots, points: Sequence[Point], limit_kmh: int | None
) -> None:
    """V85 as a line of dots, the limit as a dashed line."""
    if limit_kmh is not None:
        y = plot.y(limit_kmh)
        drawing.line((plot.left, y), (RIGHT, y), width=1.4, dash="6 3")
    draw_line(drawing, plot, slots, points, colour=DARK)
