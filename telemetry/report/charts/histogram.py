"""Vehicles by speed: what is within the limit, over it, and far over it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from speedsign.language import Language
from telemetry.report.charts.axes import GAP, RIGHT, Across, Panel, from_zero, legend, panel, swatch, ticks
from telemetry.report.charts.colours import BLUE, DARK, GREY, PALE, PAPER, VERMILION
from telemetry.report.charts.drawing import SMALL, WIDTH, Drawing, finite, text_width
from telemetry.report.charts.marks import ROW, Mark, draw_marks

MOST_BARS = 60
_WIDTHS = (1, 2, 5, 10, 20, 50)  # km/h
_FAR = 0.001  # of all vehicles: so few may be left to a note, when they would squeeze all others
_PLOT = 190.0
_FRAMES = (BLUE, "", "")  # the pale bars have an outline


@dataclass(frozen=True, slots=True)
class _Bar:
    """Speeds `low` to `high`, both included; `parts` are vehicles within, over and more than 10 over."""

    low: int
    high: int
    parts: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.parts)


def histogram_svg(
    counts: Mapping[int, int],
    *,
    limit_kmh: int,
    v85_kmh: float | None,
    rounds: bool,
    words: Language,
    key: str,
    title: str,
    description: str,
) -> str:
    """Bars of 1 km/h, or wider so that there are at most 60; the limit and V85 as lines with their names.

    `counts` is {integer km/h: vehicles}; `rounds` tells which speeds an integer stands for. Few vehicles far
    from all others (less than one in a thousand) are counted in a note instead of being drawn.
    """
    seen = {speed: n for speed, n in counts.items() if n > 0}
    v85_kmh = finite(v85_kmh)
    marks = [float(limit_kmh)] if v85_kmh is None else [float(limit_kmh), v85_kmh]
    drawn, beyond = _without_far_ones(seen, max(marks))
    bars = _bars(drawn, _span(drawn, marks), limit_kmh)
    drawing = Drawing(key, title, description)
    most = max(bar.n for bar in bars)
    scale = from_zero(most or 1, lambda n, _: words.count(round(n)), whole=True)
    left = scale.room + GAP
    width = bars[-1].high - bars[-1].low + 1
    name = words.say("Vehicles") if width == 1 else words.say("Vehicles, bars of {n} km/h", n=width)
    plot = panel(drawing, scale, name, left=left, top=0, high=_PLOT, head=2 * ROW)
    below = 0.5 if rounds else 0.0
    across = Across(left + 4, RIGHT, bars[0].low - below, bars[-1].high + 1 - below)
    fills = {"within": PALE, "over": VERMILION, "far": drawing.hatch("far", DARK, PAPER, step=4, width=0.8)}
    for bar in bars:
        _draw(drawing, bar, plot, across, below, list(fills.values()), words)
    _speed_axis(drawing, plot.bottom, across, words)
    _lines(drawing, plot, across, limit_kmh, v85_kmh, words)
    _below(drawing, plot.bottom + 34, fills, beyond, words)
    return drawing.svg()


def _without_far_ones(seen: Mapping[int, int], mark: float) -> tuple[dict[int, int], tuple[int, int]]:
    """What is drawn, and (how many vehicles are not, above which speed)."""
    ordered = sorted(seen)
    if not ordered or ordered[-1] - ordered[0] <= 2 * MOST_BARS:
        return dict(seen), (0, 0)
    total, beyond, edge = sum(seen.values()), 0, ordered[-1]
    for speed in reversed(ordered):
        if speed <= mark + 30 or beyond + seen[speed] > _FAR * total:
            edge = speed
            break
        beyond += seen[speed]
    return {speed: n for speed, n in seen.items() if speed <= edge}, (beyond, edge)


def _span(drawn: Mapping[int, int], marks: Sequence[float]) -> tuple[int, int]:
    """Lowest and highest speed of the axis: all that is drawn, both lines, and some air."""
    speeds = [*drawn, *(math.floor(mark) for mark in marks)]
    low, high = min(speeds) - 1, max(speeds) + 1
    air = max(0, 40 - (high - low))
    return max(low - air // 2, 0), high + air - air // 2


def _bars(drawn: Mapping[int, int], span: tuple[int, int], limit_kmh: int) -> list[_Bar]:
    """Every bar of the axis, empty ones too. One ends at the limit, so that none is both within and over."""
    low, high = span
    width = next((width for width in _WIDTHS if (high - low) / width <= MOST_BARS - 1), _WIDTHS[-1])
    first = limit_kmh + 1 + (low - limit_kmh - 1) // width * width
    bars = []
    for start in range(first, high + 1, width):
        parts = [0, 0, 0]
        for speed in range(start, start + width):
            parts[(speed > limit_kmh) + (speed > limit_kmh + 10)] += drawn.get(speed, 0)
        bars.append(_Bar(max(start, 0), start + width - 1, tuple(parts)))
    return bars


def _draw(
    drawing: Drawing,
    bar: _Bar,
    plot: Panel,
    across: Across,
    below: float,
    fills: Sequence[str],
    words: Language,
) -> None:
    """One bar; its parts stand on each other."""
    x, end = across.x(bar.low - below), across.x(bar.high + 1 - below)
    speeds = f"{bar.low}" if bar.low == bar.high else f"{bar.low}–{bar.high}"
    done = 0
    for place, n in enumerate(bar.parts):
        if n:
            top, foot = plot.y(done + n), plot.y(done)
            says = f"{speeds} km/h: {words.count(n)}"
            frame = _FRAMES[place]
            drawing.rect(x, top, end - x - 0.8, foot - top, fill=fills[place], frame=frame, says=says)
            done += n


def _speed_axis(drawing: Drawing, y: float, across: Across, words: Language) -> None:
    step = next(step for step in (5, 10, 20, 50, 100, 200, 500) if across.per_unit * step >= 32)
    for speed in ticks(across.low, across.high, step):
        if across.low <= speed <= across.high:
            x = across.x(speed)
            drawing.line((x, y), (x, y + 4), stroke=GREY)
            text = words.count(round(speed))
            half = text_width(text, SMALL) / 2
            drawing.text(min(x, WIDTH - half), y + 17, text, size=SMALL, anchor="middle")
    drawing.text(RIGHT, y + 33, words.say("Speed, km/h"), size=SMALL, anchor="end")


def _lines(
    drawing: Drawing, plot: Panel, across: Across, limit_kmh: int, v85_kmh: float | None, words: Language
) -> None:
    """The limit and V85, each with its name above the plot."""
    limit = Mark(across.x(limit_kmh), words.say("Limit {speed}", speed=words.speed(limit_kmh, 0)), "6 3")
    if v85_kmh is None:
        draw_marks([limit], drawing, plot)
        return
    v85 = Mark(across.x(v85_kmh), words.say("V85 {speed}", speed=words.speed(v85_kmh)), "")
    draw_marks([limit, v85], drawing, plot)


def _below(
    drawing: Drawing, top: float, fills: Mapping[str, str], beyond: tuple[int, int], words: Language
) -> None:
    """What the fills mean, and who was left out."""
    names = {
        "within": words.say("within the limit"),
        "over": words.say("1 to 10 km/h over"),
        "far": words.say("more than 10 km/h over"),
    }
    entries = [
        (swatch(drawing, fills[kind], frame), name)
        for (kind, name), frame in zip(names.items(), _FRAMES, strict=True)
    ]
    drawing.height = legend(drawing, entries, top=top + 10)
    vehicles, edge = beyond
    if vehicles:
        note = words.say_n(
            "{n} vehicle above {speed} is not drawn",
            "{n} vehicles above {speed} are not drawn",
            vehicles,
            speed=words.speed(edge, 0),
        )
        drawing.text(0, drawing.height + SMALL, note, size=SMALL)
        drawing.height += SMALL + 6
