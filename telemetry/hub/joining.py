"""Two versions of one thing, told by two files of the same sign: which one stays, and how two become one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from telemetry.hub.sources import Rank
from telemetry.rows import VEHICLE_COLUMNS

# What tells vehicles apart: all that a mounting angle which is put right leaves as it is.
SAME_VEHICLE = ("last_ms", "first_ms", "direction", "readings", "strength")


@dataclass(frozen=True, slots=True)
class Version:
    """An interval as a file of a sign tells it; the file in use has the highest rank."""

    measured_s: float
    vehicles: int
    rank: Rank
    revision: int

    def replaces(self, other: Version) -> bool:
        """Revisions of one file count on; those of a file and its copy have nothing to do with each other.

        Of these the one stays that was measured longer (a copy fills what it did not see with empty
        intervals), of equal ones that with more vehicles, and of equal ones that of the file which greeted
        last: it is the one in use, and what was put right there is put right here.
        """
        if self.rank == other.rank:
            return self.revision > other.revision
        return self._value > other._value

    @property
    def _value(self) -> tuple[float, int, Rank]:
        return self.measured_s, self.vehicles, self.rank


VERSION_COLUMNS = (
    "measured_s, (SELECT total(length(speeds)) FROM cell WHERE interval_id = interval.id),"
    " coalesce((SELECT born FROM source WHERE id = heard_from), 0), coalesce(heard_from, 0), revision"
)


def stored_version(
    db: sqlite3.Connection, installation_id: int, start_s: int, duration_s: int
) -> tuple[int, Version] | None:
    """Number and version of an interval that is there."""
    row = db.execute(
        f"SELECT id, {VERSION_COLUMNS} FROM interval"  # noqa: S608  ours
        " WHERE start_s = ? AND installation_id = ? AND duration_s = ?",
        (start_s, installation_id, duration_s),
    ).fetchone()
    return None if row is None else (row[0], _version(*row[1:]))


def _version(measured_s: float, vehicles: float, born: int, source_id: int, revision: int) -> Version:
    """From VERSION_COLUMNS."""
    return Version(measured_s, int(vehicles), (born, source_id), revision)


def merge(db: sqlite3.Connection, number: int, into: int, *, newer: bool) -> None:
    """What was counted under `number`, of which it was not known yet that it is `into`.

    `newer`: the file that told it is in use, or was later than the other's.
    """
    rows = db.execute(
        f"SELECT id, start_s, duration_s, {VERSION_COLUMNS} FROM interval WHERE installation_id = ?",  # noqa: S608
        (number,),
    ).fetchall()
    for interval, start_s, duration_s, *version in rows:
        other = stored_version(db, into, start_s, duration_s)
        better = other is None or _version(*version).replaces(other[1])
        if other is not None:
            worse = other[0] if better else interval
            db.execute("DELETE FROM cell WHERE interval_id = ?", (worse,))
            db.execute("DELETE FROM interval WHERE id = ?", (worse,))
        if better:
            db.execute("UPDATE interval SET installation_id = ? WHERE id = ?", (into, interval))
    _merge_vehicles(db, number, into, newer=newer)
    db.execute("DELETE FROM installation WHERE id = ?", (number,))


def _merge_vehicles(db: sqlite3.Connection, number: int, into: int, *, newer: bool) -> None:
    worse, better = (into, number) if newer else (number, into)
    alike = " AND ".join(f"same.{name} IS vehicle.{name}" for name in SAME_VEHICLE)
    db.execute(
        "DELETE FROM vehicle WHERE installation_id = ? AND EXISTS (SELECT 1 FROM vehicle AS same"  # noqa: S608
        f" WHERE same.installation_id = ? AND {alike})",
        (worse, better),
    )
    # Under new numbers: whoever asks for what came since did not see them before.
    db.execute(
        f"INSERT INTO vehicle (installation_id, {VEHICLE_COLUMNS})"  # noqa: S608  ours
        f" SELECT ?, {VEHICLE_COLUMNS} FROM vehicle WHERE installation_id = ? ORDER BY id",
        (into, number),
    )
    db.execute("DELETE FROM vehicle WHERE installation_id = ?", (number,))
