"""docs/rules.md: its example is a config that is checked, its tables are what the program has."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from speedsign.config.load import parse_config
from speedsign.countries import COUNTRIES
from speedsign.faces import load_words
from speedsign.rules import Rules, Zone, zone_of
from speedsign.schedule import Schedule
from tests.docs import pages

PAGE = pages.text("docs/rules.md")
EXAMPLE = Path(__file__).with_name("rules.toml").read_text(encoding="utf-8")
CONFIG = parse_config(EXAMPLE, "rules.toml")


def test_what_the_page_shows_is_part_of_the_example() -> None:
    shown = [body for kind, body in pages.FENCE.findall(PAGE) if kind == "toml"]
    assert len(shown) >= 4
    for body in shown:
        assert body in EXAMPLE


def test_the_words_are_those_of_the_program() -> None:
    rows = pages.table_rows(pages.section(PAGE, "## Words"))
    words = load_words()
    assert rows == [[f"`{name}`", *(words[name][one] for one in ("lv", "lt", "en"))] for name in words]


@pytest.mark.parametrize("name", COUNTRIES)
def test_what_countries_allow(name: str) -> None:
    rows = pages.table_rows(pages.section(PAGE, "## What a country allows"))
    (row,) = [row for row in rows if f"`{name}`" in row[0]]
    country = COUNTRIES[name]
    allowed = [country.words, country.alternation, country.blink]
    assert row[1:4] == ["yes" if one else "no" for one in allowed]


def base() -> Rules:
    """The rules of the example on a summer's day."""
    return Schedule.of(CONFIG).at(datetime(2026, 8, 3, 9, tzinfo=UTC)).rules


def test_the_edges_of_the_zones() -> None:
    assert "dark     15 ...          50 | 51 ...        69 | 70 ...    100 | 101 ... dark" in PAGE
    edges = [zone_of(number, base()) for number in (14, 15, 50, 51, 69, 70, 100, 101)]
    within, over, too_fast = Zone.WITHIN, Zone.OVER, Zone.TOO_FAST
    assert edges == [Zone.SLOW, within, within, over, over, too_fast, too_fast, Zone.CEILING]


def test_the_way_back() -> None:
    assert "the number 51 is over, 50 still is, 49 is within" in " ".join(PAGE.split())
    assert zone_of(51, base()) is Zone.OVER
    assert zone_of(50, base(), Zone.OVER) is Zone.OVER
    assert zone_of(49, base(), Zone.OVER) is Zone.WITHIN
