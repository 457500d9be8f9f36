"""Rows of a file into the tables, inside a transaction that somebody else holds.

Cells wait in memory until there are many, whatever the order of the file, and are merged with what the
table has; so a file of any length needs the same few megabytes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from speedsign.model import ClockQuality
from telemetry.exchange import assumed
from telemetry.exchange.interval_rows import Head, IntervalRow
from telemetry.exchange.vehicle_rows import TRACKER, More, VehicleRow
from telemetry.rows import packed, speed_class

_VEHICLES_AT_ONCE = 10_000
_CELLS_AT_ONCE = 30_000
_FIRST = ord(packed({0: 1}))
_TRUST = tuple(ClockQuality)  # from best to worst
_INSERT = (
    "INSERT INTO vehicle (installation_id, first_mono_s, last_mono_s, track_id, last_ms, direction,"
    " speed_kmh, length_m, display, first_ms, clock, entry_kmh, exit_kmh, max_kmh, readings, strength,"
    " flags, tracker, face, radial_kmh, along_kmh) VALUES ({installation}, 0, 0, 0, {values})"
)
# Bound once and used again: binding values is the most of what an insert costs.
_ALONE = f"?1, ?2, ?3, ?4, ?5, ?1, 'ok', ?3, ?3, ?3, 0, NULL, '[]', '{TRACKER}', '', NULL, NULL"
_WITH_MORE = ", ".join("?" * (len(VehicleRow._fields) - 1 + len(More._fields)))
_INTERVAL_MS = 1000 * assumed.INTERVAL_S
_Cell = tuple[int, str, str]  # start of the interval, direction, display state


class Writer:
    """What vehicles and intervals have in common: the intervals' ids, and cells that wait."""

    def __init__(self, db: sqlite3.Connection, installation_id: int) -> None:
        self.db = db
        self.installation_id = installation_id
        self.vehicles = 0
        self.ids: dict[int, int] = {}  # start of an interval -> its id
        self._speeds: dict[_Cell, str] = {}
        self._suspects: dict[_Cell, str] = {}
        db.create_function("in_order", 1, lambda text: "".join(sorted(text)), deterministic=True)

    def interval(self, head: Head) -> int:
        """A new interval's id."""
        made = self.db.execute(
            "INSERT INTO interval (start_s, duration_s, installation_id, measured_s, clock, scaled, state,"
            " revision) VALUES (?, ?, ?, ?, ?, ?, 'closed', 1)",
            (head.start_s, head.duration_s, self.installation_id, head.measured_s, head.clock, head.scaled),
        ).lastrowid
        assert made is not None  # noqa: S101  an INSERT was done
        self.ids[head.start_s] = made
        return made

    def count(self, cell: _Cell, speeds: str, suspects: str = "") -> None:
        """Vehicles more in a cell, as packed texts."""
        self._speeds[cell] = self._speeds.get(cell, "") + speeds
        if suspects:
            self._suspects[cell] = self._suspects.get(cell, "") + suspects
        if len(self._speeds) >= _CELLS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write the cells that wait."""
        self.db.executemany(
            "INSERT INTO cell (interval_id, direction, display, speeds, suspects)"
            " VALUES (?, ?, ?, in_order(?), in_order(?)) ON CONFLICT DO UPDATE SET"
            " speeds = in_order(speeds || excluded.speeds),"
            " suspects = in_order(suspects || excluded.suspects)",
            (
                (self._id(start_s), direction, display, speeds, self._suspects.get(cell, ""))
                for cell, speeds in self._speeds.items()
                for start_s, direction, display in (cell,)
            ),
        )
        self._speeds.clear()
        self._suspects.clear()

    def _id(self, start_s: int) -> int:
        return self.ids.get(start_s) or self.interval(Head(start_s, assumed.INTERVAL_S, 0.0, "ok", 0))


class VehicleWriter(Writer):
    """Vehicles one by one; `rounds()` tells whether the device rounded, asked when a speed is new."""

    def __init__(
        self, db: sqlite3.Connection, installation_id: int, *, rounds: Callable[[], bool], keep: bool
    ) -> None:
        super().__init__(db, installation_id)
        self._rounds = rounds
        self._keep = keep
        self._alone: list[tuple[object, ...]] = []
        self._with_more: list[tuple[object, ...]] = []
        self._distrusted: dict[int, str] = {}
        self._signs: dict[float, str] = {}  # speed -> how a cell writes it

    def add(self, row: VehicleRow) -> None:
        ms, direction, speed, length, display, more = row
        start_s = ms // _INTERVAL_MS * assumed.INTERVAL_S
        sign = self._signs.get(speed) or self._sign(speed)
        suspect = more is not None and more.suspect
        self.count((start_s, direction, display), sign, sign if suspect else "")
        self.vehicles += 1
        if more is not None and more.clock != "ok":
            self._distrust(start_s, more.clock)
        if not self._keep:
            return
        if more is None:
            self._alone.append((ms, direction, speed, length, display))
        else:
            self._with_more.append((ms, direction, speed, length, display, *more))
        if not self.vehicles % _VEHICLES_AT_ONCE:
            self._keep_them()

    def _sign(self, speed_kmh: float) -> str:
        if len(self._signs) > 100_000:
            self._signs.clear()
        found = self._signs[speed_kmh] = chr(_FIRST + speed_class(speed_kmh, rounds=self._rounds()))
        return found

    def _distrust(self, start_s: int, clock: str) -> None:
        """An interval has the worst clock of all that went into it."""
        before = self._distrusted.get(start_s, "ok")
        self._distrusted[start_s] = max(before, clock, key=lambda name: _TRUST.index(ClockQuality(name)))

    def _keep_them(self) -> None:
        for values, rows in ((_ALONE, self._alone), (_WITH_MORE, self._with_more)):
            self.db.executemany(_INSERT.format(installation=self.installation_id, values=values), rows)
            rows.clear()

    def finish(
        self, gap_s: float, from_s: int | None = None, to_s: int | None = None
    ) -> Sequence[assumed.Stretch]:
        """Write what waits, and when the device is taken to have measured."""
        self._keep_them()
        self.flush()
        measured = assumed.stretches(sorted(self.ids), gap_s, from_s, to_s)
        self.db.executemany(
            "INSERT INTO interval (start_s, duration_s, installation_id, measured_s, clock, state, revision)"
            " VALUES (?, ?, ?, ?, 'ok', 'closed', 1)"
            " ON CONFLICT DO UPDATE SET measured_s = excluded.measured_s",
            (
                (start_s, assumed.INTERVAL_S, self.installation_id, float(seconds))
                for start_s, seconds in assumed.intervals(measured)
            ),
        )
        self.db.executemany(
            "UPDATE interval SET clock = ? WHERE start_s = ? AND installation_id = ?",
            ((clock, start_s, self.installation_id) for start_s, clock in self._distrusted.items()),
        )
        return measured


class IntervalWriter(Writer):
    """Intervals of our own export, as they were."""

    def __init__(self, db: sqlite3.Connection, installation_id: int) -> None:
        super().__init__(db, installation_id)
        self.first_s: int | None = None
        self.end_s = 0
        self.measured_s = 0.0

    def add(self, row: IntervalRow) -> None:
        head = row.head
        if head.start_s not in self.ids:
            self.interval(head)
            self.first_s = head.start_s if self.first_s is None else min(self.first_s, head.start_s)
            self.end_s = max(self.end_s, head.start_s + head.duration_s)
            self.measured_s += head.measured_s
        if row.n:
            sign = chr(_FIRST + row.speed_kmh)
            self.count((head.start_s, row.direction, row.display), sign * row.n, sign * row.suspects)
            self.vehicles += row.n
