"""A report as a spreadsheet: a first sheet to read, and a sheet for each table, with real numbers.

A mark stands in a column of its own beside the numbers it belongs to, so that they stay numbers. Text is
written as text: what begins with "=" is never a formula. The same document gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

from speedsign.build import how_to_get
from speedsign.errors import UsageError
from speedsign.language import Language, language
from telemetry.report.document import (
    Chart,
    Column,
    Document,
    Figures,
    Heading,
    Kind,
    Marked,
    Paragraph,
    Plain,
    Quote,
    Table,
    Value,
    plain,
)
from telemetry.report.values import with_unit, written

SHEET_NAME = 31  # characters; Excel opens no file with a longer one
_CELL_TEXT = 32_767
_FIRST_DAY = date(1900, 3, 1)  # Excel counts a 29 February 1900 that never was
_NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)  # where a zip file's calendar begins
_FORMATS: Mapping[Kind, str] = {
    Kind.TEXT: "@",
    Kind.COUNT: "#,##0",
    Kind.MEAN: "#,##0.0",
    Kind.SPEED: "0.0",
    Kind.KMH: "0",
    Kind.CHANGE: "+0.0;\N{MINUS SIGN}0.0;0.0",
    Kind.SHARE: '0.0"\N{NO-BREAK SPACE}"%',
    Kind.POINTS: "+0.0;\N{MINUS SIGN}0.0;0.0",
    Kind.DATE: "yyyy-mm-dd",
    Kind.TIME: "yyyy-mm-dd hh:mm",
    Kind.SECONDS: "0.0",
}


def render_xlsx(document: Document) -> bytes:
    """The whole file. Raises UsageError when XlsxWriter is not installed."""
    try:
        import xlsxwriter  # type: ignore[import-untyped]
    except ImportError:
        raise UsageError(
            f"a spreadsheet needs XlsxWriter: {how_to_get('report', 'speedsign-report')}"
        ) from None
    made = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = xlsxwriter.Workbook(made, {**options, "strings_to_numbers": False})
    _Book(workbook, document).write()
    workbook.close()
    return made.getvalue()


def sheet_names(titles: Iterable[str]) -> list[str]:
    """Names that Excel takes: at most 31 characters, none of []:*?/\\, no quote at an end, no two alike."""
    names: list[str] = []
    for title in titles:
        legal = re.sub(r"[\[\]:*?/\\\s\x00-\x1f]+", " ", title).strip("' ") or "–"
        name, number = legal[:SHEET_NAME].rstrip("' "), 1
        while name.casefold() in {"history", *(other.casefold() for other in names)}:
            number += 1
            name = f"{legal[: SHEET_NAME - len(str(number)) - 1].rstrip()} {number}"
        names.append(name)
    return names


class _Book:
    """One workbook while it is written. XlsxWriter has no types for mypy to check."""

    def __init__(self, workbook: Any, document: Document) -> None:
        self.workbook = workbook
        self.document = document
        self.words: Language = language(document.language)
        self.title = workbook.add_format({"bold": True, "font_size": 16})
        self.head = workbook.add_format({"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1})
        self.strong = workbook.add_format({"bold": True, "valign": "top"})
        self.text = workbook.add_format({"text_wrap": True, "valign": "top"})
        self.formats = {
            kind: workbook.add_format({"num_format": code, "valign": "top"})
            for kind, code in _formats(document.language).items()
        }

    def write(self) -> None:
        self.workbook.set_properties(
            {
                "title": self.document.title,
                "subject": self.document.subtitle,
                "author": "speedsign",
                "keywords": ", ".join(self.document.keywords),
                "comments": self.document.made,
                "created": (self.document.made_at or _NO_DATE).astimezone(UTC).replace(tzinfo=None),
            }
        )
        tables = list(self.document.tables())
        names = sheet_names([self.words.say("Report"), *(table.title for table in tables)])
        self._first(self.workbook.add_worksheet(names[0]), names[1:])
        for name, table in zip(names[1:], tables, strict=True):
            self._table(self.workbook.add_worksheet(name), table)

    def _first(self, sheet: Any, names: Sequence[str]) -> None:
        """What is to be read: sentences, key figures, and which sheet holds which table."""
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 16)
        sheet.set_column(2, 2, 60)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.write_string(0, 0, self.document.title, self.title)
        sheet.write_string(1, 0, self.document.subtitle)
        row, left = 3, iter(names)
        for block in self.document.blocks:
            row = self._block(sheet, row, block, left)
        sheet.write_string(row + 1, 0, self.document.made)

    def _block(self, sheet: Any, row: int, block: object, names: Any) -> int:
        """One block of the report, and the next free row."""
        if isinstance(block, Heading):
            sheet.write_string(row + 1, 0, block.text, self.strong)
            return row + 2
        if isinstance(block, Paragraph | Quote):
            sheet.merge_range(row, 0, row, 2, "", self.text)
            sheet.write_string(row, 0, block.text[:_CELL_TEXT], self.text)
            sheet.set_row(row, 15 * (1 + len(block.text) // 100 + block.text.count("\n")))
            return row + 1
        if isinstance(block, Figures):
            for number, item in enumerate(block.items):
                sheet.write_string(row + number, 0, item.title)
                self._cell(sheet, row + number, 1, item.value, item.kind)
                sheet.write_string(row + number, 2, self._remark(item.value, item.kind, item.remark))
            return row + len(block.items) + 1
        name, title = next(names), block.title if isinstance(block, Table | Chart) else ""
        sheet.write_url(row, 0, f"internal:'{name.replace(chr(39), chr(39) * 2)}'!A1", string=title)
        if isinstance(block, Chart):
            sheet.write_string(row, 1, block.summary)
        return row + 1

    def _remark(self, value: Value, kind: Kind, remark: str) -> str:
        """What a number alone does not say: its unit, its mark."""
        whole = with_unit(plain(value), kind, self.words)
        unit = whole.removeprefix(written(plain(value), kind, self.words)).strip()
        mark = value.mark if isinstance(value, Marked) and value.mark not in remark else ""
        return "; ".join(part for part in (unit, mark, remark) if part)

    def _table(self, sheet: Any, table: Table) -> None:
        marked = [_is_marked(table, at) for at in range(len(table.columns))]
        column = 0
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.fit_to_pages(1, 0)
        for at, of_table in enumerate(table.columns):
            sheet.set_column(column, column, self._width(table, at))
            self._column(sheet, column, of_table, [row[at] for row in table.rows])
            column += 1
            if marked[at]:
                sheet.set_column(column, column, 9)
                sheet.write_string(0, column, self.words.say("Mark"), self.head)
                for number, row in enumerate(table.rows, 1):
                    if isinstance(cell := row[at], Marked):
                        sheet.write_string(number, column, cell.mark)
                column += 1
        for number, note in enumerate(table.notes, len(table.rows) + 2):
            sheet.write_string(number, 0, note[:_CELL_TEXT])

    def _column(self, sheet: Any, at: int, column: Column, values: Sequence[Value]) -> None:
        sheet.write_string(0, at, column.title, self.head)
        for number, value in enumerate(values, 1):
            self._cell(sheet, number, at, value, column.kind)

    def _cell(self, sheet: Any, row: int, column: int, value: Value, kind: Kind) -> None:
        """A number where there is one, a real date, else text."""
        found: Plain = plain(value)
        if found is None:
            sheet.write_blank(row, column, None, self.formats[kind])  # text would be drawn as zero in charts
        elif isinstance(found, datetime) or (isinstance(found, date) and found < _FIRST_DAY):
            # A spreadsheet knows no time zones: the repeated hour of autumn would be told twice the same.
            sheet.write_string(row, column, written(found, kind, self.words))
        elif isinstance(found, date):
            sheet.write_datetime(row, column, found, self.formats[kind])
        elif isinstance(found, int | float):
            number = 100 * found if kind is Kind.POINTS else found
            sheet.write_number(row, column, number, self.formats[kind])
        else:
            sheet.write_string(row, column, str(found)[:_CELL_TEXT], self.formats[Kind.TEXT])

    def _width(self, table: Table, at: int) -> float:
        """Characters: the longest value, or the longest word of the title."""
        column = table.columns[at]
        texts = [written(plain(row[at]), column.kind, self.words) for row in table.rows]
        longest = max(map(len, [*texts, *column.title.split()]), default=8)
        return float(min(max(longest + 2, 9), 60))


def _is_marked(table: Table, at: int) -> bool:
    return any(isinstance(row[at], Marked) for row in table.rows)


def _formats(code: str) -> dict[Kind, str]:
    """Excel puts in the reader's own commas; only dates are written as the language has them."""
    day = "dd.mm.yyyy." if code == "lv" else "yyyy-mm-dd"
    return {**_FORMATS, Kind.DATE: day}
