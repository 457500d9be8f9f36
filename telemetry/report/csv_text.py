"""A report's tables as CSV for programs: keys as heads, dots as decimal marks, ISO dates, shares 0 to 1.

All tables stand one after the other, each below a line "# key,title" and with an empty line behind it; or one
alone, without that line. What is marked in the report has its marks in a last column, "marks".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date

from speedsign.errors import UsageError
from telemetry.report.document import Document, Marked, Table, Value, plain

DIGITS = 6  # behind the dot
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula (OWASP)


def render_csv(document: Document, table: str | None = None) -> str:
    """All tables, or the one with that key; UsageError when there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if table is not None:
        writer.writerows(_rows(_named(document, table)))
        return out.getvalue()
    for number, one in enumerate(document.tables()):
        if number:
            out.write("\n")
        writer.writerow([f"# {one.key}", _text(one.title)])
        writer.writerows(_rows(one))
    return out.getvalue()


def _named(document: Document, key: str) -> Table:
    found = {table.key: table for table in document.tables()}
    if key not in found:
        raise UsageError(f"there is no table {key!r} in this report; there are {', '.join(found)}")
    return found[key]


def _rows(table: Table) -> Iterator[list[str | int]]:
    marked = any(isinstance(cell, Marked) for row in table.rows for cell in row)
    heads: list[str | int] = [column.key for column in table.columns]
    yield [*heads, "marks"] if marked else heads
    for row in table.rows:
        cells = [_cell(cell) for cell in row]
        yield [*cells, _marks(table, row)] if marked else cells


def _cell(value: Value) -> str | int:
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{round(value, DIGITS):.{DIGITS}f}".rstrip("0").rstrip(".")
    if isinstance(value, date):  # a datetime too
        return value.isoformat()
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """Text that no spreadsheet takes for a formula: names of sites and directions are anybody's."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _marks(table: Table, row: tuple[Value, ...]) -> str:
    return " ".join(
        f"{column.key}:{cell.mark}"
        for column, cell in zip(table.columns, row, strict=True)
        if isinstance(cell, Marked)
    )
