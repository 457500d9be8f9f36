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
from speedsign.model import ClockQuality, Installation
from telemetry.calibration.log import log_path, read_log
from telemetry.calibration.proof import Proof, Standing, proof_of, standing_of
from telemetry.database import open_beside, sentences
from telemetry.message.names import PLACE_MAX_CALIBRATIONS
from telemetry.query import reading
from telemetry.rows import INSTALLATION_COLUMNS, from_ms, installation_of, to_ms

_log = logging.getLogger(__name__)

_TAKEN = "calibrations_bytes"  # in meta: how long the file was when it was taken in
_COLUMNS = "key, at_ms, clock, kind, verdict, due, sign, site, driver, mounting_angle_deg"
MOST_HEARD = 500  # of one sign, at a hub
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
    """What a hub was told of a sign; whether anything is new. The oldest of very many are forgotten."""
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
            " ORDER BY at_ms DESC, key LIMIT -1 OFFSET ?)",
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
    """Into the database beside a running sign; StoreError where there is none yet, or it takes nothing."""
    db = open_beside(store_path)
    with contextlib.closing(db), sentences(store_path):
        db.execute("BEGIN IMMEDIATE")
        try:
            insert(db, record)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def take_in(db: sqlite3.Connection, store_path: Path, sign: str) -> int:
    """Records of the file, of this sign, that the database has not; how many. Inside a transaction.

    Cheap where nothing came: the file's length is looked at. A file that cannot be read stops no sign.
    """
    path = log_path(store_path)
    try:
        size = path.stat().st_size
        row = db.execute("SELECT value FROM meta WHERE key = ?", (_TAKEN,)).fetchone()
        if row and row[0] == str(size):
            return 0
        lines = read_log(store_path).lines
    except FileNotFoundError:
        return 0
    except OSError as error:
        _log.warning("%s: calibrations cannot be read: %s", path, error.strerror)
        return 0
    new = sum([insert(db, line.record) for line in lines if line.record.sign == sign])
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_TAKEN, str(size)))
    return new


# --------------------------------------------------------------------------- reading


def read_proofs(source: Path | str | sqlite3.Connection, sign: str | None = None) -> list[Proof]:
    """What a database knows of calibrations, of all signs or of one, oldest first. Raises StoreError."""
    with reading(source) as db:
        return proofs(db, sign)


def proofs(db: sqlite3.Connection, sign: str | None = None) -> list[Proof]:
    rows: Iterable[Any] = db.execute(
        f"SELECT {_COLUMNS} FROM calibration ORDER BY at_ms, key"  # noqa: S608  ours
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
    """The sign's own that it tells with its place: the newest, before all others those that prove speeds."""
    rows: Iterable[Any] = db.execute(
        f"SELECT {_COLUMNS} FROM calibration WHERE source_id IS NULL"  # noqa: S608  ours
        " ORDER BY kind IN ('drive-by', 'fork') DESC, at_ms DESC, key LIMIT ?",
        (PLACE_MAX_CALIBRATIONS,),
    ).fetchall()
    return [_proof(tuple(row)) for row in rows]


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
            facts, found = _newest_installation(db), proofs(db)
    except StoreError:
        facts, found = None, _from_file(store_path)
    return standing_of(found, facts, now_utc)


def _newest_installation(db: sqlite3.Connection) -> Installation | None:
    row = db.execute(
        f"SELECT {INSTALLATION_COLUMNS} FROM installation WHERE {_OWN} ORDER BY id DESC LIMIT 1"  # noqa: S608
    ).fetchone()
    return installation_of(tuple(row)) if row else None


def _from_file(store_path: Path) -> list[Proof]:
    try:
        return [proof_of(line.record) for line in read_log(store_path).lines]
    except OSError:
        return []
