"""Which kept vehicles tell how they slowed down while passing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from telemetry.compare.passing import read_passages
from telemetry.store import SqliteStore
from tests.telemetry.samples import BAUSKA, T0, passed


def test_a_vehicle_imported_with_one_speed_says_nothing(tmp_path: Path) -> None:
    """Its entry and exit are that speed in the table: a change of 0.0 that nobody measured."""
    store = SqliteStore(tmp_path / "sign.db", "bauska-1")
    number = store.begin(BAUSKA, T0)
    measured, one_speed, steady, foreign = (
        (31, 52.0, 49.0),
        (0, 50.0, 50.0),
        (12, 50.0, 50.0),
        (0, 53.0, 50.0),
    )
    for readings, entry_kmh, exit_kmh in (measured, one_speed, steady, foreign):
        record = passed(50.0)
        seen = replace(record.vehicle, flags=(), readings=readings, entry_kmh=entry_kmh, exit_kmh=exit_kmh)
        store.add_vehicle(replace(record, vehicle=seen), [])
    store.close()
    day = timedelta(days=1)
    found = read_passages(tmp_path / "sign.db", [number], T0 - day, T0 + day, "approaching")
    assert sorted(one.drop_kmh for one in found) == [0.0, 3.0, 3.0]
