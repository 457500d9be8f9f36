"""A CSV file as lines and fields, read in blocks: a year of vehicles passes through a few megabytes.

UTF-8 with or without a byte order mark, any line ends, comma, semicolon or tab (told by the header). A
record is one line: a quote that is not closed spoils its own line and no other (RFC 4180 would let it
swallow the rest of the file).
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Collection, Iterator
from typing import IO

from speedsign.errors import StoreError

BLOCK = 1 << 20  # bytes
LONGEST = 1 << 16  # bytes in a line; ours have under 300
SEPARATORS = (",", ";", "\t")
_SHOWN = 80  # characters of a text that is worth reading again
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class FileRefused(StoreError):  # noqa: N818  the situation is its name
    """A file that is not what it should be, or of which nothing was taken; its text names the file."""


class RowError(ValueError):
    """What is wrong with one row; its text has no line number yet."""


def shown(text: str) -> str:
    """A text of somebody else's, quoted, and cut where it is long."""
    quoted = repr(text[: _SHOWN + 1])
    return quoted if len(quoted) <= _SHOWN else quoted[:_SHOWN] + "…'"


class CsvFile:
    """An open file with a header. `columns`: names in lower case; `wanted`: what a header may be known by.

    Raises FileRefused for a file that has no header or is no text.
    """

    def __init__(self, file: IO[bytes], name: str, wanted: Collection[str]) -> None:
        self.name = name
        self.bytes_read = 0
        self._file = file
        self._rest = b""
        self._number = 0  # of the last line that was handed out
        header = self._header()
        self.separator = max(SEPARATORS, key=lambda one: len(set(_names(header, one)) & set(wanted)))
        self.columns = tuple(_names(header, self.separator))
        twice = sorted(column for column, n in Counter(self.columns).items() if column and n > 1)
        if twice:
            raise FileRefused(f"{name}: the header names {shown(', '.join(twice))[1:-1]} twice")

    def places(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, int]:
        """Where each of these columns stands; FileRefused names the required ones that are missing."""
        missing = [column for column in required if column not in self.columns]
        if missing:
            there = ", ".join(column for column in self.columns if column)
            raise FileRefused(
                f"{self.name}: the first line has no column {' and no '.join(missing)}; "
                f"it must name {', '.join(required)} (it names {shown(there)})"
            )
        return {
            column: self.columns.index(column) for column in (*required, *optional) if column in self.columns
        }

    def fields(self, line: str) -> list[str]:
        """Of one line."""
        if '"' not in line:
            return line.split(self.separator)
        try:
            return next(csv.reader([line], delimiter=self.separator), [""])
        except csv.Error as error:
            raise RowError(f"cannot be read as CSV: {error}") from None

    def blocks(self) -> Iterator[tuple[int, list[str]]]:
        """Lines by the thousand, with the number of the first in the file, from 1."""
        while lines := self._lines():
            yield self._number - len(lines) + 1, [_text(line) for line in lines]

    # ----------------------------------------------------------------------- bytes

    def _header(self) -> str:
        """The first line with something on it; the rest of its block waits."""
        start = self._more()
        if start.startswith(_WIDE):
            raise FileRefused(f"{self.name} is UTF-16 text; save it as CSV in UTF-8")
        start = start.removeprefix(codecs.BOM_UTF8)
        lines = start.splitlines(keepends=True)
        self._number = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
        if self._number == len(lines):
            raise FileRefused(f"{self.name} is empty; the first line must name the columns")
        header = lines[self._number]
        self._check(header)
        self._number += 1
        self._rest = b"".join(lines[self._number :])
        return _text(header.rstrip(b"\r\n"))

    def _more(self) -> bytes:
        block = self._file.read(BLOCK)
        self.bytes_read += len(block)
        return block

    def _lines(self) -> list[bytes]:
        """The whole lines of what waits and the next block; at the end of the file, none."""
        while True:
            block = self._more()
            data = self._rest + block
            cut = data.rfind(b"\n") + 1 if block else len(data)
            self._rest = data[cut:]
            lines = data[:cut].splitlines()
            self._number += len(lines)
            self._check(self._rest)
            if lines or not block:
                return lines

    def _check(self, line: bytes) -> None:
        if len(line) > LONGEST:
            line_number = self._number + 1
            raise FileRefused(
                f"{self.name}: line {line_number} has more than {LONGEST} characters; is this a CSV file?"
            )


def _text(line: bytes) -> str:
    """What is no UTF-8 becomes a mark that no number and no word has."""
    return line.decode("utf-8", "replace")


def _names(header: str, separator: str) -> list[str]:
    names = next(csv.reader([header], delimiter=separator), [])
    return [name.strip().lower() for name in names]
