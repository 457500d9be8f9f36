"""A report before it is a file: titles, sentences, charts and tables with plain values.

Every format (HTML, PDF, spreadsheet, CSV) is made from the same document, so that all of them hold the
same numbers. Text is already in the reader's language; values are not text yet: a spreadsheet gets numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds, and so how its values are written (telemetry.report.values)."""

    TEXT = "text"
    COUNT = "count"  # int: vehicles, days
    MEAN = "mean"  # float: vehicles an hour or a day; one decimal
    SPEED = "speed"  # float, km/h; one decimal
    KMH = "kmh"  # int, km/h
    CHANGE = "change"  # float, km/h, with its sign; one decimal
    SHARE = "share"  # float, 0 to 1; per cent with one decimal
    POINTS = "points"  # float, -1 to 1, with its sign; percentage points with one decimal
    DATE = "date"  # datetime.date
    TIME = "time"  # aware datetime
    SECONDS = "seconds"  # float; one decimal


Plain = str | int | float | date | datetime | None


@dataclass(frozen=True, slots=True)
class Marked:
    """A value that needs a remark: `mark` is a short sign that a note below the table explains.

    A value that may not be shown (too few vehicles) is None with a mark.
    """

    value: Plain
    mark: str


Value = Plain | Marked


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `key` names it in CSV and never changes with the language."""

    key: str
    title: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values in the order of the columns; the first column heads its row."""

    key: str  # of the whole table; unique in a document, [a-z_]+
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...] = ()  # below the table: what marks mean, what was left out

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row) != len(self.columns)]
        if wrong:
            raise ValueError(f"table {self.key}: {len(self.columns)} columns, but a row of {len(wrong[0])}")


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of a table; `svg` is a whole <svg> element with title and description inside."""

    key: str
    title: str
    svg: str
    summary: str  # one sentence that says what is to be seen: the text alternative
    table: Table  # the same in numbers


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that is to be seen at once: "V85", 57.3, "km/h"."""

    title: str
    value: Value
    kind: Kind
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """The few numbers at the top."""

    items: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence that is ready to be pasted elsewhere."""

    text: str


Block = Heading | Paragraph | Quote | Figures | Table | Chart


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. `language` is lv, lt or en; `made` stands at its foot.

    `made_at` (aware) goes into the properties of PDF and spreadsheet; without it they hold no date. `facts`
    say to programs what the numbers are of (limit, period, rule): keys never change with the language.
    """

    title: str
    subtitle: str
    language: str
    blocks: tuple[Block, ...]
    made: str  # "speedsign 0.1.0, 2026-06-01 08:00"
    keywords: tuple[str, ...] = ()
    made_at: datetime | None = None
    facts: tuple[tuple[str, Plain], ...] = ()

    def tables(self) -> Iterator[Table]:
        """Every table, those of charts included, in order."""
        for block in self.blocks:
            if isinstance(block, Table):
                yield block
            elif isinstance(block, Chart):
                yield block.table


def plain(value: Value) -> Plain:
    """The value without its mark."""
    return value.value if isinstance(value, Marked) else value
