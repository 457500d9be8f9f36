"""Reading a sign's database: counts for officers, vehicles for whoever looks on. Never writes."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from speedsign.errors import StoreError
from speedsign.model import DisplayState, Installation, Interval, VehicleRecord
from telemetry.database import open_for_reading, store_error
from telemetry.rows import (
    INSTALLATION_COLUMNS,
    VEHICLE_FACTS,
    from_ms,
    from_s,
    installation_of,
    intervals_of,
    to_ms,
    vehicle_of,
)

Source = Path | str | sqlite3.Connection

BOTH = "both"


@dataclass(frozen=True, slots=True)
class Standing:
    """An installation, and from when to when the sign stood so; `to_utc` None: until now."""

    id: int
    from_utc: datetime
    facts: Installation
    to_utc: datetime | None = None
    sign: str = ""  # its id; empty where an older version wrote it
    imported: bool = False  # from a file, not measured by this sign
    assumed: bool = False  # imported, and the file does not say when its device was measuring
    display_known: bool = True  # what the panel did is measured, or the file says it
    heard: bool = False  # in a hub's file: by messages from the sign
    guessed: bool = False  # in a hub's file: the sign has not told since when; it ends no other one
    stood_otherwise: bool = False  # before: another installation of the same sign ends where this one begins

    @property
    def name(self) -> str:
        """The site, or what else tells it from others."""
        return self.facts.site or self.sign or "the sign"


@dataclass(frozen=True, slots=True)
class MergedCounts:
    """Counts of a period, merged exactly; `counts` has one entry a direction that was seen, and "both"."""

    from_utc: datetime
    to_utc: datetime
    counts: Mapping[str, Mapping[int, int]]  # direction or "both" -> {integer km/h: vehicles}
    measured_s: float  # in the period; of a radar that was looking
    intervals: int
    installation_ids: frozenset[int] = field(default_factory=frozenset)  # more than one: ask before mixing

    @property
    def coverage(self) -> float:
        """Measured seconds over the seconds of the period, 0 to 1."""
        period_s = (self.to_utc - self.from_utc).total_seconds()
        return min(self.measured_s / period_s, 1.0) if period_s > 0 else 0.0


@contextlib.contextmanager
def reading(source: Source) -> Iterator[sqlite3.Connection]:
    """A connection for one question: the caller's own, or one that is closed again."""
    if isinstance(source, sqlite3.Connection):
        yield source
        return
    path = Path(source)
    db = open_for_reading(path)
    try:
        yield db
    except sqlite3.Error as error:
        raise store_error(path, error) from error
    except ValueError as error:
        raise StoreError(f"{path} holds a value that this version does not know: {error}") from error
    finally:
        db.close()


def read_intervals(
    source: Source, from_utc: datetime, to_utc: datetime, *, installation_id: int | None = None
) -> list[Interval]:
    """Intervals that start in [from, to), open ones included, by start."""
    where = "start_s >= ? AND start_s < ?"
    period: tuple[object, ...] = (-(-to_ms(from_utc) // 1000), -(-to_ms(to_utc) // 1000))
    if installation_id is not None:
        where += " AND installation_id = ?"
        period += (installation_id,)
    with reading(source) as db:
        return list(intervals_of(db, where, period))


def read_counts(
    source: Source,
    from_utc: datetime,
    to_utc: datetime,
    *,
    installation_id: int | None = None,
    display: DisplayState | None = None,
) -> MergedCounts:
    """Merge the intervals that start in [from, to): all, or those of one installation or display state."""
    intervals = read_intervals(source, from_utc, to_utc, installation_id=installation_id)
    return merge_intervals(intervals, from_utc, to_utc, display=display)


def merge_intervals(
    intervals: list[Interval], from_utc: datetime, to_utc: datetime, *, display: DisplayState | None = None
) -> MergedCounts:
    """Add up intervals; "both" holds every direction, unknown ones included."""
    counts: dict[str, dict[int, int]] = {BOTH: {}}
    for interval in intervals:
        for cell in interval.cells:
            if display is not None and cell.display is not display:
                continue
            for into in (counts.setdefault(cell.direction.value, {}), counts[BOTH]):
                for speed, n in cell.counts.items():
                    into[speed] = into.get(speed, 0) + n
    return MergedCounts(
        from_utc=from_utc,
        to_utc=to_utc,
        counts={name: dict(sorted(found.items())) for name, found in counts.items()},
        measured_s=sum(interval.measured_s for interval in intervals),
        intervals=len(intervals),
        installation_ids=frozenset(interval.installation_id for interval in intervals),
    )


def read_installations(source: Source, sign: str | None = None) -> list[Standing]:
    """Every installation, of all signs or of one, by when it began.

    One that was measured ends where the next one of its sign begins. In a hub's file, one whose sign has not
    told yet where it stands is left out.
    """
    with reading(source) as db:
        rows = db.execute(
            "SELECT id, from_ms, to_ms, sign, origin, source_id, facts_seq,"  # noqa: S608  ours
            f" {INSTALLATION_COLUMNS} FROM installation"
            " WHERE source_id IS NULL OR facts_seq IS NOT NULL ORDER BY from_ms, id"
        ).fetchall()
    found = [_standing(tuple(row)) for row in rows if sign is None or row["sign"] == sign]
    return [_between(found[:place], one, found[place + 1 :]) for place, one in enumerate(found)]


def _standing(row: tuple[Any, ...]) -> Standing:
    number, began_ms, ended_ms, sign, origin, source_id, facts_seq, *facts = row
    ended = None if ended_ms is None else from_ms(ended_ms)
    return Standing(
        id=number,
        from_utc=from_ms(began_ms),
        facts=installation_of(tuple(facts)),
        to_utc=ended,
        sign=sign,
        imported=origin != "measured",
        assumed=origin in ("imported", "recorded"),
        display_known=origin != "imported",
        heard=source_id is not None,
        guessed=source_id is not None and not facts_seq,
    )


def _between(earlier: list[Standing], standing: Standing, later: list[Standing]) -> Standing:
    """With what the installations of the same sign before and after it say; an import stands for itself."""
    if standing.imported:
        return standing
    follows = any(one.sign == standing.sign and not one.imported for one in earlier)
    standing = replace(standing, stood_otherwise=follows)
    following = (one for one in later if one.sign == standing.sign and not one.imported and not one.guessed)
    first = next(following, None)
    if standing.to_utc is not None or first is None:
        return standing
    return replace(standing, to_utc=first.from_utc)


LONGEST_INTERVAL_S = 3600


def whole_intervals(
    source: Source, installation_id: int, from_utc: datetime, to_utc: datetime
) -> tuple[datetime, datetime]:
    """The period, made longer so that it cuts no interval of the installation: counts cannot be cut."""
    with reading(source) as db:
        starts, ends = [from_utc], [to_utc]
        for moment in (from_utc, to_utc):
            second = -(-to_ms(moment) // 1000)
            for start_s, end_s in db.execute(
                "SELECT start_s, start_s + duration_s FROM interval WHERE installation_id = ?"
                " AND start_s > ? AND start_s < ? AND start_s + duration_s > ?",
                (installation_id, second - LONGEST_INTERVAL_S, second, second),
            ):
                starts.append(from_s(start_s))
                ends.append(from_s(end_s))
    return min(starts[0], *starts), max(ends[0], *ends)


def vehicles_since(source: Source, after_id: int, limit: int = 1000) -> list[tuple[int, VehicleRecord]]:
    """Vehicles kept after the one with that id (0: from the first), oldest first, with their ids."""
    with reading(source) as db:
        rows = db.execute(
            f"SELECT id, {VEHICLE_FACTS} FROM vehicle WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608  ours
            (after_id, limit),
        )
        return [(row["id"], vehicle_of(row)) for row in rows]


def read_vehicles(source: Source, from_utc: datetime, to_utc: datetime) -> list[tuple[int, VehicleRecord]]:
    """Vehicles last seen in [from, to), by time, with their ids."""
    with reading(source) as db:
        rows = db.execute(
            f"SELECT id, {VEHICLE_FACTS} FROM vehicle"  # noqa: S608  ours
            " WHERE last_ms >= ? AND last_ms < ? ORDER BY last_ms, id",
            (to_ms(from_utc), to_ms(to_utc)),
        )
        return [(row["id"], vehicle_of(row)) for row in rows]
