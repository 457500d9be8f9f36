"""A report as PDF for printing and for the council's web page: tagged (PDF/UA-1), set by typst.

How it looks stands in report.typ. The report goes in as data, so that no text of it is ever read as markup;
fonts are those that typst carries, so that it looks the same everywhere. Charts stand where they are, their
tables at the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import singledispatch
from pathlib import Path
from typing import Any

from speedsign.build import how_to_get
from speedsign.errors import UsageError
from speedsign.language import Language, language
from telemetry.report.document import (
    Block,
    Chart,
    Document,
    Figures,
    Heading,
    Kind,
    Marked,
    Paragraph,
    Quote,
    Table,
    Value,
    plain,
)
from telemetry.report.values import with_unit, written

_TEMPLATE = Path(__file__).with_name("report.typ")
_UNKNOWN = re.compile("[^\n\\x20-\\x7e\\xa0-\\u017fЀ-џ\\u202f–—‘-„†-•…‰€→−≤≥]")
_TEXTS = (Kind.TEXT, Kind.DATE, Kind.TIME)


def render_pdf(document: Document) -> bytes:
    """The whole PDF, A4; the same document gives the same bytes. Raises UsageError without typst."""
    return bytes(_compile(document, pdf_standards=["ua-1"]))


def render_pages(document: Document, pixels_per_inch: float = 100) -> list[bytes]:
    """The same pages as PNG, to look at. Raises UsageError without typst."""
    pages = _compile(document, format="png", ppi=pixels_per_inch)
    return pages if isinstance(pages, list) else [pages]


def _compile(document: Document, **options: Any) -> Any:
    try:
        import typst
    except ImportError:
        raise UsageError(f"a PDF needs typst: {how_to_get('report', 'speedsign-report')}") from None

    def compiled(report: str) -> Any:
        data = {"report": report}
        return typst.compile(_TEMPLATE.read_bytes(), sys_inputs=data, ignore_system_fonts=True, **options)

    report = json.dumps(_data(document))
    try:
        return compiled(report)
    except typst.TypstError:  # a letter that no font has is an error in PDF/UA: a car in the name of a site
        return compiled(json.dumps(_with_known_letters(json.loads(report))))


def _with_known_letters(data: Any) -> Any:
    """The same with a question mark for every other letter, in texts of any depth."""
    if isinstance(data, str):
        return _UNKNOWN.sub("?", data)
    if isinstance(data, list):
        return [_with_known_letters(item) for item in data]
    if isinstance(data, dict):
        return {key: _with_known_letters(value) for key, value in data.items()}
    return data


def _data(document: Document) -> dict[str, object]:
    words = language(document.language)
    return {
        "title": document.title.strip() or "–",  # PDF/UA refuses a document without one
        "subtitle": document.subtitle,
        "language": document.language,
        "keywords": list(document.keywords),
        "made": document.made,
        "made_at": None if document.made_at is None else _moment(document.made_at),
        "blocks": [_block(block, words) for block in _with_annex(document.blocks, words)],
    }


def _moment(at: datetime) -> dict[str, int]:
    at = at.astimezone(UTC)
    names = ("year", "month", "day", "hour", "minute", "second")
    return {name: getattr(at, name) for name in names}


def _with_annex(blocks: Iterable[Block], words: Language) -> Iterator[Block]:
    tables = []
    for block in blocks:
        yield block
        if isinstance(block, Chart):
            tables.append(block.table)
    if tables:
        yield Heading(words.say("The charts in numbers"))
        yield from tables


@singledispatch
def _block(block: Block, words: Language) -> dict[str, object]:
    raise TypeError(f"{type(block).__name__} is no part of a report")


@_block.register
def _heading(block: Heading, _words: Language) -> dict[str, object]:
    return {"type": "heading", "text": block.text}


@_block.register
def _paragraph(block: Paragraph, _words: Language) -> dict[str, object]:
    return {"type": "paragraph", "text": block.text}


@_block.register
def _quote(block: Quote, _words: Language) -> dict[str, object]:
    return {"type": "quote", "text": block.text}


@_block.register
def _figures(block: Figures, words: Language) -> dict[str, object]:
    items = [
        {"title": item.title, "value": with_unit(item.value, item.kind, words), "remark": item.remark}
        for item in block.items
    ]
    return {"type": "figures", "items": items}


@_block.register
def _chart(block: Chart, _words: Language) -> dict[str, object]:
    return {"type": "chart", "title": block.title, "svg": block.svg, "summary": block.summary}


@_block.register
def _table(block: Table, words: Language) -> dict[str, object]:
    kinds = [column.kind for column in block.columns]
    return {
        "type": "table",
        "title": block.title,
        "columns": [{"title": column.title, "number": column.kind not in _TEXTS} for column in block.columns],
        "rows": [
            [_cell(value, kind, words) for value, kind in zip(row, kinds, strict=True)] for row in block.rows
        ],
        "notes": list(block.notes),
    }


def _cell(value: Value, kind: Kind, words: Language) -> dict[str, str]:
    """The mark apart: it hangs beside the numbers, which stay below each other."""
    mark = value.mark if isinstance(value, Marked) else ""
    return {"text": written(plain(value), kind, words), "mark": mark}
