"""What a sign tells of its calibrations with its place, and what a hub keeps of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from speedsign.calibration.record import Kind
from speedsign.model import ClockQuality
from telemetry.calibration import keep, read_history, read_proofs
from telemetry.calibration.proof import Proof, proof_of
from telemetry.calibration.table import MOST_HEARD
from telemetry.hub.port import Heard
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from telemetry.message.names import PLACE_MAX_CALIBRATIONS
from telemetry.query import read_installations
from telemetry.store import SqliteStore
from tests.hub.said import EPOCH, HERE, OTHER, SIGN, agg, named, place
from tests.telemetry.calibrations import record
from tests.telemetry.samples import BAUSKA, QUARTER, T0

DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hub.db"


@pytest.fixture
def hub(path: Path) -> Iterator[SqliteHubStore]:
    with contextlib.closing(SqliteHubStore(path)) as found:
        yield found


def proof(number: int, days: float = 0, sign: str = SIGN) -> Proof:
    return proof_of(record(number, T0 + days * DAY, sign=sign))


def told(seq: int, proofs: Sequence[Proof], sign: str = SIGN, epoch: str = EPOCH) -> Heard:
    body = messages.place(1, int(T0.timestamp()), HERE, proofs)
    return named("place", seq, body, sign=sign, epoch=epoch)


def places_of(store: SqliteStore) -> list[list[str]]:
    """Keys that each place in the outbox tells, as numbers."""
    waiting = [json.loads(row.body) for row in store.pending(99) if row.kind == "place"]
    return [[one["key"].lstrip("0") for one in body.get("calibrations", [])] for body in waiting]


# --------------------------------------------------------------------------- at the sign


def test_a_record_of_a_running_sign_goes_out_with_the_next_interval(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        store.begin(BAUSKA, T0 - DAY)
        store.begin(replace(BAUSKA, limit_kmh=30), T0)
        assert places_of(store) == [[], []]
        keep(path, record(1, sign=SIGN))
        store.close_intervals(T0 + QUARTER, None)
        assert places_of(store) == [[], [], ["1"]]  # the place where it stands now, once
        store.close_intervals(T0 + 2 * QUARTER, None)
        assert len(places_of(store)) == 3
        store.places_again()
        assert places_of(store)[3:] == [[], ["1"]]  # with the newest place alone


def test_what_came_in_from_the_file_goes_out_too_and_nothing_of_another_sign(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        store.begin(BAUSKA, T0)
    path.rename(tmp_path / "aside.db")
    keep(path, record(1, sign=SIGN))
    keep(path, record(2, sign="iecava-2"))
    (tmp_path / "aside.db").rename(path)
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        assert places_of(store) == [[], ["1"]]
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        assert len(places_of(store)) == 2


def test_of_many_the_newest_and_before_all_what_proves_speeds(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    with contextlib.closing(SqliteStore(path, SIGN)) as store:
        store.begin(BAUSKA, T0)
        keep(path, record(1, sign=SIGN))
        for number in range(2, 30):
            keep(path, record(number, T0 + number * DAY, kind=Kind.BRIGHTNESS, sign=SIGN))
        store.places_again()
        last = places_of(store)[-1]
        assert len(last) == PLACE_MAX_CALIBRATIONS
        assert last == ["1", *(f"{number:x}" for number in range(21, 30))]  # as they were kept
        size = max(len(row.body) for row in store.pending(99))
        assert size < 4096


# --------------------------------------------------------------------------- at the hub


def test_a_hub_keeps_what_it_is_told_once(path: Path, hub: SqliteHubStore) -> None:
    hub.take([told(1, [proof(1)]), agg(2)])
    hub.take([told(3, [proof(1), proof(2, 1)]), told(1, [proof(1)])])
    assert read_proofs(path, SIGN) == [proof(1), proof(2, 1)]
    (first, _) = read_history(path).records
    assert (first.key, first.by, first.tool, first.runs) == (record(1).key, "", "", ())


def test_a_place_that_says_nothing_new_but_a_calibration_is_taken(path: Path, hub: SqliteHubStore) -> None:
    hub.take([place(1), agg(2)])
    taken = hub.take([told(3, [proof(1)])])
    assert taken.signs == {SIGN}
    assert read_proofs(path) == [proof(1)]
    assert [one.facts for one in read_installations(path)] == [HERE]


def test_what_is_not_told_any_more_stays(path: Path, hub: SqliteHubStore) -> None:
    hub.take([told(1, [proof(1)]), agg(2), place(3)])
    assert read_proofs(path) == [proof(1)]


def test_two_files_of_a_sign_tell_of_one_calibration(path: Path, hub: SqliteHubStore) -> None:
    hub.take([told(1, [proof(1)]), agg(2)])
    hub.take([told(1, [proof(1)], epoch=OTHER), agg(2, epoch=OTHER)])
    assert read_proofs(path) == [proof(1)]


def test_what_was_kept_last_counts_at_the_hub_too(path: Path, hub: SqliteHubStore) -> None:
    late = replace(proof(1, 4000), clock=ClockQuality.UNKNOWN)
    hub.take([told(1, [late, proof(2, 1)]), agg(2), told(3, [late, proof(2, 1), proof(3)])])
    assert [int(one.key, 16) for one in read_proofs(path)] == [1, 2, 3]


def test_a_time_that_no_calendar_shows_is_refused(path: Path, hub: SqliteHubStore) -> None:
    body = messages.place(1, int(T0.timestamp()), HERE, [proof(1)])
    body["calibrations"][0]["at"] = 253_402_300_799  # type: ignore[index]
    assert "at 253402300799 is no whole number" in hub.take([named("place", 1, body)]).refused[0]


def test_no_sign_speaks_for_another(path: Path, hub: SqliteHubStore) -> None:
    """It cannot take a key of another one away either."""
    hub.take([told(1, [proof(1)], sign="thief-1"), told(1, [proof(1)])])
    assert {one.sign for one in read_proofs(path)} == {SIGN, "thief-1"}
    assert read_proofs(path, SIGN) == [proof(1)]


def test_a_sign_that_never_stops_fills_no_disk(path: Path, hub: SqliteHubStore) -> None:
    hub.take([told(1, [proof(1)], sign="other-1")])
    for batch in range(MOST_HEARD // PLACE_MAX_CALIBRATIONS + 5):
        numbers = range(10 * batch, 10 * batch + 10)
        hub.take([told(batch + 1, [proof(number, number) for number in numbers])])
    kept = read_proofs(path, SIGN)
    assert len(kept) == MOST_HEARD
    assert kept[-1] == proof(549, 549)  # the oldest went
    assert read_proofs(path, "other-1") == [proof(1, sign="other-1")]


def test_a_place_with_a_calibration_that_is_none_is_kept_as_refused(path: Path, hub: SqliteHubStore) -> None:
    body = messages.place(1, int(T0.timestamp()), HERE, [proof(1)])
    body["calibrations"][0]["due"] = "never"  # type: ignore[index]
    taken = hub.take([named("place", 1, body)])
    assert "due 'never' is no date" in taken.refused[0]
    assert read_proofs(path) == []
