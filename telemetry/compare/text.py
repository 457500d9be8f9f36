"""A comparison for a terminal of 80 columns, from the same tables as every file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from speedsign.language import Language
from telemetry.compare import claim, naming, tables
from telemetry.compare.answer import Comparison
from telemetry.compare.document import passing_sentence
from telemetry.compare.measures import SHARES, SPEEDS, VOLUME
from telemetry.query import Standing
from telemetry.report import labels
from telemetry.report.document import Table
from telemetry.report.values import with_unit, written

WIDTH = 80
_APART = "  "
_NARROW = 9  # a long word above a column is broken where the table would be too wide


def text_lines(found: Comparison, standing: Standing, direction: str, words: Language) -> Iterator[str]:
    """Every line, without ends."""
    yield from _wrapped(
        ", ".join(
            (
                labels.site(standing, words),
                labels.direction(direction, standing, words),
                words.say("limit {speed} km/h", speed=found.road.limit_kmh),
            )
        )
    )
    yield ""
    yield from _table(tables.sides(found, words), words)
    yield ""
    yield from _changes(found, words)
    if found.controls is not None:
        yield from _titled(tables.controls(found.controls, labels.site(standing, words), words), words)
        title = words.say("Beyond the control sites: speeds")
        yield from _titled(tables.beyond(found.controls, "beyond_speeds", title, SPEEDS, words), words)
        title = words.say("Beyond the control sites: shares")
        yield from _titled(tables.beyond(found.controls, "beyond_shares", title, SHARES, words), words)
    if found.phases:
        yield from _titled(tables.phases(found, words), words)
    if found.weeks:
        yield from _titled(tables.weeks(found, words), words)
    yield ""
    yield from _wrapped(passing_sentence(found, words))
    for remark in naming.remarks(found, words):
        yield from _wrapped(remark)
    for key, n in sorted(found.left_out.items()):
        why = naming.reason(key, words)
        yield from _wrapped(words.say_n("{n} hour left out: {why}", "{n} hours left out: {why}", n, why=why))
    yield from _wrapped(naming.method(found, words))
    yield ""
    yield from _wrapped(claim.sentence(found, words))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)


def _changes(found: Comparison, words: Language) -> Iterator[str]:
    """All measures in one table, each value with its unit."""
    parts = [
        tables.changes(found, key, "", measures, words)
        for key, measures in (("speeds", SPEEDS), ("shares", SHARES), ("traffic", (VOLUME,)))
    ]
    heads = [
        "",
        naming.side("before", words, baseline=found.baseline),
        naming.side("after", words, baseline=found.baseline),
        words.say("Difference"),
        words.say("95 % range from"),
        words.say("to"),
    ]
    rows = [
        [with_unit(value, column.kind, words) for value, column in zip(row, part.columns, strict=True)]
        for part in parts
        for row in part.rows
    ]
    yield from _grid(heads, rows)
    for note in dict.fromkeys(note for part in parts for note in part.notes):
        yield from _wrapped(note)


def _titled(table: Table, words: Language) -> Iterator[str]:
    yield ""
    yield table.title
    yield from _table(table, words)


def _table(table: Table, words: Language) -> Iterator[str]:
    rows = [
        [written(value, column.kind, words) for value, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]
    yield from _grid(["", *(column.title for column in table.columns[1:])], rows)
    for note in table.notes:
        yield from _wrapped(note)


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first column on the left, numbers on the right; heads are folded to the width of their column."""
    widths = []
    for at, head in enumerate(heads):
        cells = [len(row[at]) for row in rows]
        widths.append(max([*cells, *(len(word) for word in head.split()), 1]))
    if sum(widths) + len(_APART) * len(widths[1:]) > WIDTH:
        widths[1:] = [
            max([min(width, _NARROW), *(len(row[at]) for row in rows)])
            for at, width in enumerate(widths[1:], 1)
        ]
    widths[0] = max(min(widths[0], WIDTH - sum(widths[1:]) - len(_APART) * len(widths[1:])), 10)
    folded = [textwrap.wrap(head, width) for head, width in zip(heads, widths, strict=True)]
    height = max(map(len, folded))
    top = [[*[""] * (height - len(head)), *head] for head in folded]
    for line in zip(*top, strict=True):
        yield _line(line, widths)
    for row in rows:
        first = textwrap.wrap(row[0], widths[0]) or [""]
        *above, last = first
        yield from above
        yield _line([last, *row[1:]], widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    parts = [
        f"{cell:<{width}}" if at == 0 else f"{cell:>{width}}"
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return _APART.join(parts).rstrip()
