"""Installations at the hub: whose they are, what is known of them, and when two are one.

A sign numbers its installations; the hub's number is another. Counts may come before the facts do, and a
birth tells facts without their beginning. A file that goes on under another epoch (a copy, an older version's
that was brought forward) tells of the same installations again: what both tell of one goes under one number,
or a period would be counted twice. Joined are those of one sign with one number, whose facts agree as far as
both are known.

Nobody reads an installation before counts came of it and at least a birth said where it stands, nor one that
is perhaps another's double until its sign has told since when it stands.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from speedsign.model import Installation
from telemetry.hub.joining import merge
from telemetry.hub.sources import Rank, Source
from telemetry.message.heard import Place
from telemetry.rows import INSTALLATION_COLUMNS, installation_of, installation_row

_SETTERS = ", ".join(f"{name.strip()} = ?" for name in INSTALLATION_COLUMNS.split(","))
_UNKNOWN = Installation("", 0, 0.0, "", "UTC")  # no limit: nothing is known

# Of (source, number): its own installation, or the one that it shares.
_FIND = """
    SELECT id, facts_seq, from_ms, limit_kmh, facts_seq > 0 FROM installation
        WHERE source_id = ? AND remote_id = ?
    UNION ALL
    SELECT installation.id, also.facts_seq, from_ms, limit_kmh, installation.facts_seq > 0
        FROM also_installation AS also JOIN installation ON installation.id = installation_id
        WHERE also.source_id = ? AND also.remote_id = ?"""
_MOST_SETTLED = 100  # at once: nobody can make it slow by telling of very many
_NEVER_MS = 253_402_300_799_000  # the beginning of one of which nothing was counted yet


@dataclass(slots=True)
class Known:
    """An installation of a source, by the hub's number."""

    id: int
    facts_seq: (
        int | None
    )  # of this source's message that told its facts; 0: a birth did; None: not to be read
    from_ms: int
    guessed: bool  # its facts are known at least from a birth
    told: bool  # some source's message told its facts, and since when
    shared: bool  # other sources tell of it too
    newest: bool  # none of them is nearer to the one in use
    told_later: bool  # one that is, told its facts


class Places:
    """Those of one database. Used inside the store's transactions; `forget` after one that failed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[tuple[int, int], Known] = {}

    def forget(self) -> None:
        self._known.clear()

    def of(self, source: Source, number: int) -> Known:
        """The installation that the sign calls `number`; made without facts when it was never heard of."""
        source.places.add(number)
        return self._find(source.id, number) or self._make(source, number, _NEVER_MS, _UNKNOWN)

    def unknown(self, source: Source) -> bool:
        """Whether counts came of an installation whose facts the sign has to tell."""
        found = [self._find(source.id, number) for number in source.places]
        return any(one is not None and not one.facts_seq for one in found)

    def counted(self, source: Source, number: int, start_ms: int) -> None:
        """Counts of a believable time came; where its sign has not told since when it stands, they say it."""
        known = self._find(source.id, number)
        if known is None or known.told:
            return
        if start_ms < known.from_ms:
            known.from_ms = start_ms
            self._db.execute("UPDATE installation SET from_ms = ? WHERE id = ?", (start_ms, known.id))
        elif known.facts_seq is not None:
            return
        self._settle(source.sign, source.rank, number, known)

    # ----------------------------------------------------------------------- facts

    def born(self, source: Source, place: Place) -> None:
        """What a birth says: better than nothing, but it does not say since when."""
        known = self._find(source.id, place.number)
        if known is None:
            self._make(source, place.number, _NEVER_MS, place.facts)
        elif not known.told:
            self._tell(known, place.facts)
            self._settle(source.sign, source.rank, place.number, known)

    def told(self, source: Source, place: Place, seq: int) -> bool:
        """What a message of its own says; whether it changed anything.

        A later one puts right what an earlier one said, and the file in use what one before it said.
        """
        known = self._find(source.id, place.number)
        from_ms = 1000 * place.from_s
        if known is not None and known.facts_seq:
            if known.facts_seq > seq or known.told_later or self._says(known, place.facts, from_ms):
                self._set_seq(source.id, place.number, known, max(seq, known.facts_seq))
                return False
            self._tell(known, place.facts, None if known.shared else from_ms)
        else:
            known = self._first(source, place, from_ms, known)
        self._set_seq(source.id, place.number, known, seq)
        self._settle_untold(source.sign, "?", place.number)
        return True

    def _first(self, source: Source, place: Place, from_ms: int, known: Known | None) -> Known:
        """Its facts came for the first time; perhaps it is one that another file told of."""
        same = self._same_elsewhere(source, place, from_ms)
        if known is not None and known.told and known.id != same:
            known = self._leave(source, place.number)
        if same is None:
            if known is None:
                return self._make(source, place.number, from_ms, place.facts)
            self._tell(known, place.facts, from_ms)
            return known
        if known is None or known.id != same:
            newer = all(one <= source.rank for one, _ in self._owners(same))
            self._join(source.id, place.number, None if known is None else known.id, same, newer=newer)
        found = self._find(source.id, place.number)
        assert found is not None  # noqa: S101  it was written just now
        if not found.told_later:
            self._tell(found, place.facts)
        return found

    def _same_elsewhere(self, source: Source, place: Place, from_ms: int) -> int | None:
        """That of another file of this sign with the same number, beginning and place."""
        for number, other_ms, _, facts in self._others(source.sign, source.id, place.number):
            agree = all(
                getattr(facts, name) == getattr(place.facts, name)
                for name in ("site", "limit_kmh", "radar", "timezone")
            )
            if other_ms == from_ms and agree:
                return number
        return None

    def _leave(self, source: Source, number: int) -> Known:
        """It was joined with what turns out to be another place: its own counts go with it."""
        was = self._find(source.id, number)
        assert was is not None  # noqa: S101  asked for by whoever knows it
        self._db.execute(
            "DELETE FROM also_installation WHERE source_id = ? AND remote_id = ?", (source.id, number)
        )
        self._known.clear()
        known = self._make(source, number, was.from_ms, _UNKNOWN)
        self._db.execute(
            "UPDATE interval SET installation_id = ? WHERE installation_id = ? AND heard_from = ?",
            (known.id, was.id, source.id),
        )
        return known

    # ----------------------------------------------------------------------- one or two

    def other_in_use(self, sign: str) -> None:
        """The sign greeted with another file than before: the place of the one before comes no more."""
        self._known.clear()
        self._settle_untold(sign, "remote_id", None)

    def _settle_untold(self, sign: str, which: str, number: int | None) -> None:
        rows = self._db.execute(
            "SELECT source.id, source.born, remote_id"  # noqa: S608  ours
            " FROM source JOIN installation ON source_id = source.id"
            f" AND remote_id = {which} WHERE source.sign = ? AND coalesce(facts_seq, 0) = 0 LIMIT ?",
            (*(() if number is None else (number,)), sign, _MOST_SETTLED),
        ).fetchall()
        for other, born, remote in rows:
            if known := self._find(other, remote):
                self._settle(sign, (born, other), remote, known)

    def _settle(self, sign: str, rank: Rank, number: int, known: Known) -> None:
        """One whose place was not told: may it be read, is it another's double, or does one have to wait?

        Of a file before the one in use the place comes no more, so it is joined on what is known; the one in
        use is asked.
        """
        source_id = rank[1]
        if known.from_ms == _NEVER_MS:
            return
        end_ms = self._end_ms(known)
        own = self._facts(known.id)
        seq = 0 if known.guessed else None
        for same, from_ms, told_by, facts in self._others(sign, source_id, number):
            if end_ms <= from_ms or not _agree(own, facts):  # counted before that stood: another one
                continue
            if told_by > rank:
                self._join(source_id, number, known.id, same, newer=False)
                return
            seq = None
        if seq != known.facts_seq:
            self._set_seq(source_id, number, known, seq)

    def _end_ms(self, known: Known) -> int:
        """Of the interval that is the first one counted there."""
        row = self._db.execute(
            "SELECT max(duration_s) FROM interval WHERE installation_id = ? AND start_s = ?",
            (known.id, known.from_ms // 1000),
        ).fetchone()
        return known.from_ms + 1000 * (row[0] or 0)

    def _join(self, source_id: int, number: int, own: int | None, into: int, *, newer: bool) -> None:
        if own is not None:
            merge(self._db, own, into, newer=newer)
        self._db.execute(
            "INSERT OR REPLACE INTO also_installation (source_id, remote_id, installation_id)"
            " VALUES (?, ?, ?)",
            (source_id, number, into),
        )
        self._known.clear()  # it is shared from now on, also for the source that it was of

    def _others(self, sign: str, source_id: int, number: int) -> list[tuple[int, int, Rank, Installation]]:
        """Told installations with this number of the sign's other files.

        The hub's number, since when (ms), the highest rank of those that told it, its facts.
        """
        rows = self._db.execute(
            f"SELECT installation.id, from_ms, {INSTALLATION_COLUMNS}"  # noqa: S608  ours
            " FROM source JOIN installation ON source_id = source.id AND remote_id = ?"
            " WHERE source.sign = ? AND source.id != ? AND facts_seq > 0 ORDER BY installation.id",
            (number, sign, source_id),
        ).fetchall()
        return [
            (
                same,
                from_ms,
                self._told_by(same),
                installation_of(tuple(facts)),
            )
            for same, from_ms, *facts in rows
        ]

    def _told_by(self, installation_id: int) -> Rank:
        return max(rank for rank, seq in self._owners(installation_id) if seq)

    def _owners(self, installation_id: int) -> list[tuple[Rank, int]]:
        """Ranks of the sources that tell of it, and which message of each told its facts (0: none)."""
        rows = self._db.execute(
            "SELECT born, source.id, coalesce(facts_seq, 0) FROM installation"
            " JOIN source ON source.id = source_id WHERE installation.id = ? UNION ALL"
            " SELECT born, source.id, facts_seq FROM also_installation"
            " JOIN source ON source.id = source_id WHERE installation_id = ?",
            (installation_id, installation_id),
        )
        return [((born, number), seq) for born, number, seq in rows]

    # ----------------------------------------------------------------------- rows

    def _find(self, source_id: int, number: int) -> Known | None:
        key = (source_id, number)
        if key not in self._known:
            row = self._db.execute(_FIND, (*key, *key)).fetchone()
            if row is None:
                return None
            self._known[key] = self._known_of(source_id, row)
        return self._known[key]

    def _known_of(self, source_id: int, row: tuple[Any, ...]) -> Known:
        number, facts_seq, from_ms, limit_kmh, told = row
        owners = self._owners(number)
        own = next((rank for rank, _ in owners if rank[1] == source_id), (0, source_id))
        return Known(
            number,
            facts_seq,
            from_ms,
            guessed=limit_kmh > 0,
            told=bool(told),
            shared=len(owners) > 1,
            newest=all(one <= own for one, _ in owners),
            told_later=any(one > own and seq for one, seq in owners),
        )

    def _make(self, source: Source, number: int, from_ms: int, facts: Installation) -> Known:
        row = (from_ms, source.sign, source.id, number, *installation_row(facts))
        self._db.execute(
            f"INSERT INTO installation (from_ms, sign, source_id, remote_id, {INSTALLATION_COLUMNS})"  # noqa: S608
            f" VALUES ({', '.join('?' * len(row))})",
            row,
        )
        known = self._find(source.id, number)
        assert known is not None  # noqa: S101  an INSERT was done
        return known

    def _facts(self, number: int) -> Installation:
        row = self._db.execute(
            f"SELECT {INSTALLATION_COLUMNS} FROM installation WHERE id = ?",  # noqa: S608  ours
            (number,),
        ).fetchone()
        return installation_of(tuple(row))

    def _says(self, known: Known, facts: Installation, from_ms: int) -> bool:
        return (known.shared or known.from_ms == from_ms) and self._facts(known.id) == facts

    def _tell(self, known: Known, facts: Installation, from_ms: int | None = None) -> None:
        known.from_ms = known.from_ms if from_ms is None else from_ms
        known.guessed = True
        self._db.execute(
            f"UPDATE installation SET from_ms = ?, {_SETTERS} WHERE id = ?",  # noqa: S608  columns of ours
            (known.from_ms, *installation_row(facts), known.id),
        )

    def _set_seq(self, source_id: int, number: int, known: Known, seq: int | None) -> None:
        if seq == known.facts_seq:
            return
        for table in ("installation", "also_installation"):
            self._db.execute(
                f"UPDATE {table} SET facts_seq = ? WHERE source_id = ? AND remote_id = ?",  # noqa: S608  ours
                (seq, source_id, number),
            )
        self._known.clear()  # the others that share it look at it too


def _agree(one: Installation, told: Installation) -> bool:
    """Whether facts of a birth, if any, are those of a place; an angle may have been put right meanwhile."""
    if not one.limit_kmh:
        return True
    known = ["site", "limit_kmh", "timezone", "rounds"]
    known += [name for name in ("radar", "display_profile") if getattr(one, name) and getattr(told, name)]
    return all(getattr(one, name) == getattr(told, name) for name in known)
