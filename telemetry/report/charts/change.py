"""Before and after: how much each figure changed, with its range and the line of no change."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from speedsign.language import Language
from telemetry.report.charts.axes import RIGHT, Across, decimals, legend, round_step, ticks
from telemetry.report.charts.colours import BLUE, FAINT, INK, PAPER
from telemetry.report.charts.drawing import SMALL, TEXT, WIDTH, Drawing, finite, text_width, wrapped
from telemetry.report.charts.points import ChangeRow
from telemetry.report.document import Kind
from telemetry.report.values import with_unit, written

_BAND = 26.0  # of the range below its words
_PLAIN = {Kind.CHANGE: Kind.SPEED, Kind.POINTS: Kind.SHARE, Kind.MEAN: Kind.MEAN}
_ARROW = "\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}"


def before_after_svg(
    rows: Sequence[ChangeRow], *, words: Language, key: str, title: str, description: str
) -> str:
    """A row for each figure, rows of one unit on one scale; filled: the range does not hold zero."""
    drawing = Drawing(key, title, description)
    y = 0.0
    for unit, found in groupby(rows, key=lambda row: row.unit):
        y = _group(drawing, list(found), unit, y, words)
    drawing.height = _legend(drawing, y, words) if rows else 24.0
    return drawing.svg()


def _difference(row: ChangeRow) -> float | None:
    before, after = finite(row.before), finite(row.after)
    return None if before is None or after is None else after - before


def _range(row: ChangeRow) -> tuple[float, float] | None:
    low, high = finite(row.low), finite(row.high)
    return None if low is None or high is None else (low, high)


def _group(drawing: Drawing, rows: Sequence[ChangeRow], unit: Kind, top: float, words: Language) -> float:
    """Rows on one scale with zero in it; where they end."""
    values = [0.0, *(end for row in rows for end in _range(row) or ())]
    values += [found for row in rows if (found := _difference(row)) is not None]
    step = round_step((max(values) - min(values)) or (0.04 if unit is Kind.POINTS else 4.0), 5)
    marks = ticks(min(values), max(values), step)
    across = Across(14, RIGHT - 4, marks[0], marks[-1])
    y = top
    for row in rows:
        y = _row(drawing, row, across, marks, y, words)
    digits = decimals(step / (0.01 if unit is Kind.POINTS else 1.0))
    for mark in marks:
        text = _tick(mark, unit, digits, words)
        half = text_width(text, SMALL) / 2
        x = min(max(across.x(mark), half), WIDTH - half)
        drawing.text(x, y + 14, text, size=SMALL, anchor="middle")
    drawing.text(RIGHT, y + 30, _unit_name(unit, words), size=SMALL, anchor="end")
    return y + 46


def _row(
    drawing: Drawing, row: ChangeRow, across: Across, marks: Sequence[float], top: float, words: Language
) -> float:
    """Words above, range below; where it ends."""
    label, change = _texts(row, words)
    y = top + 6
    lines = wrapped(label, WIDTH)
    together = len(lines) == 1 and text_width(f"{label}  {change}") <= WIDTH
    for line in lines:
        y += TEXT + 4
        drawing.text(0, y, line)
    y += 0 if together else TEXT + 4
    drawing.text(WIDTH, y, change, anchor="end")
    y += 6
    for mark in marks:
        x = across.x(mark)
        drawing.line((x, y), (x, y + _BAND), stroke=FAINT if mark else INK, width=1.0 if mark else 1.8)
    middle = y + _BAND / 2
    _whisker(drawing, row, across, middle, f"{row.label}: {change}")
    return y + _BAND


def _whisker(drawing: Drawing, row: ChangeRow, across: Across, y: float, says: str) -> None:
    ends, difference = _range(row), _difference(row)
    if ends is not None:
        low, high = (across.x(end) for end in ends)
        drawing.line((low, y), (high, y), stroke=BLUE, width=3)
        for x in (low, high):
            drawing.line((x, y - 6), (x, y + 6), stroke=BLUE, width=2)
    if difference is not None:
        sure = ends is not None and not ends[0] <= 0 <= ends[1]
        drawing.dot(across.x(difference), y, 5.5, fill=BLUE if sure else PAPER, stroke=BLUE, says=says)


def _texts(row: ChangeRow, words: Language) -> tuple[str, str]:
    """The figure with its two values, and the change with its range."""
    plain = _PLAIN[row.unit]
    values = f"{written(finite(row.before), plain, words)}{_ARROW}{written(finite(row.after), plain, words)}"
    change = _signed(_difference(row), row.unit, words)
    if row.unit is not Kind.MEAN:
        change = with_unit(_difference(row), row.unit, words)
    ends = _range(row)
    if ends is not None:
        low, high = (_signed(end, row.unit, words) for end in ends)
        change = words.say("{change} ({low} to {high})", change=change, low=low, high=high)
    return f"{row.label}: {values}", change


def _signed(value: float | None, unit: Kind, words: Language) -> str:
    """A difference with its sign; vehicles an hour too."""
    return written(value, Kind.CHANGE if unit is Kind.MEAN else unit, words)


def _tick(value: float, unit: Kind, digits: int, words: Language) -> str:
    return words.decimal(100 * value if unit is Kind.POINTS else value, digits, signed=True)


def _unit_name(unit: Kind, words: Language) -> str:
    return {
        Kind.CHANGE: words.say("Change, km/h"),
        Kind.POINTS: words.say("Change, percentage points"),
        Kind.MEAN: words.say("Change, vehicles per hour"),
    }[unit]


def _legend(drawing: Drawing, top: float, words: Language) -> float:
    def dot(fill: str, x: float, y: float) -> None:
        drawing.line((x + 1, y + 7), (x + 15, y + 7), stroke=BLUE, width=3)
        drawing.dot(x + 8, y + 7, 5, fill=fill, stroke=BLUE)

    entries = [
        (lambda x, y: dot(BLUE, x, y), words.say("zero is outside the range")),
        (lambda x, y: dot(PAPER, x, y), words.say("zero is inside the range, or no range is known")),
    ]
    return legend(drawing, entries, top=top)
