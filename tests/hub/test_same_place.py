"""Two files of one sign that tell of one place: nothing twice, nothing cut short, the newer one's word."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from speedsign.model import Interval, VehicleRecord
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from telemetry.outbox.outbox import RetireOn
from telemetry.query import read_installations, read_intervals, read_vehicles
from telemetry.store import SqliteStore
from tests.cli.command import speedsign
from tests.hub.kept import ask
from tests.hub.said import HERE, OTHER, SIGN, agg, birth, named, place, quarter
from tests.hub.traffic import BAUSKA, BEGIN, QUARTER, make_sign, said_by
from tests.telemetry.samples import T0, passed

EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
WEEK = timedelta(days=7)
OLD = replace(HERE, radar="", display_profile="")  # as 0.1.0 tells it


def read(path: Path) -> list[Interval]:
    """Of installations that are read, as the officers' commands do."""
    known = {one.id for one in read_installations(path)}
    return [one for one in read_intervals(path, *EVER) if one.installation_id in known]


# --------------------------------------------------------------------------- births and places


def test_a_birth_alone_cuts_no_other_installation_short(path: Path, store: SqliteHubStore) -> None:
    """The file went on under another epoch before it had sent anything."""
    store.take([birth()])
    store.take([birth(2, epoch=OTHER), place(1, epoch=OTHER, begins=T0 - WEEK), agg(2, epoch=OTHER)])
    (standing,) = read_installations(path)
    assert (standing.from_utc, standing.to_utc) == (T0 - WEEK, None)
    assert [one.installation_id for one in read_intervals(path, *EVER)] == [standing.id]


def test_nobody_reads_a_place_at_which_nothing_was_counted(path: Path, store: SqliteHubStore) -> None:
    store.take([birth()])
    assert read_installations(path) == []
    store.take([agg(2, quarter(4))])
    (standing,) = read_installations(path)
    assert standing.from_utc == T0 + 4 * QUARTER


def test_an_older_version_that_was_brought_forward_stands_once(path: Path, store: SqliteHubStore) -> None:
    """It told no place, and no radar; the newer version tells since when it stands, and two counts again."""
    store.take([birth(facts=OLD), *(agg(2001 + n, quarter(n)) for n in range(4))])
    again = [agg(2 + n, quarter(2 + n), epoch=OTHER) for n in range(4)]
    store.take([birth(2, epoch=OTHER), place(1, epoch=OTHER, begins=T0 - WEEK), *again])
    (standing,) = read_installations(path)
    assert (standing.from_utc, standing.facts) == (T0 - WEEK, HERE)
    assert [one.start_utc for one in read(path)] == [T0 + n * QUARTER for n in range(6)]


@pytest.mark.parametrize("born", [True, False])
def test_counts_whose_place_never_came_are_those_of_the_file_that_goes_on(
    path: Path, store: SqliteHubStore, born: bool
) -> None:
    store.take([*([birth()] if born else []), agg(2)])
    store.take([birth(2, epoch=OTHER), place(1, epoch=OTHER), agg(2, epoch=OTHER)])
    assert len(read(path)) == len(read_intervals(path, *EVER)) == 1
    store.take([place(1)])  # it comes after all
    assert len(read_installations(path)) == 1


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_whatever_comes_first_it_is_one_place(path: Path, store: SqliteHubStore, order: tuple[int]) -> None:
    parts = [
        [birth(facts=OLD)],
        [agg(2), agg(3, quarter(1))],
        [place(1, epoch=OTHER)],
        [agg(2, quarter(1), epoch=OTHER), agg(3, quarter(2), epoch=OTHER)],
    ]
    for turn in order:
        store.take(parts[turn])
    store.take([birth(2, epoch=OTHER), place(4, epoch=OTHER)])  # retained, and asked for
    assert len(read_installations(path)) == 1
    assert [one.start_utc for one in read(path)] == [T0 + n * QUARTER for n in range(3)]


def test_a_newer_file_waits_for_its_own_place(path: Path, store: SqliteHubStore) -> None:
    """Perhaps a new card beside the old one: then it did not stand since when that stood."""
    store.take([place(1, begins=T0 - WEEK), agg(2)])
    taken = store.take([birth(2, epoch=OTHER), agg(2, quarter(0, 9), epoch=OTHER)])
    assert taken.acks[0][1].places_wanted
    assert [one.cells[0].n for one in read(path)] == [3]
    store.take([place(1, epoch=OTHER, begins=T0 + timedelta(minutes=5))])
    old, new = read_installations(path)
    assert (old.to_utc, new.from_utc) == (T0 + timedelta(minutes=5),) * 2
    assert sorted(one.cells[0].n for one in read(path)) == [3, 9]


def test_what_was_counted_before_a_place_began_is_anothers(path: Path, store: SqliteHubStore) -> None:
    """A card that never told its place, and the one that replaced it later."""
    store.take([birth(), agg(2), agg(3, quarter(1))])
    store.take([place(1, epoch=OTHER, begins=T0 + WEEK), agg(2, quarter(700), epoch=OTHER)])
    old, new = read_installations(path)
    assert (old.from_utc, old.to_utc, new.from_utc) == (T0, T0 + WEEK, T0 + WEEK)


def test_another_limit_is_another_installation_and_cuts_none(path: Path, store: SqliteHubStore) -> None:
    store.take([birth(facts=replace(OLD, limit_kmh=30)), agg(2, quarter(4))])
    store.take([place(1, epoch=OTHER), agg(2, epoch=OTHER)])
    told, guessed = read_installations(path)
    assert (told.from_utc, told.to_utc) == (T0, None)
    assert (guessed.facts.limit_kmh, guessed.from_utc) == (30, T0 + 4 * QUARTER)


def test_joined_by_mistake_it_parts_when_its_place_comes(path: Path, store: SqliteHubStore) -> None:
    store.take([agg(2, quarter(1))])
    store.take([place(1, epoch=OTHER), agg(2, epoch=OTHER)])
    assert len(read_installations(path)) == 1
    store.take([place(1, replace(HERE, site="elsewhere"), begins=T0 + QUARTER)])
    first, second = read_installations(path)
    assert [first.facts.site, second.facts.site] == [HERE.site, "elsewhere"]
    assert [one.installation_id for one in read(path)] == [first.id, second.id]
    assert ask(path, "PRAGMA foreign_key_check") == []


# --------------------------------------------------------------------------- two versions of one thing


def test_what_the_store_in_use_put_right_is_put_right(path: Path, store: SqliteHubStore) -> None:
    """An angle was put right on the original, then a copy of before was put back, and put right otherwise."""
    first = quarter(0, revision=3)
    right = replace(first, revision=2, cells=(replace(first.cells[0], counts={57: 3}, suspects={}),))
    right = replace(right, cells=(*right.cells, first.cells[1]))
    store.take([place(1), agg(2), place(3, replace(HERE, mounting_angle_deg=10.0)), agg(4, first)])
    copy = replace(HERE, mounting_angle_deg=20.0)
    store.take([birth(2, epoch=OTHER), place(1, copy, epoch=OTHER), agg(2, right, epoch=OTHER)])
    store.take([place(5, replace(HERE, mounting_angle_deg=11.0)), agg(6, replace(first, revision=9))])
    (standing,) = read_installations(path)
    assert standing.facts.mounting_angle_deg == 20.0
    assert [one.cells for one in read(path)] == [right.cells]


def test_of_equal_length_the_one_with_more_vehicles_stays(path: Path, store: SqliteHubStore) -> None:
    store.take([place(1), agg(2, quarter(0, 7))])
    store.take([place(1, epoch=OTHER), agg(2, quarter(0, 6), epoch=OTHER)])
    assert [one.cells[0].n for one in read(path)] == [7]


def faster(record: VehicleRecord, by: float) -> VehicleRecord:
    seen = record.vehicle
    seen = replace(seen, speed_kmh=seen.speed_kmh + by, max_kmh=seen.max_kmh + by)
    return replace(record, vehicle=seen)


@pytest.mark.parametrize("told_first", [True, False])
def test_a_vehicle_is_known_whatever_its_angle_was(
    path: Path, store: SqliteHubStore, told_first: bool
) -> None:
    kept = passed(44.0)
    store.take([place(1), named("raw", 2, messages.vehicles(1, [kept]))])
    told, sent = (
        place(1, epoch=OTHER),
        named("raw", 2, messages.vehicles(1, [faster(kept, 3.0)]), epoch=OTHER),
    )
    for one in (told, sent) if told_first else (sent, told):
        store.take([one])
    assert [record.vehicle.speed_kmh for _, record in read_vehicles(path, *EVER)] == [47.0]
    store.take([named("raw", 9, messages.vehicles(1, [kept]))])  # of before
    assert [record.vehicle.speed_kmh for _, record in read_vehicles(path, *EVER)] == [47.0]


def test_two_that_are_alike_in_all_but_their_speed_are_two(path: Path, store: SqliteHubStore) -> None:
    pair = [passed(44.0), passed(51.0)]
    told = messages.vehicles(1, pair)
    store.take([place(1), named("raw", 2, told)])
    store.take([place(1, epoch=OTHER), named("raw", 2, told, epoch=OTHER)])
    assert [record.vehicle.speed_kmh for _, record in read_vehicles(path, *EVER)] == [44.0, 51.0]


# --------------------------------------------------------------------------- with a sign's own database


def deliver(sign: Path, hub: SqliteHubStore) -> None:
    hub.take(said_by(sign, SIGN))


def asked(path: Path, *words: str) -> Any:
    period = ("--from", "2026-05-04", "--to", "2026-05-04")
    done = speedsign("stats", "--json", "--db", path, *period, "--installation", words[0], *words[1:])
    assert done.exit_code == 0, done.stderr
    return [
        {key: row[key] for key in ("n", "mean_kmh", "v85_kmh", "coverage")} for row in json.loads(done.stdout)
    ]


def test_after_a_backup_was_put_back_and_its_angle_put_right_sign_and_hub_say_the_same(
    tmp_path: Path, path: Path, store: SqliteHubStore
) -> None:
    sign, backup = make_sign(tmp_path / "sign.db", SIGN, quarters=10), tmp_path / "backup.db"
    assert speedsign("backup", backup, "--db", sign).exit_code == 0
    assert speedsign("installation", "angle", "1", "25", "--yes", "--db", sign).exit_code == 0
    deliver(sign, store)
    for file in tmp_path.glob("sign.db*"):
        file.unlink()
    shutil.copy(backup, sign)
    assert speedsign("installation", "angle", "1", "18", "--yes", "--db", sign).exit_code == 0
    with contextlib.closing(SqliteStore(sign, SIGN, vehicles=True)) as opened:
        opened.resend(0, 2**31)
    deliver(sign, store)
    for number in ("1", "2"):
        assert asked(path, number, "--sign", SIGN) == asked(sign, number)
    assert len(read_vehicles(path, *EVER)) == len(read_vehicles(sign, *EVER)) > 50


def test_rows_that_another_took_and_then_a_hub(tmp_path: Path, path: Path, store: SqliteHubStore) -> None:
    """First for a consumer that cannot acknowledge; the hub hears its retained birth, then the new epoch."""
    sign = tmp_path / "sign.db"
    chance = random.Random(5)
    with contextlib.closing(SqliteStore(sign, SIGN)) as opened:
        opened.begin(BAUSKA, BEGIN)
        first = opened.epoch
        store.take([birth(epoch=first, facts=BAUSKA)])
        for n in range(20):
            opened.add_vehicle(passed(chance.gauss(50, 5), BEGIN + n * timedelta(minutes=2)), [])
        opened.close_intervals(BEGIN + timedelta(hours=1), None)
        opened.settle([row.seq for row in opened.take((), 3).rows], [])
        assert opened.prepare(RetireOn.HUB).epoch != first
        opened.resend(0, 2**31)
    deliver(sign, store)
    (standing,) = read_installations(path)
    assert standing.to_utc is None
    assert asked(path, str(standing.id), "--sign", SIGN) == asked(sign, "1")
