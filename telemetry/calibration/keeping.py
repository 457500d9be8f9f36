"""A calibration written down: first in the append-only file, then in the database; and all of them read back.

The database is the sign's, which may be running: the row is written in one short transaction beside it. Where
there is no database yet, or it cannot be written now, the sign takes the record in when it opens it next.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from speedsign.calibration.record import Calibration, as_json, line_of, of_json
from speedsign.errors import StoreError
from telemetry.calibration import table
from telemetry.calibration.log import Line, Log, append, log_path, read_log
from telemetry.calibration.proof import Proof
from telemetry.query import reading


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


@dataclass(frozen=True, slots=True)
class History:
    """Every calibration of a database and of the file beside it, oldest first.

    `problems`: sentences about lines of the file that are not as they were written, or a file that cannot
    be read. `places`: of each record's key, its line in the file.
    """

    records: Sequence[Calibration] = ()
    problems: Sequence[str] = ()
    places: Mapping[str, Line] = field(default_factory=dict)


def keep(store_path: Path, record: Calibration) -> Kept:
    """Write a record down for good; NotKept, with the record in it, when the file cannot be written."""
    path = log_path(store_path)
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
    except StoreError as error:
        return Kept(path, line, in_database=False, problem=str(error))
    return Kept(path, line, in_database=True)


def _all_of_it(record: Calibration) -> str:
    """Of a record that cannot be kept: as JSON all the same, for who has to enter it again."""
    return json.dumps(as_json(record), separators=(",", ":"), default=str)


def _remedy(path: Path) -> str:
    if not path.parent.is_dir():
        return f"create {path.parent} or change [store] path"
    return "check free space, permissions (sudo?) and the card"


def read(store_path: Path) -> list[Calibration]:
    """Every calibration, oldest first; what cannot be read is left out (`read_history` says what)."""
    return list(read_history(store_path).records)


def read_history(store_path: Path, sign: str | None = None) -> History:
    """What the database and the file beside it have, one record a key; of one sign, if it is given."""
    rows, problems = _rows(store_path)
    log = _log(store_path, problems)
    found = {(line.record.sign, line.record.key): line.record for line in log.lines}
    for proof, body in rows:
        record = _record(proof, body)
        if found.setdefault((record.sign, record.key), record) != record and body is not None:
            problems.append(f"{log_path(store_path)}: the database has another record {record.key}")
    records = [record for record in found.values() if sign in (None, record.sign)]
    records.sort(key=lambda record: record.at_utc)
    return History(records, problems, {line.record.key: line for line in log.lines})


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
    problems += log.problems
    return log


def _record(proof: Proof, body: str | None) -> Calibration:
    """All of it, or at a hub what it was told."""
    if body is not None:
        try:
            return of_json(json.loads(body))
        except (ValueError, RecursionError):  # of a newer version, or damaged: its columns are there
            pass
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
