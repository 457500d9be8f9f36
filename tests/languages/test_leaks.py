"""A language that brackets every message: what stands outside brackets in a report was never translatable."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import pytest

from speedsign.language import Language
from telemetry.report import html, typst_pdf, xlsx
from telemetry.report.document import Chart, Document, Figures, Heading, Paragraph, Quote, Table
from tests.report.reports import CERTIFIED, MADE, STREETS, STUDIES, Maker, makers

OPEN, CLOSE = "⟦", "⟧"
INNERMOST = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
NAMES = {  # of places, of the program, of units and figures that are written alike in each language
    *(
        "Bauska",
        "Rīgas",
        "iela",
        "Virzienā",
        "uz",
        "centru",
        "Rīgu",
        "Vecumnieki",
        "speedsign",
        "test",
        "sign",
    ),
    *("km", "h", "V", "k", "s", "UTC"),
}
REPORTS = (
    *(street.__name__ for street in STREETS),
    "residents",
    *(f"compare {name}" for name in STUDIES),
    *(f"certificate {name}" for name in CERTIFIED),
)


class Bracketed(Language):
    """English in brackets; names of days and months too."""

    def __init__(self) -> None:
        super().__init__("en")

    def say(self, message: str, /, **values: object) -> str:
        return f"{OPEN}{super().say(message, **values)}{CLOSE}"

    def say_n(self, one: str, many: str, n: int, /, **values: object) -> str:
        return f"{OPEN}{super().say_n(one, many, n, **values)}{CLOSE}"

    def day(self, day: date) -> str:
        return f"{OPEN}{super().day(day)}{CLOSE}"

    def weekday(self, day: int, *, short: bool = False) -> str:
        return f"{OPEN}{super().weekday(day, short=short)}{CLOSE}"

    def month(self, number: int) -> str:
        return f"{OPEN}{super().month(number)}{CLOSE}"


class Texts(HTMLParser):
    """What a reader sees or hears: text, and the attributes that are spoken."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.found += [value or "" for name, value in attrs if name in ("alt", "title", "aria-label")]

    def handle_data(self, data: str) -> None:
        if self._inside != "style":
            self.found.append(data)


def leaks(text: str) -> list[str]:
    """Words outside brackets that are no names."""
    while INNERMOST.search(text):
        text = INNERMOST.sub(" ", text)
    return [word for word in re.findall(r"[^\W\d_]+", text) if word not in NAMES]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Maker]:
    return makers(tmp_path_factory.mktemp("reports"))


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Language:
    found = Bracketed()
    for module in (html, typst_pdf, xlsx):
        monkeypatch.setattr(module, "language", lambda _code: found)
    return found


@pytest.mark.parametrize("name", REPORTS)
def test_everything_that_a_page_says_can_be_translated(
    reports: dict[str, Maker], words: Language, name: str
) -> None:
    page = html.render_html(reports[name](words))
    texts = Texts(page).found
    assert any(OPEN in text for text in texts)
    assert [text for text in texts if leaks(text) and text != MADE] == []


def said_by(document: Document) -> list[str]:
    """Every text of a document, pictures apart."""
    texts = [document.title, document.subtitle]
    for block in document.blocks:
        if isinstance(block, Heading | Paragraph | Quote):
            texts.append(block.text)
        elif isinstance(block, Figures):
            texts += [text for figure in block.items for text in (figure.title, figure.remark)]
        elif isinstance(block, Chart):
            texts += [block.title, block.summary]
    for table in document.tables():
        assert isinstance(table, Table)
        texts += [table.title, *table.notes, *(column.title for column in table.columns)]
    return texts


@pytest.mark.parametrize("name", REPORTS)
def test_everything_in_a_document_can_be_translated(
    reports: dict[str, Maker], words: Language, name: str
) -> None:
    assert [text for text in said_by(reports[name](words)) if leaks(text)] == []


def test_a_leak_is_found() -> None:
    assert leaks(f"{OPEN}The {OPEN}inner{CLOSE} text{CLOSE} 57.3 km/h, 12 %, V85") == []
    assert leaks(f"{OPEN}text{CLOSE} and more") == ["and", "more"]
