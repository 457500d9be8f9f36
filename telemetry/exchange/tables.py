"""What is exported, as columns and rows that come one after another: vehicles, intervals, hours.

Nothing here holds more than a row or an hour, so that ten years are no more memory than a day.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from speedsign.model import Interval
from telemetry.exchange.said import ORIGIN, ROUNDS, origin_of
from telemetry.exchange.slots import Slot
from telemetry.exchange.spans import Wanted
from telemetry.percentiles import classes, mean_sd, percentile
from telemetry.query import BOTH, Standing
from telemetry.rows import SHORT_BOOT, from_ms, intervals_of, speed_class, to_ms
from telemetry.statistics import over, sample_of

Value = str | int | float | bool | datetime | None


class Type(Enum):
    """How a column is written: in Parquet with its type, elsewhere as text or number."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    TRUTH = "truth"
    TIME = "time"  # aware and local: the offset tells the repeated hour apart


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns with their types, and rows in their order."""

    columns: Sequence[tuple[str, Type]]
    rows: Iterable[Sequence[Value]]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.columns]


# --------------------------------------------------------------------------- vehicles

VEHICLES = (
    ("time", Type.TIME),
    ("direction", Type.TEXT),
    ("speed_kmh", Type.NUMBER),
    ("length_m", Type.NUMBER),
    ("entry_kmh", Type.NUMBER),
    ("exit_kmh", Type.NUMBER),
    ("max_kmh", Type.NUMBER),
    ("seen_s", Type.NUMBER),
    ("readings", Type.WHOLE),
    ("strength", Type.NUMBER),
    ("display", Type.TEXT),
    ("face", Type.TEXT),
    ("flags", Type.TEXT),
    ("clock", Type.TEXT),
    ("tracker", Type.TEXT),
    ("radial_kmh", Type.NUMBER),
    ("along_kmh", Type.NUMBER),
    ("boot", Type.TEXT),
    (ROUNDS, Type.TRUTH),
    (ORIGIN, Type.TEXT),
    ("installation", Type.WHOLE),
    ("site", Type.TEXT),
)
_BOOT = f"coalesce((SELECT substr(boot_id, 1, {SHORT_BOOT}) FROM boot WHERE number = vehicle.boot), '')"  # noqa: S608
_VEHICLE = (
    "last_ms, direction, speed_kmh, length_m, entry_kmh, exit_kmh, max_kmh, last_ms - first_ms, readings,"
    " strength, display, face, flags, clock, tracker, radial_kmh, along_kmh,"
    f" CASE WHEN clock = 'ok' THEN '' ELSE {_BOOT} END"
)


def vehicles(db: sqlite3.Connection, standing: Standing, wanted: Wanted) -> Sheet:
    """Those that are kept, by the time of their last sight, which decides in which interval they count."""
    return Sheet(VEHICLES, _vehicles(db, standing, wanted))


def _vehicles(db: sqlite3.Connection, standing: Standing, wanted: Wanted) -> Iterator[list[Value]]:
    zone, rounds, behind = ZoneInfo(standing.facts.timezone), standing.facts.rounds, _behind(standing)
    cursor = db.cursor()
    cursor.row_factory = None
    for start, end, clocks in wanted.stretches():
        cursor.execute(
            f"SELECT {_VEHICLE} FROM vehicle WHERE last_ms >= ? AND last_ms < ? AND installation_id = ?"  # noqa: S608
            f" AND {clocks} ORDER BY last_ms, id",
            (to_ms(start), to_ms(end), standing.id),
        )
        for row in cursor:
            yield [*_vehicle(row, zone, rounds=rounds), *behind]


def _vehicle(row: tuple[Any, ...], zone: ZoneInfo, *, rounds: bool) -> list[Value]:
    last_ms, direction, speed, length, entry, leaving, fastest, seen_ms, readings, *rest = row
    strength, display, face, flags, clock, tracker, radial, along, boot = rest
    passage: list[Value]
    if readings:
        passage = [round(entry, 2), round(leaving, 2), round(fastest, 2), seen_ms / 1000, readings]
    else:  # of an import: what was not known repeats the speed, and stays empty
        speeds = [None if one == speed else round(one, 2) for one in (entry, leaving, fastest)]
        passage = [*speeds, seen_ms / 1000 if seen_ms else None, None]
    return [
        from_ms(last_ms).astimezone(zone),
        direction,
        _kept_class(speed, rounds=rounds),
        length,
        *passage,
        _rounded(strength, 2),
        display,
        face,
        "" if flags == "[]" else " ".join(json.loads(flags)),
        clock,
        tracker,
        _rounded(radial, 2),
        _rounded(along, 2),
        boot,
    ]


def _behind(standing: Standing) -> list[Value]:
    """What every row of an installation ends with."""
    return [standing.facts.rounds, origin_of(standing), standing.id, standing.facts.site]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _kept_class(speed_kmh: float, *, rounds: bool) -> float:
    """Two decimals, or all of them where rounding would count the vehicle under another km/h."""
    short = round(speed_kmh, 2)
    same = speed_class(short, rounds=rounds) == speed_class(speed_kmh, rounds=rounds)
    return short if same else speed_kmh


# --------------------------------------------------------------------------- intervals

INTERVALS = (
    ("start", Type.TIME),
    ("end", Type.TIME),
    ("duration_s", Type.WHOLE),
    ("measured_s", Type.NUMBER),
    ("coverage", Type.NUMBER),
    ("clock", Type.TEXT),
    ("scaled", Type.WHOLE),
    ("direction", Type.TEXT),
    ("display", Type.TEXT),
    ("speed_kmh", Type.WHOLE),
    ("n", Type.WHOLE),
    ("suspects", Type.WHOLE),
    ("boot", Type.TEXT),
    ("stepped", Type.WHOLE),
    (ROUNDS, Type.TRUTH),
    (ORIGIN, Type.TEXT),
    ("installation", Type.WHOLE),
    ("site", Type.TEXT),
)


def read_intervals(db: sqlite3.Connection, standing: Standing, wanted: Wanted) -> Iterator[Interval]:
    """The intervals that start in the time that is wanted, one after another."""
    for start, end, clocks in wanted.stretches():
        where = f"installation_id = ? AND start_s >= ? AND start_s < ? AND {clocks}"
        bounds = (standing.id, -(-to_ms(start) // 1000), -(-to_ms(end) // 1000))
        yield from intervals_of(db, where, bounds)


def intervals(found: Iterable[Interval], standing: Standing) -> Sheet:
    """A row a direction, display state and speed; an interval without a vehicle has one row with n = 0."""
    return Sheet(INTERVALS, _intervals(found, standing))


def _intervals(found: Iterable[Interval], standing: Standing) -> Iterator[list[Value]]:
    zone, of_all = ZoneInfo(standing.facts.timezone), _behind(standing)
    for interval in found:
        behind = [interval.boot, int(interval.stepped), *of_all]
        head: list[Value] = [
            interval.start_utc.astimezone(zone),
            (interval.start_utc + timedelta(seconds=interval.duration_s)).astimezone(zone),
            interval.duration_s,
            round(interval.measured_s, 3),
            round(interval.measured_s / interval.duration_s, 4),
            interval.clock.value,
            int(interval.scaled),
        ]
        empty = True
        for cell in interval.cells:
            for speed, n in cell.counts.items():
                empty = False
                suspects = cell.suspects.get(speed, 0)
                yield [*head, cell.direction.value, cell.display.value, speed, n, suspects, *behind]
        if empty:
            yield [*head, None, None, None, 0, 0, *behind]


# --------------------------------------------------------------------------- hours

HOURS = (
    ("start", Type.TIME),
    ("end", Type.TIME),
    ("direction", Type.TEXT),
    ("n", Type.WHOLE),
    ("mean_kmh", Type.NUMBER),
    ("v85_kmh", Type.NUMBER),
    ("over_limit_share", Type.NUMBER),
    ("method", Type.TEXT),
    ("limit_kmh", Type.WHOLE),
    ("sample", Type.TEXT),
    ("measured_s", Type.NUMBER),
    ("coverage", Type.NUMBER),
    ("enough", Type.TRUTH),
    ("installation", Type.WHOLE),
    ("site", Type.TEXT),
)


@dataclass(frozen=True, slots=True)
class SlotNumbers:
    """What is said of one direction in one slot; None where there was no vehicle."""

    n: int
    mean_kmh: float | None
    v85_kmh: float | None
    over_limit_share: float | None
    sample: str


def numbers_of(slot: Slot, direction: str, standing: Standing) -> SlotNumbers:
    counts, limit_kmh = slot.counts(direction), standing.facts.limit_kmh
    groups = classes(counts, rounds=standing.facts.rounds)
    n = sum(counts.values())
    return SlotNumbers(
        n=n,
        mean_kmh=mean_sd(groups)[0],
        v85_kmh=percentile(groups, 85),
        over_limit_share=over(counts, limit_kmh) / n if n else None,
        sample=sample_of(n).value,
    )


def method_of(standing: Standing) -> str:
    """How percentiles and means are made, short: the rule, and the edges of the classes."""
    return f"grouped, {'[k-0.5, k+0.5)' if standing.facts.rounds else '[k, k+1)'}"


def hours(slots: Iterable[Slot], standing: Standing) -> Sheet:
    """A row a slot and direction, and one for both; without measuring no n, for 0 would be a quiet hour."""
    return Sheet(HOURS, _hours(slots, standing))


def _hours(slots: Iterable[Slot], standing: Standing) -> Iterator[list[Value]]:
    zone = ZoneInfo(standing.facts.timezone)
    for slot in slots:
        for direction in (*slot.directions(), BOTH):
            found = numbers_of(slot, direction, standing)
            known = bool(slot.measured_s) or bool(found.n)
            yield [
                slot.start_utc.astimezone(zone),
                slot.end_utc.astimezone(zone),
                direction,
                found.n if known else None,
                _rounded(found.mean_kmh, 3),
                _rounded(found.v85_kmh, 3),
                _rounded(found.over_limit_share, 5),
                method_of(standing),
                standing.facts.limit_kmh,
                found.sample,
                round(slot.measured_s, 3),
                round(slot.coverage, 4),
                slot.enough,
                standing.id,
                standing.facts.site,
            ]
