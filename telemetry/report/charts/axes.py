"""Round numbers at the axes, legends below, and panels to draw in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from telemetry.report.charts.colours import FAINT, GREY, INK
from telemetry.report.charts.drawing import SMALL, TEXT, WIDTH, Drawing, text_width

GAP = 6.0  # between an axis and its numbers
RIGHT = WIDTH - 10
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def round_step(span: float, most: int, *, whole: bool = False) -> float:
    """The smallest round step that divides `span` into at most `most` parts; `whole`: of whole numbers."""
    if span < 1e-9 or not math.isfinite(span):
        return 1.0
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(step * power for step in (*_STEPS, 20.0) if step * power >= raw * (1 - 1e-9))
    if not whole:
        return step
    return max(1.0, 5.0 * power if step == 2.5 * power and power < 10 else step)


def ticks(low: float, high: float, step: float) -> list[float]:
    """Multiples of `step` from the last at or below `low` to the first at or above `high`."""
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, max(last, first + 1) + 1)]


@dataclass(frozen=True, slots=True)
class Panel:
    """A plot: x from `left` to RIGHT and y from `top` to `bottom` on paper, `low` to `high` in values."""

    left: float
    top: float
    bottom: float
    low: float
    high: float

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.bottom - min(max(part, 0.0), 1.0) * (self.bottom - self.top)

    @property
    def width(self) -> float:
        return RIGHT - self.left


@dataclass(frozen=True, slots=True)
class Across:
    """A horizontal axis: `low` at x = `left`, `high` at x = `right`."""

    left: float
    right: float
    low: float
    high: float

    @property
    def per_unit(self) -> float:
        """Width of one unit of the values."""
        return (self.right - self.left) / (self.high - self.low)

    def x(self, value: float) -> float:
        return self.left + (min(max(value, self.low), self.high) - self.low) * self.per_unit


Write = Callable[[float, int], str]  # of a value, with so many decimals


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis: its ticks, and how they are written."""

    ticks: Sequence[float]
    texts: Sequence[str]

    @property
    def room(self) -> float:
        """Width of its widest number."""
        return max(text_width(text, SMALL) for text in self.texts)

    @property
    def step(self) -> float:
        return self.ticks[1] - self.ticks[0]


def decimals(step: float) -> int:
    """How many digits after the comma tell multiples of a round step apart."""
    return next((digits for digits in range(6) if abs(step * 10**digits % 1) < 1e-6), 6)


def scaled(low: float, high: float, step: float, write: Write, *, unit: float = 1.0) -> Scale:
    """`unit` is what one written unit is of the values: 0.01 for shares in per cent."""
    found = ticks(low, high, step)
    digits = decimals(step / unit)
    return Scale(found, [write(tick, digits) for tick in found])


def from_zero(
    highest: float, write: Write, *, most: int = 4, whole: bool = False, unit: float = 1.0
) -> Scale:
    """From 0 to a round number at or above `highest`."""
    return scaled(0, highest, round_step(highest, most, whole=whole), write, unit=unit)


def around(values: Sequence[float], write: Write, *, least: float, most: int = 4) -> Scale:
    """Round numbers around all values, at least `least` apart from end to end, none negative."""
    low, high = (min(values), max(values)) if values else (0.0, least)
    missing = max(least - (high - low), 0.0) / 2
    step = round_step(high - low + 2 * missing, most)
    return scaled(max(low - missing, 0.0), high + missing, step, write)


def panel(
    drawing: Drawing, scale: Scale, name: str, *, left: float, top: float, high: float, head: float = 0.0
) -> Panel:
    """Draw the axis with its name above it; the plot is `high` units high, `head` more below the name."""
    drawing.text(0, top + TEXT, name)
    start = top + TEXT + 12 + head
    found = Panel(left, start, start + high, scale.ticks[0], scale.ticks[-1])
    for tick, text in zip(scale.ticks, scale.texts, strict=True):
        y = found.y(tick)
        ground = tick == scale.ticks[0]
        drawing.line((left, y), (RIGHT, y), stroke=GREY if ground else FAINT)
        drawing.text(left - GAP, y + SMALL * 0.35, text, size=SMALL, anchor="end")
    return found


Swatch = Callable[[float, float], None]  # draws a sample of 14 by 14 at (x, y)


def swatch(drawing: Drawing, fill: str, frame: str = "") -> Swatch:
    """A filled sample."""

    def draw(x: float, y: float) -> None:
        drawing.rect(x, y, 14, 14, fill=fill, frame=frame)

    return draw


def legend(
    drawing: Drawing, entries: Sequence[tuple[Swatch, str]], *, top: float, left: float = 0.0
) -> float:
    """Samples with their names, in as many lines as they need; where the last one ends."""
    x, y = left, top
    for swatch, name in entries:
        width = 20 + text_width(name)
        if x > left and x + width > WIDTH:
            x, y = left, y + 22
        swatch(x, y)
        drawing.text(x + 20, y + 12, name, fill=INK)
        x += width + 14
    return y + 18
