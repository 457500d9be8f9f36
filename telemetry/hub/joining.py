"""Two versions of one thing, told by two files of the same sign: which one stays, and how two become one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from speedsign.model import Interval
from telemetry.hub.sources import Rank
from telemetry.rows import VEHICLE_COLUMNS, to_ms

# What tells vehicles apart: all that a mounting angle which is put right leaves as it is. Those that had no
# time when they passed are told apart by the start of the machine and its boot time (telemetry.hub.vehicles).
SAME_VEHICLE = ("last_ms", "first_ms", "direction", "readings", "strength")


@dataclass(frozen=True, slots=True)
class Place:
    """What an interval of an installation is known by; `boot` of an undated one alone."""

    start_s: int
    duration_s: int
    boot: str


def place_of(interval: Interval) -> Place:
    return Place(to_ms(interval.start_utc) // 1000, interval.duration_s, interval.boot)


@dataclass(frozen=True, slots=True)
class Version:
    """An interval as a file of a sign tells it; the file in use has the highest rank."""

    measured_s: float
    vehicles: int
    rank: Rank
    revision: int
    boot: str = ""

    def replaces(self, other: Version) -> bool:
        """Revisions of one file count on; those of a file and its copy have nothing to do with each other.

        Of these the one stays that is withdrawn: what it held has its right time now, and would count twice.
        Else that which was measured longer (a copy fills what it did not see with empty intervals), of equal
        ones that with more vehicles, and of equal ones that of the file which greeted last: it is the one in
        use, and what was put right there is put right here.
        """
        if self.rank == other.rank:
            return self.revision > other.revision
        if self.withdrawn != other.withdrawn:
            return self.withdrawn
        return self._value > other._value

    @property
    def withdrawn(self) -> bool:
        """Of an undated one: nothing is left of it (telemetry.message.messages.aggregate)."""
        return bool(self.boot) and not self.vehicles and self.measured_s <= 0

    @property
    def _value(self) -> tuple[float, int, Rank]:
        return self.measured_s, self.vehicles, self.rank


VERSION_COLUMNS = (
    "measured_s, (SELECT total(length(speeds)) FROM cell WHERE interval_id = interval.id),"
    " coalesce((SELECT born FROM source WHERE id = heard_from), 0), coalesce(heard_from, 0), revision, boot"
)


def stored_version(db: sqlite3.Connection, installation_id: int, place: Place) -> tuple[int, Version] | None:
    """Number and version of an interval that is there."""
    row = db.execute(
        f"SELECT id, {VERSION_COLUMNS} FROM interval"  # noqa: S608  ours
        " WHERE start_s = ? AND installation_id = ? AND duration_s = ? AND boot = ?",
        (place.start_s, installation_id, place.duration_s, place.boot),
    ).fetchone()
    return None if row is None else (row[0], _version(*row[1:]))


def _version(
    measured_s: float, vehicles: float, born: int, source_id: int, revision: int, boot: str
) -> Version:
    """From VERSION_COLUMNS."""
    return Version(measured_s, int(vehicles), (born, source_id), revision, boot)


def merge(db: sqlite3.Connection, number: int, into: int, *, newer: bool) -> None:
    """What was counted under `number`, of which it was not known yet that it is `into`.

    `newer`: the file that told it is in use, or was later than the other's.
    """
    rows = db.execute(
        f"SELECT id, start_s, duration_s, {VERSION_COLUMNS} FROM interval WHERE installation_id = ?",  # noqa: S608
        (number,),
    ).fetchall()
    for interval, start_s, duration_s, *version in rows:
        own = _version(*version)
        other = stored_version(db, into, Place(start_s, duration_s, own.boot))
        better = other is None or own.replaces(other[1])
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
    _forget(db, worse, better, f"vehicle.boot IS NULL AND {alike}")
    # The one that has got its time stays, whoever told it.
    for one, other in ((better, worse), (worse, better)):
        _forget(db, one, other, f"{SAME_BY_BOOT} AND vehicle.clock = 'unknown' AND same.clock != 'unknown'")
    _forget(db, worse, better, SAME_BY_BOOT)
    # Under new numbers: whoever asks for what came since did not see them before.
    db.execute(
        f"INSERT INTO vehicle (installation_id, {VEHICLE_COLUMNS}, boot)"  # noqa: S608  ours
        f" SELECT ?, {VEHICLE_COLUMNS}, boot FROM vehicle WHERE installation_id = ? ORDER BY id",
        (into, number),
    )
    db.execute("DELETE FROM vehicle WHERE installation_id = ?", (number,))


def _forget(db: sqlite3.Connection, of: int, where_in: int, same: str) -> None:
    """Vehicles of one installation that another one has too."""
    db.execute(
        "DELETE FROM vehicle WHERE installation_id = ? AND EXISTS (SELECT 1 FROM vehicle AS same"  # noqa: S608
        f" WHERE same.installation_id = ? AND {same})",
        (of, where_in),
    )


# Two that were first seen in one report of the radar can be told apart by how long they were seen alone.
SEEN_MS = 2  # by so much that may differ, as times are whole ms
HALF_MS = 0.0005  # of boot time, which is told in ms
SAME_BY_BOOT = (
    f"same.boot = vehicle.boot AND abs(same.first_mono_s - vehicle.first_mono_s) <= {HALF_MS}"
    " AND same.direction = vehicle.direction"
    f" AND abs(same.last_ms - same.first_ms - vehicle.last_ms + vehicle.first_ms) <= {SEEN_MS}"
)
