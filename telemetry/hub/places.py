"""Installations at the hub: whose they are, what is known of them, and when two are one.

A sign numbers its installations; the hub's number is another. Counts may come before the facts do: until
then the installation is kept without them, and nobody reads it. A store that turned out to be a copy goes
on under an epoch of its own, with the same installations: what both tell of one goes under one number,
or a period would be counted twice.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from speedsign.model import Installation
from telemetry.hub.sources import Source
from telemetry.message_heard import Place
from telemetry.rows import INSTALLATION_COLUMNS, VEHICLE_COLUMNS, installation_row

_SETTERS = ", ".join(f"{name.strip()} = ?" for name in INSTALLATION_COLUMNS.split(","))
_UNKNOWN = Installation("", 0, 0.0, "", "UTC")


@dataclass(slots=True)
class Known:
    """An installation of a source, by the hub's number."""

    id: int
    facts_seq: int | None  # of the message that told its facts; 0: only a birth did; None: nobody yet
    shared: bool  # other sources have told of it too
    from_ms: int


class Places:
    """Those of one database. Used inside the store's transactions; `forget` after one that failed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[tuple[int, int], Known] = {}

    def forget(self) -> None:
        self._known.clear()

    def of(self, source: Source, number: int, at_ms: int) -> Known:
        """The installation that the sign calls `number`; made without facts when it was never heard of."""
        source.places.add(number)
        return self._find(source, number) or self._make(source, number, at_ms, _UNKNOWN, None)

    def unknown(self, source: Source) -> bool:
        """Whether counts came of an installation whose facts the sign has to tell."""
        found = [self._find(source, number) for number in source.places]
        return any(one is not None and not one.facts_seq for one in found)

    def measured_at(self, known: Known, start_ms: int) -> None:
        """A count began so early: whoever does not know since when it stands, knows it from that."""
        if not known.facts_seq and start_ms < known.from_ms:
            self._db.execute("UPDATE installation SET from_ms = ? WHERE id = ?", (start_ms, known.id))
            known.from_ms = start_ms

    # ----------------------------------------------------------------------- facts

    def born(self, source: Source, place: Place, at_ms: int) -> None:
        """What a birth says: better than nothing, but it does not say since when."""
        known = self._find(source, place.number)
        if known is None:
            self._make(source, place.number, at_ms, place.facts, 0)
        elif not known.facts_seq:
            self._tell(known, place.facts)
            self._set_seq(source, place.number, known, 0)

    def told(self, source: Source, place: Place, seq: int) -> None:
        """What a message of its own says; a later one puts right what an earlier one said."""
        known = self._find(source, place.number)
        from_ms = 1000 * place.from_s
        if known is not None and known.facts_seq and known.facts_seq > seq:
            return
        if known is None or not known.facts_seq:
            known = self._first(source, place, from_ms, known)
        else:
            self._tell(known, place.facts, None if known.shared else from_ms)
        self._set_seq(source, place.number, known, seq)

    def _first(self, source: Source, place: Place, from_ms: int, known: Known | None) -> Known:
        """Its facts came for the first time; perhaps it is one that another file told of."""
        same = self._same_elsewhere(source, place, from_ms)
        if same is None:
            if known is None:
                return self._make(source, place.number, from_ms, place.facts, 0)
            self._tell(known, place.facts, from_ms)
            return known
        if known is not None:
            _merge(self._db, known.id, same)
        self._db.execute(
            "INSERT OR REPLACE INTO also_installation (source_id, remote_id, installation_id)"
            " VALUES (?, ?, ?)",
            (source.id, place.number, same),
        )
        self._known.clear()  # it is shared from now on, also for the source that it was of
        found = self._find(source, place.number)
        assert found is not None  # noqa: S101  it was written just now
        self._tell(found, place.facts)
        return found

    def _same_elsewhere(self, source: Source, place: Place, from_ms: int) -> int | None:
        """That of another file of this sign with the same number, beginning and place."""
        facts = place.facts
        found = self._db.execute(
            "SELECT installation.id FROM installation JOIN source ON source.id = source_id"
            " WHERE source.sign = ? AND source_id != ? AND remote_id = ? AND from_ms = ? AND facts_seq > 0"
            " AND site = ? AND limit_kmh = ? AND radar = ? AND timezone = ? ORDER BY installation.id LIMIT 1",
            (
                *(source.sign, source.id, place.number, from_ms),
                *(facts.site, facts.limit_kmh, facts.radar, facts.timezone),
            ),
        ).fetchone()
        return found[0] if found else None

    # ----------------------------------------------------------------------- rows

    def _find(self, source: Source, number: int) -> Known | None:
        key = (source.id, number)
        if key not in self._known:
            row = self._db.execute(
                "SELECT id, facts_seq, id IN (SELECT installation_id FROM also_installation), from_ms"
                " FROM installation WHERE source_id = ? AND remote_id = ?"
                " UNION ALL SELECT installation.id, also.facts_seq, 1, from_ms"
                " FROM also_installation AS also JOIN installation ON installation.id = installation_id"
                " WHERE also.source_id = ? AND also.remote_id = ?",
                (*key, *key),
            ).fetchone()
            if row is None:
                return None
            self._known[key] = Known(row[0], row[1], bool(row[2]), row[3])
        return self._known[key]

    def _make(
        self, source: Source, number: int, from_ms: int, facts: Installation, facts_seq: int | None
    ) -> Known:
        row = (from_ms, source.sign, source.id, number, facts_seq, *installation_row(facts))
        made = self._db.execute(
            "INSERT INTO installation"  # noqa: S608  columns of ours
            f" (from_ms, sign, source_id, remote_id, facts_seq, {INSTALLATION_COLUMNS})"
            f" VALUES ({', '.join('?' * len(row))})",
            row,
        ).lastrowid
        assert made is not None  # noqa: S101  an INSERT was done
        known = self._known[source.id, number] = Known(made, facts_seq, shared=False, from_ms=from_ms)
        return known

    def _tell(self, known: Known, facts: Installation, from_ms: int | None = None) -> None:
        known.from_ms = known.from_ms if from_ms is None else from_ms
        self._db.execute(
            f"UPDATE installation SET from_ms = ?, {_SETTERS} WHERE id = ?",  # noqa: S608  columns of ours
            (known.from_ms, *installation_row(facts), known.id),
        )

    def _set_seq(self, source: Source, number: int, known: Known, seq: int) -> None:
        known.facts_seq = seq
        for table in ("installation", "also_installation"):
            self._db.execute(
                f"UPDATE {table} SET facts_seq = ? WHERE source_id = ? AND remote_id = ?",  # noqa: S608  ours
                (seq, source.id, number),
            )


def _merge(db: sqlite3.Connection, number: int, into: int) -> None:
    """What was counted under `number`, of which it was not known yet that it is `into`."""
    columns = VEHICLE_COLUMNS
    for interval, start_s, duration_s, measured_s, revision in db.execute(
        "SELECT id, start_s, duration_s, measured_s, revision FROM interval WHERE installation_id = ?",
        (number,),
    ).fetchall():
        other = db.execute(
            "SELECT id, (?, ?) > (measured_s, revision) FROM interval"
            " WHERE installation_id = ? AND start_s = ? AND duration_s = ?",
            (measured_s, revision, into, start_s, duration_s),
        ).fetchone()
        if other is not None:
            worse = other[0] if other[1] else interval
            db.execute("DELETE FROM cell WHERE interval_id = ?", (worse,))
            db.execute("DELETE FROM interval WHERE id = ?", (worse,))
        if other is None or other[1]:
            db.execute("UPDATE interval SET installation_id = ? WHERE id = ?", (into, interval))
    db.execute(
        f"INSERT INTO vehicle (installation_id, {columns}) SELECT ?, {columns} FROM vehicle AS one"  # noqa: S608
        " WHERE installation_id = ? AND NOT EXISTS (SELECT 1 FROM vehicle WHERE installation_id = ?"
        " AND last_ms = one.last_ms AND first_ms = one.first_ms AND direction = one.direction"
        " AND speed_kmh = one.speed_kmh)",
        (into, number, into),
    )
    db.execute("DELETE FROM vehicle WHERE installation_id = ?", (number,))
    db.execute("DELETE FROM installation WHERE id = ?", (number,))
