"""The week: a cell for each hour of it, the more the darker."""

from __future__ import annotations

import math
from collections.abc import Mapping

from speedsign.language import Language
from telemetry.report.charts.axes import Scale, around, from_zero
from telemetry.report.charts.colours import ink_on, scale
from telemetry.report.charts.drawing import SMALL, TEXT, WIDTH, Drawing, finite, text_width
from telemetry.report.charts.series import open_fill
from telemetry.report.document import Kind
from telemetry.report.values import written

_HIGH = 23.0  # of a cell
_TOP = 22.0  # below the hours
_IN_CELL = (9.5, 8.5)  # size of numbers in cells, of two signs and of more; on a telephone the table has them
_BLOCK = 50.0  # of the legend
_LEFT = 26.0


def heat_map_svg(
    values: Mapping[tuple[int, int], float | None],
    *,
    kind: Kind,
    unit: str,
    words: Language,
    key: str,
    title: str,
    description: str,
) -> str:
    """7 rows, Monday first, of 24 hours: the more, the darker; not measured: hatched.

    `values` is {(0 Monday to 6, 0 to 23): value}; `kind` MEAN, COUNT or SPEED, or SHARE (0 to 1, written in
    per cent); `unit` says in the legend what they are: "vehicles per hour".
    """
    cells = {place: found for place, value in values.items() if (found := finite(value)) is not None}
    axis = _scale(list(cells.values()), kind, words)
    colours = scale(len(axis.ticks) - 1, warm=kind is Kind.SHARE)
    drawing = Drawing(key, title, description)
    left = max(text_width(words.weekday(day, short=True)) for day in range(7)) + 6
    wide = (WIDTH - left) / 24
    for hour in range(0, 24, 2):
        x = left + (hour + 0.5) * wide
        drawing.text(x, _TOP - 6, f"{hour:02}", size=SMALL, anchor="middle")
    for day in range(7):
        y = _TOP + day * _HIGH
        drawing.text(0, y + _HIGH / 2 + TEXT * 0.35, words.weekday(day, short=True))
        for hour in range(24):
            box = left + hour * wide, y, wide - 1, _HIGH - 1
            value = cells.get((day, hour))
            says = f"{words.weekday(day)} {hour:02}:00–{hour:02}:59: {written(value, kind, words)}"
            fill = open_fill(drawing) if value is None else colours[_class(value, axis)]
            drawing.rect(*box, fill=fill, says=says)
    drawing.frame(left - 1, _TOP - 1, WIDTH - left + 1, 7 * _HIGH + 1)
    digits = 1 if kind is Kind.MEAN and axis.ticks[-1] <= 10 else 0
    texts = {place: _short(value, kind, digits, words) for place, value in cells.items()}
    size = _IN_CELL[any(len(text) > 2 for text in texts.values())]
    if all(text_width(text, size) <= wide for text in texts.values()):
        inks = {place: ink_on(colours[_class(value, axis)]) for place, value in cells.items()}
        for ink in sorted(set(inks.values())):
            drawing.texts(
                (
                    (
                        left + (hour + 0.5) * wide - 0.5,
                        _TOP + (day + 0.5) * _HIGH + size * 0.35 - 0.5,
                        text,
                    )
                    for (day, hour), text in texts.items()
                    if inks[day, hour] == ink
                ),
                size=size,
                fill=ink,
            )
    _legend(drawing, axis, colours, unit, open_=len(cells) < 7 * 24, words=words)
    return drawing.svg()


def _scale(values: list[float], kind: Kind, words: Language) -> Scale:
    if kind is Kind.SHARE:
        return from_zero(max(values, default=0) or 0.1, words.percent, most=10, unit=0.01)
    if kind is Kind.SPEED:
        return around(values, words.decimal, least=5, most=10)
    return from_zero(max(values, default=0) or 1, words.decimal, most=10, whole=kind is Kind.COUNT)


def _class(value: float, axis: Scale) -> int:
    """Which class of the legend: each begins at its lower number; the last holds its upper one too."""
    return sum(value >= tick for tick in axis.ticks[1:-1])


def _short(value: float, kind: Kind, digits: int, words: Language) -> str:
    return words.decimal(100 * value if kind is Kind.SHARE else value, digits)


def _legend(
    drawing: Drawing, axis: Scale, colours: list[str], unit: str, *, open_: bool, words: Language
) -> None:
    """The classes as one strip with the numbers at their edges."""
    y = _TOP + 7 * _HIGH + 12
    drawing.text(0, y + TEXT, unit)
    y += TEXT + 8
    block = min(_BLOCK, (WIDTH - 2 * _LEFT) / len(colours))
    for place, colour in enumerate(colours):
        drawing.rect(_LEFT + place * block, y, block, 16, fill=colour)
    drawing.frame(_LEFT, y, len(colours) * block, 16)
    every = math.ceil((axis.room + 4) / block)
    for place, text in list(enumerate(axis.texts))[::every]:
        drawing.text(_LEFT + place * block, y + 30, text, size=SMALL, anchor="middle")
    drawing.height = y + 36
    if open_:
        drawing.rect(_LEFT, y + 42, _BLOCK, 16, fill=open_fill(drawing))
        drawing.frame(_LEFT, y + 42, _BLOCK, 16)
        drawing.text(_LEFT + _BLOCK + 8, y + 42 + 13, words.say("not measured, or too little"))
        drawing.height = y + 64
