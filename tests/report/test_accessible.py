"""Every sort of report in a real browser: no barrier that axe-core knows, narrow, zoomed, forced colours."""

from __future__ import annotations

import pytest

from speedsign.language import language
from telemetry.report.html import render_html
from tests.report.browser import Browser
from tests.report.documents import sample
from tests.report.reports import Maker, makers

pytestmark = pytest.mark.wires


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Maker]:
    return makers(tmp_path_factory.mktemp("reports"))


NAMES = ("month", "few", "residents", "compare control", "certificate drive-by")


@pytest.mark.parametrize("name", NAMES)
def test_no_page_has_a_barrier(browser: Browser, reports: dict[str, Maker], name: str) -> None:
    html = render_html(reports[name](language("lv")))
    assert browser.violations(html) == []
    assert browser.beyond_the_edge(html) == []
    assert browser.beyond_the_edge(html, width=640, text_zoom=2) == []


def test_strange_texts_and_marks_make_no_barrier(browser: Browser) -> None:
    html = render_html(sample("lt"))
    assert browser.violations(html) == []
    assert browser.violations(html, forced_colors=True) == []
    assert browser.beyond_the_edge(html) == []


def test_colours_of_the_reader_s_choice_keep_everything_readable(
    browser: Browser, reports: dict[str, Maker]
) -> None:
    assert browser.violations(render_html(reports["month"](language("lt"))), forced_colors=True) == []


def test_the_tab_key_reaches_every_picture_s_numbers(browser: Browser, reports: dict[str, Maker]) -> None:
    html = render_html(reports["month"](language("en")))
    stops = browser.tab_stops(html)
    assert all(stop["seen"] for stop in stops)
    assert sum(stop["tag"] == "summary" for stop in stops) == html.count("<summary>")


def test_a_page_can_be_printed(browser: Browser, reports: dict[str, Maker]) -> None:
    assert browser.printed(render_html(reports["month"](language("lv")))).startswith(b"%PDF")
