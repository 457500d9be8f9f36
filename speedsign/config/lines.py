"""On which line of a TOML file a key stands; tomllib does not tell."""

from __future__ import annotations

import re

_TABLE = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-\"'. ]+?)\s*=")


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _counted(path: tuple[str, ...], arrays: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """A header's path with the number of the table in each array around it: the last one so far."""
    inside: tuple[str, ...] = ()
    for part in path:
        if n := arrays.get(inside):
            inside += (str(n - 1),)
        inside += (part,)
    return inside


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Path of each key and table -> its line, from 1. A key inside an inline table is not listed.

    The tables of an array are counted from 0, as the validator does; the array itself is at its first table.

    >>> key_lines("[sign]\\nid = 'a'\\n[[study]]\\n[[study]]\\n")
    {('sign',): 1, ('sign', 'id'): 2, ('study',): 3, ('study', '0'): 3, ('study', '1'): 4}

    A table that only a header or a dotted key below it brings stands there, until it has a header of its own.

    >>> key_lines("[b.c]\\n[d.e]\\n[b]\\n")
    {('b', 'c'): 1, ('d', 'e'): 2, ('b',): 3, ('d',): 2}
    """
    found: dict[tuple[str, ...], int] = {}
    implied: dict[tuple[str, ...], int] = {}
    arrays: dict[tuple[str, ...], int] = {}  # how many tables each has so far
    table: tuple[str, ...] = ()
    inside: str | None = None  # the quotes of a multi-line string that is still open
    for number, line in enumerate(text.splitlines(), start=1):
        if inside:
            inside = None if inside in line else inside
            continue
        if header := _TABLE.match(line):
            table = _counted(_parts(header[2]), arrays)
            if header[1] == "[[":
                found.setdefault(table, number)
                nth = arrays[table] = arrays.get(table, 0) + 1
                table += (str(nth - 1),)
            found.setdefault(table, number)
            _imply(table, number, implied)
        elif key := _KEY.match(line):
            path = table + _parts(key[1])
            found.setdefault(path, number)
            _imply(path, number, implied)
        for quotes in ('"""', "'''"):
            if line.count(quotes) % 2:
                inside = quotes
    return found | {path: number for path, number in implied.items() if path not in found}


def _imply(path: tuple[str, ...], number: int, implied: dict[tuple[str, ...], int]) -> None:
    for length in range(1, len(path)):
        implied.setdefault(path[:length], number)


def line_of(path: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> int | None:
    """The line of a key, or of the nearest table around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None
