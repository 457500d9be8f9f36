"""The glossary holds the words that reports use."""

from __future__ import annotations

from datetime import date

import pytest

from speedsign.language import NO_BREAK, language
from tests.docs import pages
from tests.languages.catalogues import catalogue, forms

PAGE = pages.text("docs/languages.md")
TERMS = pages.table_rows(PAGE.partition("## Glossary")[2].partition("## Correcting")[0])


@pytest.mark.parametrize(("code", "column"), [("lv", 1), ("lt", 2)])
def test_every_term_of_the_glossary_is_used(code: str, column: int) -> None:
    words = " ".join(form for message in catalogue(code) if message.id for form in forms(message)).lower()
    terms = [
        term for row in TERMS for term in row[column].lower().replace("(", ", ").replace(")", "").split(", ")
    ]
    assert len(terms) > 25
    assert [term for term in terms if term.strip() not in words] == []


@pytest.mark.parametrize(("code", "column"), [("lv", 1), ("lt", 2), ("en", 3)])
def test_numbers_and_dates_are_written_as_the_page_says(code: str, column: int) -> None:
    cells = {row[0]: row[column] for row in pages.table_rows(PAGE.partition("## Glossary")[0])}
    words = language(code)
    assert cells["Day in a sentence"] == words.day(date(2026, 5, 4))
    assert cells["Day in a table"] == words.short_day(date(2026, 5, 4))
    assert cells["Decimals"] == words.decimal(57.3)
    assert cells["Share"].startswith(words.percent(0.125).replace(NO_BREAK, " "))
    assert cells["Less than nothing"].startswith(words.decimal(-1.2))
    assert cells["Weekdays in tables"] == " ".join(words.weekday(day, short=True) for day in range(7))
