"""Traffic of two signs: in their own databases, and by their messages in a hub's."""

from __future__ import annotations

import random
from dataclasses import replace
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
from telemetry.hub.port import Heard
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from telemetry.store import SqliteStore

BEGIN = datetime(2026, 5, 4, 4, 0, 0, 730_000, tzinfo=UTC)  # 07:00 at the sign, and a little
QUARTER = timedelta(minutes=15)
BAUSKA = Installation(
    "Bauska, Rīgas iela", 50, 12.5, "ops243", "Europe/Riga", "uz centru", "uz Rīgu", True, "10 < speed"
)
IECAVA = Installation("Iecava, skola", 30, 0.0, "ldr", "Europe/Riga", rounds=False, display_profile="dark")
SIGNS = {"bauska-1": BAUSKA, "iecava-2": IECAVA}


def make_sign(path: Path, sign: str, quarters: int = 24, seed: int = 1) -> Path:
    """A working day of it; at noon its limit was changed, and an hour without a clock lies in it."""
    chance = random.Random(f"{sign} {seed}")
    store = SqliteStore(path, sign, vehicles=True)
    try:
        store.begin(SIGNS[sign], BEGIN)
        for quarter in range(quarters):
            start = BEGIN.replace(microsecond=0) + quarter * QUARTER
            if quarter == quarters // 2:
                store.begin(replace(SIGNS[sign], limit_kmh=SIGNS[sign].limit_kmh - 10), start)
            clock = ClockQuality.UNKNOWN if 4 <= quarter < 8 else ClockQuality.OK
            passed = sorted(
                start + timedelta(seconds=chance.uniform(5, 890)) for _ in range(chance.randint(0, 25))
            )
            for at in passed:
                store.add_vehicle(_vehicle(at, chance, clock), [])
            store.add_coverage([Coverage(start, chance.choice((900.0, 900.0, 612.25)), clock)])
            store.close_intervals(start + QUARTER, start)
    finally:
        store.close()
    return path


def _vehicle(at: datetime, chance: random.Random, clock: ClockQuality) -> VehicleRecord:
    speed = min(max(chance.gauss(47, 9), 10), 140)
    t_s = (at - BEGIN).total_seconds()
    vehicle = Vehicle(
        track_id=chance.randint(1, 999),
        direction=chance.choice(list(Direction)),
        t_first_mono_s=t_s,
        t_last_mono_s=t_s + 4,
        speed_kmh=speed,
        entry_kmh=speed + 2.2,
        exit_kmh=speed - 1.4,
        max_kmh=speed + 3.3,
        readings=chance.randint(3, 90),
        strength=chance.uniform(10, 3000),
        flags=("few",) if chance.random() < 0.1 else (),
    )
    state = chance.choice(list(DisplayState))
    return VehicleRecord(vehicle, at - timedelta(seconds=4), at, clock, state, "1")


def said_by(path: Path, sign: str) -> list[Heard]:
    """All that waits in the outbox of a sign, as a hub hears it."""
    store = SqliteStore(path, sign, vehicles=True)
    try:
        store.close_intervals(BEGIN + timedelta(days=2), None)  # so that vehicles have waited long enough
        rows = store.pending(100_000)
        epoch = store.epoch
    finally:
        store.close()
    return [
        Heard(sign, row.kind, messages.named(row.body, row.kind, sign, epoch, row.seq), 1_777_900_000_000)
        for row in rows
    ]


def make_hub(path: Path, *batches: list[Heard]) -> Path:
    store = SqliteHubStore(path)
    try:
        for batch in batches:
            taken = store.take(batch)
            assert taken.refused == ()
    finally:
        store.close()
    return path
