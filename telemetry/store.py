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
from telemetry.ballast import Ballast, drop_raw
from telemetry.calibration.table import take_in
from telemetry.database import StoreDamaged, StoreFull, StoreRejected, move_aside, sentences
from telemetry.outbox import announce
from telemetry.outbox.quota import Quota
from telemetry.outbox.store_outbox import StoreOutbox
from telemetry.rows import (
    INSTALLATION_COLUMNS,
    VEHICLE_COLUMNS,
    installation_of,
    installation_row,
    intervals_of,
    packed_with,
    speed_class,
    to_ms,
    vehicle_row,
)

_log = logging.getLogger(__name__)

INTERVALS_S = (60, 300, 900, 3600)  # they divide an hour, so that local quarter-hours are UTC ones
_DAY_S = 86_400
FILL_AT_MOST_S = 31 * _DAY_S
QUOTA_MB = 64.0
PRUNED_AT_ONCE = 2000  # vehicles, about a day of them: a commit of 100 kB, however many are too old
PROGRESS_STEPS = 100_000  # of SQLite's machine: some ten milliseconds on a small board
OUTBOX_S = 400 * _DAY_S  # of intervals that wait for a broker; the intervals themselves are kept for ever
# What was imported into a sign's database says nothing about when this sign was measuring.
_OWN = "installation_id IN (SELECT id FROM installation WHERE origin = 'measured' AND source_id IS NULL)"
_TRUST = (ClockQuality.OK, ClockQuality.CORRECTED, ClockQuality.UNKNOWN)  # from best to worst


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
        """Keep the vehicle, count it in the interval of its last sight, add the coverage."""
        number, facts = self._current()
        try:
            speed = speed_class(record.vehicle.speed_kmh, rounds=facts.rounds)
            row = (number, *vehicle_row(record))
        except (ValueError, OverflowError) as error:
            raise StoreRejected(f"{self.path} does not take this vehicle: {error}") from error
        with self.transaction():
            self._db.execute(
                f"INSERT INTO vehicle (installation_id, {VEHICLE_COLUMNS}) VALUES ({_marks(row)})",  # noqa: S608
                row,
            )
            interval = self._open_interval(self._start_s(record.last_utc), record.clock)
            self._count(interval, record, speed)
            self._cover(coverage)

    def _count(self, interval_id: int, record: VehicleRecord, speed_kmh: int) -> None:
        """One vehicle more in its cell."""
        cell = (interval_id, record.vehicle.direction.value, record.display.value)
        found = self._db.execute(
            "SELECT speeds, suspects FROM cell WHERE interval_id = ? AND direction = ? AND display = ?", cell
        ).fetchone()
        speeds, suspects = found or ("", "")
        speeds = packed_with(speeds, speed_kmh)
        if record.vehicle.suspect:
            suspects = packed_with(suspects, speed_kmh)
        self._db.execute(
            "INSERT INTO cell (interval_id, direction, display, speeds, suspects) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET speeds = excluded.speeds, suspects = excluded.suspects",
            (*cell, speeds, suspects),
        )

    def add_coverage(self, coverage: Sequence[Coverage]) -> None:
        """Add measured seconds to their intervals; never more than an interval's duration."""
        self._current()
        with self.transaction():
            self._cover(coverage)

    def _cover(self, coverage: Sequence[Coverage]) -> None:
        for part in coverage:
            if not (part.measured_s > 0 and math.isfinite(part.measured_s)):
                continue
            start_s = self._start_s(part.at_utc)
            row = self._find(start_s)
            if row and row[1] >= self.interval_s:
                continue  # full already: nothing would change, so a closed one stays closed
            self._db.execute(
                "UPDATE interval SET measured_s = min(measured_s + ?, duration_s) WHERE id = ?",
                (part.measured_s, self._open_interval(start_s, part.clock)),
            )

    def _start_s(self, moment: datetime) -> int:
        seconds = to_ms(moment) // 1000
        return seconds - seconds % self.interval_s

    def _find(self, start_s: int) -> tuple[int, float, str] | None:
        found: tuple[int, float, str] | None = self._db.execute(
            "SELECT id, measured_s, clock FROM interval"
            " WHERE start_s = ? AND installation_id = ? AND duration_s = ?",
            (start_s, self._installation_id, self.interval_s),
        ).fetchone()
        return found

    def _open_interval(self, start_s: int, clock: ClockQuality) -> int:
        """The interval's id; made or opened again, with the worst clock of all that went into it."""
        row = self._find(start_s)
        if row is None:
            made = self._db.execute(
                "INSERT INTO interval (start_s, duration_s, installation_id, clock) VALUES (?, ?, ?, ?)",
                (start_s, self.interval_s, self._installation_id, clock.value),
            ).lastrowid
            assert made is not None  # noqa: S101  an INSERT was done
            return made
        worst = max(ClockQuality(row[2]), clock, key=_TRUST.index)
        self._db.execute("UPDATE interval SET state = 'open', clock = ? WHERE id = ?", (worst.value, row[0]))
        return row[0]

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
        closed = []
        with self.transaction():
            announce.places(self._db, now_ms)  # put right since, and before what was counted there
            if since_utc is not None and self._installation_id is not None:
                self._fill(before_s, to_ms(since_utc) // 1000)
            due = "state = 'open' AND (start_s + duration_s <= ? OR start_s > ?)"
            for row in self._db.execute(
                f"SELECT id FROM interval WHERE {due} ORDER BY start_s, id",  # noqa: S608  the line above
                (before_s, before_s + _DAY_S),
            ).fetchall():
                closed.append(self._close_one(row[0], now_ms))  # noqa: PERF401  a write each
            told = announce.vehicles(self._db, now_ms) if self._vehicles else 0
            if closed or told:
                self._keep_quota(now_ms)
        self._told_ms = now_ms
        if self._ballast:
            self._ballast.keep()
        return closed

    def _close_one(self, number: int, now_ms: int) -> Interval:
        self._db.execute(
            "UPDATE interval SET state = 'closed', revision = revision + 1 WHERE id = ?", (number,)
        )
        (interval,) = intervals_of(self._db, "interval.id = ?", (number,))
        announce.interval(self._db, interval, now_ms)
        return interval

    def _fill(self, before_s: int, since_s: int) -> None:
        """Make the missing intervals that ended by `before_s`."""
        step = self.interval_s
        first = max(self._known_until(before_s) or since_s, before_s - FILL_AT_MOST_S)
        first -= first % step
        taken = self._db.execute(
            "SELECT start_s, start_s + duration_s FROM interval"  # noqa: S608  ours
            f" WHERE start_s + duration_s > ? AND start_s < ? AND {_OWN}",
            (first, before_s),
        ).fetchall()
        covered = {start for low, high in taken for start in range(low - low % step, high, step)}
        self._db.executemany(
            "INSERT INTO interval (start_s, duration_s, installation_id, clock) VALUES (?, ?, ?, ?)",
            [
                (start, step, self._installation_id, ClockQuality.OK.value)
                for start in range(first, before_s - step + 1, step)
                if start not in covered
            ],
        )

    def _known_until(self, before_s: int) -> int:
        """End of the last interval that was closed with a believable time; 0: there is none."""
        found: int = self._db.execute(
            "SELECT coalesce(max(start_s + duration_s), 0) FROM interval"  # noqa: S608  ours
            f" WHERE revision > 0 AND clock != 'unknown' AND start_s < ? AND {_OWN}",
            (before_s,),
        ).fetchone()[0]
        return found

    # ----------------------------------------------------------------------- housekeeping

    def prune(self, before_utc: datetime) -> int:
        """Delete single vehicles that passed before then; intervals are kept for ever. How many went."""
        gone, portion = 0, PRUNED_AT_ONCE
        while portion == PRUNED_AT_ONCE:
            with self.transaction():
                portion = self._db.execute(
                    "DELETE FROM vehicle WHERE id IN (SELECT id FROM vehicle WHERE last_ms < ? LIMIT ?)",
                    (to_ms(before_utc), PRUNED_AT_ONCE),
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
