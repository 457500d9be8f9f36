"""What a vehicle costs the card. The whole day, as a block device counts it, is in benchmarks/wear."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from telemetry.outbox import store_outbox
from telemetry.store import SqliteStore
from tests.power.vfs import noted_files
from tests.telemetry.samples import BAUSKA, T0, measured, passed

VEHICLES = 400
A_DAY = 5_000
GATE_MB = 60.0


def mb_a_day(folder: Path) -> float:
    """Handed to the system, scaled to a day: a lower bound, the file system adds its own."""
    with (
        noted_files(syncs=False) as noted,
        contextlib.closing(SqliteStore(folder / "sign.db", "bauska-3", vehicles=True)) as store,
    ):
        store.begin(BAUSKA, T0)
        noted.changes.clear()
        for n in range(VEHICLES):
            at = T0 + timedelta(seconds=17 * n)
            store.add_vehicle(passed(30 + n % 50, at), [measured(at, 5)])
            if n % 52 == 51:
                store.close_intervals(at, T0)
        size = sum(len(change.data) for change in noted.changes)
    return size / VEHICLES * A_DAY / 1e6


def test_a_day_of_vehicles_stays_within_what_a_card_bears(tmp_path: Path) -> None:
    assert mb_a_day(tmp_path) < GATE_MB * 0.8


def test_larger_pages_would_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_outbox, "PAGE_BYTES", 4096)
    assert mb_a_day(tmp_path) > GATE_MB
