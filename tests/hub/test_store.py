"""The hub's database: everything once, in whatever order and however often it comes."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.errors import StoreError
from speedsign.model import ClockQuality
from telemetry.hub.port import Heard, Taken
from telemetry.hub.refusing import MOST_A_SIGN
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.query import read_installations, read_intervals, read_vehicles
from telemetry.store import SqliteStore
from tests.hub.kept import ask
from tests.hub.said import EPOCH, HERE, NOW_MS, OTHER, SIGN, agg, birth, gap, interval, named, place, quarter
from tests.telemetry.samples import BAUSKA, T0, passed

EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def ack_of(taken: Taken) -> Ack:
    (one,) = taken.acks
    assert one[0] == SIGN
    return one[1]


# --------------------------------------------------------------------------- once


def test_an_interval_is_what_it_was_at_the_sign(path: Path, store: SqliteHubStore) -> None:
    taken = store.take([place(1), agg(2)])
    assert ack_of(taken) == Ack(EPOCH, 2)
    (found,) = read_intervals(path, *EVER)
    assert found == replace(interval(), installation_id=found.installation_id)
    (standing,) = read_installations(path)
    assert (standing.facts, standing.from_utc, standing.sign) == (HERE, T0, SIGN)


def test_what_comes_again_changes_nothing_and_is_acknowledged_again(
    path: Path, store: SqliteHubStore
) -> None:
    batch = [place(1), agg(2), named("raw", 3, messages.vehicles(1, [passed()]))]
    store.take(batch)
    for _ in range(3):
        taken = store.take(batch)
        assert (taken.stored, taken.duplicates) == (0, 3)
        assert ack_of(taken) == Ack(EPOCH, 3)
    assert len(read_vehicles(path, *EVER)) == 1
    assert ask(path, "SELECT received, duplicates FROM source") == [(3, 9)]


def test_twice_in_one_batch_is_once(path: Path, store: SqliteHubStore) -> None:
    vehicles = named("raw", 1, messages.vehicles(1, [passed()]))
    taken = store.take([vehicles, vehicles])
    assert (taken.stored, taken.duplicates) == (1, 1)
    assert ask(path, "SELECT count(*) FROM vehicle") == [(1,)]


def test_also_after_the_hub_was_started_again(path: Path) -> None:
    vehicles = named("raw", 7, messages.vehicles(1, [passed()]))
    for _ in range(2):
        store = SqliteHubStore(path)
        assert ack_of(store.take([vehicles])).also == ((7, 7),)
        store.close()
    assert ask(path, "SELECT count(*) FROM vehicle") == [(1,)]


def test_two_that_write_one_file_still_count_once(path: Path, store: SqliteHubStore) -> None:
    """No lock file could be made: what one has in memory is old, and it notices."""
    vehicles = named("raw", 1, messages.vehicles(1, [passed()]))
    other = SqliteHubStore(path)
    store.take([agg(2)])
    other.take([vehicles])
    assert store.take([vehicles]).duplicates == 1
    assert other.take([agg(2)]).duplicates == 1
    other.close()
    assert ask(path, "SELECT count(*) FROM vehicle") == [(1,)]


# --------------------------------------------------------------------------- acknowledgements


def test_newest_first_is_acknowledged_by_ranges(store: SqliteHubStore) -> None:
    assert ack_of(store.take([agg(9, quarter(9))])) == Ack(EPOCH, 0, ((9, 9),), places_wanted=True)
    assert ack_of(store.take([agg(8, quarter(8)), agg(5, quarter(5))])).also == ((5, 5), (8, 9))
    taken = store.take([place(seq) for seq in (1, 2, 3, 4)])
    assert ack_of(taken).up_to == 5
    assert ack_of(taken).also == ()  # nothing of this batch lies above


def test_many_ranges_take_several_acknowledgements_and_none_is_too_long(store: SqliteHubStore) -> None:
    seqs = range(2**40, 2**40 + 600, 3)
    taken = store.take([agg(seq, quarter(seq % 90)) for seq in seqs])
    told = [ack for _, ack in taken.acks]
    assert len(told) == -(-200 // messages.ACK_MAX_RANGES)
    assert {seq for ack in told for first, last in ack.also for seq in range(first, last + 1)} == set(seqs)
    for ack in told:
        payload = messages.encode(messages.ack(ack))
        assert messages.parse_ack(payload) == ack


def test_each_source_has_its_own(store: SqliteHubStore) -> None:
    taken = store.take([agg(1), agg(1, sign="iecava-2"), agg(1, epoch=OTHER)])
    assert [(sign, ack.epoch, ack.up_to) for sign, ack in taken.acks] == [
        (SIGN, EPOCH, 1),
        ("iecava-2", EPOCH, 1),
        (SIGN, OTHER, 1),
    ]


def test_facts_that_are_missing_are_asked_for(path: Path, store: SqliteHubStore) -> None:
    assert ack_of(store.take([agg(2)])).places_wanted
    assert read_installations(path) == []  # nobody reads what may be anywhere
    assert not ack_of(store.take([place(1), agg(3, quarter(1))])).places_wanted
    assert len(read_installations(path)) == 1


# --------------------------------------------------------------------------- orders


def test_the_highest_revision_stays_whatever_comes_last(path: Path, store: SqliteHubStore) -> None:
    second = interval(n=5, revision=2)
    for batch in ([place(1), agg(3, second)], [agg(2)]):
        store.take(batch)
    (found,) = read_intervals(path, *EVER)
    assert (found.revision, found.cells) == (2, second.cells)


def test_an_interval_that_lost_its_vehicles_loses_them_here(path: Path, store: SqliteHubStore) -> None:
    store.take([place(1), agg(2), agg(3, interval(n=0, revision=2))])
    (found,) = read_intervals(path, *EVER)
    assert found.cells == ()


def test_facts_put_right_replace_those_before_and_not_the_other_way_round(
    path: Path, store: SqliteHubStore
) -> None:
    right = replace(HERE, mounting_angle_deg=20.0)
    store.take([place(1), place(5, right), place(3, replace(HERE, site="elsewhere"))])
    (standing,) = read_installations(path)
    assert standing.facts == right


MESSAGES = [
    place(1),
    agg(2),
    agg(3, quarter(1, 4)),
    agg(4, interval(n=6, revision=2)),
    named("raw", 5, messages.vehicles(1, [passed(40.0), passed(50.0, T0 + timedelta(seconds=9))])),
    place(6, replace(HERE, limit_kmh=30), 2, begins=T0 + timedelta(hours=1)),
    agg(7, quarter(4, 2, installation_id=2)),
    named("raw", 8, messages.vehicles(2, [passed(31.0, T0 + timedelta(hours=1, minutes=2))])),
    agg(9, quarter(4, 0, installation_id=2, revision=2, measured_s=0.0)),
    gap(12, ("raw", 10, 11)),
]


def contents(path: Path) -> dict[str, list[Any]]:
    """What the file says, whatever numbers its rows have."""
    numbers = dict(ask(path, "SELECT id, remote_id FROM installation"))
    found = [
        replace(one, installation_id=numbers[one.installation_id]) for one in read_intervals(path, *EVER)
    ]
    return {
        "intervals": sorted(found, key=lambda one: (one.start_utc, one.installation_id)),
        "vehicles": [record for _, record in read_vehicles(path, *EVER)],
        "places": ask(
            path, "SELECT remote_id, from_ms, site, limit_kmh FROM installation ORDER BY remote_id"
        ),
        "received": ask(path, "SELECT up_to, received FROM source"),
        "lost": ask(path, "SELECT first_seq, last_seq, kind, messages FROM loss"),
    }


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(0, 3))
def test_any_order_any_batches_any_repetition_come_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random, length: int, starts: int
) -> None:
    folder = tmp_path_factory.mktemp("orders")
    wanted = _stored(folder / "straight.db", [MESSAGES])
    told = MESSAGES * 2
    chance.shuffle(told)
    batches = [told[at : at + length] for at in range(0, len(told), length)]
    assert contents(_stored(folder / "mixed.db", batches, starts)) == contents(wanted)


def _stored(path: Path, batches: Sequence[Sequence[Heard]], starts: int = 0) -> Path:
    """With so many restarts of the hub between."""
    store = SqliteHubStore(path)
    for number, batch in enumerate(batches):
        store.take(batch)
        if number < starts:
            store.close()
            store = SqliteHubStore(path)
    store.close()
    return path


# --------------------------------------------------------------------------- gaps


def test_what_the_sign_dropped_is_not_waited_for_and_is_remembered(path: Path, store: SqliteHubStore) -> None:
    taken = store.take([place(1), agg(2), gap(9, ("raw", 3, 7), ("agg", 8, 8))])
    assert ack_of(taken) == Ack(EPOCH, 9)
    assert sorted(ask(path, "SELECT kind, messages FROM loss")) == [("agg", 1), ("raw", 5)]
    assert any("dropped" in line for line in taken.news)


def test_what_was_received_before_it_was_dropped_is_not_lost(path: Path, store: SqliteHubStore) -> None:
    store.take([agg(4), gap(9, ("agg", 3, 5))])
    assert ask(path, "SELECT kind, messages FROM loss") == [("agg", 2)]


def test_a_gap_that_begins_and_ends_is_said_once(store: SqliteHubStore) -> None:
    said = [store.take([agg(seq, quarter(seq))]).news for seq in (1, 4, 5, 2, 3, 6)]
    texts = ["; ".join(lines) for lines in said]
    assert "first heard" in texts[0]
    assert texts[1:] == [
        f"{SIGN}: waits for messages 2 to 3; later ones came first",
        "",
        "",
        f"{SIGN}: nothing is missing any more, up to message 5",
        "",
    ]


# --------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"start": 1, "dur": 900},
        {**messages.aggregate(interval()), "groups": "none"},
        {**messages.aggregate(interval()), "start": 2**70},
    ],
)
def test_what_has_a_name_and_no_content_is_kept_as_it_came_and_acknowledged(
    path: Path, store: SqliteHubStore, body: dict[str, object]
) -> None:
    wrong = named("agg", 2, body)
    taken = store.take([place(1), wrong, agg(3, quarter(1))])
    assert ack_of(taken) == Ack(EPOCH, 3)
    (sentence,) = taken.refused
    assert sentence.startswith(f"{SIGN}: agg 2: ")
    assert ask(path, "SELECT seq, kind, payload FROM refused") == [(2, "agg", wrong.payload)]
    assert len(read_intervals(path, *EVER)) == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"v":1}',
        b'{"v":1,"id":"bauska-1","epoch":"0123456789abcdef","seq":0}',
    ],
)
@pytest.mark.parametrize("kind", ["agg", "raw", "place", "gap", "reply", "state", "birth", "health"])
def test_what_has_no_name_is_refused_alone(
    path: Path, store: SqliteHubStore, kind: str, payload: bytes
) -> None:
    taken = store.take([Heard(SIGN, kind, payload, NOW_MS), agg(1)])
    assert len(taken.refused) == 1
    assert ack_of(taken).up_to == 1


@pytest.mark.parametrize("version", [{"v": 2}, {"v": "1"}, {"v": None}, {}])
@pytest.mark.parametrize("kind", ["agg", "raw", "place", "gap", "reply"])
def test_a_name_can_be_read_whatever_the_version(
    path: Path, store: SqliteHubStore, kind: str, version: dict[str, object]
) -> None:
    """It would come for ever."""
    body = {"id": SIGN, "epoch": EPOCH, "seq": 2, "news": True} | version
    payload = messages.encode(body)
    payload = zlib.compress(payload) if kind == "raw" else payload
    strange = Heard(SIGN, kind, payload, NOW_MS)
    taken = store.take([place(1), strange, agg(3)])
    assert ack_of(taken).up_to == 3
    assert len(taken.refused) == 1
    assert ask(path, "SELECT seq, kind, payload FROM refused") == [(2, kind, payload)]
    again = store.take([strange])
    assert (again.duplicates, again.refused) == (1, ())


def test_a_message_that_names_another_sign_is_refused(store: SqliteHubStore) -> None:
    theirs = agg(1, sign="iecava-2")
    taken = store.take([replace(theirs, sign=SIGN)])
    assert taken.acks == ()
    assert "iecava-2" in taken.refused[0]


def test_a_sign_that_sends_nonsense_for_ever_does_not_fill_the_disk(
    path: Path, store: SqliteHubStore
) -> None:
    seqs = range(1, MOST_A_SIGN + 50)
    taken = store.take([named("agg", seq, {}) for seq in seqs])
    assert ack_of(taken).up_to == len(seqs)
    assert ask(path, "SELECT count(*) FROM refused") == [(MOST_A_SIGN,)]


def test_a_version_that_can_read_it_reads_it_at_its_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:

        def unknown(_body: object) -> object:
            raise ValueError("a word that this version does not know")

        older.setattr(messages, "parse_aggregate", unknown)
        store = SqliteHubStore(path)
        store.take([place(1), agg(2)])
        store.close()
    assert read_intervals(path, *EVER) == []
    SqliteHubStore(path).close()
    assert len(read_intervals(path, *EVER)) == 1
    assert ask(path, "SELECT count(*) FROM refused") == [(0,)]
    assert ask(path, "SELECT received, up_to FROM source") == [(2, 2)]


# --------------------------------------------------------------------------- several stores of one sign


def test_a_replaced_card_counts_beside_the_old_one(path: Path, store: SqliteHubStore) -> None:
    """The quarter in which it was replaced is measured on both: first part here, second part there."""
    begins = T0 + timedelta(minutes=10)
    first, second = interval(measured_s=600.0), interval(n=2, measured_s=300.0)
    store.take([place(1), agg(2, first), place(1, begins=begins, epoch=OTHER), agg(2, second, epoch=OTHER)])
    old, new = read_installations(path)
    assert (old.to_utc, new.from_utc) == (begins, begins)
    found = read_intervals(path, *EVER)
    assert sorted(one.measured_s for one in found) == [300.0, 600.0]
    assert sum(cell.n for one in found for cell in one.cells) == 4 + 3


def test_a_copy_of_the_store_tells_of_the_same_installation(path: Path, store: SqliteHubStore) -> None:
    """A backup that runs as the sign goes on under another epoch and sends what it had not delivered."""
    store.take([place(1), agg(2), agg(3, quarter(1))])
    store.take([place(1, epoch=OTHER), agg(2, quarter(1), epoch=OTHER), agg(3, quarter(2), epoch=OTHER)])
    assert len(read_installations(path)) == 1
    found = read_intervals(path, *EVER)
    assert [one.start_utc for one in found] == [T0 + n * timedelta(minutes=15) for n in range(3)]


def test_of_a_file_and_its_copy_the_interval_that_was_measured_longer_stays(
    path: Path, store: SqliteHubStore
) -> None:
    """The copy fills the time it did not see with empty intervals; the file itself has measured it."""
    empty = quarter(1, 0, measured_s=0.0)
    store.take([place(1), agg(2, quarter(1))])
    store.take([place(1, epoch=OTHER), agg(2, empty, epoch=OTHER)])
    (found,) = read_intervals(path, *EVER)
    assert found.measured_s == 900.0
    store.take([agg(3, quarter(2, 0, measured_s=0.0)), agg(3, quarter(2), epoch=OTHER)])
    assert [one.measured_s for one in read_intervals(path, *EVER)] == [900.0, 900.0]


def test_a_copy_that_told_its_counts_before_its_place_is_found_out_afterwards(
    path: Path, store: SqliteHubStore
) -> None:
    kept = passed(44.0)
    store.take([place(1), agg(2), named("raw", 3, messages.vehicles(1, [kept]))])
    further = passed(46.0, T0 + timedelta(minutes=20))
    store.take(
        [
            agg(2, epoch=OTHER),
            agg(3, quarter(1), epoch=OTHER),
            named("raw", 4, messages.vehicles(1, [kept, further]), epoch=OTHER),
        ]
    )
    store.take([place(1, epoch=OTHER)])
    assert len(read_installations(path)) == 1
    assert len(read_intervals(path, *EVER)) == 2
    assert [record.vehicle.speed_kmh for _, record in read_vehicles(path, *EVER)] == [44.0, 46.0]
    assert ask(path, "PRAGMA foreign_key_check") == []


def test_vehicles_that_a_copy_sends_again_are_there_once(path: Path, store: SqliteHubStore) -> None:
    told = messages.vehicles(1, [passed(44.0), passed(45.0, T0 + timedelta(seconds=30))])
    store.take([place(1), named("raw", 2, told)])
    store.take([place(1, epoch=OTHER), named("raw", 2, told, epoch=OTHER)])
    assert len(read_vehicles(path, *EVER)) == 2


def test_a_copys_later_facts_hold_for_both(path: Path, store: SqliteHubStore) -> None:
    store.take(
        [place(1), place(1, epoch=OTHER), place(9, replace(HERE, mounting_angle_deg=3.0), epoch=OTHER)]
    )
    (standing,) = read_installations(path)
    assert standing.facts.mounting_angle_deg == 3.0


def test_another_sign_with_the_same_facts_is_another(path: Path, store: SqliteHubStore) -> None:
    store.take([place(1), agg(2), place(1, sign="iecava-2"), agg(2, sign="iecava-2")])
    assert [one.sign for one in read_installations(path)] == [SIGN, "iecava-2"]
    assert len(read_intervals(path, *EVER)) == 2


def test_when_it_was_set_up_is_guessed_from_the_first_count(path: Path, store: SqliteHubStore) -> None:
    """Only a birth came, which does not say since when; a clock of 1970 is no beginning either."""
    late = quarter(4)
    wrong = interval(datetime(1970, 1, 1, tzinfo=UTC), clock=ClockQuality.UNKNOWN)
    store.take([birth(), agg(3, late), agg(2), agg(4, wrong)])
    (standing,) = read_installations(path)
    assert standing.from_utc == T0


# --------------------------------------------------------------------------- the file


def test_a_signs_own_database_is_no_hubs(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    sign = SqliteStore(path, SIGN)
    sign.begin(BAUSKA, T0)
    sign.close()
    with pytest.raises(StoreError, match="a sign's own"):
        SqliteHubStore(path)


def test_all_of_a_batch_or_nothing(
    path: Path, store: SqliteHubStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails in the middle; the same batch is whole at the second try."""

    def full(*_: object, **_more: object) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    batch = [place(1), agg(2), named("raw", 3, messages.vehicles(1, [passed()]))]
    with monkeypatch.context() as broken:
        broken.setattr("telemetry.hub.taking.store_vehicles", full)
        with pytest.raises(StoreError, match="disk is full"):
            store.take(batch)
    assert ask(path, "SELECT (SELECT count(*) FROM source) + (SELECT count(*) FROM interval)") == [(0,)]
    assert ack_of(store.take(batch)) == Ack(EPOCH, 3)
    assert len(read_intervals(path, *EVER)) == 1


def test_old_vehicles_are_forgotten_and_counts_are_not(path: Path, store: SqliteHubStore) -> None:
    store.take([place(1), agg(2), named("raw", 3, messages.vehicles(1, [passed()]))])
    assert store.prune(T0) == 0
    assert store.prune(T0 + timedelta(days=1)) == 1
    assert len(read_intervals(path, *EVER)) == 1


def test_a_year_of_a_thousand_signs_is_asked_by_index(path: Path, store: SqliteHubStore) -> None:
    plan = ask(
        path,
        "EXPLAIN QUERY PLAN SELECT measured_s FROM interval WHERE installation_id = 1"
        " AND start_s >= 1 AND start_s < 9 ORDER BY start_s",
    )
    assert "interval_of_installation (installation_id=? AND start_s>? AND start_s<?)" in plan[0][3]


KINDS = st.sampled_from(["agg", "raw", "place", "gap", "reply", "state", "birth", "health", "other"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_nothing_that_a_sign_sends_stops_the_hub(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Bytes of any kind, and real messages with one value replaced: the next message is heard."""
    with contextlib.closing(SqliteHubStore(tmp_path_factory.mktemp("spoilt") / "hub.db")) as store:
        for _ in range(3):
            kind = data.draw(KINDS)
            payload = data.draw(st.binary(max_size=60) | _spoilt(kind))
            store.take([Heard(SIGN, kind, payload, NOW_MS)])
        assert store.take([agg(2**50, epoch="00000000000000ff")]).stored == 1


def _spoilt(kind: str) -> st.SearchStrategy[bytes]:
    bodies: dict[str, dict[str, Any]] = {
        "agg": messages.aggregate(interval()),
        "raw": messages.vehicles(1, [passed(), passed(60.0)]),
        "place": messages.place(1, 5, HERE),
        "gap": messages.gap([{"kind": "raw", "first": 1, "last": 2, "n": 2}]),
        "reply": {"at": 1, "key": "k", "counter": 1, "action": "set", "outcome": "applied"},
    }
    body = bodies.get(kind, {"s": "on", "boot": 3})
    spoilt = st.tuples(st.sampled_from(sorted(body)), VALUES).map(lambda pair: {**body, pair[0]: pair[1]})
    return st.tuples(spoilt, st.integers(1, 2**62)).map(
        lambda made: messages.named(messages.encode(made[0]), kind, SIGN, EPOCH, made[1])
    )
