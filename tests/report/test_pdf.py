"""The PDF as a reader's program sees it: tagged, with a title and a language, letters that can be copied."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from speedsign.errors import UsageError
from speedsign.language import LANGUAGES, language
from telemetry.report.document import Document, Heading, Paragraph, plain
from telemetry.report.typst_pdf import render_pages, render_pdf
from telemetry.report.values import written
from tests.report.documents import LETTERS, MADE_AT, chart, long_table, sample


def read(document: Document) -> PdfReader:
    return PdfReader(BytesIO(render_pdf(document)))


def text_of(pdf: PdfReader) -> str:
    """All pages, with every kind of space and line end as one space."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pdf.pages))


def elements(pdf: PdfReader) -> Iterator[dict[str, Any]]:
    """Every element of the structure, in reading order."""
    found: list[dict[str, Any]] = []

    def walk(node: Any) -> None:
        if isinstance(node, IndirectObject):
            node = node.get_object()
        if isinstance(node, list):
            for kid in node:
                walk(kid)
        elif isinstance(node, dict):
            if "/S" in node:
                found.append(node)
            walk(node.get("/K"))

    walk(pdf.root_object["/StructTreeRoot"])
    return iter(found)


def names(pdf: PdfReader) -> list[str]:
    return [str(element["/S"]) for element in elements(pdf)]


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_file_says_that_it_is_accessible_and_in_which_language(code: str) -> None:
    pdf = read(sample(code))
    root: Any = pdf.root_object
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/StructTreeRoot"]["/K"]
    assert root["/Lang"] == code
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.metadata is not None
    assert pdf.metadata.title == sample().title
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data()


def test_tables_have_headers_pictures_have_words_and_headings_are_headings() -> None:
    document = sample("lv")
    pdf = read(document)
    found = names(pdf)
    tables = list(document.tables())
    assert found.count("/Table") == len(tables)
    assert found.count("/TR") == sum(len(table.rows) + 1 for table in tables)
    assert found.count("/TH") == sum(len(table.columns) for table in tables)
    assert found.count("/TD") == sum(len(table.columns) * len(table.rows) for table in tables)
    assert found.count("/H1") == 3  # two, and that of the numbers of the charts
    figures = [element for element in elements(pdf) if element["/S"] == "/Figure"]
    assert [figure["/Alt"] for figure in figures] == [chart().summary]
    assert {"/BlockQuote", "/Caption", "/P"} <= set(found)


def test_letters_can_be_copied_and_nothing_is_read_as_markup() -> None:
    document = sample("lt")
    text = text_of(read(document))
    assert LETTERS in text
    for wanted in (document.title, document.subtitle, document.made, "= no heading", "- no list"):
        assert wanted in text
    assert "<second> & \"quoted\" 'so' #panic() *b* $x$ \\" in text
    assert "=1+1" in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_number_is_in_it(code: str) -> None:
    document = sample(code)
    text = text_of(read(document))
    words = language(code)
    for table in document.tables():
        assert table.title in text
        for row in table.rows:
            for value, column in zip(row, table.columns, strict=True):
                assert re.sub(r"\s+", " ", written(plain(value), column.kind, words)) in text
        for note in table.notes:
            assert note in text


def test_a_table_that_is_longer_than_a_page_repeats_its_head() -> None:
    pdf = read(sample("en", blocks=(long_table(200),)))
    pages = [page.extract_text() for page in pdf.pages]
    with_days = [text for text in pages if re.search(r"2026-0[3-9]-\d\d", text)]
    assert len(with_days) >= 4
    assert all("V85, km/h" in text for text in with_days)
    assert f"{len(pages)} / {len(pages)}" in pages[-1]


def test_fonts_are_inside() -> None:
    pages: Any = read(sample("lv")).pages
    fonts = {
        font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object().keys()
        & {"/FontFile", "/FontFile2", "/FontFile3"}
        != set()
        for page in pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts == {True}


def test_the_same_report_is_the_same_file() -> None:
    document = sample("lv", made_at=MADE_AT)
    assert render_pdf(document) == render_pdf(document)
    assert render_pdf(sample("lv")) == render_pdf(sample("lv"))


def test_the_date_is_that_of_the_report_or_none() -> None:
    dated, undated = read(sample("lv", made_at=MADE_AT)), read(sample("lv"))
    assert dated.metadata is not None
    assert dated.metadata.creation_date == datetime(2026, 6, 1, 5, 0, tzinfo=UTC)
    assert undated.metadata is not None
    assert undated.metadata.creation_date is None


def test_letters_that_no_font_has_become_question_marks() -> None:
    document = replace(sample("lv"), title="Bauska 🚗 漢 Привет \x07 Rīgas iela")
    text = text_of(read(document))
    assert "Bauska ? ? Привет ? Rīgas iela" in text
    assert LETTERS in text


@pytest.mark.parametrize(
    "title", ["", " ", "Ā" * 300, "Rīgas iela " * 40, "a\nb", "\\", '"', "#set page(width: 1cm)"]
)
def test_any_title_is_printed(title: str) -> None:
    assert len(read(replace(sample("lv"), title=title)).pages) >= 2


def test_a_report_of_almost_nothing_is_printed() -> None:
    empty = Document("T", "", "en", (), "now")
    assert len(read(empty).pages) == 1
    short = Document("T", "S", "en", (Heading("H"), Paragraph(""), long_table(0)), "now")
    assert "By day" in text_of(read(short))


def test_pages_can_be_looked_at() -> None:
    pages = render_pages(sample("lv"), 40)
    assert len(pages) == len(read(sample("lv")).pages)
    assert all(page.startswith(b"\x89PNG") for page in pages)


def test_without_typst_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(UsageError, match=r"a PDF needs typst: pip install 'speedsign\[report\]'"):
        render_pdf(sample())
