"""The append-only file of calibrations, beside the database and outliving it: one line of JSON each.

The last entry of a line, `previous`, is the sha256 of the line before it as it stands in the file (without
its newline), of the first line an empty text: whoever edits, removes or puts in a line in the middle breaks
the chain. The last line has nobody to vouch for it but the database, which has the same record.

A line that was cut off by a power cut stays where it is; the next one begins on a line of its own and vouches
for it, so it is passed over and is no break.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from speedsign.calibration.record import Calibration, line_of, of_json

_NAME = "calibrations.jsonl"
_MODE = 0o640


@dataclass(frozen=True, slots=True)
class Line:
    """A line that holds a record, and its place in the chain."""

    number: int  # 1, 2, … in the file
    record: Calibration
    sha256: str  # of the line as it stands
    previous: str  # what it says of the line before it


@dataclass(frozen=True, slots=True)
class Log:
    """What the file holds; `problems` has a sentence for each line that is not as it was written."""

    lines: tuple[Line, ...] = ()
    problems: tuple[str, ...] = ()


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
        before = _whole(file)
        lines = before.split(b"\n")
        if not lines[-1]:
            lines.pop()
        previous = _sha256(lines[-1]) if lines else ""
        raw = f'{body[:-1]},"previous":"{previous}"}}'.encode()
        cut_off = bool(before) and not before.endswith(b"\n")
        _write(file, (b"\n" if cut_off else b"") + raw + b"\n", len(before))
    if new:
        _keep_folder(path.parent)
    return Line(len(lines) + 1, record, _sha256(raw), previous)


@contextlib.contextmanager
def _opened(path: Path, store_path: Path) -> Iterator[int]:
    """Locked: two technicians at once write one after the other."""
    new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if new:
            _as_the_database(file, store_path)
        yield file
    finally:
        os.close(file)


def _as_the_database(file: int, store_path: Path) -> None:
    """Rights of the database, or the folder's owner before there is one: the sign has to read the file."""
    with contextlib.suppress(OSError):  # only root may give it away; who is not, keeps it
        found = store_path.stat() if store_path.exists() else store_path.parent.stat()
        if store_path.exists():
            os.fchmod(file, found.st_mode & 0o666)
        if os.geteuid() == 0:
            os.fchown(file, found.st_uid, found.st_gid)


def _whole(file: int) -> bytes:
    parts, at = [], 0
    while part := os.pread(file, 1 << 20, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


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
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Log()
    whole = data.endswith(b"\n")
    raw = data.split(b"\n")[: -1 if whole else None]
    lines: list[Line] = []
    problems: list[str] = []
    for number, text in enumerate(raw, 1):
        before = raw[number - 2] if number > 1 else None
        try:
            line = _line(number, text)
        except ValueError as error:
            problems.append(f"{path}: line {number} cannot be read: {error}")
            continue
        if line is not None:
            lines.append(line)
            if problem := _broken(line, before):
                problems.append(f"{path}: {problem}")
        elif not _was_cut_off(raw, number, whole=whole):
            problems.append(f"{path}: line {number} was changed or is damaged")
    return Log(tuple(lines), tuple(problems))


def _line(number: int, text: bytes) -> Line | None:
    """None: it is no JSON; ValueError for JSON that is no record."""
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict):
        raise ValueError("it is no calibration")  # noqa: TRY004  bad content of a file
    return Line(number, of_json(facts), _sha256(text), str(facts.get("previous", "")))


def _broken(line: Line, before: bytes | None) -> str | None:
    """What the line says of the one before it is not so."""
    if line.previous == ("" if before is None else _sha256(before)):
        return None
    if before is None:
        return "lines before line 1 were removed, or it was changed"
    return f"line {line.number - 1} was changed, or a line after it was removed"


def _was_cut_off(raw: list[bytes], number: int, *, whole: bool) -> bool:
    """Whether a line that is no JSON was so when the next one was written; the last one: has no end."""
    if number == len(raw):
        return not whole
    try:
        following = _line(number + 1, raw[number])
    except ValueError:
        return False
    return following is not None and following.previous == _sha256(raw[number - 1])


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
