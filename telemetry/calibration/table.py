"""The database's rows of calibrations: written beside a running sign, taken in from the file, read back."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from speedsign.calibration.record import Calibration, Kind, Verdict, line_of
from speedsign.errors import StoreError
from speedsign.model import ClockQuality
from telemetry.calibration.log import Line, Problem, log_path, read_log, scan
from telemetry.calibration.proof import Proof, Standing, proof_of, standing_of
from telemetry.calibration.stand import stand_now
from telemetry.database import open_beside, sentences
from telemetry.message.names import PLACE_MAX_CALIBRATIONS
from telemetry.query import reading
from telemetry.rows import from_ms, to_ms

_log = logging.getLogger(__name__)

_TAKEN = "calibrations_bytes"  # in meta: how long the file was when it was taken in
_COLUMNS = "key, at_ms, clock, kind, verdict, due, sign, site, driver, mounting_angle_deg"
MOST_HEARD = 500  # of one sign, at a hub
_MOST_SAID = 50  # lines of the file: the journal is no place for more
# What no column takes; a line of the file that comes to it is left out.
_UNFIT = (ValueError, OverflowError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)
_OWN = "origin = 'measured' AND source_id IS NULL"


# --------------------------------------------------------------------------- writing


def insert(db: sqlite3.Connection, record: Calibration) -> bool:
    """A row of the sign's own; whether it is new. Where the sign stands is news again, with this in it."""
    proof = proof_of(record)
    row = (*_row(proof), line_of(record))
    new = db.execute(
        f"INSERT OR IGNORE INTO calibration ({_COLUMNS}, body) VALUES ({_marks(row)})",  # noqa: S608  ours
        row,
    ).rowcount
    if new:
        newest = f"SELECT max(id) FROM installation WHERE {_OWN}"  # noqa: S608  ours
        db.execute(f"UPDATE installation SET announced = 0 WHERE id = ({newest})")  # noqa: S608  ours
    return new > 0


def insert_heard(db: sqlite3.Connection, source_id: int, sign: str, told: Iterable[Proof]) -> bool:
    """What a hub was told of a sign, in the order in which it was kept there; whether anything is new.

    The oldest of very many are forgotten.
    """
    new = 0
    for proof in told:
        row = (*_row(replace(proof, sign=sign)), source_id)
        new += db.execute(
            f"INSERT OR IGNORE INTO calibration ({_COLUMNS}, source_id) VALUES ({_marks(row)})",  # noqa: S608
            row,
        ).rowcount
    if new:
        db.execute(
            "DELETE FROM calibration WHERE id IN (SELECT id FROM calibration WHERE sign = ?"
            " ORDER BY id DESC LIMIT -1 OFFSET ?)",
            (sign, MOST_HEARD),
        )
    return new > 0


def _row(proof: Proof) -> tuple[object, ...]:
    return (
        proof.key,
        to_ms(proof.at_utc),
        proof.clock.value,
        proof.kind.value,
        proof.verdict.value,
        proof.due.isoformat() if proof.due else None,
        proof.sign,
        proof.site,
        proof.driver,
        float(proof.mounting_angle_deg),
    )


def _marks(row: tuple[object, ...]) -> str:
    return ", ".join("?" * len(row))


def store(store_path: Path, record: Calibration) -> None:
    """Into the database beside a running sign; StoreError where there is none yet, or it takes nothing.

    What the file has of the sign and the database has not comes in before it: rows are in the file's order.
    """
    db = open_beside(store_path)
    with contextlib.closing(db), sentences(store_path):
        try:
            db.execute("BEGIN IMMEDIATE")
            take_in(db, store_path, record.sign)
            insert(db, record)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def take_in(db: sqlite3.Connection, store_path: Path, sign: str) -> int:
    """Records of the file, of this sign, that the database has not; how many. Inside a transaction.

    Cheap where nothing came: the file's length is looked at. Whatever the file is or holds stops no sign:
    what cannot be taken is left out and said.
    """
    path = log_path(store_path)
    new = 0
    try:
        size = path.stat().st_size
        row = db.execute("SELECT value FROM meta WHERE key = ?", (_TAKEN,)).fetchone()
        if row and row[0] == str(size):
            return 0
        for found in scan(store_path):
            if isinstance(found, Problem):
                _say_problem(path, found)
            elif found.record.sign == sign:
                new += _insert_line(db, path, found)
    except FileNotFoundError:
        return 0
    except OSError as error:
        _log.warning("%s: calibrations cannot be read: %s", path, error.strerror)
        return new
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_TAKEN, str(size)))
    return new


def _insert_line(db: sqlite3.Connection, path: Path, line: Line) -> bool:
    try:
        return insert(db, line.record)
    except _UNFIT as error:
        _log.warning("%s: line %d is left out: %s", path, line.number, error)
        return False


def _say_problem(path: Path, problem: Problem) -> None:
    if problem.number <= _MOST_SAID:
        _log.warning("%s: %s", path, problem.text)


# --------------------------------------------------------------------------- reading


def read_proofs(source: Path | str | sqlite3.Connection, sign: str | None = None) -> list[Proof]:
    """What a database knows of calibrations, of all signs or of one, as kept. Raises StoreError."""
    with reading(source) as db:
        return proofs(db, sign)


def proofs(db: sqlite3.Connection, sign: str | None = None) -> list[Proof]:
    rows: Iterable[Any] = db.execute(
        f"SELECT {_COLUMNS} FROM calibration ORDER BY id"  # noqa: S608  ours
    ).fetchall()
    return [proof for proof in map(_proof, rows) if sign in (None, proof.sign)]


def _proof(row: Any) -> Proof:
    key, at_ms, clock, kind, verdict, due, sign, site, driver, angle_deg = row
    return Proof(
        key=key,
        at_utc=from_ms(at_ms),
        clock=ClockQuality(clock),
        kind=Kind(kind),
        verdict=Verdict(verdict),
        due=date.fromisoformat(due) if due else None,
        sign=sign,
        site=site,
        driver=driver,
        mounting_angle_deg=angle_deg,
    )


def told(db: sqlite3.Connection) -> list[Proof]:
    """The sign's own that it tells with its place, as they were kept: the newest of those that prove speeds,
    then of all others."""
    rows: Iterable[Any] = db.execute(
        f"SELECT id, {_COLUMNS} FROM calibration WHERE source_id IS NULL"  # noqa: S608  ours
        " ORDER BY kind IN ('drive-by', 'fork') DESC, id DESC LIMIT ?",
        (PLACE_MAX_CALIBRATIONS,),
    ).fetchall()
    return [_proof(row[1:]) for row in sorted(map(tuple, rows))]


def bodies(db: sqlite3.Connection) -> list[tuple[Proof, str | None]]:
    """Every row in the order they were kept: its short form, and all of it as JSON (None at a hub)."""
    rows: Iterable[Any] = db.execute(
        f"SELECT {_COLUMNS}, body FROM calibration ORDER BY id"  # noqa: S608  ours
    ).fetchall()
    return [(_proof(tuple(row)[:-1]), row[-1]) for row in rows]


def standing(store_path: Path, now_utc: datetime | None) -> Standing:
    """How a sign stands with its calibration now; `now_utc` None: its clock is not to be believed.

    From the database, and from the file beside it where there is none yet. Never raises StoreError.
    """
    try:
        with reading(store_path) as db:
            stand, found = stand_now(db), proofs(db)
    except StoreError:
        return standing_of(_from_file(store_path), None, now_utc)
    if stand is None:
        return standing_of(found, None, now_utc)
    return standing_of(found, stand.facts, now_utc, since_utc=stand.stood.since_utc)


def _from_file(store_path: Path) -> list[Proof]:
    try:
        return [proof_of(line.record) for line in read_log(store_path).lines]
    except OSError:
        return []
