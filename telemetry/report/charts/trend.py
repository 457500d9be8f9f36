"""Day after day: V85 as a line, vehicles as bars below it."""

from __future__ import annotations

from collections.abc import Sequence

from speedsign.language import Language
from telemetry.report.charts.axes import GAP, from_zero, legend, panel, swatch
from telemetry.report.charts.colours import BLUE, PAPER
from telemetry.report.charts.drawing import Drawing, finite
from telemetry.report.charts.points import TrendPoint
from telemetry.report.charts.series import (
    Point,
    Slots,
    draw_bars,
    draw_labels,
    draw_speeds,
    open_fill,
    speed_axis,
)

_LEAST = 12  # slots, so that three days are no three walls


def trend_svg(
    points: Sequence[TrendPoint],
    *,
    limit_kmh: int | None = None,
    words: Language,
    key: str,
    title: str,
    description: str,
) -> str:
    """Up to 120 points in their order; what was measured in part is hollow, what was not is a gap.

    V85's panel is left out where no point has one.
    """
    speeds = [
        Point(finite(point.v85), f"{point.label}: {_speed(point, words)}", hollow=not point.complete)
        for point in points
    ]
    volumes = [
        Point(finite(point.n), f"{point.label}: {_volume(point, words)}", hollow=not point.complete)
        for point in points
    ]
    found = [point.value for point in speeds if point.value is not None]
    upper, name = speed_axis(found, limit_kmh, words)
    most = max((point.value for point in volumes if point.value is not None), default=0)
    lower = from_zero(most or 1, lambda n, _: words.count(round(n)), whole=True)
    drawing = Drawing(key, title, description)
    slots = Slots(max(upper.room, lower.room) + GAP, max(len(points), _LEAST))
    labels = [point.label for point in points]
    top = 0.0
    if found:
        plot = panel(drawing, upper, name, left=slots.left, top=0, high=130)
        draw_speeds(drawing, plot, slots, speeds, limit_kmh)
        draw_labels(drawing, plot.bottom, slots, labels)
        top = plot.bottom + 30
    plot = panel(drawing, lower, words.say("Vehicles"), left=slots.left, top=top, high=105)
    draw_bars(drawing, plot, slots, volumes)
    draw_labels(drawing, plot.bottom, slots, labels)
    drawing.height = plot.bottom + 26
    _legend(drawing, volumes, words)
    return drawing.svg()


def _speed(point: TrendPoint, words: Language) -> str:
    return "–" if finite(point.v85) is None else words.speed(point.v85 or 0.0)


def _volume(point: TrendPoint, words: Language) -> str:
    n = finite(point.n)
    text = "–" if n is None else words.count(round(n))
    coverage = finite(point.coverage)
    return text if coverage is None or point.complete else f"{text} ({words.percent(coverage, 0)})"


def _legend(drawing: Drawing, volumes: Sequence[Point], words: Language) -> None:
    """Only where something is not as it should be."""
    hollow = any(point.hollow and point.value is not None for point in volumes)
    missing = any(point.value is None for point in volumes)
    if not hollow and not missing:
        return
    entries = [(swatch(drawing, BLUE), words.say("measured in full"))]
    if hollow:
        entries.append((swatch(drawing, PAPER, BLUE), words.say("measured in part")))
    if missing:
        entries.append((swatch(drawing, open_fill(drawing)), words.say("not measured, or too little")))
    drawing.height = legend(drawing, entries, top=drawing.height + 6)
