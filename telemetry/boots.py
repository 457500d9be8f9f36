"""Starts of the machine, and what is known of the time in them. All inside the caller's transaction.

Boot time runs on whatever the wall clock does, so everything is stamped with it. UTC is boot time and the
UTC of its zero: `zero_ms` once a sync has told it, until then `guess_ms`, which is what the wall clock said
when the first row of this boot was kept. One guess for all rows of a boot, so that they keep their distances.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from speedsign.model import ClockQuality, Coverage, VehicleRecord
from telemetry import slots
from telemetry.rows import SHORT_BOOT, boot_number, from_ms, to_ms
from telemetry.slots import Slot

PIECE_S = 60  # of undated coverage: so much of it is spread evenly when it gets its time
DAY_MS = 86_400_000
_FOLLOWS_MS = 31 * DAY_MS  # without power: two times that are further apart do not vouch for each other
_COLUMNS = "number, boot_id, zero_ms, guess_ms, set_ms, seen_ms"


class Boot(NamedTuple):
    """A row of the table."""

    number: int
    boot_id: str
    zero_ms: int | None
    guess_ms: int | None
    set_ms: int
    seen_ms: int

    @property
    def short(self) -> str:
        return self.boot_id[:SHORT_BOOT]


def boot_of(db: sqlite3.Connection, boot_id: str) -> Boot:
    """This start of the machine, made when it is new."""
    number = boot_number(db, boot_id)
    return Boot(*db.execute(f"SELECT {_COLUMNS} FROM boot WHERE number = ?", (number,)).fetchone())  # noqa: S608


def utc_ms(zero_ms: int, mono_s: float) -> int:
    """Whole ms since 1970, rounded down (with a µs for what a float cannot hold)."""
    return zero_ms + math.floor(mono_s * 1000 + 1e-3)


def _guess(db: sqlite3.Connection, boot: Boot, at_ms: int, mono_s: float) -> int:
    """What boot time 0 is taken for, made from the first row."""
    if boot.guess_ms is not None:
        return boot.guess_ms
    guess_ms = at_ms - math.floor(mono_s * 1000)
    db.execute("UPDATE boot SET guess_ms = ? WHERE number = ?", (guess_ms, boot.number))
    return guess_ms


def _saw(db: sqlite3.Connection, boot: Boot, mono_s: float) -> None:
    """Of an undated boot: how far it got."""
    db.execute(
        "UPDATE boot SET seen_ms = max(seen_ms, ?) WHERE number = ?", (math.ceil(mono_s * 1000), boot.number)
    )


# ----------------------------------------------------------------------- vehicles


def place(db: sqlite3.Connection, record: VehicleRecord) -> tuple[VehicleRecord, int | None, str]:
    """The vehicle as it is to be kept, the number of its boot, and the boot of its interval."""
    if not record.boot:
        undated = record.clock is ClockQuality.UNKNOWN
        return record, None, slots.NOBODYS if undated else ""
    if record.clock is not ClockQuality.UNKNOWN:
        return record, boot_number(db, record.boot), ""
    boot, seen = boot_of(db, record.boot), record.vehicle
    zero_ms, clock = boot.zero_ms, ClockQuality.CORRECTED
    if zero_ms is None:
        zero_ms = _guess(db, boot, to_ms(record.last_utc), seen.t_last_mono_s)
        clock = ClockQuality.UNKNOWN
        _saw(db, boot, seen.t_last_mono_s)
    placed = replace(
        record,
        first_utc=from_ms(utc_ms(zero_ms, seen.t_first_mono_s)),
        last_utc=from_ms(utc_ms(zero_ms, seen.t_last_mono_s)),
        clock=clock,
    )
    return placed, boot.number, boot.short if clock is ClockQuality.UNKNOWN else ""


# ----------------------------------------------------------------------- coverage


def cover(db: sqlite3.Connection, part: Coverage, duration_s: int, installation_id: int) -> None:
    """Add measured seconds where they belong."""
    if part.clock is not ClockQuality.UNKNOWN:
        slot = Slot(slots.start_of(to_ms(part.at_utc), duration_s), duration_s, installation_id)
        slots.cover(db, slot, part.measured_s, part.clock)
    elif not part.boot or part.from_mono_s is None:
        start_s = slots.start_of(to_ms(part.at_utc), duration_s)
        slot = Slot(start_s, duration_s, installation_id, slots.NOBODYS)
        slots.cover(db, slot, part.measured_s, part.clock)
    else:
        _cover_by_boot_time(db, part, part.from_mono_s, duration_s, installation_id)


def _cover_by_boot_time(
    db: sqlite3.Connection, part: Coverage, from_s: float, duration_s: int, installation_id: int
) -> None:
    boot, to_s = boot_of(db, part.boot), from_s + part.measured_s
    if boot.zero_ms is not None:
        for start_s, share_s in spread(boot.zero_ms, (from_s, to_s), part.measured_s, duration_s):
            slot = Slot(start_s, duration_s, installation_id)
            slots.cover(db, slot, share_s, ClockQuality.CORRECTED)
        return
    guess_ms = _guess(db, boot, to_ms(part.at_utc), from_s)
    for start_s, share_s in spread(guess_ms, (from_s, to_s), part.measured_s, duration_s):
        slot = Slot(start_s, duration_s, installation_id, boot.short)
        slots.cover(db, slot, share_s, ClockQuality.UNKNOWN)
    for minute, begin_s, end_s in _minutes(from_s, to_s):
        db.execute(
            "INSERT INTO boot_coverage"
            " (boot, installation_id, minute, duration_s, from_s, to_s, measured_s)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET from_s = min(from_s, excluded.from_s),"
            " to_s = max(to_s, excluded.to_s), measured_s = measured_s + excluded.measured_s",
            (boot.number, installation_id, minute, duration_s, begin_s, end_s, end_s - begin_s),
        )
    _saw(db, boot, to_s)


def _minutes(from_s: float, to_s: float) -> Iterator[tuple[int, float, float]]:
    minute = math.floor(from_s / PIECE_S)
    while minute * PIECE_S < to_s:
        yield minute, max(from_s, minute * PIECE_S), min(to_s, (minute + 1) * PIECE_S)
        minute += 1


def spread(
    zero_ms: int, span_s: tuple[float, float], measured_s: float, duration_s: int
) -> list[tuple[int, float]]:
    """[(start of an interval, seconds of `measured_s` in it)]; the span is of boot time.

    >>> spread(900_000, (-10.0, 30.0), 20.0, 900)
    [(0, 5.0), (900, 15.0)]
    """
    from_s, to_s = (zero_ms / 1000 + edge for edge in span_s)
    if not to_s > from_s:
        return [(slots.start_of(math.floor(from_s * 1000), duration_s), measured_s)]
    found, start_s = [], slots.start_of(math.floor(from_s * 1000), duration_s)
    while start_s < to_s:
        inside_s = min(to_s, start_s + duration_s) - max(from_s, start_s)
        if inside_s > 0:
            found.append((start_s, measured_s * inside_s / (to_s - from_s)))
        start_s += duration_s
    return found


# ----------------------------------------------------------------------- what is known of the time


def now_known(db: sqlite3.Connection, boot: Boot, zero_ms: int, at_ms: int) -> None:
    """A sync, or a clock that was set: UTC of this boot's time 0 from now on."""
    run_ms = max(at_ms - zero_ms, 0)
    moved = boot.zero_ms is None or abs(boot.zero_ms - zero_ms) > 1000
    db.execute(
        "UPDATE boot SET zero_ms = ?, set_ms = ?, seen_ms = max(seen_ms, ?) WHERE number = ?",
        (zero_ms, run_ms if moved else boot.set_ms, run_ms, boot.number),
    )
    # The daemon believes this time though later ones were known: those were wrong.
    db.execute("UPDATE boot SET known_ms = ? WHERE known_ms > ?", (at_ms, at_ms + DAY_MS))
    goes_on(db, boot.boot_id, at_ms)


def goes_on(db: sqlite3.Connection, boot_id: str, at_ms: int) -> None:
    """A dated boot has run until now; a time far from what was known counts as known once it held for a day.

    So that a clock which leaps into another decade, and says that it is synchronised, does not make the
    right time unbelievable afterwards, nor lets vehicles be forgotten.
    """
    boot, known_ms = boot_of(db, boot_id), last_known_ms(db)
    if boot.zero_ms is None:
        return
    run_ms = at_ms - boot.zero_ms
    if run_ms < boot.set_ms:
        return
    held = known_ms is None or 0 <= at_ms - known_ms <= DAY_MS or _held(db, boot, known_ms, at_ms)
    db.execute(
        "UPDATE boot SET seen_ms = max(seen_ms, ?), known_ms = coalesce(?, known_ms) WHERE number = ?",
        (run_ms, at_ms if held else None, boot.number),
    )


def _held(db: sqlite3.Connection, boot: Boot, known_ms: int, at_ms: int) -> bool:
    """Whether for a day, in this boot or over others before it, nobody has said another time.

    A sign that has no power at night and at weekends never runs for a day: its boots follow on each other.
    """
    begin_ms = (boot.zero_ms or 0) + boot.set_ms
    earlier = db.execute(
        "SELECT zero_ms + set_ms, zero_ms + seen_ms FROM boot WHERE number < ? AND zero_ms IS NOT NULL"
        " ORDER BY number DESC",
        (boot.number,),
    )
    while at_ms - begin_ms < DAY_MS:
        first_ms, last_ms = earlier.fetchone() or (known_ms, known_ms)
        if first_ms <= known_ms or not 0 <= begin_ms - last_ms <= _FOLLOWS_MS:
            return False
        begin_ms = first_ms
    return True


def last_known_ms(db: sqlite3.Connection) -> int | None:
    """The last time that was believed and has held; None: none yet."""
    found: int | None = db.execute("SELECT max(known_ms) FROM boot").fetchone()[0]
    return found


class Bounds(NamedTuple):
    """Between which times the boots before a dated one lie; ms since 1970."""

    after_ms: int | None
    before_ms: int


def undated_before(db: sqlite3.Connection, boot: Boot, zero_ms: int) -> tuple[Bounds, list[Boot]]:
    """The starts before this one that never knew the time, in their order, and what bounds them."""
    last = db.execute(
        "SELECT number, zero_ms + seen_ms FROM boot WHERE number < ? AND zero_ms IS NOT NULL"
        " ORDER BY number DESC LIMIT 1",
        (boot.number,),
    ).fetchone()
    after, after_ms = last or (0, None)
    if after_ms is not None and after_ms > zero_ms:
        after_ms = None  # that boot's clock was wrong: it says nothing
    found = db.execute(
        f"SELECT {_COLUMNS} FROM boot WHERE number > ? AND number < ?"  # noqa: S608  ours
        " AND guess_ms IS NOT NULL ORDER BY number",
        (after, boot.number),
    )
    return Bounds(after_ms, zero_ms), [Boot(*row) for row in found]


def between(bounds: Bounds, boots: list[tuple[int, int]]) -> list[int]:
    """[(guess, length)] in ms to guesses that lie in the bounds, in order and without overlap.

    One that does so already stays. Where they do not fit, the later bound holds: a boot cannot last beyond
    the next one's start.

    >>> between(Bounds(100, 200), [(0, 10), (150, 10), (120, 10)])
    [100, 150, 160]
    """
    latest, room_ms = [], bounds.before_ms
    for _, length in reversed(boots):
        room_ms -= length
        latest.append(room_ms)
    found, after_ms = [], bounds.after_ms
    for (guess, length), last in zip(boots, reversed(latest), strict=True):
        begin = last if after_ms is None and guess < _SANE_MS else max(guess, after_ms or guess)
        begin = min(begin, last)
        found.append(begin)
        after_ms = begin + length
    return found


_SANE_MS = 1_577_836_800_000  # 2020: what says that it is earlier says nothing
