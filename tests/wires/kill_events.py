"""What the sign of the kill matrix counts: made from a number, so that every event can be known again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from speedsign.model import (
    ClockQuality,
    Coverage,
    Direction,
    DisplayState,
    Installation,
    Vehicle,
    VehicleRecord,
)

SIGN = "kill-1"
T0 = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
INTERVAL_S = 60  # the shortest there is; an event's time is its number, not the time of day
VEHICLES = 2  # in each interval

PLACE = Installation(
    site="Bauska, Rīgas iela",
    limit_kmh=50,
    mounting_angle_deg=0.0,
    radar="ops243",
    timezone="Europe/Riga",
    approaching_name="uz centru",
    receding_name="uz Rīgu",
)


def start_of(number: int) -> datetime:
    return T0 + timedelta(seconds=INTERVAL_S * number)


def vehicles_of(number: int) -> Iterator[tuple[VehicleRecord, Coverage]]:
    """The vehicles of an interval, each at a moment of its own, and the seconds that were measured."""
    for place in range(VEHICLES):
        at = start_of(number) + timedelta(seconds=5 + 20 * place)
        speed_kmh = 30.0 + (number * 7 + place * 13) % 60 + (number % 10) / 10
        vehicle = Vehicle(
            track_id=number,
            direction=(Direction.APPROACHING, Direction.RECEDING)[place % 2],
            t_first_mono_s=1000.0,
            t_last_mono_s=1003.0,
            speed_kmh=speed_kmh,
            entry_kmh=speed_kmh,
            exit_kmh=speed_kmh,
            max_kmh=speed_kmh,
            readings=30,
            strength=None,
            length_m=None,
            flags=(),
        )
        record = VehicleRecord(
            vehicle, at - timedelta(seconds=3), at, ClockQuality.OK, DisplayState.SHOWN, "tracker 1", "within"
        )
        yield record, Coverage(at, 20.0)


class SideFile:
    """What was committed, told after the commit and outside of the database, synced to the disk."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, kind: str, name: int) -> None:
        os.write(self._file, json.dumps([kind, name]).encode() + b"\n")
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def read_side_file(path: Path) -> dict[str, set[int]]:
    """Kind -> names; a last line that a kill cut short is none."""
    found: dict[str, set[int]] = {"vehicle": set(), "interval": set()}
    for line in path.read_text().splitlines(keepends=True) if path.exists() else ():
        if line.endswith("\n"):
            kind, name = json.loads(line)
            found[kind].add(name)
    return found
