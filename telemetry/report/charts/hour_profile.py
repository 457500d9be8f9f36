"""The day: vehicles, share over the limit and V85 by hour, one panel each; no axis has two meanings."""

from __future__ import annotations

from collections.abc import Sequence

from speedsign.language import Language
from telemetry.report.charts.axes import GAP, Panel, Scale, from_zero, legend, panel, swatch
from telemetry.report.charts.colours import BLUE, VERMILION
from telemetry.report.charts.drawing import SMALL, Drawing, finite
from telemetry.report.charts.points import HourPoint
from telemetry.report.charts.series import (
    Point,
    Slots,
    draw_bars,
    draw_labels,
    draw_line,
    draw_speeds,
    open_fill,
    speed_axis,
)

_HOURS = range(24)
_BETWEEN = 30.0


def hour_profile_svg(
    rows: Sequence[HourPoint],
    *,
    limit_kmh: int | None = None,
    words: Language,
    key: str,
    title: str,
    description: str,
) -> str:
    """Panels one below the other; that of shares or V85 is left out where no hour has one.

    Hours that `rows` does not have were not measured.
    """
    by_hour = {row.hour: row for row in rows}
    hours = [by_hour.get(hour, HourPoint(hour, None, None)) for hour in _HOURS]
    means = [Point(finite(row.mean), _says(row.hour, _mean(row.mean, words))) for row in hours]
    shares = [Point(finite(row.over_share), _says(row.hour, _share(row.over_share, words))) for row in hours]
    speeds = [Point(finite(row.v85), _says(row.hour, _speed(row.v85, words))) for row in hours]
    mean_scale = from_zero(max(_values(means), default=0) or 1, words.decimal)
    share_scale = from_zero(max(_values(shares), default=0) or 0.1, words.percent, unit=0.01)
    speed_scale, speed_name = speed_axis(_values(speeds), limit_kmh, words)
    drawing = Drawing(key, title, description)
    slots = Slots(max(scale.room for scale in (mean_scale, share_scale, speed_scale)) + GAP, 24)
    plot = _panel(drawing, slots, mean_scale, words.say("Vehicles per hour"), 0)
    draw_bars(drawing, plot, slots, means)
    if _values(shares):
        plot = _panel(drawing, slots, share_scale, words.say("Share over the limit"), plot.bottom + _BETWEEN)
        draw_line(drawing, plot, slots, shares, colour=VERMILION)
    if _values(speeds):
        plot = _panel(drawing, slots, speed_scale, speed_name, plot.bottom + _BETWEEN)
        draw_speeds(drawing, plot, slots, speeds, limit_kmh)
    drawing.height = plot.bottom + 40
    name = words.say("Hour of the day; 08 is 08:00 to 08:59")
    drawing.text(slots.left, drawing.height - 6, name, size=SMALL)
    if any(point.value is None for point in means):
        entries = [(swatch(drawing, BLUE), words.say("measured"))]
        entries.append((swatch(drawing, open_fill(drawing)), words.say("not measured, or too little")))
        drawing.height = legend(drawing, entries, top=drawing.height + 6)
    return drawing.svg()


def _panel(drawing: Drawing, slots: Slots, scale: Scale, name: str, top: float) -> Panel:
    plot = panel(drawing, scale, name, left=slots.left, top=top, high=105)
    draw_labels(drawing, plot.bottom, slots, [f"{hour:02}" for hour in _HOURS])
    return plot


def _values(points: Sequence[Point]) -> list[float]:
    return [point.value for point in points if point.value is not None]


def _says(hour: int, value: str) -> str:
    return f"{hour:02}:00–{hour:02}:59: {value}"


def _mean(value: float | None, words: Language) -> str:
    return "–" if finite(value) is None else words.decimal(value or 0.0)


def _share(value: float | None, words: Language) -> str:
    return "–" if finite(value) is None else words.percent(value or 0.0)


def _speed(value: float | None, words: Language) -> str:
    return "–" if finite(value) is None else words.speed(value or 0.0)
