"""One database, one report, four formats: each is read back by another program and holds the same numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from html.parser import HTMLParser

import openpyxl  # type: ignore[import-untyped]
import pypdf
import pytest

from speedsign.errors import UsageError
from speedsign.language import language
from telemetry.report.build import build
from telemetry.report.csv_text import render_csv
from telemetry.report.document import (
    Column,
    Document,
    Figures,
    Heading,
    Kind,
    Marked,
    Paragraph,
    Quote,
    Table,
    Value,
    plain,
)
from telemetry.report.facts import gather
from telemetry.report.html import render_html
from telemetry.report.public import publish
from telemetry.report.public_build import build_public
from telemetry.report.typst_pdf import render_pdf
from telemetry.report.values import with_unit, written
from telemetry.report.xlsx import render_xlsx
from tests.report.signs import busy, fill, local, period, sign

CODES = ("en", "lv", "lt")


def quarter(at: datetime) -> Mapping[str, Mapping[int, int]]:
    found = dict(busy(at))
    if at.hour == 4:
        found["unknown"] = {118: 1}
    return {} if at.day == 9 else found


@pytest.fixture(scope="module", params=[*CODES, "public"])
def document(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """Two weeks with a gap, a day without vehicles and a few hours without a clock."""
    path = sign(tmp_path_factory.mktemp("same") / "sign.db")
    fill(path, local("2026-05-04"), local("2026-05-11"), quarter)
    fill(path, local("2026-05-11T09:30"), local("2026-05-17"), quarter)
    fill(path, local("2026-05-17"), local("2026-05-17T05:00"), quarter, clock="unknown")
    facts = gather(period(path, local("2026-05-04"), local("2026-05-18")))
    made = "speedsign 0.1.0, 2026-06-01 08:00"
    if request.param == "public":
        return build_public(publish(facts), language("lv"), made=made)
    return build(facts, language(request.param), made=made)


def without_spaces(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_the_report_has_every_part(document: Document) -> None:
    tables = {table.key: table for table in document.tables()}
    assert len(tables) >= 4
    if len(tables) > 4:
        assert set(tables) >= {"bands", "speeds", "volumes", "patrols", "week_over", "by_hour", "by_day"}
        assert tables["gaps"].rows
        cells = [cell for table in tables.values() for row in table.rows for cell in row]
        marks = "".join(cell.mark for cell in cells if isinstance(cell, Marked))
        assert {"*", "†", "‡"} <= set(marks)


# --------------------------------------------------------------------------- the page


class Tables(HTMLParser):
    """Every table of a page by its id, as texts; and the values of the figures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.values: list[str] = []
        self._rows: list[list[str]] = []
        self._into: list[str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "table":
            self._rows = self.tables.setdefault(found["id"] or "", [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._into = self._rows[-1]
            self._into.append("")
        elif tag == "dd" and found.get("class") == "value":
            self._into = self.values
            self._into.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "dd"):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data


def test_the_page_holds_them(document: Document) -> None:
    words = language(document.language)
    page = Tables(render_html(document))
    assert list(page.tables) == [table.key for table in document.tables()]
    for table in document.tables():
        heads, *rows = page.tables[table.key]
        assert heads == [column.title for column in table.columns]
        assert rows == [
            [written(cell, column.kind, words) for cell, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ]
    assert page.values == [with_unit(value, kind, words) for value, kind in figures(document)]


def figures(document: Document) -> list[tuple[Value, Kind]]:
    return [
        (item.value, item.kind)
        for block in document.blocks
        if isinstance(block, Figures)
        for item in block.items
    ]


# --------------------------------------------------------------------------- CSV


def blocks_of(text: str) -> Iterator[list[list[str]]]:
    """The tables of the file: rows between empty lines."""
    found: list[list[str]] = []
    for row in csv.reader(io.StringIO(text)):
        if row:
            found.append(row)
        else:
            yield found
            found = []
    yield found


def from_csv(text: str, column: Column) -> object:
    if text == "":
        return None
    if column.kind is Kind.TEXT:
        return text
    if column.kind is Kind.DATE:
        return date.fromisoformat(text)
    if column.kind is Kind.TIME:
        return datetime.fromisoformat(text)
    return float(text)


def as_number(value: object) -> object:
    return pytest.approx(value, abs=1e-6) if isinstance(value, int | float) else value


def test_csv_holds_them(document: Document) -> None:
    about, *parts, said = blocks_of(render_csv(document))
    assert about[:2] == [["# about", document.title], ["key", "value"]]
    assert dict(row for row in about[2:])["subtitle"] == document.subtitle
    assert {"site", "from", "to", "timezone", "limit_kmh", "coverage", "method"} <= {row[0] for row in about}
    assert said[:2] == [["# text", document.title], ["kind", "text"]]
    texts = [block.text for block in document.blocks if isinstance(block, Heading | Paragraph | Quote)]
    assert [text for kind, text in said[2:] if kind in ("heading", "paragraph", "quote")] == texts
    tables = list(document.tables())
    assert [part[0] for part in parts] == [[f"# {table.key}", table.title] for table in tables]
    for table, (_, heads, *rows) in zip(tables, parts, strict=True):
        keys = [column.key for column in table.columns]
        assert heads[: len(keys)] == keys
        for row, found in zip(table.rows, rows, strict=True):
            cells = found[: len(keys)]
            parsed = [from_csv(text, column) for text, column in zip(cells, table.columns, strict=True)]
            assert parsed == [as_number(plain(cell)) for cell in row]
            marks = [
                f"{key}:{cell.mark}" for key, cell in zip(keys, row, strict=True) if isinstance(cell, Marked)
            ]
            assert found[len(keys) :] in ([" ".join(marks)], [])


def test_one_table_alone_is_a_plain_file(document: Document) -> None:
    text = render_csv(document, "bands")
    heads, *rows = csv.reader(io.StringIO(text))
    assert heads[0] == "band"
    assert len(rows) == len(next(table for table in document.tables() if table.key == "bands").rows)
    with pytest.raises(UsageError, match="there is no table 'nothing' in this report; there are bands,"):
        render_csv(document, "nothing")


def test_text_that_looks_like_a_formula_is_none_in_csv() -> None:
    rows = tuple((text,) for text in ("=1+1", "+1", "-1", "@x", "plain"))
    table = Table("t", "=T()", (Column("a", "A", Kind.TEXT),), rows)
    text = render_csv(Document("", "", "en", (table,), ""))
    assert text.split("\n\n")[1].splitlines() == ["# t,'=T()", "a", "'=1+1", "'+1", "'-1", "'@x", "plain"]


def test_what_a_document_says_of_itself_is_no_formula_in_csv_either() -> None:
    blocks = (Paragraph("=1+1"), Quote("-1"))
    text = render_csv(Document("=T()", "@x", "en", blocks, "+1", facts=(("limit_kmh", 50), ("ok", True))))
    assert text.splitlines() == [
        *("# about,'=T()", "key,value", "title,'=T()", "subtitle,'@x", "language,en", "made,'+1"),
        *("limit_kmh,50", "ok,true", ""),
        *("# text,'=T()", "kind,text", "paragraph,'=1+1", "quote,'-1"),
    ]


def test_numbers_below_zero_and_small_ones_stay_numbers_in_csv() -> None:
    columns = (Column("a", "A", Kind.CHANGE), Column("b", "B", Kind.SHARE), Column("c", "C", Kind.COUNT))
    rows = ((-1.5, 1 / 3, 1_234_567), (0.0, 1e-9, 0), (None, 1.0, Marked(None, "*")))
    text = render_csv(Document("", "", "en", (Table("t", "T", columns, rows),), ""), "t")
    assert text.splitlines() == ["a,b,c,marks", "-1.5,0.333333,1234567,", "0,0,0,", ",1,,c:*"]


# --------------------------------------------------------------------------- spreadsheet


def test_the_spreadsheet_holds_them(document: Document) -> None:
    words = language(document.language)
    book = openpyxl.load_workbook(io.BytesIO(render_xlsx(document)))
    first, *sheets = book.worksheets
    for table, sheet in zip(document.tables(), sheets, strict=True):
        heads = [cell.value for cell in next(sheet.iter_rows(max_row=1))]
        places = [at for at, head in enumerate(heads) if head is not None and head != words.say("Mark")]
        assert [heads[at] for at in places] == [column.title for column in table.columns]
        rows = list(sheet.iter_rows(min_row=2, max_row=1 + len(table.rows), values_only=True))
        for row, found in zip(table.rows, rows, strict=True):
            for cell, at, column in zip(row, places, table.columns, strict=True):
                assert in_sheet(found[at]) == expected_in_sheet(cell, column, document), (
                    table.key,
                    column.key,
                )
                if isinstance(cell, Marked):
                    assert found[at + 1] == cell.mark
    numbers = [
        cell for row in first.iter_rows(values_only=True) for cell in row if isinstance(cell, int | float)
    ]
    shown = [plain(value) for value, _ in figures(document) if plain(value) is not None]
    assert numbers == [as_number(value) for value in shown]


def in_sheet(value: object) -> object:
    return value.date() if isinstance(value, datetime) else value


def expected_in_sheet(cell: Value, column: Column, document: Document) -> object:
    value = plain(cell)
    if isinstance(value, datetime):
        return written(value, column.kind, language(document.language))
    return as_number(value)


# --------------------------------------------------------------------------- PDF


def test_the_pdf_holds_them(document: Document) -> None:
    words = language(document.language)
    pages = pypdf.PdfReader(io.BytesIO(render_pdf(document))).pages
    text = without_spaces("".join(page.extract_text() for page in pages))
    for value, kind in figures(document):
        assert without_spaces(with_unit(value, kind, words)) in text
    for table in document.tables():
        for row in table.rows:
            cells = [
                written(cell, column.kind, words) for cell, column in zip(row, table.columns, strict=True)
            ]
            assert without_spaces("".join(cells)) in text, (table.key, cells)
