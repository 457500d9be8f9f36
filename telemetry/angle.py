"""A mounting angle that turns out to have been wrong: speeds of one installation put right afterwards.

A vehicle that is still kept has its speed before any angle beside the one that was counted, and is computed
again as the tracker would have (docs/speeds.md). Where only counts are left they can only be scaled, by what
the angle changes for the vehicles that are left: the tracker finds most angles itself, passage by passage,
and those the mounting angle never touched.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import cos, floor, radians
from pathlib import Path
from statistics import median

from speedsign.errors import StoreError, UsageError
from speedsign.model import SUSPECT
from telemetry.database import open_for_writing, sentences
from telemetry.percentiles import Counts
from telemetry.rows import FASTEST_KMH, SHORT_BOOT, packed, speed_class, to_ms, unpacked

MOST_DEG = 60.0  # as the config has it
ENOUGH = 30  # vehicles of a direction that must be left to scale by their example


@dataclass(frozen=True, slots=True)
class Kept:
    """What the correction needs of a vehicle that is still there."""

    id: int
    last_ms: int
    direction: str
    display: str
    suspect: bool
    speed_kmh: float
    radial_kmh: float | None
    along_kmh: float | None
    boot: str = ""  # of an undated one: as its interval names it


@dataclass(frozen=True, slots=True)
class Correction:
    """What was done: vehicles computed again, vehicles that could only be scaled, and by what.

    Reports take an interval as scaled when one of its vehicles was.
    """

    installation_id: int
    from_deg: float
    to_deg: float
    recomputed: int
    scaled: int
    scaled_kept: int  # of these: still kept, scaled by the cosines for want of a radial speed
    factors: Mapping[str, float]  # direction -> what the counts of the other scaled ones were scaled by


# --------------------------------------------------------------------------- the arithmetic


def by_cosines(from_deg: float, to_deg: float) -> float:
    """What speeds change by that were divided by the old angle's cosine."""
    return cos(radians(from_deg)) / cos(radians(to_deg))


def corrected_kmh(kept: Kept, from_deg: float, to_deg: float) -> float:
    """The speed under another mounting angle.

    Never less than the passage alone says, as the tracker has it. A vehicle of a version that did not keep
    the radial speed is taken to have been divided by the old angle's cosine.
    """
    if kept.radial_kmh is None:
        return kept.speed_kmh * by_cosines(from_deg, to_deg)
    return max(kept.radial_kmh / cos(radians(to_deg)), kept.along_kmh or 0.0)


def scaled_counts(counts: Counts, factor: float, *, rounds: bool) -> dict[int, int]:
    """Counts as if every speed had been `factor` times as high; not one vehicle more or less.

    The vehicles of a class are spread evenly in it, and so many lie below each new edge, rounded, as lay
    below it before.
    """
    shift = 0.5 if rounds else 0.0
    found: dict[int, int] = {}
    passed = placed = 0  # vehicles of the classes before, and those that have their new class
    for speed, n in sorted(counts.items()):
        low, high = (speed - shift) * factor, (speed + 1 - shift) * factor
        new = floor(low + shift)
        while placed < passed + n:
            edge = new + 1 - shift
            below = passed + n if edge >= high else passed + round(n * (edge - low) / (high - low))
            if below > placed:
                into = min(new, FASTEST_KMH)
                found[into] = found.get(into, 0) + below - placed
                placed = below
            new += 1
        passed += n
    return found


def factors_of(kept: Iterable[Kept], from_deg: float, to_deg: float) -> dict[str, float]:
    """By what each direction's speeds change: the median of what is kept, else the cosines' ratio."""
    by_angle = by_cosines(from_deg, to_deg)
    ratios: dict[str, list[float]] = {}
    for one in kept:
        if one.radial_kmh is not None and one.speed_kmh > 0:
            ratio = corrected_kmh(one, from_deg, to_deg) / one.speed_kmh
            ratios.setdefault(one.direction, []).append(ratio)
    found = {direction: median(many) for direction, many in ratios.items() if len(many) >= ENOUGH}
    return {name: found.get(name, by_angle) for name in ("approaching", "receding", "unknown")}


# --------------------------------------------------------------------------- in the database


def correct_angle(path: Path, installation_id: int, to_deg: float, at_utc: datetime) -> Correction:
    """Put all speeds of an installation right, in one transaction; raises UsageError, StoreError.

    The caller holds the store's lock (telemetry.lock). Intervals are closed again, and so told again, by the
    daemon at its next start.
    """
    if not 0 <= to_deg <= MOST_DEG:
        raise UsageError(f"an angle of {to_deg:g} degrees: it must be 0 to {MOST_DEG:g}")
    if not path.is_file():
        raise StoreError(f"{path} does not exist; check [store] path, or name a database with --db")
    db = open_for_writing(path)
    try:
        with sentences(path):
            db.execute("BEGIN IMMEDIATE")
            found = _correct(db, installation_id, to_deg, to_ms(at_utc))
            db.execute("COMMIT")
    finally:
        db.close()  # what was not committed is as if it had not been begun
    return found


def _correct(db: sqlite3.Connection, number: int, to_deg: float, at_ms: int) -> Correction:
    row = db.execute(
        "SELECT mounting_angle_deg, rounds, origin FROM installation WHERE id = ?", (number,)
    ).fetchone()
    if row is None:
        raise UsageError(f"there is no installation {number}; see: speedsign installation list")
    from_deg, rounds, origin = row[0], bool(row[1]), row[2]
    if origin != "measured":
        raise UsageError(f"installation {number} was imported: its speeds were never divided by this angle")
    if from_deg == to_deg:
        raise UsageError(f"installation {number} has a mounting angle of {to_deg:g} degrees already")
    kept = _kept(db, number)
    factors = factors_of(kept, from_deg, to_deg)
    done = _recount(db, number, kept, (from_deg, to_deg), factors, rounds=rounds)
    scaled = done.scaled_kept + done.scaled_counts
    _rewrite(db, kept, from_deg, to_deg)
    db.execute(  # and the hub is told again where and how it stood
        "UPDATE installation SET mounting_angle_deg = ?, announced = 0 WHERE id = ?", (to_deg, number)
    )
    db.execute(
        "INSERT INTO correction (at_ms, installation_id, from_deg, to_deg, recomputed, scaled)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (at_ms, number, from_deg, to_deg, done.recomputed, scaled),
    )
    return Correction(number, from_deg, to_deg, done.recomputed, scaled, done.scaled_kept, factors)


def _kept(db: sqlite3.Connection, number: int) -> list[Kept]:
    rows = db.execute(
        "SELECT id, last_ms, direction, display, flags, speed_kmh, radial_kmh, along_kmh,"
        " CASE WHEN clock = 'unknown' THEN substr(coalesce(boot_id, ''), 1, ?) ELSE '' END"
        " FROM vehicle LEFT JOIN boot ON boot.number = vehicle.boot"
        " WHERE installation_id = ? ORDER BY last_ms",
        (SHORT_BOOT, number),
    )
    return [
        Kept(number, last_ms, direction, display, _suspect(flags), speed, radial, along, boot)
        for number, last_ms, direction, display, flags, speed, radial, along, boot in rows
    ]


def _suspect(flags: str) -> bool:
    return not SUSPECT.isdisjoint(json.loads(flags))


@dataclass(slots=True)
class _Done:
    """How many vehicles were corrected in which way."""

    recomputed: int = 0
    scaled_kept: int = 0
    scaled_counts: int = 0


Cells = dict[tuple[str, str], tuple[Counter[int], Counter[int]]]  # (direction, display) -> all, suspects


def _recount(
    db: sqlite3.Connection,
    number: int,
    kept: list[Kept],
    angles: tuple[float, float],
    factors: Mapping[str, float],
    *,
    rounds: bool,
) -> _Done:
    """Write every interval's cells anew."""
    done = _Done()
    intervals = db.execute(
        "SELECT id, start_s, duration_s, boot FROM interval WHERE installation_id = ? ORDER BY start_s",
        (number,),
    ).fetchall()
    of_kept = _by_boot(kept, [tuple(place) for _, *place in intervals])
    for interval_id, start_s, _, boot in intervals:
        old = db.execute(
            "SELECT direction, display, speeds, suspects FROM cell WHERE interval_id = ?", (interval_id,)
        ).fetchall()
        n = sum(len(row[2]) for row in old)
        vehicles = of_kept.get((start_s, boot), [])
        whole = len(vehicles) == n and _as_counted(vehicles, old, rounds=rounds)
        if not n:
            continue
        if not whole:
            done.scaled_counts += n
            _write(db, interval_id, _scaled(old, factors, rounds=rounds), scaled=True)
        else:
            by_angle = sum(one.radial_kmh is None for one in vehicles)
            done.recomputed += n - by_angle
            done.scaled_kept += by_angle
            _write(db, interval_id, _counted(vehicles, angles, rounds=rounds), scaled=by_angle > 0)
    return done


def _by_boot(kept: list[Kept], places: list[tuple[int, int, str]]) -> dict[tuple[int, str], list[Kept]]:
    """The kept vehicles of each interval, by its start and boot: what is undated is apart, boot by boot.

    `places`: start, duration and boot of the intervals, by start.
    """
    found = {}
    for boot in {boot for *_, boot in places}:
        own = [(start_s, duration_s) for start_s, duration_s, of_boot in places if of_boot == boot]
        vehicles_of = _by_interval([one for one in kept if one.boot == boot], own)
        found.update({(start_s, boot): vehicles for start_s, vehicles in vehicles_of.items()})
    return found


def _by_interval(kept: list[Kept], intervals: list[tuple[int, int]]) -> dict[int, list[Kept]]:
    """The kept vehicles of each interval, by its start; intervals of one boot do not overlap."""
    found: dict[int, list[Kept]] = {}
    starts = [start_s for start_s, _ in intervals]
    for one in kept:
        place = bisect_right(starts, one.last_ms // 1000) - 1
        if place >= 0 and one.last_ms // 1000 < sum(intervals[place]):
            found.setdefault(starts[place], []).append(one)
    return found


def _as_counted(vehicles: list[Kept], old: list[tuple[str, str, str, str]], *, rounds: bool) -> bool:
    """Whether these are the very vehicles that the interval counted."""
    counts = {(direction, display): Counter(unpacked(speeds)) for direction, display, speeds, _ in old}
    found: dict[tuple[str, str], Counter[int]] = {}
    for one in vehicles:
        speed = speed_class(one.speed_kmh, rounds=rounds)
        found.setdefault((one.direction, one.display), Counter())[speed] += 1
    return found == counts


def _counted(vehicles: list[Kept], angles: tuple[float, float], *, rounds: bool) -> Cells:
    cells: Cells = {}
    for one in vehicles:
        speed = speed_class(min(corrected_kmh(one, *angles), FASTEST_KMH), rounds=rounds)
        counts, suspects = cells.setdefault((one.direction, one.display), (Counter(), Counter()))
        counts[speed] += 1
        if one.suspect:
            suspects[speed] += 1
    return cells


def _scaled(old: list[tuple[str, str, str, str]], factors: Mapping[str, float], *, rounds: bool) -> Cells:
    """The suspects first: they stay among the scaled counts, wherever those go."""
    cells: Cells = {}
    for direction, display, speeds, doubtful in old:
        factor, suspects = factors[direction], unpacked(doubtful)
        others = Counter(unpacked(speeds)) - Counter(suspects)
        scaled = Counter(scaled_counts(suspects, factor, rounds=rounds))
        cells[direction, display] = scaled + Counter(scaled_counts(others, factor, rounds=rounds)), scaled
    return cells


def _write(db: sqlite3.Connection, interval_id: int, cells: Cells, *, scaled: bool) -> None:
    db.execute("DELETE FROM cell WHERE interval_id = ?", (interval_id,))
    db.executemany(
        "INSERT INTO cell (interval_id, direction, display, speeds, suspects) VALUES (?, ?, ?, ?, ?)",
        [(interval_id, *key, packed(counts), packed(suspects)) for key, (counts, suspects) in cells.items()],
    )
    # Open: the daemon closes it again with the next revision, and so tells the broker.
    db.execute(
        "UPDATE interval SET state = 'open', scaled = max(scaled, ?) WHERE id = ?", (scaled, interval_id)
    )


def _rewrite(db: sqlite3.Connection, kept: list[Kept], from_deg: float, to_deg: float) -> None:
    """The vehicles themselves; entry, exit and maximum change by as much as the speed."""
    changed = []
    for one in kept:
        new = corrected_kmh(one, from_deg, to_deg)
        ratio = new / one.speed_kmh if one.speed_kmh > 0 else 1.0
        changed.append((new, ratio, ratio, ratio, one.id))
    db.executemany(
        "UPDATE vehicle SET speed_kmh = ?, entry_kmh = entry_kmh * ?, exit_kmh = exit_kmh * ?,"
        " max_kmh = max_kmh * ? WHERE id = ?",
        changed,
    )
