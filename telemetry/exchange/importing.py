"""A CSV file into a database: all of it in one transaction, or nothing.

What comes in is an installation of its own (`origin` "imported", "recorded" or "copied"), so that it is never
mixed with what the sign measured itself. A file of vehicles does not say when its device was measuring, so
that is assumed (telemetry.exchange.assumed). Our own interval export does say it, and comes back as it was.
"""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import IO, Protocol, TypeVar
from zoneinfo import ZoneInfo

from speedsign.errors import StoreError
from speedsign.model import DisplayState, Installation
from telemetry.database import open_for_writing, sentences
from telemetry.exchange import interval_rows, vehicle_rows
from telemetry.exchange.assumed import Stretch, left_out
from telemetry.exchange.csv_file import CsvFile, FileRefused, RowError
from telemetry.exchange.interval_rows import IntervalReader, IntervalRow
from telemetry.exchange.said import Said
from telemetry.exchange.times import NoZone, Times
from telemetry.exchange.vehicle_rows import VehicleReader, VehicleRow
from telemetry.exchange.writing import IntervalWriter, VehicleWriter
from telemetry.rows import INSTALLATION_COLUMNS, installation_row, to_ms

ERRORS_SHOWN = 20
GAP_S = 86_400.0
_CACHE_KIB = 32_000  # the index over a year of vehicles in any order

Row = TypeVar("Row", VehicleRow, IntervalRow)
Taken_contra = TypeVar("Taken_contra", VehicleRow, IntervalRow, contravariant=True)
Progress = Callable[[int, int], None]  # bytes read, vehicles taken; called every block


class _Taker(Protocol[Taken_contra]):
    vehicles: int

    def add(self, row: Taken_contra, /) -> None: ...


class BadRows(FileRefused):
    """Rows that cannot be taken; `rows` has a sentence for the first of them."""

    def __init__(self, name: str, errors: Errors, lines: int) -> None:
        super().__init__(
            f"{name}: {errors.n} of {lines} rows cannot be read, so nothing was imported; put them right, "
            "or leave them out with --skip-bad"
        )
        self.rows = errors.first
        self.n = errors.n


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a file is to be understood, and where it goes."""

    facts: Installation
    sign: str = ""
    times: ZoneInfo | None = None  # of times without an offset; None: there may be none
    words: Mapping[str, str] = field(default_factory=dict)  # what the file calls the directions
    display: DisplayState = DisplayState.FAULT  # what the driver saw is not known
    keep_vehicles: bool = True
    skip_bad: bool = False
    again: bool = False
    gap_s: float | None = None  # longer without a vehicle is not measured; None: as `allowed_gap_s` says
    from_utc: datetime | None = None  # the device measured from here
    to_utc: datetime | None = None

    @property
    def allowed_gap_s(self) -> float:
        """What somebody vouches for has no gaps, unless that is said as well."""
        if self.gap_s is not None:
            return self.gap_s
        return GAP_S if self.from_utc is None and self.to_utc is None else math.inf


@dataclass(slots=True)
class Errors:
    """Rows that cannot be taken."""

    n: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, line: int, error: RowError) -> None:
        self.n += 1
        if len(self.first) < ERRORS_SHOWN:
            self.first.append(f"line {line}: {error}")


@dataclass(slots=True)
class Imported:
    """What was done."""

    installation_id: int = 0
    kind: str = "vehicles"  # or intervals
    lines: int = 0  # without the header and empty ones
    vehicles: int = 0
    from_s: int = 0  # of the measured time
    to_s: int = 0
    measured_s: float = 0.0
    gaps: tuple[Stretch, ...] = ()  # stretches that are not counted as measured
    assumed: bool = True  # when the device was measuring
    repeated: int = 0  # times of the hour that the autumn change repeats
    ignored: tuple[str, ...] = ()  # columns that mean nothing to us
    errors: Errors = field(default_factory=Errors)


def import_file(
    path: Path,
    file: IO[bytes],
    name: str,
    sha256: str,
    wanted: Wanted,
    at_utc: datetime,
    progress: Progress = lambda _bytes, _vehicles: None,
) -> Imported:
    """Take a file into the database at `path`, made when there is none; the file is read once.

    Raises StoreError (BadRows, FileRefused) with nothing changed; so does any interruption. The caller holds
    the database's lock (telemetry.lock).
    """
    csv_file = CsvFile(file, name, {*vehicle_rows.REQUIRED, *interval_rows.REQUIRED})
    if not {"start", "n"} <= set(csv_file.columns):
        csv_file.places(vehicle_rows.REQUIRED)
    if path.exists():
        return _into(path, path, csv_file, sha256, wanted, at_utc, progress)
    target = Path(os.path.realpath(path))  # of a link that leads nowhere yet, what it leads to
    part = target.with_name(f".{target.name}.part")
    try:
        _remove(part)  # of an import that was killed
        found = _into(path, part, csv_file, sha256, wanted, at_utc, progress)
        part.replace(target)
    finally:
        _remove(part)
    return found


def _into(
    path: Path,
    written: Path,
    file: CsvFile,
    sha256: str,
    wanted: Wanted,
    at_utc: datetime,
    progress: Progress,
) -> Imported:
    """`written` is the database at `path`, or what is to become it."""
    try:
        db = open_for_writing(written)
    except StoreError as error:
        raise type(error)(str(error).replace(str(written), str(path))) from error
    try:
        with sentences(path), _all_or_nothing(db):
            _refuse_twice(db, path, file.name, sha256, wanted)
            found = _take(db, file, wanted, progress)
            db.execute(
                "INSERT INTO import (sha256, name, at_ms, vehicles, installation_id) VALUES (?, ?, ?, ?, ?)",
                (sha256, file.name, to_ms(at_utc), found.vehicles, found.installation_id),
            )
    finally:
        db.close()
    return found


@contextlib.contextmanager
def _all_or_nothing(db: sqlite3.Connection) -> Iterator[None]:
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _remove(path: Path) -> None:
    """A database that was not finished."""
    for side in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + side).unlink()


def _refuse_twice(db: sqlite3.Connection, path: Path, name: str, sha256: str, wanted: Wanted) -> None:
    before = db.execute(
        "SELECT date(at_ms / 1000, 'unixepoch'), installation_id FROM import JOIN installation"
        " ON installation.id = installation_id WHERE sha256 = ? AND sign = ? AND site = ?",
        (sha256, wanted.sign, wanted.facts.site),
    ).fetchone()
    if before and not wanted.again:
        raise StoreError(
            f"{name} was imported into {path} on {before[0]} (installation {before[1]}); "
            "--again imports it once more"
        )


def _take(db: sqlite3.Connection, file: CsvFile, wanted: Wanted, progress: Progress) -> Imported:
    number = db.execute(
        f"INSERT INTO installation (from_ms, sign, origin, {INSTALLATION_COLUMNS})"  # noqa: S608  ours
        f" VALUES (0, ?, 'imported', {', '.join('?' * len(INSTALLATION_COLUMNS.split(',')))})",
        (wanted.sign, *installation_row(wanted.facts)),
    ).lastrowid
    assert number is not None  # noqa: S101  an INSERT was done
    found = Imported(installation_id=number)
    times, said = Times(wanted.times), Said(file.name, told=wanted.facts.rounds)
    if {"start", "n"} <= set(file.columns):
        origin = _take_intervals(db, file, IntervalReader(file, times, said), said, wanted, found, progress)
    else:
        reader = VehicleReader(file, times, wanted.words, wanted.display, said)
        origin = _take_vehicles(db, file, reader, said, wanted, found, progress)
    found.assumed = origin != "copied"
    found.repeated = times.repeated
    if found.errors.n and not wanted.skip_bad:
        raise BadRows(file.name, found.errors, found.lines)
    if not found.measured_s and not found.vehicles:
        raise FileRefused(f"{file.name} has no row that could be imported; nothing was imported")
    db.execute(
        "UPDATE installation SET from_ms = ?, to_ms = ?, rounds = ?, origin = ? WHERE id = ?",
        (1000 * found.from_s, 1000 * found.to_s, said.rounds, origin, number),
    )
    return found


def _take_vehicles(
    db: sqlite3.Connection,
    file: CsvFile,
    reader: VehicleReader,
    said: Said,
    wanted: Wanted,
    found: Imported,
    progress: Progress,
) -> str:
    """The installation's origin: it is assumed when was measured, and perhaps not known what was shown."""
    found.ignored = _unknown(file, vehicle_rows)
    writer = VehicleWriter(db, found.installation_id, rounds=lambda: said.rounds, keep=wanted.keep_vehicles)
    inside = _inside(wanted)
    _take_rows(file, lambda fields: inside(reader.row(fields)), writer, found, wanted, progress)
    from_s, to_s = _seconds(wanted.from_utc), _seconds(wanted.to_utc)
    measured = writer.finish(wanted.allowed_gap_s, from_s, to_s)
    if measured:
        found.from_s = measured[0][0] if from_s is None else from_s
        found.to_s = measured[-1][1] if to_s is None else to_s
        found.measured_s = float(sum(end - begin for begin, end in measured))
        found.gaps = tuple(left_out(measured, from_s, to_s))
    return "recorded" if reader.display_known and said.origin != "imported" else "imported"


def _take_intervals(
    db: sqlite3.Connection,
    file: CsvFile,
    reader: IntervalReader,
    said: Said,
    wanted: Wanted,
    found: Imported,
    progress: Progress,
) -> str:
    """The installation's origin, no better than the one that the file says."""
    found.kind = "intervals"
    found.ignored = _unknown(file, interval_rows)
    writer = IntervalWriter(db, found.installation_id)
    _take_rows(file, reader.row, writer, found, wanted, progress)
    writer.flush()
    found.from_s, found.to_s = writer.bounds_s
    found.measured_s = round(writer.measured_s, 3)
    return "copied" if said.origin == "measured" else said.origin


def _take_rows(
    file: CsvFile,
    read: Callable[[list[str]], Row],
    writer: _Taker[Row],
    found: Imported,
    wanted: Wanted,
    progress: Progress,
) -> None:
    """Every line that is not empty. After an error nothing more is written, but more are looked for."""
    for first, lines in file.blocks():
        for number, line in enumerate(lines, first):
            if not line or line.isspace():
                continue
            found.lines += 1
            try:
                row = read(file.fields(line))
            except NoZone as error:
                raise FileRefused(f"{file.name}: line {number}: {error}") from None
            except RowError as error:
                found.errors.add(number, error)
            else:
                if not found.errors.n or wanted.skip_bad:
                    writer.add(row)
        progress(file.bytes_read, writer.vehicles)
    found.vehicles = writer.vehicles


def _unknown(file: CsvFile, format_: ModuleType) -> tuple[str, ...]:
    """Columns that mean nothing to us."""
    known = {"", *format_.REQUIRED, *format_.OPTIONAL, *format_.SAID_BESIDE}
    return tuple(column for column in file.columns if column not in known)


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment) // 1000


def _inside(wanted: Wanted) -> Callable[[VehicleRow], VehicleRow]:
    """Raises RowError for a vehicle outside the period that is stated."""
    low = None if wanted.from_utc is None else to_ms(wanted.from_utc)
    high = None if wanted.to_utc is None else to_ms(wanted.to_utc)
    if low is None and high is None:
        return lambda row: row

    def check(row: VehicleRow) -> VehicleRow:
        if row.more is not None and row.more.undated:
            return row  # whenever that was
        if low is not None and row.last_ms < low:
            raise RowError("time is before --measured-from")
        if high is not None and row.last_ms >= high:
            raise RowError("time is after --measured-to")
        return row

    return check
