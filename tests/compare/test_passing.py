"""Which kept vehicles tell how they slowed down while passing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from speedsign.model import ClockQuality, Direction, DisplayState
from telemetry.compare.hours import DARK, LIT
from telemetry.compare.passing import DaySum, Passage, add_up, read_passages
from telemetry.store import SqliteStore
from tests.compare.roads import MONDAY, used
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
    assert sorted((one.n, one.drop_kmh is None, one.drop_kmh) for one in found) == [
        (1, True, None),
        (3, False, 6.0),
    ]


def test_vehicles_are_added_up_by_quarter_and_display(tmp_path: Path) -> None:
    """Of one direction, without those that a flag is against or whose clock nobody vouches for."""
    quarter = timedelta(minutes=15)
    some = passed(50.0, T0)  # entry 52, exit 49
    seen = some.vehicle
    records = [
        some,
        passed(50.0, T0 + quarter - timedelta(milliseconds=1)),
        passed(50.0, T0 + quarter),
        passed(50.0, T0, display=DisplayState.DARK),
        passed(50.0, T0, direction=Direction.RECEDING),
        passed(50.0, T0, clock=ClockQuality.UNKNOWN),
        *(replace(some, vehicle=replace(seen, flags=(flag,))) for flag in ("few", "image?", "long?")),
        replace(some, vehicle=replace(seen, flags=("rejoined",))),
    ]
    store = SqliteStore(tmp_path / "sign.db", "bauska-1")
    number = store.begin(BAUSKA, T0)
    for record in records:
        store.add_vehicle(record, [])
    store.close()
    day = timedelta(days=1)
    found = read_passages(tmp_path / "sign.db", [number], T0 - day, T0 + day, "approaching")
    assert set(found) == {
        Passage(T0, "shown", 9.0, 3),
        Passage(T0, "dark", 3.0, 1),
        Passage(T0 + quarter, "shown", 3.0, 1),
    }


def test_a_year_of_vehicles_is_added_up_and_not_kept() -> None:
    """One after the other: of each day, how many and their sum."""
    side = [used(MONDAY, 8, [50])]
    alive: set[int] = set()

    class Counted(float):
        def __init__(self, _value: float) -> None:
            alive.add(id(self))
            assert len(alive) < 5

        def __del__(self) -> None:
            alive.discard(id(self))

    many = (Passage(side[0].start_utc, "dark", Counted(drop % 3)) for drop in range(3000))
    found = add_up(many, (side, []), (DARK, LIT))
    assert found.days == ({MONDAY: DaySum(3000, 3000.0)}, {})


@pytest.mark.parametrize(
    ("drops", "not_known"),
    [((None, None), True), ((1.0, None), True), ((1.0, 1.0), False), ((None,), False), ((), False)],
)
def test_kept_vehicles_of_one_speed_are_told_apart_from_none(
    drops: Sequence[float | None], not_known: bool
) -> None:
    sides = [used(MONDAY, 8, [50])], [used(MONDAY + timedelta(days=7), 8, [50])]
    kept = [Passage(side[0].start_utc, "dark", drop) for side, drop in zip(sides, drops, strict=False)]
    assert add_up(kept, sides, (None, None)).not_known is not_known
