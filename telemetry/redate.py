"""Giving an undated boot other times: its own ones once they are known, else such as can have been.

Everything of the boot moves together: single vehicles by their boot time, measured seconds by theirs, and
what was counted and has no vehicle's row any more by its interval's shift. Counts go into the intervals of
the new times, which are opened for it; the old ones are withdrawn: empty, and told so with a higher
revision. All inside the caller's transaction, so that after a power cut nothing is half.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from speedsign.model import SUSPECT, ClockQuality
from telemetry import boots, slots
from telemetry.boots import Boot
from telemetry.rows import FASTEST_KMH, packed, speed_class, unpacked
from telemetry.slots import Group, Packed, Slot

ROWS_AT_ONCE = 500

_Counts = dict[Group, tuple[Counter[int], Counter[int]]]  # all, and the suspects of them


@dataclass(slots=True)
class Moved:
    """What has changed; numbers of intervals."""

    vehicles: int = 0
    filled: list[int] = field(default_factory=list)  # they are open now
    emptied: list[int] = field(default_factory=list)  # they were told before: to be told as withdrawn
    last_row: int = 0  # the highest number of a vehicle that has another time


class _Old(NamedTuple):
    """An interval that is undated."""

    id: int
    slot: Slot
    scaled: int
    revision: int


class _Row(NamedTuple):
    """A vehicle that is undated."""

    id: int
    installation_id: int
    last_ms: int
    first_mono_s: float
    last_mono_s: float
    group: Group
    speed_kmh: float
    suspect: bool


def move(db: sqlite3.Connection, boot: Boot, zero_ms: int, clock: ClockQuality) -> Moved:
    """All of the boot that is undated, to the times that follow from this UTC of its time 0.

    `clock`: CORRECTED: they are its own times. UNKNOWN: it stays undated, and a boot's of its own.
    """
    moved = Moved()
    if boot.guess_ms is None:
        return moved
    old = {one.slot: one for one in _intervals(db, boot)}
    counts = {slot: _counts(db, one.id) for slot, one in old.items()}
    new: dict[Slot, _Counts] = {}
    boot_name = "" if clock is ClockQuality.CORRECTED else boot.short
    rounding = _rounding(db)
    for rows in _taken_rows(db, boot, zero_ms, clock, moved):
        _by_row(rows, counts, new, rounding, zero_ms, (boot.short, boot_name))
    shift_ms = zero_ms - boot.guess_ms
    for slot, left in counts.items():
        middle_ms = 1000 * slot.start_s + 500 * slot.duration_s + shift_ms
        to = slot._replace(start_s=slots.start_of(middle_ms, slot.duration_s), boot=boot_name)
        _add(new.setdefault(to, {}), left)
    moved.vehicles = sum(all_.total() for of_slot in new.values() for all_, _ in of_slot.values())
    for one in old.values():
        db.execute("DELETE FROM cell WHERE interval_id = ?", (one.id,))
        db.execute("UPDATE interval SET measured_s = 0 WHERE id = ?", (one.id,))
    scaled = {slot.installation_id for slot, one in old.items() if one.scaled}
    moved.filled = sorted({*_fill(db, new, clock, scaled), *_cover(db, boot, zero_ms, clock, boot_name)})
    moved.emptied = list(_withdraw(db, old.values(), set(moved.filled)))
    db.execute("UPDATE boot SET guess_ms = ? WHERE number = ?", (zero_ms, boot.number))
    return moved


def _intervals(db: sqlite3.Connection, boot: Boot) -> Iterator[_Old]:
    """Those that hold something."""
    rows = db.execute(
        "SELECT id, start_s, duration_s, installation_id, boot, scaled, revision FROM interval"
        " WHERE boot = ? AND boot != '' AND (measured_s > 0"
        " OR EXISTS (SELECT 1 FROM cell WHERE interval_id = interval.id))",
        (boot.short,),
    ).fetchall()
    for number, *slot, scaled, revision in rows:
        yield _Old(number, Slot(*slot), scaled, revision)


def _counts(db: sqlite3.Connection, interval_id: int) -> _Counts:
    rows = db.execute(
        "SELECT direction, display, speeds, suspects FROM cell WHERE interval_id = ?", (interval_id,)
    )
    return {
        Group(direction, display): (Counter(unpacked(speeds)), Counter(unpacked(suspects)))
        for direction, display, speeds, suspects in rows
    }


def _rounding(db: sqlite3.Connection) -> dict[int, bool]:
    return {number: bool(rounds) for number, rounds in db.execute("SELECT id, rounds FROM installation")}


# ----------------------------------------------------------------------- single vehicles


def _taken_rows(
    db: sqlite3.Connection, boot: Boot, zero_ms: int, clock: ClockQuality, moved: Moved
) -> Iterator[list[_Row]]:
    """The undated rows as they were, in portions; they get their times.

    A month without a clock is a hundred thousand: a portion is little memory, and between two of them the
    database says that it works (SqliteStore.on_progress), or the sign would be taken for stuck.
    """
    while True:
        found = db.execute(
            "SELECT id, installation_id, last_ms, first_mono_s, last_mono_s, direction, display, speed_kmh,"
            " flags FROM vehicle WHERE boot = ? AND clock = 'unknown' AND id > ? ORDER BY id LIMIT ?",
            (boot.number, moved.last_row, ROWS_AT_ONCE),
        ).fetchall()
        if not found:
            return
        rows = [_row(*columns) for columns in found]
        db.executemany(
            "UPDATE vehicle SET first_ms = ?, last_ms = ?, clock = ? WHERE id = ?",
            [
                (
                    boots.utc_ms(zero_ms, row.first_mono_s),
                    boots.utc_ms(zero_ms, row.last_mono_s),
                    clock.value,
                    row.id,
                )
                for row in rows
            ],
        )
        moved.last_row = rows[-1].id
        yield rows


def _row(
    number: int,
    installation_id: int,
    last_ms: int,
    first_mono_s: float,
    last_mono_s: float,
    direction: str,
    display: str,
    speed_kmh: float,
    flags: str,
) -> _Row:
    suspect = flags != "[]" and not SUSPECT.isdisjoint(json.loads(flags))
    group = Group(direction, display)
    return _Row(number, installation_id, last_ms, first_mono_s, last_mono_s, group, speed_kmh, suspect)


def _by_row(
    rows: list[_Row],
    counts: dict[Slot, _Counts],
    new: dict[Slot, _Counts],
    rounding: dict[int, bool],
    zero_ms: int,
    boot_name: tuple[str, str],
) -> None:
    """Each vehicle out of the interval that counted it, into that of its new time.

    One that no interval has under its speed (an angle was corrected, and counts could only be scaled) is
    left to its interval's shift. `boot_name`: of the old and of the new intervals.
    """
    durations = sorted({slot.duration_s for slot in counts})
    for row in rows:
        speed = speed_class(min(row.speed_kmh, FASTEST_KMH), rounds=rounding[row.installation_id])
        for duration_s in durations:
            start_s = slots.start_of(row.last_ms, duration_s)
            counted = counts.get(Slot(start_s, duration_s, row.installation_id, boot_name[0]))
            if counted is None or not _take(counted, row, speed):
                continue
            start_s = slots.start_of(boots.utc_ms(zero_ms, row.last_mono_s), duration_s)
            slot = Slot(start_s, duration_s, row.installation_id, boot_name[1])
            _give(new.setdefault(slot, {}), row, speed)
            break


def _give(counts: _Counts, row: _Row, speed: int) -> None:
    """One vehicle more."""
    if row.group not in counts:
        counts[row.group] = (Counter(), Counter())
    all_, suspects = counts[row.group]
    all_[speed] += 1
    if row.suspect:
        suspects[speed] += 1


def _take(counts: _Counts, row: _Row, speed: int) -> bool:
    """One vehicle less; whether there was one."""
    if row.group not in counts:
        return False
    all_, suspects = counts[row.group]
    beyond = all_[speed] - suspects[speed] if not row.suspect else suspects[speed]
    if beyond <= 0:
        return False
    all_[speed] -= 1
    if row.suspect:
        suspects[speed] -= 1
    return True


def _add(counts: _Counts, more: _Counts) -> None:
    for group, (all_, suspects) in more.items():
        if all_.total():
            there = counts.setdefault(group, (Counter(), Counter()))
            there[0].update(all_)
            there[1].update(suspects)


# ----------------------------------------------------------------------- intervals


def _fill(
    db: sqlite3.Connection, new: dict[Slot, _Counts], clock: ClockQuality, scaled: set[int]
) -> Iterator[int]:
    """Put the counts where they belong."""
    for slot, counts in new.items():
        cells = {
            group: Packed(packed(all_), packed(suspects))
            for group, (all_, suspects) in counts.items()
            if all_.total()
        }
        if not cells:
            continue
        number = slots.opened(db, slot, clock)
        slots.add(db, number, cells)
        if slot.installation_id in scaled:
            db.execute("UPDATE interval SET scaled = 1 WHERE id = ?", (number,))
        yield number


def _cover(
    db: sqlite3.Connection, boot: Boot, zero_ms: int, clock: ClockQuality, boot_name: str
) -> Iterator[int]:
    """Put the measured seconds where they belong; the pieces are kept as long as they may move again."""
    rows = db.execute(
        "SELECT installation_id, duration_s, from_s, to_s, measured_s FROM boot_coverage WHERE boot = ?"
        " ORDER BY minute",
        (boot.number,),
    ).fetchall()
    sums: Counter[Slot] = Counter()
    for installation_id, duration_s, from_s, to_s, measured_s in rows:
        for start_s, share_s in boots.spread(zero_ms, (from_s, to_s), measured_s, duration_s):
            sums[Slot(start_s, duration_s, installation_id, boot_name)] += share_s  # type: ignore[assignment]
    for slot, measured_s in sums.items():
        slots.cover(db, slot, measured_s, clock)
        found = slots.find(db, slot)
        if found:
            yield found[0]
    if clock is ClockQuality.CORRECTED:
        db.execute("DELETE FROM boot_coverage WHERE boot = ?", (boot.number,))


def _withdraw(db: sqlite3.Connection, old: Iterable[_Old], filled: set[int]) -> Iterator[int]:
    """What holds nothing any more: nobody was told of it, then it is gone; else it has to be told."""
    for one in old:
        if one.id in filled:
            continue
        if one.revision:
            yield one.id
        else:
            db.execute("DELETE FROM interval WHERE id = ?", (one.id,))
