"""A document on paper: how many A4 sides it takes in a browser, as from the web page of a repository."""

from __future__ import annotations

import io

import pypdf
from markdown_it import MarkdownIt

from tests.report.browser import Browser

# 10 pt is the least that is read at arm's length in bad light; margins that any printer and a punch leave.
STYLE = """
@page { size: A4; margin: 14mm }
body { font: 10pt/1.3 sans-serif; margin: 0 }
h1, h2 { margin: 0.6em 0 0.3em; line-height: 1.2 } h1 { font-size: 16pt } h2 { font-size: 12pt }
p, ul, table, pre { margin: 0 0 0.5em }
ul { padding-left: 1.5em }
table { border-collapse: collapse } th, td { border: 1px solid; padding: 0.1em 0.5em; text-align: left }
code { font: 9pt monospace } pre { padding-left: 1em } pre code { font-size: 9pt }
"""


def printed(browser: Browser, markdown: str) -> list[str]:
    """The text of each side."""
    body = MarkdownIt("commonmark").enable("table").render(markdown)
    html = (
        f"<!doctype html><html lang=en><title>sheet</title><style>{STYLE}</style><body>{body}</body></html>"
    )
    pages = pypdf.PdfReader(io.BytesIO(browser.printed(html))).pages
    return [page.extract_text() for page in pages]
