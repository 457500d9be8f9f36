"""A calibration written down: first in the append-only file, then in the database; and all of them read back.

The database is the sign's, which may be running: the row is written in one short transaction beside it. Where
there is no database yet, or it cannot be written now, the sign takes the record in when it opens it next.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from speedsign.calibration.record import FIRST_UTC, Calibration, as_json, line_of, of_json
from speedsign.errors import StoreError
from speedsign.model import ClockQuality
from telemetry.calibration import table
from telemetry.calibration.log import Line, Log, append, log_path, read_log
from telemetry.calibration.proof import Proof, proof_of
from telemetry.database import StoreBusy
from telemetry.query import reading

_Name = tuple[str, str]  # the sign, and the record's key
_LATER = "the record is in the file, and comes into the database at the sign's next start"
_MOST_NAMED = 5  # records, in a sentence


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a record is now; `problem`: why it is not in the database too, in a sentence."""

    file: Path
    line: Line
    in_database: bool
    problem: str = ""


class NotKept(StoreError):  # noqa: N818  the situation is its name
    """The record is nowhere; `json_line` is all of it, to be shown so that nothing is lost."""

    def __init__(self, text: str, json_line: str) -> None:
        super().__init__(text)
        self.json_line = json_line


class Doubt(StrEnum):
    """What does not fit about one record, beside what it says."""

    OTHER_IN_FILE = "other in file"  # the file has another content under its key; the database's counts
    NOT_IN_FILE = "not in file"  # the database has it, and its line is gone
    CHAIN = "chain"  # a line before it, or its own, is not as it was written

    @property
    def contradicts(self) -> bool:
        """Whether the file and the database say different things of the record itself."""
        return self is not Doubt.CHAIN


@dataclass(frozen=True, slots=True)
class History:
    """Every calibration of a database and of the file beside it, in the order in which they were kept.

    `problems`: sentences about lines of the file that are not as they were written or are gone, or a file
    that cannot be read. `places`: of each record's key, its line in the file; `doubts`: what does not fit
    about it. Where the two contradict each other it is the database's record.
    """

    records: Sequence[Calibration] = ()
    problems: Sequence[str] = ()
    places: Mapping[str, Line] = field(default_factory=dict)
    doubts: Mapping[str, frozenset[Doubt]] = field(default_factory=dict)

    def doubts_of(self, record: Calibration) -> list[Doubt]:
        """In a fixed order."""
        return [doubt for doubt in Doubt if doubt in self.doubts.get(record.key, ())]


def keep(store_path: Path, record: Calibration) -> Kept:
    """Write a record down for good; NotKept, with the record in it, when the file cannot be written."""
    path = log_path(store_path)
    record = _with_a_time(record)
    try:
        body = line_of(record)
        of_json(json.loads(body))  # what could not be read back would be no record
    except (ValueError, TypeError) as error:
        raise NotKept(f"the calibration cannot be kept: {error}", _all_of_it(record)) from None
    try:
        line = append(store_path, record)
    except OSError as error:
        why = f"{path}: the calibration cannot be written: {error.strerror}; {_remedy(path)}"
        raise NotKept(why, body) from None
    try:
        table.store(store_path, record)
    except StoreBusy as error:
        problem = f"{store_path}: {error.__cause__} by another program; {_LATER}"
        return Kept(path, line, in_database=False, problem=problem)
    except StoreError as error:
        problem = f"{error}; {_LATER}"
        return Kept(path, line, in_database=False, problem=problem)
    return Kept(path, line, in_database=True)


def _with_a_time(record: Calibration) -> Calibration:
    """A clock that was never set is no reason to lose a measurement: the order of the lines says when."""
    if record.at_utc >= FIRST_UTC:
        return record
    return replace(record, at_utc=FIRST_UTC, clock=ClockQuality.UNKNOWN, due=None)


def _all_of_it(record: Calibration) -> str:
    """Of a record that cannot be kept: as JSON all the same, for who has to enter it again."""
    return json.dumps(as_json(record), separators=(",", ":"), default=str)


def _remedy(path: Path) -> str:
    if not path.parent.is_dir():
        return f"create {path.parent} or change [store] path"
    return "check free space, permissions (sudo?) and the card"


def read(store_path: Path) -> list[Calibration]:
    """Every calibration as it was kept; what cannot be read is left out (`read_history` says what)."""
    return list(read_history(store_path).records)


def read_history(store_path: Path, sign: str | None = None) -> History:
    """What the database and the file beside it have, one record a key; of one sign, if it is given."""
    rows, problems = _rows(store_path)
    log = _log(store_path, problems)
    found = merged(store_path, rows, log)
    records = [record for record in found.records if sign in (None, record.sign)]
    return replace(found, records=records, problems=[*problems, *found.problems])


def merged(store_path: Path, rows: Sequence[tuple[Proof, str | None]], log: Log) -> History:
    """The database's rows (`table.bodies`) and the file's lines as one history, with what does not fit."""
    path = log_path(store_path)
    problems = list(log.problems)
    doubts: dict[str, frozenset[Doubt]] = {}
    lines: dict[_Name, Line] = {}
    for line in log.lines:
        first = lines.setdefault((line.record.sign, line.record.key), line)
        if first.record != line.record:
            problems.append(f"{path}: line {line.number} has another record {line.record.key}")
            doubts[line.record.key] = frozenset({Doubt.OTHER_IN_FILE})
    found = {name: line.record for name, line in lines.items()}
    order, gone, before = list(found), [], None
    for proof, body in rows:
        name, ours = (proof.sign, proof.key), _of_body(body)
        if name not in found:
            order.insert(0 if before is None else order.index(before) + 1, name)
            gone += [] if body is None else [proof.key]
            found[name] = ours or _of_columns(proof)
        elif body is not None and not _same(found[name], ours, proof):
            problems.append(f"{path}: the database has another record {proof.key}, and that one counts")
            doubts[proof.key] = frozenset({Doubt.OTHER_IN_FILE})
            found[name] = ours or _of_columns(proof)
        before = name
    if gone:
        problems.append(_gone(path, gone))
        doubts |= {key: frozenset({Doubt.NOT_IN_FILE}) for key in gone}
    for line in lines.values():
        if any(number <= line.number + 1 for number in log.broken):
            key = line.record.key
            doubts[key] = doubts.get(key, frozenset()) | {Doubt.CHAIN}
    places = {line.record.key: line for line in lines.values()}
    return History([found[name] for name in order], problems, places, doubts)


def _gone(path: Path, keys: Sequence[str]) -> str:
    few = ", ".join(key[:8] for key in keys[:_MOST_NAMED])
    few += f" and {len(keys) - _MOST_NAMED} more" if len(keys) > _MOST_NAMED else ""
    what = "lines were removed from it" if path.exists() else "it is not there"
    return f"{path}: {what}: the database has what the file has not: {few}"


def _rows(store_path: Path) -> tuple[list[tuple[Proof, str | None]], list[str]]:
    if not store_path.exists():
        return [], []
    try:
        with reading(store_path) as db:
            return table.bodies(db), []
    except StoreError as error:
        return [], [str(error)]


def _log(store_path: Path, problems: list[str]) -> Log:
    try:
        log = read_log(store_path)
    except OSError as error:
        problems.append(f"{log_path(store_path)}: cannot be read: {error.strerror}; check its permissions")
        return Log()
    return log


def _of_body(body: str | None) -> Calibration | None:
    """None: at a hub, or of a newer version, or damaged; its columns are there."""
    try:
        return None if body is None else of_json(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _same(of_file: Calibration, of_database: Calibration | None, proof: Proof) -> bool:
    return proof_of(of_file) == proof if of_database is None else of_file == of_database


def _of_columns(proof: Proof) -> Calibration:
    """What a hub is told, or what is left of a damaged row."""
    return Calibration(
        key=proof.key,
        kind=proof.kind,
        at_utc=proof.at_utc,
        clock=proof.clock,
        by="",
        tool="",
        sign=proof.sign,
        site=proof.site,
        driver=proof.driver,
        mounting_angle_deg=proof.mounting_angle_deg,
        verdict=proof.verdict,
        due=proof.due,
    )
