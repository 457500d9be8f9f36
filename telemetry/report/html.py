"""A report as one HTML file: no script, nothing fetched from anywhere, readable on a phone and on paper.

WCAG 2.2 AA is meant: language, one h1, landmarks, tables with caption and heads, text for each picture and
its numbers in a table below it, contrast, reflow at 320 px (only wide tables scroll, by keyboard too).
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from speedsign.language import Language, language
from telemetry.report.document import (
    Block,
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Heading,
    Kind,
    Paragraph,
    Quote,
    Table,
    Value,
)
from telemetry.report.page_style import STYLE
from telemetry.report.values import with_unit, written

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_LEFT = (Kind.TEXT, Kind.DATE, Kind.TIME)


def render_html(document: Document) -> str:
    """The whole file, to be written as UTF-8."""
    words = language(document.language)
    return "\n".join([*_head(document), *_body(document, words), ""])


def _head(document: Document) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield f'<html lang="{document.language}">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    if document.keywords:
        yield f'<meta name="keywords" content="{escape(", ".join(document.keywords))}">'
    yield f"<title>{escape(f'{document.title}: {document.subtitle}')}</title>"
    yield f"<style>{STYLE}</style>"
    yield "</head>"


def _body(document: Document, words: Language) -> Iterator[str]:
    yield "<body>"
    yield "<header>"
    yield f"<h1>{escape(document.title)}</h1>"
    yield f'<p class="subtitle">{escape(document.subtitle)}</p>'
    yield "</header>"
    yield "<main>"
    for block in document.blocks:
        yield from _block(block, words)
    yield "</main>"
    yield f"<footer><p>{escape(document.made)}</p></footer>"
    yield "</body>"
    yield "</html>"


def _block(block: Block, words: Language) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"<h2>{escape(block.text)}</h2>"
    elif isinstance(block, Paragraph):
        yield f"<p>{escape(block.text)}</p>"
    elif isinstance(block, Quote):
        yield f"<blockquote><p>{escape(block.text)}</p></blockquote>"
    elif isinstance(block, Figures):
        yield from _figures(block, words)
    elif isinstance(block, Table):
        yield from _table(block, words)
    else:
        yield from _chart(block, words)


def _figures(block: Figures, words: Language) -> Iterator[str]:
    yield '<dl class="figures">'
    yield from (_figure(figure, words) for figure in block.items)
    yield "</dl>"


def _figure(figure: Figure, words: Language) -> str:
    value = escape(with_unit(figure.value, figure.kind, words))
    remark = f'<dd class="remark">{escape(figure.remark)}</dd>' if figure.remark else ""
    return f'<div><dt>{escape(figure.title)}</dt><dd class="value">{value}</dd>{remark}</div>'


def _chart(chart: Chart, words: Language) -> Iterator[str]:
    yield f'<figure id="figure-{chart.key}">'
    yield f"<figcaption><strong>{escape(chart.title)}</strong><br>{escape(chart.summary)}</figcaption>"
    yield chart.svg
    summary = words.say("The numbers of this picture: {title}", title=chart.title)
    yield f"<details><summary>{escape(summary)}</summary>"
    yield from _table(chart.table, words)
    yield "</details>"
    yield "</figure>"


def _table(table: Table, words: Language) -> Iterator[str]:
    """In a region of its own that scrolls where the page is narrower than the table."""
    caption = f"caption-{table.key}"
    yield f'<div class="wide" role="region" tabindex="0" aria-labelledby="{caption}">'
    yield f'<table id="{table.key}"><caption id="{caption}">{escape(table.title)}</caption>'
    heads = "".join(_column(column) for column in table.columns)
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        yield f"<tr>{''.join(_cells(row, table.columns, words))}</tr>"
    yield "</tbody></table></div>"
    for note in table.notes:
        yield f'<p class="note">{escape(note)}</p>'


def _column(column: Column) -> str:
    side = "" if column.kind in _LEFT else ' class="n"'
    return f'<th scope="col"{side}>{escape(column.title)}</th>'


def _cells(row: tuple[Value, ...], columns: tuple[Column, ...], words: Language) -> Iterator[str]:
    for place, (value, column) in enumerate(zip(row, columns, strict=True)):
        text = escape(written(value, column.kind, words))
        side = "" if column.kind in _LEFT else ' class="n"'
        if place == 0:
            yield f'<th scope="row"{side}>{text}</th>'
        else:
            yield f"<td{side}>{text}</td>"
