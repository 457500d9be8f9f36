"""The file of calibrations beside a database: read whatever it holds, and what is added is read again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from speedsign.calibration.record import line_of
from telemetry.calibration.log import MOST_PROBLEMS, append, log_path, read_log
from telemetry.calibration.proof import proof_of, timed
from telemetry.calibration.table import standing
from tests.fuzz.kit import one_sentence
from tests.fuzz.scratch import scratch
from tests.fuzz.structure import changed_between
from tests.fuzz.words import JSON
from tests.telemetry.calibrations import record
from tests.telemetry.samples import T0

LONGEST = 8192
WORDS = (
    *JSON,
    b'"previous":"',
    b'","previous":"',
    b'"}\n',
    b'"kind":"fork"',
    b'"verdict":"pass"',
    b'"due":"2027-05-04"',
    b'"at":',
    b"\n\n",
)


@cache
def store_path() -> Path:
    return scratch() / "sign.db"


def target(data: bytes) -> None:
    path = store_path()
    log_path(path).write_bytes(data)
    log = read_log(path)
    assert len(log.problems) == len(log.broken)
    n_lines = data.count(b"\n") + (not data.endswith(b"\n"))
    assert all(1 <= line.number <= n_lines for line in log.lines)
    for line in log.lines:
        line_of(line.record)
    timed([proof_of(line.record) for line in log.lines])
    standing(path, T0)
    for problem in log.problems:
        one_sentence(problem)
    whole = b"\n" if data and not data.endswith(b"\n") else b""
    added = append(path, record(99))
    assert log_path(path).read_bytes().startswith(data + whole)
    if len(log.problems) < MOST_PROBLEMS:  # a file of so many is no record any more, and nobody reads on
        assert read_log(path).lines[-1] == added, "what was written is not read"


def change(data: bytes, random: Random) -> bytes:
    return changed_between(data, b"\n", 0, random)


def seeds() -> Iterator[bytes]:
    """A chain, one with a line that was cut off, and one that somebody has edited."""
    path = store_path().with_name("seeds") / "sign.db"
    path.parent.mkdir(exist_ok=True)
    log_path(path).unlink(missing_ok=True)
    for number in range(1, 4):
        append(path, record(number))
        yield log_path(path).read_bytes()
    whole = log_path(path).read_bytes()
    yield whole[:-40]
    yield whole.replace(b"fork", b"drive")
    yield b"\n".join(reversed(whole.split(b"\n")))
