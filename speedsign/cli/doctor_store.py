"""Gathers what is to be known of the sign's database, without changing anything there."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from speedsign.cli.doctor_patient import Patient
from speedsign.doctor.files import there
from speedsign.doctor.finding import Finding, unknown, warning
from speedsign.doctor.finding import State as FState
from speedsign.doctor.store import StoreFacts, judge_store
from speedsign.errors import StoreError
from telemetry.calibration import State, log_path, merged, stand_now, standing_of
from telemetry.calibration.log import read_log
from telemetry.calibration.proof import proof_of
from telemetry.calibration.table import bodies
from telemetry.looking import Unmerged, looking
from telemetry.outbox.table import ROW_BYTES
from telemetry.schema import SCHEMA_VERSION, NotOurs
from telemetry.wipe import files_of_store

_MB = 1_000_000
_DATED = "FILTER (WHERE clock != 'unknown')"


def look_at_store(patient: Patient) -> Sequence[Finding]:
    if "store" in patient.tables.wrong:
        return [unknown("store", "[store] cannot be used", "correct it")]
    return judge_store(store_facts(patient))


def store_facts(patient: Patient) -> StoreFacts:
    """Blocks while the disk does; of a big database the check takes long."""
    path, options = patient.tables.store.path, patient.options
    mqtt = patient.tables.mqtt
    facts = StoreFacts(
        path,
        running_pid=patient.sign_pid,
        thorough=options.thorough,
        sends=mqtt is not None,
        quota_bytes=int(mqtt.quota_mb * _MB) if mqtt else 0,
        newest_schema=SCHEMA_VERSION,
    )
    try:
        size = path.stat().st_size
    except PermissionError:
        return replace(facts, forbidden=True)
    except OSError:
        return replace(facts, there=False)
    beside = [one.name for one in files_of_store(path) if ".damaged-" in one.name]
    facts = replace(
        facts,
        size_bytes=size,
        wal_bytes=_size(path.with_name(path.name + "-wal")),
        damaged=tuple(name for name in beside if not name.endswith(("-wal", "-shm", "-journal"))),
    )
    return _read(facts, path, patient.clock.now_utc(), check=not options.quick)


def _read(facts: StoreFacts, path: Path, now: datetime, *, check: bool) -> StoreFacts:
    if path.is_dir():
        remedy = f'name a file in it: [store] path = "{path / "speedsign.db"}"'
        return replace(facts, problem=f"{path} is a folder, no database", remedy=remedy)
    if not facts.size_bytes:
        return replace(facts, problem=f"{path} is empty")
    try:
        with path.open("rb"):
            pass
        with looking(path) as db:
            facts = replace(facts, schema=db.execute("PRAGMA user_version").fetchone()[0])
            if check:
                facts = replace(facts, check=_checked(db, thorough=facts.thorough))
            return _contents(facts, db, now.timestamp())
    except PermissionError:
        return replace(facts, forbidden=True)
    except Unmerged:
        return replace(facts, unmerged=True)
    except NotOurs as error:
        what, _, remedy = str(error).partition("; ")
        return replace(facts, problem=what, remedy=remedy)
    except (StoreError, OSError) as error:
        return replace(facts, problem=str(error))


def _checked(db: sqlite3.Connection, *, thorough: bool) -> str:
    """ "ok", or the first thing that is wrong."""
    what = "integrity_check" if thorough else "quick_check"
    said: str = db.execute(f"PRAGMA {what}(1)").fetchone()[0]
    if said == "ok" and thorough and db.execute("PRAGMA foreign_key_check").fetchone():
        return "rows refer to others that are not there"
    return said


def _contents(facts: StoreFacts, db: sqlite3.Connection, now_s: float) -> StoreFacts:
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    tables = {
        name: _one(db, f"SELECT count(*) FROM {name}")  # noqa: S608  names of ours
        for name in ("installation", "vehicle", "interval", "outbox", "calibration", "import")
        if name in names
    }
    meta = dict(db.execute("SELECT key, value FROM meta"))
    # What has no time says nothing of how long ago that was, where anything has one.
    newest_ms = _one(db, f"SELECT coalesce(max(last_ms) {_DATED}, max(last_ms)) FROM vehicle")  # noqa: S608
    newest_s = _one(
        db,
        f"SELECT coalesce(max(start_s + duration_s) {_DATED}, max(start_s + duration_s)) FROM interval"  # noqa: S608
        " WHERE state = 'closed'",
    )
    open_s = _one(db, f"SELECT min(start_s) {_DATED} FROM interval WHERE state = 'open'")  # noqa: S608
    oldest_ms, queued_bytes = db.execute(
        f"SELECT min(created_ms), coalesce(sum(length(body) + {ROW_BYTES}), 0) FROM outbox"  # noqa: S608  ours
    ).fetchone()
    dropped = sum(
        int(value) for key, value in meta.items() if key.startswith("dropped_") and value.isdecimal()
    )
    return replace(
        facts,
        epoch=meta.get("epoch", ""),
        tables=tables,
        newest_vehicle_s=None if newest_ms is None else now_s - newest_ms / 1000,
        newest_interval_s=None if newest_s is None else now_s - newest_s,
        open_intervals=_one(db, "SELECT count(*) FROM interval WHERE state = 'open'"),
        oldest_open_s=None if open_s is None else now_s - open_s,
        queue=tables.get("outbox", 0),
        queue_bytes=queued_bytes,
        oldest_queued_s=None if oldest_ms is None else now_s - oldest_ms / 1000,
        dropped=dropped,
    )


def _one(db: sqlite3.Connection, query: str) -> Any:
    return db.execute(query).fetchone()[0]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


# --------------------------------------------------------------------------- calibrations

_STATES = {
    State.NONE: FState.NOTE,
    State.VALID: FState.OK,
    State.OVERDUE: FState.WARNING,
    State.FAILED: FState.WRONG,
    State.UNDATED: FState.NOTE,
}
_DO = {
    State.NONE: "docs/technician.md has the steps",
    State.OVERDUE: "drive past at a known speed, or hold a tuning fork to the radar",
    State.FAILED: "find out why: speedsign calibrate history; then calibrate again",
    State.UNDATED: "set the clock, then calibrate again",
}


def look_at_calibrations(patient: Patient) -> Sequence[Finding]:
    path = patient.tables.store.path
    if there(path) and not os.access(path, os.R_OK, effective_ids=True):
        return [unknown("calibration", f"{path} may not be read by this user", "look with sudo")]
    now = patient.clock.now_utc()
    try:
        log = read_log(path)
    except OSError as error:
        what = f"{log_path(path)} cannot be read: {error.strerror}"
        return [unknown("calibration", what, "look with sudo")]
    stand, rows = None, []
    try:
        with looking(path) as db:
            stand, rows = stand_now(db), bodies(db)
    except (StoreError, ValueError):
        pass  # told by the look at the store
    history = merged(path, rows, log)
    found = [proof_of(record) for record in history.records]
    facts, since_utc = (stand.facts, stand.stood.since_utc) if stand else (None, None)
    standing = standing_of(found, facts, now if patient.knows_time else None, since_utc=since_utc)
    told: dict[str, object] = {
        "state": standing.state.value,
        "at": standing.at_utc.isoformat() if standing.at_utc else None,
        "due": standing.due.isoformat() if standing.due else None,
        "records": len(found),
    }
    judged = Finding(
        "calibration",
        _STATES[standing.state],
        standing.text,
        _DO.get(standing.state, ""),
        told,
    )
    changed = [
        warning("calibration file", problem, "compare with a copy or the hub; calibrate again if in doubt")
        for problem in history.problems
    ]
    return [judged, *changed]
