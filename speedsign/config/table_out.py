"""Taking a table out of a config: its own lines go, and no comment that is somebody else's.

A table's own lines are its header, everything down to its last key, and the lines right below that which show
one of its defaults (`# port = 1883`). Whatever else stands below explains what comes next.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from speedsign.config.schema import Config

_HEADER = re.compile(r"\s*\[\[?\s*([\w\"'. -]+?)\s*\]\]?\s*(#.*)?$")
_SHOWN = re.compile(r"#\s*([a-z_]+)\s*[=:]")


def without_table(text: str, path: tuple[str, ...]) -> str:
    """The text without a table that has a header, and without the tables below it.

    What is written in another way stays: whoever asks looks whether it has gone.

    >>> without_table("[a]\\nx = 1\\n\\n# of b\\n[b]\\ny = 2\\n", ("a",))
    '\\n# of b\\n[b]\\ny = 2\\n'
    """
    lines = text.splitlines(keepends=True)
    gone = {n for first, last in _sections(lines, path) for n in range(first, last)}
    left: list[str] = []
    for n, line in enumerate(lines):
        if n in gone:
            continue
        behind_a_gap = n - 1 in gone and (not left or not left[-1].strip())
        if left and behind_a_gap and not line.strip():
            continue  # one empty line is enough between what is left
        left.append(line)
    return "".join(left)


def _sections(lines: list[str], path: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """From and to which line each header of the table, or of one below it, and what is its own stands."""
    at = 0
    while at < len(lines):
        header = _HEADER.match(lines[at])
        if header is None:
            at = max(_end_of_key(lines, at), at + 1)
            continue
        first, last = at, at + 1
        at += 1
        while at < len(lines) and not _HEADER.match(lines[at]):
            end = _end_of_key(lines, at)
            last, at = (end, end) if end > at else (last, at + 1)
        named = tuple(part.strip().strip("\"'") for part in header[1].split("."))
        if named[: len(path)] == path:
            yield first, _behind_defaults(lines, last, _keys_of(named))


def _end_of_key(lines: list[str], at: int) -> int:
    """Behind the key that begins on this line, be its value ever so long; the same line where none does."""
    if not lines[at].strip() or lines[at].lstrip().startswith("#"):
        return at
    for end in range(at + 1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[at:end]))
        except (ValueError, RecursionError):
            continue
        return end
    return at


def _behind_defaults(lines: list[str], at: int, keys: frozenset[str]) -> int:
    """Behind the comments that show what holds without a key of this table."""
    while at < len(lines) and (shown := _SHOWN.match(lines[at])) and shown[1] in keys:
        at += 1
    return at


def _keys_of(path: tuple[str, ...]) -> frozenset[str]:
    """The keys that a table can have."""
    at: Any = Config
    for part in path:
        hint = get_type_hints(at).get(part)
        at = next((one for one in (hint, *get_args(hint)) if is_dataclass(one)), None)
        if at is None:
            return frozenset()
    return frozenset(field.name for field in fields(at))
