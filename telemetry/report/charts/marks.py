"""Named vertical lines in a plot, whose names never run into each other or into another's line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product

from telemetry.report.charts.axes import Panel
from telemetry.report.charts.colours import INK, PAPER
from telemetry.report.charts.drawing import TEXT, WIDTH, Drawing, text_width

ROW = TEXT + 5
_AWAY = 5.0  # of a name from its line


@dataclass(frozen=True, slots=True)
class Mark:
    """A line at `x`; `dash` as in stroke-dasharray, empty: a full line."""

    x: float
    name: str
    dash: str


@dataclass(frozen=True, slots=True)
class _Placed:
    """A mark with its name in a row (0 the highest) on a side of its line (-1 left, 1 right)."""

    mark: Mark
    row: int
    side: int

    def ends(self) -> tuple[float, float]:
        """From where to where its name goes."""
        near = self.mark.x + self.side * _AWAY
        far = near + self.side * text_width(self.mark.name)
        return min(near, far), max(near, far)

    @property
    def inside(self) -> bool:
        low, high = self.ends()
        return low >= 0 and high <= WIDTH

    def crossed_by(self, other: _Placed) -> bool:
        """A line runs from its own row down, so it can only cross names below that row."""
        low, high = self.ends()
        return other.row < self.row and low - 2 <= other.mark.x <= high + 2


def _layouts(marks: Sequence[Mark]) -> Iterator[tuple[_Placed, ...]]:
    for rows in permutations(range(len(marks))):
        for sides in product((1, -1), repeat=len(marks)):
            yield tuple(_Placed(*one) for one in zip(marks, rows, sides, strict=True))


def _faults(layout: Sequence[_Placed]) -> int:
    outside = sum(not one.inside for one in layout)
    return outside + sum(one.crossed_by(other) for one in layout for other in layout)


def draw_marks(marks: Sequence[Mark], drawing: Drawing, plot: Panel) -> None:
    """Draw them over the plot; a row above it for each."""
    for one in min(_layouts(marks), key=_faults):
        base = plot.top - 6 - (len(marks) - 1 - one.row) * ROW
        ends = (one.mark.x, base - TEXT * 0.75), (one.mark.x, plot.bottom)
        drawing.line(*ends, stroke=PAPER, width=4)
        drawing.line(*ends, stroke=INK, width=1.8, dash=one.mark.dash)
        anchor = "start" if one.side > 0 else "end"
        drawing.text(one.mark.x + one.side * _AWAY, base, one.mark.name, anchor=anchor)
