"""The rig finds what is wrong: a page full of barriers, one too wide, one that asks for something."""

from __future__ import annotations

import pytest

from tests.report.browser import Browser

pytestmark = pytest.mark.wires

GOOD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Good</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Good</h1><p>Nothing is wrong here.</p>
<details><summary>More</summary><p>This neither.</p></details></main></body></html>"""

BAD = """<!doctype html><html><head><meta charset="utf-8"></head><body>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">
<p style="color:#bbb;background:#fff">Pale</p><input type="text"><a href="#x"></a>
<table><tr><th></th><td>1</td></tr></table></body></html>"""


def test_axe_objects_to_a_page_full_of_barriers(browser: Browser) -> None:
    rules = {found.split(":")[0] for found in browser.violations(BAD)}
    assert {"html-has-lang", "document-title", "image-alt", "color-contrast", "label", "link-name"} <= rules


def test_axe_has_nothing_against_a_good_page(browser: Browser) -> None:
    assert browser.violations(GOOD) == []


def test_what_is_hidden_until_it_is_opened_is_looked_at_too(browser: Browser) -> None:
    assert browser.violations(GOOD.replace("<p>This neither.</p>", '<p style="color:#ccc">Pale</p>'))


def test_a_page_that_is_too_wide_is_found_and_a_table_that_scrolls_is_not(browser: Browser) -> None:
    wide = '<div style="width:600px">wide</div>'
    boxed = f'<div style="overflow-x:auto" tabindex="0">{wide}</div>'
    assert browser.beyond_the_edge(GOOD) == []
    assert "the page scrolls sideways" in browser.beyond_the_edge(GOOD.replace("</main>", f"{wide}</main>"))
    assert browser.beyond_the_edge(GOOD.replace("</main>", f"{boxed}</main>")) == []


def test_what_is_too_wide_only_with_larger_letters_is_found(browser: Browser) -> None:
    wide = GOOD.replace("</main>", '<p style="width:30rem">wide</p></main>')
    assert browser.beyond_the_edge(wide, width=640) == []
    assert browser.beyond_the_edge(wide, width=640, text_zoom=2)


@pytest.mark.parametrize(
    "asking",
    [
        '<img alt="" src="https://example.com/a.png">',
        '<link rel="stylesheet" href="style.css">',
        '<script src="//example.com/a.js"></script>',
        '<p style="background:url(http://example.com/b.png)">x</p>',
        "<script>fetch('/c')</script>",
    ],
)
def test_a_page_that_asks_for_anything_fails(browser: Browser, asking: str) -> None:
    with (
        pytest.raises(AssertionError, match="asks for something"),
        browser.page(GOOD.replace("</main>", f"{asking}</main>")) as page,
    ):
        page.wait_for_load_state("networkidle")


def test_the_tab_key_walks_and_its_place_is_seen(browser: Browser) -> None:
    assert browser.tab_stops(GOOD) == [{"tag": "summary", "text": "More", "seen": True}]
    unseen = GOOD.replace("<summary>", '<summary style="outline:none">')
    assert browser.tab_stops(unseen) == [{"tag": "summary", "text": "More", "seen": False}]


def test_a_page_is_printed_on_paper(browser: Browser) -> None:
    assert browser.printed(GOOD).startswith(b"%PDF")
