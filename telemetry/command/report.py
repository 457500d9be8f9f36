"""The answer to `report`: how a sign is, in at most 4 KB."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

LONGEST_BYTES = 4000
_DAY_S = 86_400
_FAULTS, _FAULT_CHARACTERS = 10, 200


def report(db: sqlite3.Connection, now_s: int, status: Mapping[str, Any]) -> dict[str, Any]:
    """What the daemon says of itself, and what was counted in the last day and the last seven."""
    found = dict(status)
    found["faults"] = [str(text)[:_FAULT_CHARACTERS] for text in list(status.get("faults", ()))[:_FAULTS]]
    found["last_24_h"] = counted(db, now_s - _DAY_S, now_s)
    found["last_7_d"] = counted(db, now_s - 7 * _DAY_S, now_s)
    while found["faults"] and len(json.dumps(found, ensure_ascii=False).encode()) > LONGEST_BYTES:
        found["faults"].pop()
    return found


def counted(db: sqlite3.Connection, from_s: int, to_s: int) -> dict[str, Any]:
    """Vehicles by direction, and seconds measured, of the intervals that began in a time."""
    mine = (
        "start_s >= ? AND start_s < ? AND"
        " installation_id IN (SELECT id FROM installation WHERE origin = 'measured')"
    )
    measured_s = db.execute(
        f"SELECT coalesce(sum(measured_s), 0) FROM interval WHERE {mine}",  # noqa: S608  the lines above
        (from_s, to_s),
    ).fetchone()[0]
    rows = db.execute(
        "SELECT direction, sum(length(speeds)) FROM cell JOIN interval ON interval.id = interval_id"  # noqa: S608
        f" WHERE {mine} GROUP BY direction",
        (from_s, to_s),
    )
    by_direction = {row[0]: row[1] for row in rows}
    return {
        "vehicles": sum(by_direction.values()),
        **by_direction,
        "coverage": round(min(measured_s / (to_s - from_s), 1.0), 3),
    }
