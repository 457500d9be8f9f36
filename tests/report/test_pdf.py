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
from telemetry.report.document import Block, Column, Document, Heading, Kind, Paragraph, Quote, Table, plain
from telemetry.report.typst_pdf import render_pages, render_pdf
from telemetry.report.values import with_unit, written
from tests.report.documents import LETTERS, MADE_AT, chart, long_table, sample, short_table


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


def test_names_of_rows_cannot_yet_be_tagged_as_headers() -> None:
    """When this fails: use pdf.header-cell in report.typ (docs/decisions/0018-heads-of-rows-on-paper.md)."""
    import typst

    with pytest.raises(typst.TypstError, match="does not contain `header-cell`"):
        typst.compile(b'#table(columns: 2, pdf.header-cell(scope: "row")[uz centru], [57])')


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


@pytest.mark.parametrize("columns", [7, 8, 11])
@pytest.mark.parametrize("title", ["V85, km/h", "Vidējais, km/h", "V85 from, km/h", "Dalis, %"])
def test_a_unit_in_the_head_of_a_column_is_not_torn_apart(title: str, columns: int) -> None:
    heads = [Column("name", "Virziens", Kind.TEXT)]
    heads += [Column(f"v{at}_kmh", title, Kind.SPEED) for at in range(1, columns)]
    table = Table("speeds", "Speeds", tuple(heads), (("uz centru", *(50.0,) * (columns - 1)),))
    text = text_of(read(Document("T", "S", "en", (table,), "now")))
    assert text.count(title) == columns - 1


def test_a_number_stays_with_its_unit() -> None:
    """Whatever stands before it, a line ends before the number or behind the unit."""
    words = language("lv")
    speed, change = with_unit(1234.5, Kind.SPEED, words), with_unit(-0.125, Kind.POINTS, words)
    share = with_unit(0.125, Kind.SHARE, words)
    texts = [
        Paragraph(f"{'n ' * before}{speed} n {change} n {share} n {speed} or {share} of it")
        for before in range(10, 50)
    ]
    lines = [
        re.sub(r"[^\S\n]+", " ", line)
        for page in read(Document("T", "S", "lv", tuple(texts), "now")).pages
        for line in page.extract_text().splitlines()
    ]
    for whole, n in (("1 234,5 km/h", 2), ("−12,5 p.p.", 1), (" 12,5 %", 2)):
        assert sum(f" {line}".count(whole) for line in lines) == n * len(texts)


def test_a_name_without_a_space_is_broken_and_can_still_be_copied() -> None:
    name = "Ļ" * 120
    columns = Column("name", "Direction", Kind.TEXT), Column("n", name, Kind.COUNT)
    table = Table("t", "By direction", columns, ((name, 4321), ("Both", 8765)))
    blocks = Paragraph(f"Beside {name}, in a text"), Quote(name), table
    pages = [page.extract_text() for page in read(Document(name, "S", "lv", blocks, "now")).pages]
    runs = re.findall("Ļ+", "\n".join(pages))
    assert max(map(len, runs)) < 110  # as many as fit on a line of a text
    assert [sum(map(len, runs)) % 120, "\u200b" in "".join(pages)] == [0, False]


def test_a_name_with_hyphens_is_broken_at_these() -> None:
    name = "Bauska-Vecumnieki-Iecava-Mežotne-Rundāle " * 12
    text = read(Document("T", "S", "lv", (Paragraph(name),), "now")).pages[0].extract_text()
    assert not re.search(r"[a-zē]\n[a-zē]", text)


def test_the_last_row_of_a_short_table_is_not_alone_on_the_next_page() -> None:
    for lines in range(20, 36, 3):
        blocks: tuple[Block, ...] = (*(Paragraph(f"Line {at}") for at in range(lines)), short_table())
        pages = [page.extract_text() for page in read(Document("T", "S", "en", blocks, "now")).pages]
        (held,) = [page for page in pages if "By speed band" in page]
        assert ("band 0" in held, "All of them" in held) == (True, True), lines


def test_a_table_of_few_rows_that_is_longer_than_a_page_loses_nothing() -> None:
    texts = tuple(" ".join(f"word{row}-{at}" for at in range(900)) for row in range(3))
    columns = Column("name", "Name", Kind.TEXT), Column("text", "Text", Kind.TEXT)
    table = Table("t", "Long", columns, tuple((f"row {at}", text) for at, text in enumerate(texts)))
    pdf = read(Document("T", "S", "en", (table,), "now"))
    words = set(re.findall(r"word\d-\d+", text_of(pdf)))
    assert len(words) == 2700
    assert len(pdf.pages) > 1


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
