"""Messages whose name can be read and whose body cannot: kept as they came, for a version that can."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.hub.port import Heard

if TYPE_CHECKING:
    from telemetry.hub.sources import Source

MOST_A_SIGN = 200  # what is more is acknowledged and counted: a broken sign must not fill the disk


@dataclass(frozen=True, slots=True)
class Refused:
    sign: str
    epoch: str
    source_id: int
    seq: int
    kind: str
    at_ms: int
    payload: bytes


def keep(db: sqlite3.Connection, source: Source, seq: int, heard: Heard, reason: str) -> None:
    """Put it aside, as long as there are not too many of that sign."""
    db.execute(
        "INSERT OR REPLACE INTO refused (source_id, seq, kind, at_ms, payload, reason)"
        " SELECT ?, ?, ?, ?, ?, ?"
        " WHERE (SELECT count(*) FROM refused JOIN source ON source.id = source_id WHERE sign = ?) < ?",
        (source.id, seq, heard.kind, heard.at_ms, heard.payload, reason, source.sign, MOST_A_SIGN),
    )
    source.refused += 1


def read_refused(db: sqlite3.Connection) -> list[Refused]:
    """All of them, oldest number first."""
    rows = db.execute(
        "SELECT sign, epoch, source_id, seq, kind, at_ms, payload FROM refused"
        " JOIN source ON source.id = source_id ORDER BY source_id, seq"
    )
    return [Refused(*row) for row in rows.fetchall()]


def again(db: sqlite3.Connection, take: Callable[[Heard, str], bool], one: Refused) -> bool:
    """Try to read it once more with `take`, which gets the epoch too; whether it is among the others now."""
    heard = Heard(one.sign, one.kind, one.payload, one.at_ms)
    if not take(heard, one.epoch):
        return False
    db.execute("DELETE FROM refused WHERE source_id = ? AND seq = ?", (one.source_id, one.seq))
    return True
