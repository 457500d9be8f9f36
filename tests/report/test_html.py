"""A report's page: well-formed, nothing fetched, everything escaped, a head for every number."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from speedsign.language import LANGUAGES, language
from speedsign.model import Installation
from telemetry.report.build import build
from telemetry.report.document import Column, Document, Kind, Marked, Paragraph, Table
from telemetry.report.facts import gather
from telemetry.report.html import render_html
from telemetry.report.public import publish
from telemetry.report.public_build import build_public
from tests.report.documents import sample
from tests.report.signs import fill, local, nothing, once, period, sign, street

NASTY = "<script>alert(1)</script> & \"x\" 'y' </style> --> =1+1 {n} ąž"
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Checks that what is opened is closed, in order; keeps tags, ids and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without a start"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)

    def attributes(self, name: str) -> list[str]:
        return [value for _, found in self.tags if (value := found.get(name)) is not None]


@pytest.fixture
def document(tmp_path: Path) -> Document:
    path = street(tmp_path / "sign.db")
    return build(gather(period(path, local("2026-05-04"), local("2026-06-01"))), language("en"), made="made")


def test_a_page_is_well_formed_and_has_its_landmarks(document: Document) -> None:
    html = render_html(document)
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>\n")
    assert [page.count(tag) for tag in ("h1", "main", "header", "footer", "head")] == [1] * 5
    assert f"<title>{document.title}: {document.subtitle}</title>" in html
    assert dict(page.tags)["html"] == {"lang": "en"}
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    for wanted in page.attributes("aria-labelledby"):
        assert set(wanted.split()) <= set(ids)


def test_nothing_is_fetched_and_nothing_is_run(document: Document) -> None:
    page = Page(render_html(document))
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)
    assert not page.attributes("src")
    assert not page.attributes("href")
    assert "url(" not in render_html(document).replace("url(#", "")
    assert "@import" not in render_html(document)
    assert not [name for _, found in page.tags for name in found if name.startswith("on")]
    assert any("default-src 'none'" in text for text in page.attributes("content"))


def test_every_table_has_a_caption_and_every_row_and_column_a_head(document: Document) -> None:
    page = Page(render_html(document))
    tables = list(document.tables())
    assert page.count("table") == page.count("caption") == len(tables)
    scopes = page.attributes("scope")
    assert scopes.count("col") == sum(len(table.columns) for table in tables)
    assert scopes.count("row") == sum(len(table.rows) for table in tables)
    assert page.count("svg") == page.count("figure") == page.count("details") == 5


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_others_wrote_is_never_markup(tmp_path: Path, code: str) -> None:
    facts = Installation(NASTY, 50, 0.0, "x", "Europe/Riga", approaching_name=NASTY, receding_name=NASTY)
    path = sign(tmp_path / "sign.db", facts)
    fill(path, local("2026-05-04"), local("2026-05-05"), once({"approaching": {61: 150}}))
    found = gather(period(path, local("2026-05-04"), local("2026-05-05")))
    for document in (
        build(found, language(code), made=NASTY),
        build_public(publish(found), language(code), made=NASTY),
    ):
        page = Page(render_html(document))
        assert "script" not in {tag for tag, _ in page.tags}
        assert any(NASTY in text for text in page.text)


def test_the_values_of_any_document_are_escaped() -> None:
    table = Table(
        "t",
        NASTY,
        (Column("a", NASTY, Kind.TEXT), Column("b", "B", Kind.DATE)),
        ((Marked(NASTY, "<b>"), date(2026, 5, 4)),),
        (NASTY,),
    )
    page = Page(render_html(Document(NASTY, NASTY, "lt", (table, Paragraph(NASTY)), NASTY, (NASTY,))))
    assert {"b", "script"}.isdisjoint(tag for tag, _ in page.tags)
    assert sum(NASTY in text for text in page.text) >= 7


def test_every_kind_of_block_is_rendered() -> None:
    document = sample()
    page = Page(render_html(document))
    assert page.count("table") == len(list(document.tables()))
    assert page.count("blockquote") >= 1


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-05-04", "2026-05-04"), ("2026-05-04", "2026-05-05"), ("2026-03-29", "2026-03-30")],
    ids=["no time at all", "a day of nothing", "23 hours"],
)
def test_nothing_counted_is_a_page_too(tmp_path: Path, start: str, end: str) -> None:
    path = fill(sign(tmp_path / "sign.db"), local(start), local(end), nothing)
    found = gather(period(path, local(start), local(end)))
    for code in LANGUAGES:
        Page(render_html(build(found, language(code), made="")))
        Page(render_html(build_public(publish(found), language(code), made="")))


def test_a_year_is_a_small_file(tmp_path: Path) -> None:
    path = street(tmp_path / "sign.db", "2026-01-01", "2026-12-31")
    found = gather(period(path, local("2026-01-01"), local("2027-01-01")))
    assert len(render_html(build(found, language("lv"), made="made")).encode()) < 300_000
