"""What is in the database files, read by plain SQL: the code under test has no part in it."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.power.card import Disk


class FileError(AssertionError):
    """A database that cannot be what it is to be."""


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """One vehicle of the sign's own file."""

    first_mono_s: float
    last_mono_s: float
    speed_kmh: float
    clock: str
    last_ms: int

    @property
    def key(self) -> tuple[float, float, float]:
        return self.first_mono_s, self.last_mono_s, self.speed_kmh


@dataclass(frozen=True, slots=True, order=True)
class IntervalRow:
    """One interval with all that is counted in it."""

    start_s: int
    boot: str  # of an undated one: that start of the machine
    clock: str
    measured_s: float
    revision: int
    cells: tuple[tuple[str, str, str, str], ...]  # direction, display, speeds, suspects

    @property
    def n(self) -> int:
        return sum(len(cell[2]) for cell in self.cells)

    @property
    def identity(self) -> object:
        """All but the seconds, which messages round."""
        return self.start_s, self.boot, self.clock, self.revision, self.cells

    def is_earlier_of(self, later: IntervalRow) -> bool:
        """Whether this can have been told before it was opened again for what `later` has beside."""
        mine, its = self._counted, later._counted
        return (self.start_s, self.boot, self.revision) == (
            later.start_s,
            later.boot,
            later.revision,
        ) and all(speeds <= its.get(group, Counter()) for group, speeds in mine.items())

    @property
    def _counted(self) -> dict[tuple[str, str], Counter[str]]:
        return {(direction, display): Counter(speeds) for direction, display, speeds, _ in self.cells}


@contextlib.contextmanager
def opened(disk: Disk, name: str) -> Iterator[sqlite3.Connection]:
    """A copy of a database as it is on the card, checked."""
    with tempfile.TemporaryDirectory(prefix="year-", dir=_memory()) as folder:
        for file, content in disk.items():
            (Path(folder) / file).write_bytes(content)
        db = sqlite3.connect(f"file:{folder}/{name}?vfs=unix", uri=True)
        try:
            db.execute("PRAGMA synchronous = OFF")
            yield db
        finally:
            db.close()


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def check(db: sqlite3.Connection) -> None:
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise FileError(f"the database is damaged: {found}")
    if broken := db.execute("PRAGMA foreign_key_check").fetchone():
        raise FileError(f"a row points at nothing: {broken}")


def epoch(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    return str(row[0]) if row else ""


def vehicles(db: sqlite3.Connection) -> list[VehicleRow]:
    rows = db.execute("SELECT first_mono_s, last_mono_s, speed_kmh, clock, last_ms FROM vehicle ORDER BY id")
    return [VehicleRow(*row) for row in rows]


def closed_intervals(db: sqlite3.Connection, from_s: int) -> list[IntervalRow]:
    """Of the sign's own file, from a moment on (s since 1970)."""
    return _intervals(db, "state = 'closed' AND start_s >= ?", (from_s,))


def open_intervals(db: sqlite3.Connection, from_s: int) -> list[IntervalRow]:
    """Those that are being counted in, or were when nobody was there any more."""
    return _intervals(db, "state = 'open' AND start_s >= ?", (from_s,))


def reopened_intervals(db: sqlite3.Connection, from_s: int) -> list[IntervalRow]:
    """Those that were told, and are counted in again: the hub has what was told of them before."""
    return _intervals(db, "state = 'open' AND revision > 0 AND start_s >= ?", (from_s,))


def hub_intervals(db: sqlite3.Connection, sign: str, from_s: int) -> list[IntervalRow]:
    """What a hub has of a sign, whatever file it came from."""
    where = "installation_id IN (SELECT id FROM installation WHERE sign = ?) AND start_s >= ?"
    return _intervals(db, where, (sign, from_s))


def _intervals(db: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[IntervalRow]:
    cells: dict[int, list[tuple[str, str, str, str]]] = {}
    for number, *cell in db.execute(
        "SELECT interval_id, direction, display, speeds, suspects FROM cell WHERE interval_id IN"
        f" (SELECT id FROM interval WHERE {where})",
        values,
    ):
        cells.setdefault(number, []).append((cell[0], cell[1], cell[2], cell[3]))
    rows = db.execute(
        "SELECT id, start_s, boot, clock, measured_s, revision FROM interval"
        f" WHERE {where} ORDER BY start_s, id",
        values,
    )
    return [
        IntervalRow(start_s, boot, clock, measured_s, revision, tuple(sorted(cells.get(number, []))))
        for number, start_s, boot, clock, measured_s, revision in rows
    ]


def hub_vehicles(db: sqlite3.Connection, sign: str) -> list[tuple[int, float]]:
    """(last_ms, speed) of each single one that has a date."""
    rows = db.execute(
        "SELECT last_ms, speed_kmh FROM vehicle WHERE clock != 'unknown' AND installation_id IN"
        " (SELECT id FROM installation WHERE sign = ?)",
        (sign,),
    )
    return [(int(row[0]), float(row[1])) for row in rows]
