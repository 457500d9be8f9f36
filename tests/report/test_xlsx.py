"""The spreadsheet read back: numbers are numbers, days are days, text is never a formula."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook  # type: ignore[import-untyped]
from openpyxl.workbook import Workbook  # type: ignore[import-untyped]

from speedsign.errors import UsageError
from telemetry.report.document import Column, Document, Kind, Marked, Table, Value
from telemetry.report.xlsx import SHEET_NAME, render_xlsx, sheet_names
from tests.report.documents import EVERY_KIND, LETTERS, MADE_AT, sample


def read(document: Document) -> Workbook:
    return load_workbook(BytesIO(render_xlsx(document)))


def cells(book: Workbook, name: str) -> list[tuple[Any, ...]]:
    return list(book[name].iter_rows(values_only=True))


def test_a_first_sheet_to_read_and_one_for_each_table() -> None:
    book = read(sample("en"))
    assert book.sheetnames == ["Report", "Every kind of value", "Vehicles per hour", "By day"]
    first = [cell for row in cells(book, "Report") for cell in row if cell is not None]
    document = sample("en")
    for text in (document.title, document.subtitle, document.made, "Speeds", "Days", 18_234, 57.3, 0.3125):
        assert text in first
    assert any(LETTERS in str(text) for text in first)
    links = {cell.value: cell.hyperlink.location for row in book["Report"] for cell in row if cell.hyperlink}
    assert links == {name: f"'{name}'!A1" for name in book.sheetnames[1:]}


def test_numbers_are_numbers_with_their_formats() -> None:
    sheet = read(sample("en"))["Every kind of value"]
    head = [cell.value for cell in sheet[1]]
    found = dict(zip(head, sheet[2], strict=True))
    assert found["Vehicles"].value == 1_234_567
    assert found["Vehicles"].number_format == "#,##0"
    assert found["V85, km/h"].value == 57.25
    assert found["V85, km/h"].number_format == "0.0"
    assert found["Over the limit"].value == 0.125
    assert found["Over the limit"].number_format.endswith("%")
    assert found["Change, percentage points"].value == -5.25
    assert found["Day"].value == datetime(2026, 5, 4)  # noqa: DTZ001  a spreadsheet's days have no zone
    assert found["Time"].value == "2026-10-25 03:30 +02:00"


def test_a_mark_stands_beside_its_number_and_nothing_is_an_empty_cell() -> None:
    rows = cells(read(sample("en")), "Every kind of value")
    assert rows[0][:6] == ("Name", "Vehicles", "Mark", "Vehicles per hour", "V85, km/h", "Mark")
    assert [row[4:6] for row in rows[1:4]] == [(57.25, None), (61.5, "*"), (None, None)]
    assert rows[3][:3] == ("=1+1", None, "**")
    assert [row[0] for row in rows[5:7]] == list(EVERY_KIND.notes)


def test_the_head_stays_in_sight() -> None:
    book = read(sample("en"))
    assert {book[name].freeze_panes for name in book.sheetnames[1:]} == {"B2"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "@SUM(A1)", "{=1}", "http://example.com", "1234", "-", "'x"])
def test_text_is_text(text: str) -> None:
    columns = Column("a", text, Kind.TEXT), Column("b", "B", Kind.TEXT)
    document = replace(sample("en", blocks=(Table("t", text, columns, ((text, text),)),)), title=text)
    book = read(document)
    sheet = book.worksheets[-1]
    assert [[cell.value for cell in row] for row in sheet] == [[text, "B"], [text, text]]
    assert {cell.data_type for row in sheet for cell in row} == {"s"}
    assert not any(cell.hyperlink for row in sheet for cell in row)
    assert book.worksheets[0]["A1"].value == text
    assert book.worksheets[0]["A1"].data_type == "s"


def test_latvian_days_look_latvian() -> None:
    book = read(sample("lv"))
    assert book.worksheets[-1]["A2"].number_format == "dd.mm.yyyy."
    assert read(sample("lt")).worksheets[-1]["A2"].number_format == "yyyy-mm-dd"


def test_the_same_report_is_the_same_file_and_its_date_is_the_report_s() -> None:
    document = sample("lv", made_at=MADE_AT)
    assert render_xlsx(document) == render_xlsx(document)
    assert render_xlsx(sample("lv")) == render_xlsx(sample("lv"))
    book = read(document)
    assert book.properties.created == MADE_AT.astimezone(UTC).replace(tzinfo=None)
    assert book.properties.title == document.title
    with zipfile.ZipFile(BytesIO(render_xlsx(document))) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def test_long_and_strange_texts_are_kept_whole_as_far_as_a_cell_goes() -> None:
    columns = (Column("a", "A", Kind.TEXT),)
    long, strange = "ā" * 40_000, "a\x07b\nc<&>\"'"
    document = sample("en", blocks=(Table("t", "T", columns, ((long,), (strange,))),))
    found = [row[0] for row in cells(read(document), "T")]
    assert found[1] == long[:32_767]
    assert found[2].replace("_x0007_", "\x07") == strange


@given(st.lists(st.text(max_size=60), max_size=12))
def test_every_title_gives_a_name_that_excel_takes(titles: list[str]) -> None:
    names = sheet_names(titles)
    assert len({name.casefold() for name in names}) == len(titles) == len(names)
    for name in names:
        assert 0 < len(name) <= SHEET_NAME
        assert not set(name) & set("[]:*?/\\")
        assert name[0] != "'" != name[-1]
        assert name.casefold() != "history"


@pytest.mark.parametrize("value", [Marked(5, "*"), 5])
def test_names_that_are_alike_are_told_apart(value: Value) -> None:
    columns = Column("a", "A", Kind.COUNT), Column("b", "B", Kind.COUNT)
    table = Table("t", "Share over the limit, by hour and weekday", columns, ((value, 1),))
    book = read(sample("en", blocks=(table, replace(table, key="u"), replace(table, title="it's: [1/2]"))))
    assert book.sheetnames[-3:] == [
        "Share over the limit, by hour a",
        "Share over the limit, by hour 2",
        "it's 1 2",
    ]


def test_without_xlsxwriter_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(
        UsageError, match=r"a spreadsheet needs XlsxWriter: pip install 'speedsign\[report\]'"
    ):
        render_xlsx(sample())
