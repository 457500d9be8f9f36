"""Where vehicles and intervals are kept: one SQLite file, one transaction a call.

A vehicle's row, its count, the coverage and (at closing) the message for the broker are committed
together or not at all, so that after a power cut every total can be recomputed from what is there.
"""

from __future__ import annotations

import contextlib
import logging
import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from speedsign.model import ClockQuality, Coverage, Fault, Installation, Interval, VehicleRecord
from telemetry import boots, closing, dates, slots
from telemetry.ballast import Ballast, drop_raw
from telemetry.calibration.table import take_in
from telemetry.closing import DAY_S
from telemetry.database import StoreDamaged, StoreFull, StoreRejected, move_aside, sentences
from telemetry.outbox import announce
from telemetry.outbox.quota import Quota
from telemetry.outbox.store_outbox import StoreOutbox
from telemetry.rows import (
    INSTALLATION_COLUMNS,
    VEHICLE_COLUMNS,
    from_ms,
    installation_of,
    installation_row,
    speed_class,
    to_ms,
    vehicle_row,
)
from telemetry.slots import Group, Slot

_log = logging.getLogger(__name__)

INTERVALS_S = (60, 300, 900, 3600)  # they divide an hour, so that local quarter-hours are UTC ones
QUOTA_MB = 64.0
PRUNED_AT_ONCE = 2000  # vehicles, about a day of them: a commit of 100 kB, however many are too old
PROGRESS_STEPS = 100_000  # of SQLite's machine: some ten milliseconds on a small board
OUTBOX_S = 400 * DAY_S  # of intervals that wait for a broker; the intervals themselves are kept for ever


class SqliteStore(StoreOutbox):
    """`speedsign.ports.Store` on a file, and the outbox beside it. Blocking; one thread at a time."""

    def __init__(
        self,
        path: Path | str,
        sign_id: str,
        interval_s: int = 900,
        *,
        vehicles: bool = False,
        quota_mb: float = QUOTA_MB,
        ballast: Ballast | None = None,
    ) -> None:
        """`vehicles`: single ones go into the outbox too; `quota_mb`: of what may wait there.

        `ballast`: given up when the card is full, and made again when it is not.
        """
        if interval_s not in INTERVALS_S:
            raise StoreRejected(f"an interval of {interval_s} s is not one of {INTERVALS_S}")
        self.sign_id = sign_id
        self.interval_s = interval_s
        self._ballast = ballast
        self._told_ms = 0  # when intervals were last closed
        self._dated: str | None = None  # the boot that knows the time and goes on
        super().__init__(
            Path(path), Quota(int(quota_mb * 1_000_000), OUTBOX_S // interval_s), vehicles=vehicles
        )
        try:
            with self.transaction():
                # Versions before the third schema did not keep whose installation it is.
                self._db.execute(
                    "UPDATE installation SET sign = ? WHERE sign = '' AND origin = 'measured'", (sign_id,)
                )
                n = take_in(self._db, self.path, sign_id)
                announce.places(self._db, 0)  # that older versions did not tell
            if n:
                _log.info("%s: %d calibrations taken in from the file beside it", self.path, n)
            self._load_installation()
        except BaseException:
            self._db.close()
            raise
        if ballast:
            ballast.keep()

    # ----------------------------------------------------------------------- a full card

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing. StoreFull: room was made as far as that goes, so trying again makes sense."""
        try:
            with super().transaction() as db:
                yield db
        except StoreFull:
            if self._ballast and not self._in_transaction():
                self._make_room(self._ballast)
            raise

    def _make_room(self, ballast: Ballast) -> None:
        ballast.give()
        try:
            with super().transaction() as db:
                gone = drop_raw(db, self._told_ms)
        except StoreFull as error:
            _log.debug("%s", error)
        else:
            _log.warning("%s: the card is full: %d rows of single vehicles dropped", self.path, gone)

    # ----------------------------------------------------------------------- installations

    def _load_installation(self) -> None:
        with sentences(self.path):
            row = self._db.execute(
                f"SELECT id, {INSTALLATION_COLUMNS} FROM installation"  # noqa: S608  ours
                " WHERE origin = 'measured' AND source_id IS NULL ORDER BY id DESC LIMIT 1"
            ).fetchone()
        if row:
            self._installation_id, self._installation = row[0], installation_of(row[1:])

    @property
    def installation(self) -> Installation | None:
        """The one that vehicles are counted under now."""
        return self._installation

    def begin(self, installation: Installation, at_utc: datetime) -> int:
        """Open this installation if it differs from the last one; its id.

        A last one of which the display profile is not known (an older version wrote it) takes the new one's.
        """
        last, number = self._installation, self._installation_id
        if last is not None and number is not None:
            if not last.display_profile and last != installation:
                last = replace(last, display_profile=installation.display_profile)
                if last == installation:
                    self._set_profile(number, installation)
            if last == installation:
                return number
        row = (to_ms(at_utc), self.sign_id, *installation_row(installation))
        with self.transaction():
            cursor = self._db.execute(
                f"INSERT INTO installation (from_ms, sign, {INSTALLATION_COLUMNS}) VALUES ({_marks(row)})",  # noqa: S608
                row,
            )
            announce.places(self._db, to_ms(at_utc))
        number = cursor.lastrowid
        assert number is not None  # noqa: S101  an INSERT was done
        self._installation_id, self._installation = number, installation
        return number

    def _set_profile(self, number: int, installation: Installation) -> None:
        with self.transaction():
            self._db.execute(
                "UPDATE installation SET display_profile = ?, announced = 0 WHERE id = ?",
                (installation.display_profile, number),
            )
            announce.places(self._db, 0)
        self._installation = installation

    def _current(self) -> tuple[int, Installation]:
        if self._installation_id is None or self._installation is None:
            raise StoreRejected(
                f"{self.path}: no installation was begun, so nothing can be counted under one"
            )
        return self._installation_id, self._installation

    # ----------------------------------------------------------------------- vehicles and coverage

    def add_vehicle(self, record: VehicleRecord, coverage: Sequence[Coverage]) -> None:
        """Keep the vehicle, count it in the interval of its last sight, add the coverage.

        One whose clock is unknown gets its times from its boot time where the boot's own are known.
        """
        number, facts = self._current()
        try:
            speed = speed_class(record.vehicle.speed_kmh, rounds=facts.rounds)
            vehicle_row(record)
        except (ValueError, OverflowError) as error:
            raise StoreRejected(f"{self.path} does not take this vehicle: {error}") from error
        with self.transaction() as db:
            placed, boot, boot_name = boots.place(db, record)
            row = (number, boot, *vehicle_row(placed))
            db.execute(
                f"INSERT INTO vehicle (installation_id, boot, {VEHICLE_COLUMNS}) VALUES ({_marks(row)})",  # noqa: S608
                row,
            )
            start_s = slots.start_of(to_ms(placed.last_utc), self.interval_s)
            slot = Slot(start_s, self.interval_s, number, boot_name)
            group = Group(record.vehicle.direction.value, record.display.value)
            suspect = record.vehicle.suspect
            slots.count(db, slots.opened(db, slot, placed.clock), group, speed, suspect=suspect)
            self._cover(db, number, coverage)

    def add_coverage(self, coverage: Sequence[Coverage]) -> None:
        """Add measured seconds to their intervals; never more than an interval's duration."""
        number, _ = self._current()
        with self.transaction() as db:
            self._cover(db, number, coverage)

    def _cover(self, db: sqlite3.Connection, number: int, coverage: Sequence[Coverage]) -> None:
        for part in coverage:
            if part.measured_s > 0 and math.isfinite(part.measured_s):
                boots.cover(db, part, self.interval_s, number)

    # ----------------------------------------------------------------------- closing

    def close_intervals(self, before_utc: datetime, since_utc: datetime | None) -> list[Interval]:
        """Close what ended by `before_utc` and put each closed interval into the outbox.

        With `since_utc` a missing interval becomes a row without vehicles and without coverage: from the
        last closed one on, so that a night without power shows as such, at most 31 days back; from
        `since_utc` where nothing was closed before. None: the clock cannot tell. What was stamped
        more than a day ahead by a clock that has been put back since is closed too: it would wait for years.
        """
        now_ms = to_ms(before_utc)
        before_s = now_ms // 1000
        with self.transaction() as db:
            announce.places(db, now_ms)  # put right since, and before what was counted there
            if since_utc is not None and self._installation_id is not None:
                since_s = to_ms(since_utc) // 1000
                closing.fill(db, self._installation_id, self.interval_s, before_s, since_s)
                if self._dated:
                    boots.goes_on(db, self._dated, now_ms)
            closed = closing.close_due(db, before_s, now_ms)
            told = announce.vehicles(db, now_ms) if self._vehicles else 0
            if closed or told:
                self._keep_quota(now_ms)
        self._told_ms = now_ms
        if self._ballast:
            self._ballast.keep()
        return closed

    # ----------------------------------------------------------------------- the clock

    def date_boot(self, boot_id: str, boot_utc: datetime, at_utc: datetime) -> int:
        """The time became known: everything of this boot that is undated gets its own; how many vehicles.

        `boot_utc`: UTC at boot time 0; `at_utc`: now. May come again. Counts go into the intervals of their
        real times, `corrected`, and those are closed again with the next revision; what was told of the
        undated ones is withdrawn. Boots before this one that never knew the time are moved between the times
        that are known, where they claim others.
        """
        zero_ms, at_ms = to_ms(boot_utc), to_ms(at_utc)
        with self.transaction() as db:
            n = dates.date_boot(db, boot_id, zero_ms, at_ms, self._filling(at_ms), vehicles=self._vehicles)
            if n:
                self._keep_quota(at_ms)
        self._dated = boot_id
        if n:
            _log.info("%s: %d vehicles of this start of the machine have their time now", self.path, n)
        return n

    def _filling(self, at_ms: int) -> tuple[int, int, int] | None:
        """For whom missing intervals are made, how long they are, and until when."""
        if self._installation_id is None:
            return None
        return self._installation_id, self.interval_s, slots.start_of(at_ms, self.interval_s)

    def step(self, from_utc: datetime, to_utc: datetime) -> list[Interval]:
        """The clock was set: the interval of `from_utc` ends, that of `to_utc` goes on, both marked so."""
        number, _ = self._current()
        to_s, from_s = (slots.start_of(to_ms(at), self.interval_s) for at in (to_utc, from_utc))
        closed = []
        with self.transaction() as db:
            mark = "UPDATE interval SET stepped = 1 WHERE id = ?"
            if row := slots.find(db, Slot(from_s, self.interval_s, number)):
                db.execute(mark, (row[0],))
                closed.append(closing.close_one(db, row[0], to_ms(to_utc)))
            db.execute(mark, (slots.opened(db, Slot(to_s, self.interval_s, number), ClockQuality.OK),))
            self._keep_quota(to_ms(to_utc))
        return closed

    def known_until(self) -> datetime | None:
        """The last time that was believed and has held; None: none yet."""
        with sentences(self.path):
            found = boots.last_known_ms(self._db)
        return None if found is None else from_ms(found)

    # ----------------------------------------------------------------------- housekeeping

    def prune(self, before_utc: datetime, at_utc: datetime | None = None) -> int:
        """Delete single vehicles that passed before then; intervals are kept for ever. How many went.

        The time of undated ones is a guess, so they go when a later boot is known to have begun before then.
        `at_utc`: now. Where that is far from any time that was known and has not held for a day yet, nothing
        is deleted: a clock that leaps by years and says that it is right must not empty the table.
        """
        if at_utc is not None:
            known = self.known_until()
            if known is None or to_ms(at_utc) - to_ms(known) > boots.DAY_MS:
                return 0
        before_ms = to_ms(before_utc)
        where = (
            "last_ms < ? AND (clock != 'unknown' OR boot IS NULL) OR"
            " clock = 'unknown' AND boot < (SELECT max(number) FROM boot WHERE zero_ms <= ?)"
        )
        return self._forget(where, (before_ms, before_ms))

    def prune_by_boot_time(self, boot_id: str, before_mono_s: float) -> int:
        """The same without a clock: of this boot those that passed before then, and all of earlier ones.

        Boot time is right whatever the clock says. What an older version kept, without its boot, stays.
        """
        if before_mono_s <= 0:
            return 0
        with self.transaction() as db:
            number = boots.boot_of(db, boot_id).number
        where = "boot < ? OR (boot = ? AND last_mono_s < ?)"
        return self._forget(where, (number, number, before_mono_s))

    def _forget(self, where: str, parameters: tuple[float, ...]) -> int:
        """In portions, so that others get to write in between; `where` is ours."""
        gone, portion = 0, PRUNED_AT_ONCE
        while portion == PRUNED_AT_ONCE:
            with self.transaction():
                portion = self._db.execute(
                    f"DELETE FROM vehicle WHERE id IN (SELECT id FROM vehicle WHERE {where} LIMIT ?)",  # noqa: S608
                    (*parameters, PRUNED_AT_ONCE),
                ).rowcount
            gone += portion
        return gone

    def on_progress(self, beat: Callable[[], None]) -> None:
        """Called now and then while a statement works, on the thread that it works on."""
        self._db.set_progress_handler(beat, PROGRESS_STEPS)


def _marks(row: Sequence[object]) -> str:
    return ", ".join("?" * len(row))


def open_or_replace(
    path: Path | str,
    sign_id: str,
    interval_s: int = 900,
    *,
    at_utc: datetime,
    previous: SqliteStore | None = None,
    vehicles: bool = False,
    quota_mb: float = QUOTA_MB,
    ballast: Ballast | None = None,
) -> tuple[SqliteStore, Fault | None]:
    """Open the store; a damaged file is moved aside and a new one, with its own epoch, begun in its place.

    `previous` is the store that broke while in use: its installation is begun again at `at_utc`.
    Still raises StoreError where moving does not help: no folder, no permission, not our file.
    """
    path = Path(path)
    fault = None
    open_ = partial(
        SqliteStore, path, sign_id, interval_s, vehicles=vehicles, quota_mb=quota_mb, ballast=ballast
    )
    try:
        store = open_()
    except StoreFull:
        if ballast:
            ballast.give()
        raise
    except StoreDamaged as error:
        try:
            aside = move_aside(path)
        except OSError as cause:
            raise StoreDamaged(f"{error}; it cannot be moved aside: {cause}") from cause
        _log.warning("%s", error)
        text = f"{path} was damaged and is now {aside}; a new store was begun, keep the old file for recovery"
        fault = Fault("store", "damaged", text)
        store = open_()
    if previous is not None and previous.installation is not None:
        store.begin(previous.installation, at_utc)
    return store, fault
