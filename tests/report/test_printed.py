"""The page as a browser prints it."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from telemetry.report.document import Block, Document, Paragraph
from telemetry.report.html import render_html
from tests.report.browser import Browser
from tests.report.documents import long_table, short_table

pytestmark = pytest.mark.wires


def printed(browser: Browser, document: Document) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(browser.printed(render_html(document)))).pages]


def test_the_last_row_of_a_short_table_is_not_alone_on_the_next_page(browser: Browser) -> None:
    for lines in range(14, 34, 2):
        blocks: tuple[Block, ...] = (*(Paragraph(f"Line {at}") for at in range(lines)), short_table())
        pages = printed(browser, Document("T", "S", "en", blocks, "now"))
        (held,) = [page for page in pages if "By speed band" in page]
        assert ("band 0" in held, "All of them" in held) == (True, True), lines


def test_a_long_table_begins_where_it_stands_and_repeats_its_head(browser: Browser) -> None:
    pages = printed(browser, Document("T", "S", "en", (Paragraph("First"), long_table(90)), "now"))
    assert len(pages) >= 2
    assert "2026-03-01" in pages[0] or "1 Mar 2026" in pages[0]
    assert all("Coverage" in page for page in pages if "100.0 %" in page)
