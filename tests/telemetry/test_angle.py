"""A mounting angle corrected afterwards: what the tracker would have found, exactly where it is known."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.errors import StoreError, UsageError
from speedsign.model import ClockQuality, Direction, VehicleRecord
from speedsign.tracking.speeds import speeds_of
from telemetry.angle import ENOUGH, Kept, correct_angle, corrected_kmh, scaled_counts
from telemetry.query import read_counts, read_installations, read_intervals, read_vehicles
from telemetry.store import SqliteStore
from tests.telemetry.samples import BAUSKA, QUARTER, T0, measured, passed

FLAT = replace(BAUSKA, mounting_angle_deg=0.0)
COS_20 = math.cos(math.radians(20))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


def seen(speed: float, minutes: float, **facts: Any) -> VehicleRecord:
    record = passed(speed, T0 + timedelta(minutes=minutes))
    return replace(record, vehicle=replace(record.vehicle, **{"radial_kmh": speed, **facts}))


def fill(path: Path, records: list[VehicleRecord], pruned_before_minutes: float = 0) -> None:
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(FLAT, T0)
        for record in records:
            store.add_vehicle(record, [measured(record.last_utc, 10)])
        store.close_intervals(T0 + 40 * QUARTER, None)
        store.prune(T0 + timedelta(minutes=pruned_before_minutes))


def counts(path: Path) -> dict[int, int]:
    return dict(read_counts(path, T0, T0 + 40 * QUARTER).counts["both"])


# --------------------------------------------------------------------------- the arithmetic


@pytest.mark.parametrize("beside_m", [0.0, 4.0, 8.0])
@pytest.mark.parametrize(("old", "new"), [(0, 12), (0, 30), (20, 5), (15, 0)])
def test_is_what_the_tracker_would_have_found(beside_m: float, old: float, new: float) -> None:
    """A car at 60 km/h that passes so far beside the pole, under both mounting angles."""
    times = [i / 20 for i in range(60)]
    ahead = [60 - 60 / 3.6 * t for t in times]
    radial = [60 * x / math.hypot(x, beside_m) for x in ahead]

    def found(angle: float) -> float:
        return speeds_of(times, radial, Direction.APPROACHING, angle).speed_kmh

    first = speeds_of(times, radial, Direction.APPROACHING, old)
    kept = Kept(1, 0, "approaching", "shown", False, first.speed_kmh, first.radial_kmh, first.along_kmh)
    assert corrected_kmh(kept, old, new) == pytest.approx(found(new), rel=0.012)
    assert corrected_kmh(kept, old, old) == pytest.approx(first.speed_kmh, rel=0.012)
    if first.along_kmh is None:
        assert corrected_kmh(kept, old, new) == pytest.approx(found(new), rel=1e-9)


def test_a_vehicle_of_an_older_version_is_scaled_by_the_cosines() -> None:
    kept = Kept(1, 0, "approaching", "shown", False, 50.0, None, None)
    assert corrected_kmh(kept, 0, 20) == pytest.approx(50 / COS_20)


histograms = st.dictionaries(st.integers(0, 200), st.integers(1, 400), max_size=30)


@given(histograms, st.floats(0.5, 2.0), st.booleans())
def test_scaling_loses_nobody_and_moves_the_mean_by_the_factor(
    before: dict[int, int], factor: float, rounds: bool
) -> None:
    after = scaled_counts(before, factor, rounds=rounds)
    assert sum(after.values()) == sum(before.values())
    assert list(after) == sorted(after)
    if not before:
        return
    half = 0.0 if rounds else 0.5
    n = sum(before.values())
    mean = sum((k + half) * c for k, c in before.items()) / n
    new = sum((k + half) * c for k, c in after.items()) / n
    assert new == pytest.approx(mean * factor, abs=0.51 * max(factor, 1.0))


@given(histograms, st.booleans())
def test_a_factor_of_one_changes_nothing(before: dict[int, int], rounds: bool) -> None:
    assert scaled_counts(before, 1.0, rounds=rounds) == dict(sorted(before.items()))


# --------------------------------------------------------------------------- in the database


def test_what_is_kept_is_computed_again_vehicle_by_vehicle(path: Path) -> None:
    fill(path, [seen(47.0, 1), seen(50.0, 2), seen(60.0, 20, along_kmh=70.0, speed_kmh=70.0)])
    done = correct_angle(path, 1, 20.0, T0)
    assert (done.recomputed, done.scaled) == (3, 0)
    assert counts(path) == {50: 1, 53: 1, 70: 1}  # over cos 20; a passage says more than the angle
    assert read_installations(path)[0].facts.mounting_angle_deg == 20.0
    first = read_vehicles(path, T0, T0 + QUARTER)[0][1].vehicle
    assert first.speed_kmh == pytest.approx(47 / COS_20)
    assert first.entry_kmh == pytest.approx(49 / COS_20)
    assert not any(interval.scaled for interval in read_intervals(path, T0, T0 + 4 * QUARTER))


def test_undated_vehicles_of_several_boots_are_computed_again_in_their_own_intervals(path: Path) -> None:
    """They were said to have passed at the same time as dated ones."""
    undated = [
        replace(seen(50 + number, 1 + number), clock=ClockQuality.UNKNOWN, boot=f"{number:032x}"[::-1])
        for number in (1, 2)
    ]
    fill(path, [seen(50, 1), *undated])
    done = correct_angle(path, 1, 20.0, T0)
    assert (done.recomputed, done.scaled) == (3, 0)
    found = [one for one in read_intervals(path, T0, T0 + QUARTER) if one.cells]
    assert [(one.boot[:1], sum(cell.n for cell in one.cells), one.scaled) for one in found] == [
        ("", 1, False), ("1", 1, False), ("2", 1, False),
    ]  # fmt: skip


def test_and_back_again(path: Path) -> None:
    fill(path, [seen(30.0 + minute / 3, minute) for minute in range(60)])
    before = counts(path)
    correct_angle(path, 1, 25.0, T0)
    assert counts(path) != before
    correct_angle(path, 1, 0.0, T0)
    assert counts(path) == before


def test_where_only_counts_are_left_they_are_scaled_by_the_example_of_the_others(path: Path) -> None:
    """Those left had a passage that says 2 % more than before; the old ones will have been like them."""
    old = [seen(50.0, minute / 4) for minute in range(50)]
    new = [seen(50.0, 20 + minute / 4, radial_kmh=51 * COS_20) for minute in range(ENOUGH)]
    fill(path, [*old, *new], pruned_before_minutes=15)
    done = correct_angle(path, 1, 20.0, T0)
    assert (done.recomputed, done.scaled, done.scaled_kept) == (ENOUGH, 50, 0)
    assert done.factors["approaching"] == pytest.approx(1.02)
    assert done.factors["receding"] == pytest.approx(1 / COS_20)  # nobody is left to tell
    assert counts(path) == {51: 50 + ENOUGH}
    first, second = read_intervals(path, T0, T0 + 2 * QUARTER)
    assert (first.scaled, second.scaled) == (True, False)


def test_an_interval_of_which_some_vehicles_are_gone_is_scaled_whole(path: Path) -> None:
    fill(path, [seen(50.0, 1), seen(50.0, 9)], pruned_before_minutes=5)
    done = correct_angle(path, 1, 20.0, T0)
    assert (done.recomputed, done.scaled) == (0, 2)
    assert counts(path) == {53: 2}


def test_kept_vehicles_of_an_older_version_are_told_from_those_of_which_only_counts_are_left(
    path: Path,
) -> None:
    gone = [seen(50.0, 1), seen(50.0, 2)]
    older = [seen(50.0, 16 + minute, radial_kmh=None) for minute in range(5)]
    mixed = [seen(50.0, 31, radial_kmh=None), seen(50.0, 32)]
    fill(path, [*gone, *older, *mixed, seen(50.0, 46)], pruned_before_minutes=10)
    done = correct_angle(path, 1, 20.0, T0)
    assert (done.recomputed, done.scaled, done.scaled_kept) == (2, 8, 6)
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT recomputed, scaled FROM correction").fetchall() == [(2, 8)]
    # An interval is marked whole, when one of its vehicles was scaled.
    assert [one.scaled for one in read_intervals(path, T0, T0 + 4 * QUARTER)] == [True, True, True, False]


def test_an_interval_without_vehicles_is_not_scaled(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(FLAT, T0)
        store.add_coverage([measured(T0 + QUARTER / 2, 300)])
        store.close_intervals(T0 + 40 * QUARTER, None)
    done = correct_angle(path, 1, 20.0, T0)
    assert (done.recomputed, done.scaled, done.scaled_kept) == (0, 0, 0)
    assert [one.scaled for one in read_intervals(path, T0, T0 + QUARTER)] == [False]


def test_suspects_stay_suspects(path: Path) -> None:
    fill(path, [seen(50.0, 1, flags=("image?",)), seen(50.0, 2)])
    correct_angle(path, 1, 20.0, T0)
    (interval,) = read_intervals(path, T0, T0 + QUARTER)
    assert dict(interval.cells[0].suspects) == {53: 1}
    assert dict(interval.cells[0].counts) == {53: 2}


def test_the_broker_is_told_again(path: Path) -> None:
    fill(path, [seen(50.0, 1)])
    correct_angle(path, 1, 20.0, T0)
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        (again,) = store.close_intervals(T0 + 2 * QUARTER, None)
        assert again.revision == 2
        assert dict(again.cells[0].counts) == {53: 1}
        assert store.begin(replace(FLAT, mounting_angle_deg=20.0), T0 + QUARTER) == 1  # goes on under it


@pytest.mark.parametrize("angle", [-1.0, 61.0, float("nan")])
def test_an_angle_that_is_none_is_refused(path: Path, angle: float) -> None:
    fill(path, [seen(50.0, 1)])
    with pytest.raises(UsageError, match="0 to 60"):
        correct_angle(path, 1, angle, T0)


def test_what_cannot_be_corrected_is_said(path: Path, tmp_path: Path) -> None:
    fill(path, [seen(50.0, 1)])
    with pytest.raises(UsageError, match="no installation 7"):
        correct_angle(path, 7, 10.0, T0)
    with pytest.raises(UsageError, match="already"):
        correct_angle(path, 1, 0.0, T0)
    with pytest.raises(StoreError, match="does not exist"):
        correct_angle(tmp_path / "none.db", 1, 10.0, T0)
    assert not (tmp_path / "none.db").exists()
    assert counts(path) == {50: 1}
