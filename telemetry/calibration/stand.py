"""Since when a sign stands as it does, for its calibrations: moved away and back, it needs a new one.

What was proved at a place holds there until the sign is moved, exchanged or set to another angle; a limit or
a name that changes leaves it. The moment is that of the installation, or where its clock was wrong what the
intervals say that were counted before and after it with a clock to be believed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from speedsign.model import Installation
from telemetry.calibration.proof import ALWAYS, Stood, same_proof
from telemetry.query import Source, reading
from telemetry.rows import INSTALLATION_COLUMNS, from_ms, from_s, installation_of

_OWN = "origin = 'measured' AND source_id IS NULL"
_HEARD = "source_id IS NOT NULL AND facts_seq IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Stand:
    """An installation, and from when to when proofs count for it."""

    facts: Installation
    stood: Stood = ALWAYS


@dataclass(frozen=True, slots=True)
class _Set:
    """How a sign was set up, and since when as its clock said."""

    id: int
    from_utc: datetime
    facts: Installation


def stand_now(source: Source, sign: str | None = None) -> Stand | None:
    """How a sign stands now; None: no installation of it is known. Raises StoreError."""
    with reading(source) as db:
        found = _sets(db, sign)
        return _stand(db, found, len(found) - 1) if found else None


def stand_of(source: Source, installation_id: int, sign: str | None = None) -> Stood:
    """From when to when proofs count for an installation. Raises StoreError."""
    with reading(source) as db:
        found = _sets(db, sign)
        place = next((place for place, one in enumerate(found) if one.id == installation_id), None)
        return ALWAYS if place is None else _stand(db, found, place).stood


def _sets(db: sqlite3.Connection, sign: str | None) -> list[_Set]:
    """Of a sign's own file as they were begun, of a hub's by their times."""
    for where, order in ((_OWN, "id"), (_HEARD, "from_ms, id")):
        rows: Iterable[Any] = db.execute(
            f"SELECT id, from_ms, sign, {INSTALLATION_COLUMNS} FROM installation"  # noqa: S608  ours
            f" WHERE {where} ORDER BY {order}"
        ).fetchall()
        found = [
            _Set(number, from_ms(began_ms), installation_of(tuple(facts)))
            for number, began_ms, whose, *facts in map(tuple, rows)
            if sign in (None, whose)
        ]
        if found:
            return found
    return []


def _stand(db: sqlite3.Connection, sets: Sequence[_Set], place: int) -> Stand:
    facts = sets[place].facts
    same = [same_proof(one.facts, facts) for one in sets]
    first, last = place, place
    while first > 0 and same[first - 1]:
        first -= 1
    while last + 1 < len(sets) and same[last + 1]:
        last += 1
    before = max((n for n in range(first) if same[n]), default=None)  # the last one before it went away
    since = None if before is None else _changed(db, sets, before + 1)
    until = _changed(db, sets, last + 1) if any(same[last + 1 :]) else None
    return Stand(facts, Stood(since, until))


def _changed(db: sqlite3.Connection, sets: Sequence[_Set], place: int) -> datetime:
    """When the installation at `place` took the place of the one before."""
    spans = {
        number: (from_s(first_s), from_s(end_s))
        for number, first_s, end_s in map(
            tuple,
            db.execute(
                "SELECT installation_id, min(start_s), max(start_s + duration_s) FROM interval"
                " WHERE clock != 'unknown' AND measured_s > 0 GROUP BY installation_id"
            ),
        )
    }
    at_utc = sets[place].from_utc
    if after := [spans[one.id][0] for one in sets[place:] if one.id in spans]:
        at_utc = min(at_utc, *after)
    before = [spans[one.id][1] for one in sets[:place] if one.id in spans]
    return max((at_utc, *before)) if before else max(at_utc, *(one.from_utc for one in sets[:place]))
