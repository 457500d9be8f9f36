"""A report as CSV for programs: keys as heads, dots as decimal marks, ISO dates, shares 0 to 1.

All tables stand one after the other, each below a line "# key,title" and with an empty line behind it; or one
alone, without that line. What is marked in the report has its marks in a last column, "marks". Numbers that
are copied out of a file have to bring along what they are of: so the first part, "about", says whose and how
by key and value, and the last, "text", has every sentence that readers of the page see.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date

from speedsign.errors import UsageError
from telemetry.report.document import (
    Chart,
    Document,
    Heading,
    Marked,
    Paragraph,
    Plain,
    Quote,
    Table,
    Value,
    plain,
)

DIGITS = 6  # behind the dot
ABOUT, TEXT = "about", "text"  # parts of the file that are no tables of the report
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula (OWASP)


def render_csv(document: Document, table: str | None = None) -> str:
    """All tables, or the one with that key; UsageError when there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if table is not None:
        writer.writerows(_rows(_named(document, table)))
        return out.getvalue()
    writer.writerow([f"# {ABOUT}", _text(document.title)])
    writer.writerow(["key", "value"])
    writer.writerows([key, _cell(value)] for key, value in _about(document))
    for one in document.tables():
        out.write("\n")
        writer.writerow([f"# {one.key}", _text(one.title)])
        writer.writerows(_rows(one))
    out.write("\n")
    writer.writerow([f"# {TEXT}", _text(document.title)])
    writer.writerow(["kind", "text"])
    writer.writerows([kind, _text(text)] for kind, text in _said(document))
    return out.getvalue()


def _about(document: Document) -> Iterator[tuple[str, Plain]]:
    """What any document knows of itself, then what its maker says of the numbers."""
    yield "title", document.title
    yield "subtitle", document.subtitle
    yield "language", document.language
    yield "made", document.made
    if document.made_at is not None:
        yield "made_at", document.made_at
    yield from document.facts


def _said(document: Document) -> Iterator[tuple[str, str]]:
    """Sentences, with the notes of tables and what is to be seen in pictures, in their order."""
    for block in document.blocks:
        if isinstance(block, Heading | Paragraph | Quote):
            yield type(block).__name__.lower(), block.text
        elif isinstance(block, Chart):
            yield "picture", block.summary
        table = block.table if isinstance(block, Chart) else block
        if isinstance(table, Table):
            yield from (("note", f"{table.key}: {note}") for note in table.notes)


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
    if isinstance(value, bool):
        return str(value).lower()
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
