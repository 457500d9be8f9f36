"""From what a sign has kept to what it says: places, intervals, vehicles put into the outbox.

Everything here is done inside the caller's transaction, so that a thing and its message are there together.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from speedsign.model import Interval, VehicleRecord
from telemetry.calibration.table import told
from telemetry.message import messages
from telemetry.message.vehicles import told_boot
from telemetry.outbox import table
from telemetry.rows import (
    INSTALLATION_COLUMNS,
    VEHICLE_FACTS,
    installation_of,
    intervals_of,
    vehicle_of,
)

_OWN_PLACE = "origin = 'measured' AND source_id IS NULL"  # what was imported is nobody's news
VEHICLE_WAITS_MS = 3_600_000  # for a batch to be full
_BATCHES_AT_ONCE = 50  # in one transaction
_CURSOR = "vehicles_up_to"  # in meta: the last vehicle that was announced

_AGAIN = "vehicles_again"  # in meta: those that got another time after they were announced

_Seen = tuple[int, int, VehicleRecord]  # the vehicle's and its installation's number


# ----------------------------------------------------------------------- places


def places(db: sqlite3.Connection, at_ms: int) -> int:
    """Where and how the sign stands or stood, of what was not told yet or was put right since.

    With the newest place go the newest calibrations.
    """
    rows = db.execute(
        f"SELECT id, from_ms, {INSTALLATION_COLUMNS} FROM installation"  # noqa: S608  ours
        f" WHERE announced = 0 AND {_OWN_PLACE} ORDER BY id"
    ).fetchall()
    newest = db.execute(f"SELECT max(id) FROM installation WHERE {_OWN_PLACE}").fetchone()[0]  # noqa: S608  ours
    for number, from_ms, *facts in rows:
        proofs = told(db) if number == newest else ()
        body = messages.place(number, from_ms // 1000, installation_of(tuple(facts)), proofs)
        table.put(db, messages.PLACE, at_ms, messages.encode(body))
        db.execute("UPDATE installation SET announced = 1 WHERE id = ?", (number,))
    return len(rows)


def forget_places(db: sqlite3.Connection) -> None:
    """All of them are news again."""
    db.execute(f"UPDATE installation SET announced = 0 WHERE {_OWN_PLACE}")  # noqa: S608  ours


# ----------------------------------------------------------------------- intervals


def interval(db: sqlite3.Connection, closed: Interval, at_ms: int) -> None:
    table.put(db, messages.AGGREGATE, at_ms, messages.encode(messages.aggregate(closed)))


def again(db: sqlite3.Connection, from_s: int, to_s: int, at_ms: int) -> int:
    """Intervals that were closed, and begin in [from, to), once more; how many."""
    n = 0
    for closed in intervals_of(db, f"{_CLOSED} AND start_s >= ? AND start_s < ?", (from_s, to_s)):
        interval(db, closed, at_ms)
        n += 1
    return n


def count_again(db: sqlite3.Connection, from_s: int, to_s: int) -> int:
    """How many `again` would put."""
    found: int = db.execute(
        f"SELECT count(*) FROM interval WHERE {_CLOSED} AND start_s >= ? AND start_s < ?",  # noqa: S608  ours
        (from_s, to_s),
    ).fetchone()[0]
    return found


_CLOSED = f"state = 'closed' AND installation_id IN (SELECT id FROM installation WHERE {_OWN_PLACE})"  # noqa: S608


# ----------------------------------------------------------------------- vehicles


def begin_vehicles(db: sqlite3.Connection, *, wanted: bool) -> None:
    """At opening: single vehicles are told from the moment on when that is switched on."""
    if wanted:
        db.execute(
            f"INSERT OR IGNORE INTO meta (key, value) SELECT '{_CURSOR}', coalesce(max(id), 0) FROM vehicle"  # noqa: S608  ours
        )
    else:
        db.execute("DELETE FROM meta WHERE key IN (?, ?)", (_CURSOR, _AGAIN))


def vehicles(db: sqlite3.Connection, at_ms: int) -> int:
    """Put batches of new vehicles that are full, or whose first has waited; how many batches."""
    put = _again(db, at_ms)
    while put < _BATCHES_AT_ONCE:
        seen = _unannounced(db, _cursor(db), messages.VEHICLES_AT_MOST)
        batch = _first_batch(seen)
        whole = len(seen) > len(batch) or len(batch) == messages.VEHICLES_AT_MOST
        if not batch or not (whole or _has_waited(batch, at_ms)):
            break
        _put_batch(db, batch, at_ms)
        put += 1
    return put


def vehicles_again(db: sqlite3.Connection, boot: int, up_to: int) -> None:
    """Those of this boot up to this number have another time now, known or guessed: what was told of them is
    told once more.

    Not at once: a sign that was without a clock for months would fill its outbox in one go.
    """
    told = min(up_to, _cursor(db))
    if told:
        waiting = [one for one in _waiting_again(db) if one[0] != boot]
        _keep_waiting_again(db, [*waiting, [boot, 0, told]])


def _waiting_again(db: sqlite3.Connection) -> list[list[int]]:
    """[boot, last vehicle that was told again, last one that is to be]."""
    found = db.execute("SELECT value FROM meta WHERE key = ?", (_AGAIN,)).fetchone()
    return json.loads(found[0]) if found else []


def _keep_waiting_again(db: sqlite3.Connection, waiting: list[list[int]]) -> None:
    if waiting:
        db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_AGAIN, json.dumps(waiting)))
    else:
        db.execute("DELETE FROM meta WHERE key = ?", (_AGAIN,))


def _again(db: sqlite3.Connection, at_ms: int) -> int:
    """Put batches of vehicles that have got another time after they were told; how many."""
    waiting, put = _waiting_again(db), 0
    if not waiting:
        return 0
    while waiting and put < _BATCHES_AT_ONCE:
        boot, after, up_to = waiting[0]
        where = "boot = ? AND clock != 'ok' AND id > ? AND id <= ?"
        batch = _first_batch(_seen(db, where, (boot, after, up_to), messages.VEHICLES_AT_MOST))
        if not batch:
            waiting.pop(0)
            continue
        waiting[0][1] = batch[-1][0]
        _put(db, batch, at_ms)
        put += 1
    _keep_waiting_again(db, waiting)
    return put


def _cursor(db: sqlite3.Connection) -> int:
    found = db.execute("SELECT value FROM meta WHERE key = ?", (_CURSOR,)).fetchone()
    return int(found[0]) if found else 0


def _unannounced(db: sqlite3.Connection, after: int, limit: int) -> list[_Seen]:
    return _seen(db, "id > ?", (after,), limit)


def _seen(db: sqlite3.Connection, where: str, parameters: tuple[int, ...], limit: int) -> list[_Seen]:
    """This sign's own vehicles; `where` is ours."""
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    rows: Iterable[Any] = cursor.execute(
        f"SELECT id, installation_id, {VEHICLE_FACTS} FROM vehicle"  # noqa: S608  ours
        f" WHERE {where} AND installation_id IN (SELECT id FROM installation WHERE {_OWN_PLACE})"
        " ORDER BY id LIMIT ?",
        (*parameters, limit),
    )
    return [(row["id"], row["installation_id"], vehicle_of(row)) for row in rows]


def _first_batch(seen: list[_Seen]) -> list[_Seen]:
    """Those of one installation, and of one start of the machine where that is told, that come first."""
    for _, batch in groupby(seen, key=lambda one: (one[1], told_boot(one[2]))):
        return list(batch)
    return []


def _has_waited(batch: list[_Seen], at_ms: int) -> bool:
    first_ms = min(record.last_utc for _, _, record in batch).timestamp() * 1000
    return abs(at_ms - first_ms) >= VEHICLE_WAITS_MS  # a clock that was ahead is put back some day


def _put_batch(db: sqlite3.Connection, batch: list[_Seen], at_ms: int) -> None:
    _put(db, batch, at_ms)
    db.execute("UPDATE meta SET value = ? WHERE key = ?", (str(batch[-1][0]), _CURSOR))


def _put(db: sqlite3.Connection, batch: list[_Seen], at_ms: int) -> None:
    message = messages.vehicles(batch[0][1], [record for _, _, record in batch])
    table.put(db, messages.VEHICLES, at_ms, messages.encode(message))
