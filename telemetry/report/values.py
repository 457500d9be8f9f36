"""Values of a report as people read them: HTML, PDF and text all write them here.

written(57.3, Kind.SPEED, language("lv"))       "57,3": in a column whose title names the unit
with_unit(57.3, Kind.SPEED, language("lv"))     "57,3 km/h": standing alone
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from speedsign.language import NO_BREAK, Language
from telemetry.report.document import Kind, Marked, Value

NOTHING = "–"  # not measured, or may not be shown


def written(value: Value, kind: Kind, words: Language) -> str:
    """A cell's text: its value, then its mark if it has one. Shares carry their %, other units do not."""
    if isinstance(value, Marked):
        return f"{written(value.value, kind, words)}{NO_BREAK}{value.mark}"
    return NOTHING if value is None else _WRITERS[kind](value, words)


def with_unit(value: Value, kind: Kind, words: Language) -> str:
    """The same for a value that stands alone, with its unit."""
    if isinstance(value, Marked):
        return f"{with_unit(value.value, kind, words)}{NO_BREAK}{value.mark}"
    text = written(value, kind, words)
    if value is None:
        return text
    if kind in (Kind.SPEED, Kind.KMH, Kind.CHANGE):
        return f"{text}{NO_BREAK}km/h"
    if kind is Kind.SECONDS:
        return f"{text}{NO_BREAK}s"
    if kind is Kind.POINTS:  # percentage points
        return words.say("{number} pp", number=text).replace(" ", NO_BREAK)
    return text


def _time(moment: datetime, words: Language) -> str:
    """With the offset where the clock shows the same twice, in the night when summer time ends."""
    text = f"{words.short_day(moment)} {words.clock(moment)}"
    first, second = (moment.replace(fold=fold).utcoffset() for fold in (0, 1))
    repeated = first is not None and second is not None and first > second
    return f"{text} {moment.isoformat()[-6:]}" if repeated else text


def _date(day: date, words: Language) -> str:
    return words.short_day(day)


_WRITERS: Mapping[Kind, Callable[[Any, Language], str]] = {
    Kind.TEXT: lambda value, _words: str(value),
    Kind.COUNT: lambda value, words: words.count(value),
    Kind.MEAN: lambda value, words: words.decimal(value),
    Kind.SPEED: lambda value, words: words.decimal(value),
    Kind.KMH: lambda value, words: words.count(value),
    Kind.CHANGE: lambda value, words: words.decimal(value, signed=True),
    Kind.SHARE: lambda value, words: words.percent(value),
    Kind.POINTS: lambda value, words: words.points(value),
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.SECONDS: lambda value, words: words.decimal(value),
}
