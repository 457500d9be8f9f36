"""The append-only file of calibrations, beside the database and outliving it: one line of JSON each.

The last entry of a line, `previous`, is the sha256 of the line before it as it stands in the file (without
its newline), of the first line an empty text: whoever edits, removes or puts in a line in the middle breaks
the chain. The last line has nobody to vouch for it but the database, which has the same record.

A line that was cut off by a power cut stays where it is; the next one begins on a line of its own and vouches
for it, so it is passed over and is no break. Whatever else the file holds, reading it ends and takes little
memory: a sign that starts reads it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from speedsign.calibration.record import LONGEST_BYTES, Calibration, line_of, of_json

_NAME = "calibrations.jsonl"
_MODE = 0o640
_SHA256 = re.compile(r"([0-9a-f]{64})?", re.ASCII)
_LONGEST_LINE = LONGEST_BYTES + 100  # with what it says of the line before
_CHUNK = 1 << 16
MOST_PROBLEMS = 1000  # lines that are none; the file is no record any more, and nobody reads on
MOST_BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line that holds a record, and its place in the chain."""

    number: int  # 1, 2, … in the file
    record: Calibration
    sha256: str  # of the line as it stands
    previous: str  # what it says of the line before it; "?" for what is no sha256


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that is not as it was written, in a sentence that begins with the line's number."""

    number: int  # of the line at which it shows
    text: str


@dataclass(frozen=True, slots=True)
class Log:
    """What the file holds; `problems` has a sentence for each line that is not as it was written."""

    lines: tuple[Line, ...] = ()
    problems: tuple[str, ...] = ()
    broken: tuple[int, ...] = ()  # the numbers of the lines at which those show


def log_path(store_path: Path) -> Path:
    """The file that belongs to a database."""
    return store_path.with_name(_NAME)


# --------------------------------------------------------------------------- writing


def append(store_path: Path, record: Calibration) -> Line:
    """Write the record behind all others, on the disk before this returns; nothing of it on an error.

    Raises OSError (full, read only, no folder) and ValueError for a record that is no JSON or too long.
    """
    body = line_of(record)
    path = log_path(store_path)
    new = not path.exists()
    with _opened(path, store_path) as file:
        size = os.fstat(file).st_size
        number, last, ended = 0, "", True
        with os.fdopen(os.dup(file), "rb") as reader:
            for raw in _raw_lines(reader):
                number, last, ended = raw.number, raw.sha256, raw.ended
        raw_line = f'{body[:-1]},"previous":"{last}"}}'.encode()
        _write(file, (b"" if ended else b"\n") + raw_line + b"\n", size)
    if new:
        _keep_folder(path.parent)
    return Line(number + 1, record, hashlib.sha256(raw_line).hexdigest(), last)


@contextlib.contextmanager
def _opened(path: Path, store_path: Path) -> Iterator[int]:
    """Locked: two technicians at once write one after the other."""
    new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, _MODE)
    try:
        _refuse_other(file)
        fcntl.flock(file, fcntl.LOCK_EX)
        if new:
            _as_the_database(file, store_path)
        yield file
    finally:
        os.close(file)


def _refuse_other(file: int) -> None:
    """A folder, a pipe, a device: nothing that anybody kept records in."""
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise OSError(errno.EINVAL, "it is no file")


def _as_the_database(file: int, store_path: Path) -> None:
    """Rights of the database, or the folder's owner before there is one: the sign has to read the file."""
    with contextlib.suppress(OSError):  # only root may give it away; who is not, keeps it
        found = store_path.stat() if store_path.exists() else store_path.parent.stat()
        if store_path.exists():
            os.fchmod(file, found.st_mode & 0o666)
        if os.geteuid() == 0:
            os.fchown(file, found.st_uid, found.st_gid)


def _write(file: int, data: bytes, size_before: int) -> None:
    """All of it on the disk, or none of it in the file."""
    try:
        written = 0
        while written < len(data):
            written += os.write(file, data[written:])
        os.fsync(file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.ftruncate(file, size_before)
        raise


def _keep_folder(folder: Path) -> None:
    """A new name is on the disk when its folder is."""
    with contextlib.suppress(OSError):  # not every file system can
        held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(held)
        finally:
            os.close(held)


# --------------------------------------------------------------------------- reading


def read_log(store_path: Path) -> Log:
    """Every record that can be read, in the order of the file; no file is an empty log. Raises OSError."""
    path = log_path(store_path)
    lines: list[Line] = []
    problems: list[Problem] = []
    try:
        for found in scan(store_path):
            if isinstance(found, Line):
                lines.append(found)
            else:
                problems.append(found)
    except FileNotFoundError:
        return Log()
    texts = tuple(f"{path}: {problem.text}" for problem in problems)
    return Log(tuple(lines), texts, tuple(problem.number for problem in problems))


def scan(store_path: Path) -> Iterator[Line | Problem]:
    """Its lines one after the other, and what is wrong with them. Raises OSError; FileNotFoundError: none."""
    file = os.open(log_path(store_path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(file, "rb") as reader:
        _refuse_other(file)
        problems = 0
        for found in _scanned(reader):
            problems += isinstance(found, Problem)
            yield found
            if problems >= MOST_PROBLEMS or reader.tell() > MOST_BYTES:
                yield Problem(found.number + 1, f"lines after line {found.number} were not looked at")
                return


class _Raw(NamedTuple):
    number: int
    text: bytes | None  # None: longer than any record
    sha256: str
    ended: bool  # with a newline


def _raw_lines(reader: BinaryIO) -> Iterator[_Raw]:
    """Lines of any length, of which never more than a record's is in memory."""
    number = 0
    while part := reader.readline(_CHUNK):
        number += 1
        text, digest, ended = b"", hashlib.sha256(), False
        while part:
            ended = part.endswith(b"\n")
            part = part[:-1] if ended else part
            digest.update(part)
            text += part if len(text) <= _LONGEST_LINE else b""
            part = b"" if ended else reader.readline(_CHUNK)
        yield _Raw(number, text if len(text) <= _LONGEST_LINE else None, digest.hexdigest(), ended)


def _scanned(reader: BinaryIO) -> Iterator[Line | Problem]:
    before = doubtful = None  # the line before; one that is no JSON: the next one says whether it was cut off
    for raw in _raw_lines(reader):
        line: Line | None = None
        problem = None
        try:
            line = _line(raw)
        except ValueError as error:
            problem = Problem(raw.number, f"line {raw.number} cannot be read: {str(error)[:200]}")
        if doubtful is not None and (line is None or line.previous != doubtful.sha256):
            yield _damaged(doubtful)
        doubtful = raw if line is None and problem is None else None
        if problem is not None:
            yield problem
        if line is not None:
            yield line
            if said := _broken(line, before):
                yield Problem(line.number, said)
        before = raw
    if doubtful is not None and doubtful.ended:
        yield _damaged(doubtful)


def _line(raw: _Raw) -> Line | None:
    """None: it is no JSON; ValueError for JSON that is no record, or none that could be kept."""
    if raw.text is None:
        raise ValueError(f"it is longer than {LONGEST_BYTES} bytes")
    try:
        facts = json.loads(raw.text.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict):
        raise ValueError("it is no calibration")  # noqa: TRY004  bad content of a file
    record = of_json(facts)
    line_of(record)
    previous = facts.get("previous", "")
    known = isinstance(previous, str) and _SHA256.fullmatch(previous)
    return Line(raw.number, record, raw.sha256, previous if known else "?")


def _damaged(raw: _Raw) -> Problem:
    return Problem(raw.number, f"line {raw.number} was changed or is damaged")


def _broken(line: Line, before: _Raw | None) -> str | None:
    """What the line says of the one before it is not so."""
    if line.previous == ("" if before is None else before.sha256):
        return None
    if before is None:
        return "lines before line 1 were removed, or it was changed"
    return f"line {line.number - 1} was changed, or a line after it was removed"
