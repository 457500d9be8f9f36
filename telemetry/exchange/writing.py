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
from telemetry.rows import SHORT_BOOT, boot_number, packed, speed_class

_VEHICLES_AT_ONCE = 10_000
_CELLS_AT_ONCE = 30_000
_FIRST = ord(packed({0: 1}))
_UNKNOWN, _CORRECTED = ClockQuality.UNKNOWN.value, ClockQuality.CORRECTED.value
_SOME_BOOT = "0" * SHORT_BOOT  # of an undated vehicle whose file does not say when the machine was started
_INSERT = (
    "INSERT INTO vehicle (installation_id, first_mono_s, last_mono_s, track_id, last_ms, direction,"
    " speed_kmh, length_m, display, first_ms, clock, entry_kmh, exit_kmh, max_kmh, readings, strength,"
    " flags, tracker, face, radial_kmh, along_kmh, boot) VALUES ({installation}, 0, 0, 0, {values})"
)
# Bound once and used again: binding values is the most of what an insert costs.
_ALONE = f"?1, ?2, ?3, ?4, ?5, ?1, 'ok', ?3, ?3, ?3, 0, NULL, '[]', '{TRACKER}', '', NULL, NULL, NULL"
_WITH_MORE = ", ".join("?" * (len(VehicleRow._fields) - 1 + len(More._fields)))
_INTERVAL_MS = 1000 * assumed.INTERVAL_S
_Place = tuple[int, str]  # start of an interval; of an undated one the start of the machine, else empty
_Cell = tuple[_Place, str, str]  # interval, direction, display state


class Writer:
    """What vehicles and intervals have in common: the intervals' ids, and cells that wait."""

    def __init__(self, db: sqlite3.Connection, installation_id: int) -> None:
        self.db = db
        self.installation_id = installation_id
        self.vehicles = 0
        self.ids: dict[_Place, int] = {}
        self._speeds: dict[_Cell, str] = {}
        self._suspects: dict[_Cell, str] = {}
        db.create_function("in_order", 1, lambda text: "".join(sorted(text)), deterministic=True)

    def interval(self, head: Head) -> int:
        """A new interval's id."""
        made = self.db.execute(
            "INSERT INTO interval (installation_id, start_s, duration_s, measured_s, clock, scaled, boot,"
            " stepped, state, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'closed', 1)",
            (self.installation_id, *head),
        ).lastrowid
        assert made is not None  # noqa: S101  an INSERT was done
        self.ids[head.place] = made
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
                (self._id(place), direction, display, speeds, self._suspects.get(cell, ""))
                for cell, speeds in self._speeds.items()
                for place, direction, display in (cell,)
            ),
        )
        self._speeds.clear()
        self._suspects.clear()

    def _id(self, place: _Place) -> int:
        start_s, boot = place
        clock = _UNKNOWN if boot else "ok"
        return self.ids.get(place) or self.interval(Head(start_s, assumed.INTERVAL_S, 0.0, clock, 0, boot))


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
        self._corrected: set[int] = set()  # starts of intervals in which some were dated later
        self._boots: dict[str, int] = {}
        self._signs: dict[float, str] = {}  # speed -> how a cell writes it

    def add(self, row: VehicleRow) -> None:
        ms, direction, speed, length, display, more = row
        start_s = ms // _INTERVAL_MS * assumed.INTERVAL_S
        sign = self._signs.get(speed) or self._sign(speed)
        suspect = more is not None and more.suspect
        boot = (more.boot or _SOME_BOOT) if more is not None and more.undated else ""
        self.count(((start_s, boot), direction, display), sign, sign if suspect else "")
        self.vehicles += 1
        if more is not None and more.clock == _CORRECTED:
            self._corrected.add(start_s)
        if not self._keep:
            return
        if more is None:
            self._alone.append((ms, direction, speed, length, display))
        else:
            self._with_more.append((ms, direction, speed, length, display, *more[:-1], self._boot(more.boot)))
        if not self.vehicles % _VEHICLES_AT_ONCE:
            self._keep_them()

    def _boot(self, name: str) -> int | None:
        if name and name not in self._boots:
            self._boots[name] = boot_number(self.db, name)
        return self._boots.get(name)

    def _sign(self, speed_kmh: float) -> str:
        if len(self._signs) > 100_000:
            self._signs.clear()
        found = self._signs[speed_kmh] = chr(_FIRST + speed_class(speed_kmh, rounds=self._rounds()))
        return found

    def _keep_them(self) -> None:
        for values, rows in ((_ALONE, self._alone), (_WITH_MORE, self._with_more)):
            self.db.executemany(_INSERT.format(installation=self.installation_id, values=values), rows)
            rows.clear()

    def finish(
        self, gap_s: float, from_s: int | None = None, to_s: int | None = None
    ) -> Sequence[assumed.Stretch]:
        """Write what waits, and when the device is taken to have measured: by what has a time, if any has."""
        self._keep_them()
        self.flush()
        dated = sorted(start_s for start_s, boot in self.ids if not boot)
        undated = {start_s: boot for start_s, boot in self.ids if boot}
        measured = assumed.stretches(dated or sorted(undated), gap_s if dated else 0.0, from_s, to_s)
        known = set(dated)
        self.db.executemany(
            "INSERT INTO interval (start_s, boot, clock, measured_s, duration_s, installation_id, state,"
            " revision) VALUES (?, ?, ?, ?, ?, ?, 'closed', 1)"
            " ON CONFLICT DO UPDATE SET measured_s = excluded.measured_s",
            (
                (
                    *_measured_in(start_s, "" if start_s in known else undated.get(start_s, "")),
                    *(float(seconds), assumed.INTERVAL_S, self.installation_id),
                )
                for start_s, seconds in assumed.intervals(measured)
            ),
        )
        self.db.executemany(
            "UPDATE interval SET clock = ? WHERE start_s = ? AND installation_id = ? AND boot = ''",
            ((_CORRECTED, start_s, self.installation_id) for start_s in self._corrected),
        )
        return measured


def _measured_in(start_s: int, boot: str) -> tuple[int, str, str]:
    """Start, boot and clock of an interval."""
    return start_s, boot, _UNKNOWN if boot else "ok"


class IntervalWriter(Writer):
    """Intervals of our own export, as they were."""

    def __init__(self, db: sqlite3.Connection, installation_id: int) -> None:
        super().__init__(db, installation_id)
        self.measured_s = 0.0
        self._dated: list[int] = []  # first start and last end of what has a time
        self._undated: list[int] = []

    @property
    def bounds_s(self) -> tuple[int, int]:
        """First start and last end, of what has a time if anything has."""
        first_s, end_s = self._dated or self._undated or (0, 0)
        return first_s, end_s

    def add(self, row: IntervalRow) -> None:
        head = row.head
        if head.place not in self.ids:
            self.interval(head)
            end_s = head.start_s + head.duration_s
            bounds = self._undated if head.clock == _UNKNOWN else self._dated
            bounds[:] = min([head.start_s, *bounds[:1]]), max([end_s, *bounds[1:]])
            self.measured_s += head.measured_s
        if row.n:
            sign = chr(_FIRST + row.speed_kmh)
            self.count((head.place, row.direction, row.display), sign * row.n, sign * row.suspects)
            self.vehicles += row.n
