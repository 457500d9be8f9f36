"""Undated intervals and vehicles at the hub: apart by boot, withdrawn for good, replaced, never doubled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from speedsign.model import ClockQuality, Interval, VehicleRecord
from telemetry.hub.port import Heard
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from tests.hub.kept import ask
from tests.hub.said import EPOCH, OTHER, agg, birth, interval, named, place
from tests.hub.test_same_place import EVER, read
from tests.telemetry.samples import T0, passed

BOOT, NEXT = "00112233445566aa", "ffeeddccbbaa9988"
SUMS = (
    "SELECT boot, clock, total(length(speeds)) FROM interval LEFT JOIN cell ON interval_id = id GROUP BY 1, 2"
)


def undated(n: int = 3, boot: str = BOOT, revision: int = 1) -> Interval:
    return replace(interval(n=n, revision=revision, clock=ClockQuality.UNKNOWN), boot=boot)


def withdrawn(boot: str = BOOT, revision: int = 2) -> Interval:
    return replace(undated(0, boot, revision), measured_s=0.0)


def sums(path: Path) -> set[tuple[str, str, float]]:
    return {(boot, clock, n) for boot, clock, n in ask(path, SUMS) if n}


def test_what_begins_alike_in_two_boots_and_in_dated_time_is_three(path: Path, store: SqliteHubStore) -> None:
    store.take([place(1), agg(2, undated()), agg(3, undated(5, NEXT)), agg(4, interval(n=7))])
    assert sums(path) == {(BOOT, "unknown", 4), (NEXT, "unknown", 6), ("", "ok", 8)}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_withdrawal_wins_in_any_order(path: Path, store: SqliteHubStore, order: tuple[int, ...]) -> None:
    """With it the counts go into their real time, which is another interval."""
    dated = interval(T0 + timedelta(hours=3), clock=ClockQuality.CORRECTED)
    told = [agg(2, undated()), agg(3, withdrawn()), agg(4, dated)]
    for n in order:
        store.take([told[n]])
        store.take([told[n]])
    store.take([place(1)])
    assert sums(path) == {("", "corrected", 4)}


@pytest.mark.parametrize("first", [EPOCH, OTHER])
@pytest.mark.parametrize("late", [False, True])
def test_a_copy_of_the_card_does_not_bring_it_back(
    path: Path, store: SqliteHubStore, first: str, late: bool
) -> None:
    """The copy was made while the boot was undated, and knows nothing of its time."""
    second = OTHER if first == EPOCH else EPOCH
    copy = [birth(2, epoch=second), place(1, epoch=second), agg(2, undated(), epoch=second)]
    own = [birth(epoch=first), place(1, epoch=first), agg(2, undated(), epoch=first)]
    own.append(agg(3, withdrawn(), epoch=first))
    for batch in (own, copy) if late else (copy, own):
        store.take(batch)
    assert sums(path) == set()
    assert [one.revision for one in read(path)] == [2]


def test_a_boot_that_is_moved_and_comes_back_counts_again(path: Path, store: SqliteHubStore) -> None:
    """Never synchronised: put between other known times, twice."""
    again = undated(revision=3)
    store.take([place(1), agg(4, again), agg(3, withdrawn()), agg(2, undated())])
    assert sums(path) == {(BOOT, "unknown", 4)}


def test_an_older_sign_names_no_boot(path: Path, store: SqliteHubStore) -> None:
    """Its undated interval and its dated one are one, as it counted them."""
    store.take([place(1), agg(2, undated(boot="")), agg(3, interval(n=7, revision=2))])
    assert sums(path) == {("", "ok", 8)}


# --------------------------------------------------------------------------- single vehicles


def record(
    up_s: float = 900.25, *, late_s: float = 0.0, known: bool = False, boot: str = BOOT
) -> VehicleRecord:
    """Three seconds of a vehicle; its wall time is late by so much."""
    clock = ClockQuality.CORRECTED if known else ClockQuality.UNKNOWN
    one = passed(50.0, T0 + timedelta(seconds=up_s + late_s), clock=clock)
    seen = replace(one.vehicle, t_first_mono_s=up_s - 3.25, t_last_mono_s=up_s)
    return replace(one, vehicle=seen, boot=boot)


def raw(seq: int, *records: VehicleRecord, epoch: str = EPOCH) -> Heard:
    body: Mapping[str, object] = messages.vehicles(1, records)
    return named(messages.VEHICLES, seq, body, epoch=epoch)


VEHICLES = "SELECT clock, last_ms FROM vehicle ORDER BY 2"
T0_MS = int(T0.timestamp() * 1000)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_vehicle_that_gets_its_time_takes_its_own_place(
    path: Path, store: SqliteHubStore, order: tuple[int, ...]
) -> None:
    """Also where it is told twice, and whatever else passed in the same report of the radar."""
    other = record(901.0)
    first = replace(other.vehicle, t_first_mono_s=897.0)
    other = replace(other, vehicle=first, first_utc=other.last_utc - timedelta(seconds=4))
    told = [
        raw(2, record(), other),
        raw(3, record(late_s=70, known=True)),
        raw(4, record(late_s=70, known=True)),
    ]
    for n in order:
        store.take([told[n], told[n]])
    assert ask(path, VEHICLES) == [("unknown", T0_MS + 901_000), ("corrected", T0_MS + 970_250)]


def test_two_boots_that_are_alike_are_two(path: Path, store: SqliteHubStore) -> None:
    store.take([raw(2, record()), raw(3, record(boot=NEXT)), raw(4, record(late_s=9, known=True))])
    assert sorted(clock for clock, _ in ask(path, VEHICLES)) == ["corrected", "unknown"]


@pytest.mark.parametrize("known_first", [False, True])
def test_two_files_of_one_sign_that_become_one_keep_it_once(
    path: Path, store: SqliteHubStore, known_first: bool
) -> None:
    """It was not known yet that both tell of the same place."""
    copy = [raw(2, record(), epoch=OTHER), agg(3, epoch=OTHER)]
    own = [raw(2, record(late_s=70, known=True)), agg(3)]
    for batch in (own, copy) if known_first else (copy, own):
        store.take(batch)
    store.take([place(1), place(1, epoch=OTHER)])
    assert ask(path, VEHICLES) == [("corrected", T0_MS + 970_250)]
    assert len(read(path)) == 1
    assert EVER[0] < T0 < EVER[1]


@pytest.mark.parametrize("late_s", [-26 * 365 * 86_400, 20 * 365 * 86_400])
def test_one_without_a_time_is_kept_as_long_as_others(
    path: Path, store: SqliteHubStore, late_s: float
) -> None:
    """By the last time that was known before it, whatever its clock said."""
    store.take([place(1), agg(2, replace(undated(), after_utc=T0)), raw(3, record(late_s=late_s))])
    assert store.prune(T0 - timedelta(days=1)) == 0
    assert store.prune(T0 + timedelta(days=1)) == 1
    assert ask(path, VEHICLES) == []
