"""Between the model's shapes and the database's rows."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from speedsign.model import (
    Cell,
    ClockQuality,
    Direction,
    DisplayState,
    Installation,
    Interval,
    Vehicle,
    VehicleRecord,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

INSTALLATION_COLUMNS = (
    "site, limit_kmh, mounting_angle_deg, radar, timezone, approaching_name, receding_name, rounds,"
    " display_profile"
)
VEHICLE_COLUMNS = (
    "first_ms, last_ms, clock, first_mono_s, last_mono_s, track_id, direction, speed_kmh, entry_kmh, "
    "exit_kmh, max_kmh, readings, strength, length_m, display, flags, tracker, face, "
    "radial_kmh, along_kmh"
)
# For reading: as above, and which start of the machine it passed in.
VEHICLE_FACTS = (
    VEHICLE_COLUMNS + ", coalesce((SELECT boot_id FROM boot WHERE number = vehicle.boot), '') AS boot_id"  # noqa: S608  ours
)
SHORT_BOOT = 16  # characters of a boot id that intervals and messages have: enough for all signs there are
_FIRST = 33  # the character that stands for 0 km/h is "!": printable, and never a NUL
FASTEST_KMH = 999
_MANY = 50_000  # vehicles: from here on another way of counting is quicker
_STEP = 67


def to_ms(moment: datetime) -> int:
    """Whole ms since 1970, rounded down, so that a vehicle stays on its side of an interval's edge."""
    return (moment - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    return _EPOCH + ms * _MS


def from_s(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def speed_class(speed_kmh: float, *, rounds: bool) -> int:
    """The integer km/h a speed is counted under; ValueError when it is no speed."""
    if not 0 <= speed_kmh < FASTEST_KMH + 1:  # NaN and infinity fail here too
        raise ValueError(f"{speed_kmh} is not a speed")
    return min(math.floor(speed_kmh + 0.5) if rounds else math.floor(speed_kmh), FASTEST_KMH)


def packed(counts: Mapping[int, int]) -> str:
    """A character for each vehicle, by rising speed: how a cell is stored.

    >>> packed({50: 2, 0: 1})
    '!SS'
    """
    return "".join(chr(_FIRST + speed) * counts[speed] for speed in sorted(counts))


def unpacked(speeds: str) -> dict[int, int]:
    """Counts by rising speed, from one packed text or several joined.

    >>> unpacked("S!S")
    {0: 1, 50: 2}
    """
    found = Counter(speeds) if len(speeds) < _MANY else _counted(speeds)
    return {ord(sign) - _FIRST: found[sign] for sign in sorted(found)}


def _counted(speeds: str) -> Mapping[str, int]:
    """As Counter does, in little more than half the time: the speeds of most vehicles are searched for.

    Found in a sample, they are few; what is left without them goes to Counter.
    """
    most = "".join([sign for sign, _ in Counter(speeds[::_STEP]).most_common(25)])
    try:
        rest = speeds.encode("latin-1").translate(None, most.encode("latin-1"))
    except UnicodeEncodeError:  # faster than 222 km/h
        return Counter(speeds)
    return Counter(rest.decode("latin-1")) + Counter({sign: speeds.count(sign) for sign in most})


def packed_with(speeds: str, speed_kmh: int) -> str:
    """One vehicle more; the order in which they passed is not kept."""
    return "".join(sorted(speeds + chr(_FIRST + speed_kmh)))


def installation_row(facts: Installation) -> tuple[object, ...]:
    return (
        facts.site,
        facts.limit_kmh,
        float(facts.mounting_angle_deg),
        facts.radar,
        facts.timezone,
        facts.approaching_name,
        facts.receding_name,
        int(facts.rounds),
        facts.display_profile,
    )


def installation_of(row: tuple[object, ...]) -> Installation:
    """From INSTALLATION_COLUMNS."""
    *facts, rounds, profile = row
    return Installation(*facts, bool(rounds), profile)  # type: ignore[arg-type, call-arg]  # the table is STRICT


def vehicle_row(record: VehicleRecord) -> tuple[object, ...]:
    """In the order of VEHICLE_COLUMNS."""
    seen = record.vehicle
    return (
        to_ms(record.first_utc),
        to_ms(record.last_utc),
        record.clock.value,
        seen.t_first_mono_s,
        seen.t_last_mono_s,
        seen.track_id,
        seen.direction.value,
        seen.speed_kmh,
        seen.entry_kmh,
        seen.exit_kmh,
        seen.max_kmh,
        seen.readings,
        seen.strength,
        seen.length_m,
        record.display.value,
        json.dumps(seen.flags),
        record.tracker,
        record.face,
        seen.radial_kmh,
        seen.along_kmh,
    )


def vehicle_of(row: sqlite3.Row) -> VehicleRecord:
    """From a row with VEHICLE_FACTS by name."""
    return VehicleRecord(
        vehicle=Vehicle(
            track_id=row["track_id"],
            direction=Direction(row["direction"]),
            t_first_mono_s=row["first_mono_s"],
            t_last_mono_s=row["last_mono_s"],
            speed_kmh=row["speed_kmh"],
            entry_kmh=row["entry_kmh"],
            exit_kmh=row["exit_kmh"],
            max_kmh=row["max_kmh"],
            readings=row["readings"],
            strength=row["strength"],
            length_m=row["length_m"],
            flags=tuple(json.loads(row["flags"])),
            radial_kmh=row["radial_kmh"],
            along_kmh=row["along_kmh"],
        ),
        first_utc=from_ms(row["first_ms"]),
        last_utc=from_ms(row["last_ms"]),
        clock=ClockQuality(row["clock"]),
        display=DisplayState(row["display"]),
        tracker=row["tracker"],
        face=row["face"],
        boot=row["boot_id"],
    )


def boot_number(db: sqlite3.Connection, boot_id: str) -> int:
    """The number of a start of the machine; a new one if it was not heard of. Inside a transaction."""
    found = db.execute("SELECT number FROM boot WHERE boot_id = ?", (boot_id,)).fetchone()
    if found:
        return int(found[0])
    made = db.execute("INSERT INTO boot (boot_id) VALUES (?)", (boot_id,)).lastrowid
    assert made is not None  # noqa: S101  an INSERT was done
    return made


# Of an undated interval: the last time that was known before its boot (s). A sign has the boots before it, a
# hub what it was told.
AFTER = (
    "CASE WHEN boot = '' THEN NULL WHEN heard_from IS NULL THEN"  # noqa: S608  ours
    " (SELECT max(before.known_ms) FROM boot AS before JOIN boot AS own ON before.number < own.number"
    " WHERE own.boot_id >= interval.boot AND own.boot_id < interval.boot || '~'"  # by its index
    f" AND substr(own.boot_id, 1, {SHORT_BOOT}) = interval.boot)"
    " ELSE (SELECT known_ms FROM boot WHERE boot_id = interval.boot) END / 1000"
)


def _head(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(row)[:11]


def intervals_of(db: sqlite3.Connection, where: str, parameters: tuple[object, ...]) -> Iterator[Interval]:
    """Intervals with their cells, by start; an open one bears the revision that it will be closed with.

    `where` is SQL of ours about `interval`, never a user's text.
    """
    rows = db.execute(
        "SELECT interval.id, start_s, duration_s, installation_id, measured_s, clock,"  # noqa: S608  see above
        f" revision + (state = 'open'), scaled, boot, stepped, {AFTER}, direction, display, speeds, suspects"
        " FROM interval LEFT JOIN cell ON cell.interval_id = interval.id"
        f" WHERE {where} ORDER BY start_s, interval.id, direction, display",
        parameters,
    )
    for head, of_interval in groupby(rows, key=_head):
        _, start_s, duration_s, installation_id, measured_s, clock, revision, *odd = head
        scaled, boot, stepped, after_s = odd
        cells = tuple(
            Cell(Direction(direction), DisplayState(display), unpacked(speeds), unpacked(suspects))
            for *_, direction, display, speeds, suspects in of_interval
            if direction is not None
        )
        yield Interval(
            start_utc=from_s(start_s),
            duration_s=duration_s,
            measured_s=measured_s,
            clock=ClockQuality(clock),
            installation_id=installation_id,
            revision=revision,
            cells=cells,
            scaled=bool(scaled),
            boot=boot,
            stepped=bool(stepped),
            after_utc=None if after_s is None else from_s(after_s),
        )
