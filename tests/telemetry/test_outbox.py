"""The outbox of a store on real files: what is put in with what, what goes first, what leaves and why."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speedsign.config.schema import MqttConfig
from speedsign.errors import StoreError
from telemetry.angle import correct_angle
from telemetry.message.messages import (
    GAP_MAX_ENTRIES,
    Ack,
    Dropped,
    parse_aggregate,
    parse_gap,
    parse_place,
    parse_vehicles,
)
from telemetry.outbox import table
from telemetry.outbox.outbox import AckOutcome, Outbox, OutboxRow, RetireOn
from telemetry.outbox.quota import Quota
from telemetry.outbox.store_outbox import StoreOutbox
from telemetry.store import SqliteStore, open_or_replace
from tests.telemetry.samples import BAUSKA, QUARTER, T0, passed

HOUR_MS = 3_600_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(path, "bauska-3")) as opened:
        opened.begin(BAUSKA, T0)
        yield opened


def rows(store: StoreOutbox) -> list[tuple[int, str]]:
    """By value."""
    return [(row.seq, row.kind) for row in store.pending(100_000)]


def kinds(store: StoreOutbox) -> dict[str, int]:
    return dict(store.waiting().rows)


def close(store: SqliteStore, quarters: int) -> None:
    """Intervals until that many quarters of an hour after T0."""
    store.close_intervals(T0 + quarters * QUARTER, T0)


def only(store: StoreOutbox, kind: str) -> list[OutboxRow]:
    """Oldest first."""
    return sorted((row for row in store.pending(100_000) if row.kind == kind), key=lambda row: row.seq)


def ack(store: StoreOutbox, up_to: int, *also: tuple[int, int]) -> AckOutcome:
    return store.acknowledged(Ack(store.epoch, up_to, also)).outcome


# --------------------------------------------------------------------------- what is put in


def test_is_what_the_publisher_expects(store: SqliteStore) -> None:
    outbox: Outbox = store
    assert outbox.facts().installation == BAUSKA


def test_where_the_sign_stands_is_told_before_what_it_counted_there(store: SqliteStore) -> None:
    close(store, 1)
    moved = replace(BAUSKA, limit_kmh=30)
    store.begin(moved, T0 + QUARTER)
    close(store, 2)
    assert sorted(rows(store)) == [(1, "place"), (2, "agg"), (3, "place"), (4, "agg")]
    first, second = (parse_place(json.loads(row.body)) for row in only(store, "place"))
    assert (first.number, first.from_s, first.facts) == (1, int(T0.timestamp()), BAUSKA)
    assert (second.number, second.facts) == (2, moved)


def test_the_same_installation_again_is_no_news(path: Path) -> None:
    for _ in range(3):
        with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
            store.begin(BAUSKA, T0)
            assert kinds(store) == {"place": 1}


def test_a_display_profile_that_is_learnt_is_told(store: SqliteStore) -> None:
    store.begin(replace(BAUSKA, display_profile="number"), T0)
    assert [parse_place(json.loads(row.body)).facts.display_profile for row in only(store, "place")] == [
        "",
        "number",
    ]


def test_an_angle_that_was_put_right_is_told_with_the_counts_that_change(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(BAUSKA, T0)
        store.add_vehicle(passed(50), [])
        close(store, 1)
    correct_angle(path, 1, 20.0, T0)
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        close(store, 1)
        old, new = (
            parse_place(json.loads(row.body)).facts.mounting_angle_deg for row in only(store, "place")
        )
        assert (old, new) == (12.5, 20.0)
        assert [parse_aggregate(json.loads(row.body)).revision for row in only(store, "agg")] == [1, 2]
        assert max(row.seq for row in only(store, "place")) < max(row.seq for row in only(store, "agg"))


def test_an_angle_that_is_put_right_under_a_running_sign_is_told_before_the_counts(
    store: SqliteStore,
) -> None:
    store.add_vehicle(passed(50), [])
    close(store, 1)
    correct_angle(store.path, 1, 20.0, T0)
    close(store, 1)
    assert sorted(rows(store)) == [(1, "place"), (2, "agg"), (3, "place"), (4, "agg")]


def test_what_was_imported_is_nobodys_news(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, "bauska-3", vehicles=True)) as store:
        store._db.execute(
            "INSERT INTO installation (id, from_ms, origin, site, limit_kmh, mounting_angle_deg, radar,"
            " timezone, approaching_name, receding_name, rounds)"
            " VALUES (9, 0, 'imported', 'elsewhere', 50, 0, '', 'UTC', '', '', 1)"
        )
        store.begin(BAUSKA, T0)
        for n in range(120):
            store.add_vehicle(passed(50, T0 + timedelta(seconds=n)), [])
        store._db.execute("UPDATE vehicle SET installation_id = 9 WHERE id <= 100")
        close(store, 8)
        assert kinds(store) == {"place": 1, "agg": 8, "raw": 1}
        (batch,) = only(store, "raw")
        assert parse_vehicles(json.loads(batch.body)).installation_id == 10


def test_a_message_and_what_it_tells_of_are_one_transaction(store: SqliteStore, path: Path) -> None:
    """As a command and its answer: both or neither."""
    with store.transaction() as db:
        db.execute("INSERT INTO command_counter VALUES ('k', 7)")
        assert store.put_message("reply", b'{"counter":7}', 5) == 2
    with contextlib.suppress(ZeroDivisionError), store.transaction() as db:
        db.execute("INSERT INTO command_counter VALUES ('l', 8)")
        store.put_message("reply", b'{"counter":8}', 5)
        raise ZeroDivisionError
    assert rows(store) == [(1, "place"), (2, "reply")]
    assert kinds(store) == {"place": 1, "reply": 1}  # the tally goes back with it
    assert store._db.execute("SELECT public_key FROM command_counter").fetchall() == [("k",)]
    assert store.put_message("reply", b"{}") == 3  # and no number is left out


# --------------------------------------------------------------------------- single vehicles


@pytest.fixture
def telling(path: Path) -> Iterator[SqliteStore]:
    """A store that tells single vehicles too."""
    with contextlib.closing(SqliteStore(path, "bauska-3", vehicles=True)) as opened:
        opened.begin(BAUSKA, T0)
        yield opened


def drive(store: SqliteStore, n: int, from_s: int = 0) -> None:
    for second in range(from_s, from_s + n):
        store.add_vehicle(passed(30 + second % 50, T0 + timedelta(seconds=second)), [])


def batches(store: SqliteStore) -> list[list[float]]:
    """Speeds, of each batch that waits."""
    return [
        [record.vehicle.speed_kmh for record in parse_vehicles(json.loads(row.body)).records]
        for row in only(store, "raw")
    ]


def test_a_hundred_vehicles_are_a_batch_and_the_rest_waits_an_hour(telling: SqliteStore) -> None:
    drive(telling, 250)
    close(telling, 1)
    assert [len(batch) for batch in batches(telling)] == [100, 100]
    close(telling, 4)
    assert len(batches(telling)) == 2
    close(telling, 5)
    assert [len(batch) for batch in batches(telling)] == [100, 100, 50]
    assert [speed for batch in batches(telling) for speed in batch] == [30 + n % 50 for n in range(250)]
    close(telling, 9)
    assert len(batches(telling)) == 3


def test_a_batch_is_of_one_installation(telling: SqliteStore) -> None:
    drive(telling, 30)
    telling.begin(replace(BAUSKA, limit_kmh=30), T0 + timedelta(seconds=30))
    drive(telling, 20, from_s=30)
    close(telling, 1)
    assert [len(batch) for batch in batches(telling)] == [30]  # nothing can be added to that one
    close(telling, 6)
    assert [parse_vehicles(json.loads(row.body)).installation_id for row in only(telling, "raw")] == [1, 2]


def test_vehicles_are_told_once_through_restarts(path: Path) -> None:
    for n in range(4):
        with contextlib.closing(SqliteStore(path, "bauska-3", vehicles=True)) as store:
            store.begin(BAUSKA, T0)
            drive(store, 70, from_s=70 * n)
            close(store, 6 if n == 3 else 1)
    with contextlib.closing(SqliteStore(path, "bauska-3", vehicles=True)) as store:
        assert [speed for batch in batches(store) for speed in batch] == [30 + n % 50 for n in range(280)]


def test_single_vehicles_stay_here_unless_that_is_switched_on(path: Path) -> None:
    assert MqttConfig(host="localhost").vehicles is False
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(BAUSKA, T0)
        drive(store, 250)
        close(store, 8)
        assert set(kinds(store)) == {"place", "agg"}


def test_vehicles_are_told_from_when_that_is_switched_on(path: Path) -> None:
    """Not the weeks that are kept: they would cost a month's traffic at once."""
    for vehicles, first in ((False, 0), (True, 100), (False, 200), (True, 300)):
        with contextlib.closing(SqliteStore(path, "bauska-3", vehicles=vehicles)) as store:
            store.begin(BAUSKA, T0)
            drive(store, 100, from_s=first)
            close(store, 1)
    with contextlib.closing(SqliteStore(path, "bauska-3", vehicles=True)) as store:
        assert kinds(store)["raw"] == 2


# --------------------------------------------------------------------------- what goes first


def test_answers_and_places_as_they_came_then_the_newest(telling: SqliteStore) -> None:
    drive(telling, 200)
    close(telling, 3)
    telling.put_message("reply", b"{}")
    assert rows(telling) == [
        (1, "place"), (7, "reply"), (4, "agg"), (3, "agg"), (2, "agg"), (6, "raw"), (5, "raw"),
    ]  # fmt: skip
    taken = telling.take({7, 4}, 3)
    assert [row.seq for row in taken.rows] == [1, 3, 2]
    assert taken.waiting == telling.waiting()


def test_the_probe_is_the_newest_aggregate_or_what_there_is(telling: SqliteStore) -> None:
    (row,) = telling.probe().rows
    assert row.kind == "place"
    drive(telling, 100)
    close(telling, 2)
    (row,) = telling.probe().rows
    assert (row.kind, row.seq) == ("agg", 3)
    telling.acknowledged(Ack(telling.epoch, 0))
    telling.settle([row.seq for row in telling.pending(100)], [])
    assert telling.probe().rows == []


def test_rows_are_found_by_the_index_alone(store: SqliteStore) -> None:
    for query in table.BY_VALUE:
        plan = " ".join(row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {query}", (10,)))
        assert "COVERING INDEX outbox_by_value (rank=?)" in plan
        assert "SCAN" not in plan
        assert "B-TREE" not in plan, "sorted by hand"
    plan = " ".join(row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {table.NEWEST}"))
    assert "INDEX outbox_by_value (rank=?)" in plan
    assert "B-TREE" not in plan


# --------------------------------------------------------------------------- what leaves


def test_what_the_hub_has_leaves(store: SqliteStore) -> None:
    close(store, 9)
    store.take((), 100)
    assert ack(store, 2, (5, 6), (9, 9)) is AckOutcome.TAKEN
    assert sorted(seq for seq, _ in rows(store)) == [3, 4, 7, 8, 10]
    assert ack(store, 2, (5, 6)) is AckOutcome.TAKEN
    assert ack(store, 10) is AckOutcome.TAKEN
    assert rows(store) == []
    close(store, 10)
    assert rows(store) == [(11, "agg")]  # a number is never used again


def test_a_word_about_another_epoch_changes_nothing(store: SqliteStore) -> None:
    close(store, 3)
    store.take((), 100)
    assert store.acknowledged(Ack("0" * 16, 3)).outcome is AckOutcome.OTHER_EPOCH
    assert len(rows(store)) == 4


@pytest.mark.parametrize(("up_to", "also"), [(5, ()), (10**15, ()), (2, ((4, 5),)), (0, ((99, 99),))])
def test_a_hub_that_has_more_than_this_file_ever_sent_knows_another_one(
    store: SqliteStore, up_to: int, also: tuple[tuple[int, int], ...]
) -> None:
    close(store, 3)
    store.take((), 100)
    assert ack(store, up_to, *also) is AckOutcome.COPY
    assert len(rows(store)) == 4


def test_a_row_that_was_never_sent_cannot_be_acknowledged(store: SqliteStore) -> None:
    """An older copy went on by itself: its next numbers are those that the hub has of the other one."""
    close(store, 3)
    store.take((), 2)
    assert ack(store, 3) is AckOutcome.COPY
    store.take((), 100)
    assert ack(store, 3) is AckOutcome.TAKEN


def test_by_the_brokers_word_rows_leave_one_by_one(store: SqliteStore) -> None:
    close(store, 3)
    store.settle([1, 3], [2])
    assert [(row.seq, row.tries) for row in store.pending(9)] == [(4, 0), (2, 1)]


def test_from_the_brokers_word_to_the_hubs_is_a_new_epoch(store: SqliteStore) -> None:
    close(store, 3)
    first = store.prepare(RetireOn.HUB).epoch
    store.settle([1, 3], [])
    assert store.prepare(RetireOn.PUBACK).epoch == first
    second = store.prepare(RetireOn.HUB).epoch
    assert second != first
    assert sorted(rows(store)) == [(1, "agg"), (2, "agg"), (3, "place")]
    store.take((), 9)
    ack(store, 3)
    assert store.prepare(RetireOn.HUB).epoch == second


def test_a_new_epoch_names_what_waits_anew_and_tells_the_places(store: SqliteStore, path: Path) -> None:
    close(store, 5)
    store.take((), 100)
    ack(store, 3)
    first = store.epoch
    bodies = {row.body for row in only(store, "agg")}
    facts = store.renew()
    assert facts.epoch == store.epoch != first
    assert sorted(rows(store)) == [(1, "agg"), (2, "agg"), (3, "agg"), (4, "place")]
    assert {row.body for row in only(store, "agg")} == bodies
    assert all(row.tries == 0 for row in store.pending(9))
    assert store.acknowledged(Ack(first, 6)).outcome is AckOutcome.OTHER_EPOCH
    close(store, 6)
    assert (5, "agg") in rows(store)
    store.close()
    with contextlib.closing(SqliteStore(path, "bauska-3")) as again:
        assert again.epoch == facts.epoch


def test_a_new_epoch_that_cannot_be_written_is_none(store: SqliteStore, path: Path) -> None:
    close(store, 2)
    before, waiting = store.epoch, rows(store)
    store._db.execute("PRAGMA busy_timeout = 1")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            store.renew()
    assert (store.epoch, rows(store)) == (before, waiting)


def test_each_opening_is_a_boot(path: Path) -> None:
    boots = []
    for _ in range(3):
        with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
            boots.append(store.facts().boot)
    assert boots == [1, 2, 3]


def test_after_damage_the_new_files_outbox_begins_with_the_installation(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(BAUSKA, T0)
        close(store, 3)
    path.write_bytes(b"torn" * 1000)
    found, _ = open_or_replace(path, "bauska-3", at_utc=T0, previous=store)
    with contextlib.closing(found):
        assert rows(found) == [(1, "place")]
        assert found.epoch != store.epoch


# --------------------------------------------------------------------------- once more


def test_closed_intervals_can_be_put_again(store: SqliteStore) -> None:
    store.add_vehicle(passed(50), [])
    close(store, 8)
    store.take((), 100)
    ack(store, 9)
    store.add_vehicle(passed(50, T0 + 8 * QUARTER), [])  # an open one
    from_s = int((T0 + 2 * QUARTER).timestamp())
    assert store.resend_count(from_s, from_s + 3 * 900) == 3
    assert store.resend(from_s, from_s + 3 * 900) == 3
    assert rows(store) == [(10, "place"), (13, "agg"), (12, "agg"), (11, "agg")]
    starts = [parse_aggregate(json.loads(row.body)).start_utc for row in only(store, "agg")]
    assert starts == [T0 + n * QUARTER for n in (2, 3, 4)]
    assert {parse_aggregate(json.loads(row.body)).revision for row in only(store, "agg")} == {1}
    assert store.resend(0, 2**40) == 8


def test_places_can_be_put_again(store: SqliteStore) -> None:
    store.begin(replace(BAUSKA, limit_kmh=30), T0 + QUARTER)
    store.take((), 9)
    ack(store, 2)
    assert store.places_again() == 2
    assert rows(store) == [(3, "place"), (4, "place")]


# --------------------------------------------------------------------------- quota


def small(path: Path, *, size_bytes: int = 10**9, aggregates: int = 10**9) -> SqliteStore:
    store = SqliteStore(path, "bauska-3", vehicles=True)
    store._db.execute("PRAGMA synchronous = OFF")
    store._allowed = Quota(size_bytes, aggregates)
    store.begin(BAUSKA, T0)
    return store


def tell(store: SqliteStore) -> None:
    """A batch of vehicles, of about the size of a real one."""
    store.put_message("raw", b'{"r":"%s"}' % (b"v" * 1000))


def gone(store: SqliteStore) -> list[Dropped]:
    return [one for row in only(store, "gap") for one in parse_gap(json.loads(row.body), row.seq)]


def test_over_the_quota_vehicles_go_first_the_oldest_of_them(path: Path) -> None:
    with contextlib.closing(small(path, size_bytes=12_000)) as store:
        for quarter in range(20):
            tell(store)
            close(store, quarter + 1)
            assert store.waiting().size_bytes <= 12_000 + 500
        kept = [row.seq for row in only(store, "raw")]
        lost = [one for one in gone(store) if one.kind == "raw"]
        assert max(one.last for one in lost) < min(kept)
        assert sum(one.n for one in lost) + len(kept) == 20
        assert kinds(store)["agg"] == 20
        assert store.waiting().dropped == {"raw": 20 - len(kept)}


def test_then_aggregates_the_oldest_of_them(path: Path) -> None:
    with contextlib.closing(small(path, size_bytes=3_000)) as store:
        for quarter in range(40):
            close(store, quarter + 1)
        kept = [row.seq for row in only(store, "agg")]
        assert len(kept) > 5
        starts = [parse_aggregate(json.loads(row.body)).start_utc for row in only(store, "agg")]
        assert starts[-1] == T0 + 39 * QUARTER
        (lost,) = gone(store)
        assert (lost.kind, lost.n) == ("agg", 40 - len(kept))
        assert kinds(store)["place"] == 1


def test_it_goes_down_to_nine_tenths_so_that_not_each_interval_drops(path: Path) -> None:
    with contextlib.closing(small(path, size_bytes=20_000)) as store:
        drops = []
        for quarter in range(300):
            before = dict(store.waiting().dropped)
            close(store, quarter + 1)
            drops.append(store.waiting().dropped != before)
        assert 0 < sum(drops) < 60


def test_aggregates_wait_for_a_year_and_no_longer(path: Path) -> None:
    with contextlib.closing(small(path, aggregates=30)) as store:
        close(store, 100)
        assert len(only(store, "agg")) == 30
        assert gone(store) == [Dropped("agg", 2, 71, 70)]
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        assert store._allowed == Quota(64_000_000, 400 * 96)


def test_the_report_of_what_was_dropped_grows_until_it_is_sent(path: Path) -> None:
    with contextlib.closing(small(path, aggregates=5)) as store:
        for quarter in range(20):
            close(store, quarter + 1)
        assert kinds(store)["gap"] == 1
        assert sum(one.n for one in gone(store)) == 15
        store.take((), 100)  # from now on the hub may know it
        close(store, 21)
        assert kinds(store)["gap"] == 2
        assert sum(one.n for one in gone(store)) == 16


def test_a_full_outbox_is_said_once_until_the_hub_knows_of_it(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def said() -> int:
        return sum(record.levelname == "WARNING" for record in caplog.records)

    with contextlib.closing(small(path, aggregates=5)) as store:
        for quarter in range(20):
            close(store, quarter + 1)
        assert said() == 1
        (report,) = [row.seq for row in store.take((), 2).rows if row.kind == "gap"]
        ack(store, 0, (report, report))
        close(store, 21)
        assert said() == 2


def test_a_report_is_never_too_long(path: Path) -> None:
    with contextlib.closing(small(path)) as store:
        for quarter in range(250):  # vehicles and intervals in turn: nothing can be put together
            tell(store)
            close(store, quarter + 1)
        store._allowed = Quota(store.waiting().size_bytes // 4, 10**9)
        close(store, 251)
        reports = [json.loads(row.body)["dropped"] for row in only(store, "gap")]
        assert [len(report) for report in reports][:-1] == [GAP_MAX_ENTRIES] * (len(reports) - 1)
        assert len(reports) > 1


def test_no_message_is_lost_without_a_report_and_none_that_waits_is_reported(path: Path) -> None:
    """What the hub has, what waits and what was reported are all the numbers there ever were."""
    with contextlib.closing(small(path, size_bytes=15_000, aggregates=25)) as store:
        has: set[int] = set()
        told: set[int] = set()
        for quarter in range(120):
            tell(store)
            close(store, quarter + 1)
            if quarter % 7 == 3:
                heard = [row for row in store.take((), 4).rows if row.seq % 3]
                has |= {row.seq for row in heard}
                told |= {n for row in heard for n in dropped_by(row)}
                ack(store, 0, *((seq, seq) for seq in sorted(has)))
        waits = {seq for seq, _ in rows(store)}
        told |= {n for row in only(store, "gap") for n in dropped_by(row)}
        assert not told & waits
        assert told | waits | has == set(range(1, max(waits) + 1))
        assert len(told - has) == sum(store.waiting().dropped.values())


def dropped_by(row: OutboxRow) -> list[int]:
    if row.kind != "gap":
        return []
    return [n for one in parse_gap(json.loads(row.body), row.seq) for n in range(one.first, one.last + 1)]


# --------------------------------------------------------------------------- the tally

things = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(["agg", "raw", "reply"]), st.binary(max_size=300)),
        st.tuples(st.just("ack"), st.integers(0, 30), st.just(b"")),
        st.tuples(st.just("settle"), st.integers(0, 30), st.just(b"")),
        st.tuples(st.just("renew"), st.just(0), st.just(b"")),
        st.tuples(st.just("fail"), st.just(0), st.binary(max_size=300)),
        st.tuples(st.just("quota"), st.integers(0, 3000), st.just(b"")),
    ),
    max_size=20,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(things)
def test_how_much_waits_is_known_without_looking(
    tmp_path: Path, script: list[tuple[str, int | str, bytes]]
) -> None:
    path = tmp_path / "sign.db"
    path.unlink(missing_ok=True)
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store._db.execute("PRAGMA synchronous = OFF")
        for what, how, body in script:
            _do(store, what, how, body)
        rows = store._db.execute(
            f"SELECT kind, count(*), sum(length(body) + {table.ROW_BYTES}) FROM outbox GROUP BY kind"
        ).fetchall()
        waiting = store.waiting()
    assert waiting.rows == {kind: n for kind, n, _ in rows}
    assert waiting.size_bytes == sum(size for _, _, size in rows)


def _do(store: SqliteStore, what: str, how: int | str, body: bytes) -> None:
    if what == "put":
        store.put_message(str(how), body)
    elif what == "ack":
        store.take((), 100)
        ack(store, int(how))
    elif what == "settle":
        store.settle([int(how), int(how) + 2], [1])
    elif what == "renew":
        store.renew()
    elif what == "fail":
        with contextlib.suppress(ZeroDivisionError), store.transaction():
            store.put_message("agg", body)
            raise ZeroDivisionError
    elif what == "quota":
        store._allowed = Quota(int(how), 5)
        with store.transaction():
            store._keep_quota(0)


# --------------------------------------------------------------------------- what there still is


def test_the_oldest_is_what_waits_or_the_next_one(store: SqliteStore) -> None:
    assert store.facts().oldest == 1
    close(store, 3)
    store.take((), 9)
    ack(store, 2)
    assert store.facts().oldest == 3
    ack(store, 2, (4, 4))
    assert store.facts().oldest == 3
    ack(store, 4)
    assert store.facts().oldest == 5
    close(store, 4)
    assert store.facts().oldest == 5


def test_what_was_dropped_is_there_until_the_hub_was_told(path: Path) -> None:
    """Else it would count as lost, and nobody would know of what kind it was."""
    with contextlib.closing(SqliteStore(path, "bauska-3", quota_mb=0.005)) as store:
        store.begin(BAUSKA, T0)
        for quarters in range(1, 60):
            close(store, quarters)
        (gap, *_) = only(store, "gap")
        lowest = min(one.first for one in parse_gap(json.loads(gap.body), gap.seq))
        assert min(row.seq for row in store.pending(100_000) if row.kind != "place") > lowest
        store.take((), 9)
        ack(store, 1)
        assert store.facts().oldest == lowest == 2


def test_a_hub_that_waits_for_what_is_gone_is_noticed(store: SqliteStore) -> None:
    close(store, 4)
    store.take((), 9)
    assert not store.acknowledged(Ack(store.epoch, 0, ((3, 4),))).lacks
    assert not store.acknowledged(Ack(store.epoch, 4)).lacks
    assert store.acknowledged(Ack(store.epoch, 1)).lacks
