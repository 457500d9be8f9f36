"""The store on real files: what is kept, when intervals close, what a message says."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speedsign.errors import StoreError
from speedsign.model import ClockQuality, Direction, DisplayState, Interval
from speedsign.ports import Store
from telemetry.database import StoreRejected
from telemetry.message.messages import parse_aggregate
from telemetry.query import read_counts, read_installations, read_intervals, vehicles_since
from telemetry.store import SqliteStore
from tests.telemetry.samples import BAUSKA, QUARTER, T0, measured, passed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(path, "bauska-3")) as opened:
        opened.begin(BAUSKA, T0)
        yield opened


def summary(intervals: list[Interval]) -> list[tuple[int, int, float]]:
    """Minutes after T0, vehicles, measured seconds."""
    return [
        (int((i.start_utc - T0).total_seconds() // 60), sum(c.n for c in i.cells), i.measured_s)
        for i in intervals
    ]


def test_is_the_port_that_the_daemon_expects(store: SqliteStore) -> None:
    port: Store = store
    assert port.close_intervals(T0, None) == []


def test_a_file_is_set_so_that_a_power_cut_loses_nothing(store: SqliteStore) -> None:
    def pragma(name: str) -> object:
        return store._db.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL
    assert pragma("page_size") == 1024  # a third of what goes to the card with 4096: benchmarks/wear
    assert pragma("wal_autocheckpoint") == 400
    assert pragma("foreign_keys") == 1


def test_a_vehicle_comes_back_as_it_was(store: SqliteStore, path: Path) -> None:
    record = passed(53.7, T0 + timedelta(seconds=61.25))
    store.add_vehicle(record, [])
    assert vehicles_since(path, 0) == [(1, record)]
    assert vehicles_since(path, 1) == []


def test_a_vehicle_counts_in_the_interval_it_was_last_seen_in(store: SqliteStore, path: Path) -> None:
    store.add_vehicle(passed(50, T0 + QUARTER - timedelta(microseconds=400)), [])
    store.add_vehicle(passed(50, T0 + QUARTER), [])
    assert summary(read_intervals(path, T0, T0 + 4 * QUARTER)) == [(0, 1, 0), (15, 1, 0)]


@pytest.mark.parametrize(
    ("rounds", "speed_kmh", "counted"),
    [
        (True, 49.49, 49),
        (True, 49.5, 50),
        (True, 50.5, 51),
        (False, 49.99, 49),
        (False, 50.0, 50),
        (True, 0.0, 0),
    ],
)
def test_the_class_follows_the_radar(path: Path, rounds: bool, speed_kmh: float, counted: int) -> None:
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(replace(BAUSKA, rounds=rounds), T0)
        store.add_vehicle(passed(speed_kmh), [])
    assert read_counts(path, T0, T0 + QUARTER).counts["both"] == {counted: 1}


def test_vehicle_and_coverage_are_one_transaction(store: SqliteStore, path: Path) -> None:
    bad = passed(50)
    object.__setattr__(bad.vehicle, "entry_kmh", float("nan"))
    with pytest.raises(StoreRejected):
        store.add_vehicle(bad, [measured(T0, 60)])
    assert vehicles_since(path, 0) == []
    assert read_intervals(path, T0, T0 + QUARTER) == []


@pytest.mark.parametrize("speed_kmh", [float("nan"), float("inf"), -1.0, 1e6])
def test_what_is_no_speed_is_rejected_for_good(store: SqliteStore, path: Path, speed_kmh: float) -> None:
    with pytest.raises(StoreRejected):
        store.add_vehicle(passed(speed_kmh), [])
    assert read_counts(path, T0, T0 + QUARTER).counts["both"] == {}


def test_nothing_is_counted_before_an_installation_was_begun(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        with pytest.raises(StoreRejected, match="no installation"):
            store.add_vehicle(passed(), [])
        assert store.close_intervals(T0, T0 - QUARTER) == []


def test_coverage_adds_up_and_stops_at_the_duration(store: SqliteStore, path: Path) -> None:
    store.add_coverage([measured(T0, 400.0), measured(T0 + QUARTER, 10.5)])
    store.add_coverage(
        [measured(T0 + timedelta(seconds=899), 499.0), measured(T0, -5), measured(T0, float("nan"))]
    )
    assert summary(read_intervals(path, T0, T0 + 2 * QUARTER)) == [(0, 0, 899.0), (15, 0, 10.5)]
    store.add_coverage([measured(T0, 2.0)])
    assert read_intervals(path, T0, T0 + QUARTER)[0].measured_s == 900.0


def test_an_interval_bears_its_worst_clock(store: SqliteStore, path: Path) -> None:
    """And what is undated is an interval of its own."""
    for clock in (ClockQuality.OK, ClockQuality.UNKNOWN, ClockQuality.CORRECTED, ClockQuality.OK):
        store.add_vehicle(passed(clock=clock), [measured(T0, 7, clock)])
    known, undated = sorted(read_intervals(path, T0, T0 + QUARTER), key=lambda one: one.boot)
    assert (known.clock, known.boot, known.cells[0].n, known.measured_s) == (
        ClockQuality.CORRECTED, "", 3, 21.0,
    )  # fmt: skip
    assert (undated.clock, undated.cells[0].n, undated.measured_s) == (ClockQuality.UNKNOWN, 1, 7.0)


def test_closing_leaves_the_running_interval_alone(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0), [])
    store.add_vehicle(passed(50, T0 + QUARTER), [])
    assert summary(store.close_intervals(T0 + QUARTER - timedelta(seconds=1), None)) == []
    assert summary(store.close_intervals(T0 + QUARTER, None)) == [(0, 1, 0)]
    assert summary(store.close_intervals(T0 + QUARTER, None)) == []


def test_hours_without_cars_and_without_radar_are_records(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0), [measured(T0, 900)])
    assert summary(store.close_intervals(T0 + 4 * QUARTER, T0 + timedelta(minutes=1))) == [
        (0, 1, 900), (15, 0, 0), (30, 0, 0), (45, 0, 0),
    ]  # fmt: skip
    assert store.close_intervals(T0 + 4 * QUARTER, T0) == []


def test_without_a_trusted_start_nothing_is_made_up(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0), [])
    assert len(store.close_intervals(T0 + 40 * QUARTER, None)) == 1


def test_a_gap_between_two_known_intervals_is_filled_too(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0), [])
    store.close_intervals(T0 + QUARTER, T0)
    store.add_vehicle(passed(50, T0 + 3 * QUARTER), [])
    assert summary(store.close_intervals(T0 + 4 * QUARTER, T0)) == [(15, 0, 0), (30, 0, 0), (45, 1, 0)]


def test_a_vehicle_that_a_flag_is_against_is_counted_and_marked(store: SqliteStore) -> None:
    for flags in ((), ("image?",), ("rejoined",), ("few", "rejoined")):
        record = passed(50, T0)
        store.add_vehicle(replace(record, vehicle=replace(record.vehicle, flags=flags)), [])
    (interval,) = store.close_intervals(T0 + QUARTER, None)
    (cell,) = interval.cells
    assert (dict(cell.counts), dict(cell.suspects)) == ({50: 4}, {50: 2})


def test_another_display_profile_is_another_installation(store: SqliteStore) -> None:
    shown = replace(BAUSKA, display_profile="approaching 10-100: speed")
    assert store.begin(shown, T0) == 1  # it was not known before
    assert store.begin(shown, T0 + QUARTER) == 1
    words = replace(BAUSKA, display_profile="approaching 10-100: LĒNĀK")
    assert store.begin(words, T0 + QUARTER) == 2


def test_a_sign_goes_on_under_its_own_installation_after_an_import(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(BAUSKA, T0)
        store._db.execute(
            "INSERT INTO installation (from_ms, origin, site, limit_kmh, mounting_angle_deg, radar, timezone,"
            " approaching_name, receding_name, rounds)"
            " VALUES (0, 'imported', 'elsewhere', 50, 0, '', 'UTC', '', '', 1)"
        )
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        assert store.installation == BAUSKA
        assert store.begin(BAUSKA, T0 + QUARTER) == 1


def test_an_import_ends_no_installation_and_none_begins_with_it(path: Path) -> None:
    """Of the same sign's name, before, between and after what the sign measured."""
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(BAUSKA, T0)
        for hours in (-1, 1):
            store._db.execute(
                "INSERT INTO installation (from_ms, sign, origin, site, limit_kmh, mounting_angle_deg, radar,"
                " timezone, approaching_name, receding_name, rounds)"
                " VALUES (?, 'bauska-3', 'imported', 'elsewhere', 50, 0, '', 'UTC', '', '', 1)",
                (int((T0 + timedelta(hours=hours)).timestamp() * 1000),),
            )
    _, own, _ = read_installations(path)
    assert (own.facts.site, own.to_utc, own.stood_otherwise) == (BAUSKA.site, None, False)


def test_what_was_imported_fills_no_gap_of_the_sign(store: SqliteStore) -> None:
    """Another device measured in between, and said so in a file: this sign did not."""
    store.add_vehicle(passed(50, T0), [])
    store.close_intervals(T0 + QUARTER, T0)
    other = store._db.execute(
        "INSERT INTO installation (from_ms, to_ms, origin, site, limit_kmh, mounting_angle_deg, radar,"
        " timezone, approaching_name, receding_name, rounds)"
        " VALUES (0, 1, 'imported', '', 50, 0, '', 'UTC', '', '', 1)"
    ).lastrowid
    start_s = int(T0.timestamp()) + 900
    for step in (0, 900):
        store._db.execute(
            "INSERT INTO interval (start_s, duration_s, installation_id, measured_s, clock, state, revision)"
            " VALUES (?, 900, ?, 900, 'ok', 'closed', 1)",
            (start_s + step, other),
        )
    assert summary(store.close_intervals(T0 + 3 * QUARTER, T0)) == [(15, 0, 0), (30, 0, 0)]


def test_a_start_without_radar_is_a_record_too(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0 + QUARTER), [])
    assert summary(store.close_intervals(T0 + 2 * QUARTER, T0)) == [(0, 0, 0), (15, 1, 0)]


def test_never_more_than_31_days_are_filled(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0), [])
    store.close_intervals(T0 + QUARTER, T0)
    assert len(store.close_intervals(T0 + timedelta(days=400), T0)) == 31 * 96


def test_a_clock_that_ran_ahead_does_not_stop_the_filling(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0 + timedelta(days=4000), clock=ClockQuality.UNKNOWN), [])
    store.add_vehicle(passed(50, T0), [])
    closed = store.close_intervals(T0 + 2 * QUARTER, T0)
    assert [(minutes, n) for minutes, n, _ in summary(closed)] == [(0, 1), (15, 0), (4000 * 24 * 60, 1)]


def test_a_doubtful_time_is_no_end_of_what_is_known(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0), [])
    store.close_intervals(T0 + QUARTER, T0)
    store.add_vehicle(passed(50, T0 + 3 * QUARTER, clock=ClockQuality.UNKNOWN), [])
    store.close_intervals(T0 + 4 * QUARTER, None)
    assert summary(store.close_intervals(T0 + 5 * QUARTER, T0)) == [
        (15, 0, 0), (30, 0, 0), (45, 0, 0), (60, 0, 0),
    ]  # fmt: skip


def test_a_late_vehicle_reopens_and_is_sent_again_as_a_revision(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0), [])
    assert [i.revision for i in read_intervals(store.path, T0, T0 + QUARTER)] == [1]
    (first,) = store.close_intervals(T0 + QUARTER, None)
    assert [i.revision for i in read_intervals(store.path, T0, T0 + QUARTER)] == [1]
    store.add_vehicle(passed(61, T0), [])
    assert [i.revision for i in read_intervals(store.path, T0, T0 + QUARTER)] == [2]
    (second,) = store.close_intervals(T0 + 2 * QUARTER, None)
    assert (first.revision, second.revision) == (1, 2)
    assert dict(second.cells[0].counts) == {50: 1, 61: 1}
    sent = [(row.seq, json.loads(row.body)["rev"]) for row in store.pending(10) if row.kind == "agg"]
    assert sent == [(3, 2), (2, 1)]


def test_coverage_that_changes_nothing_does_not_reopen(store: SqliteStore) -> None:
    store.add_coverage([measured(T0, 900)])
    store.close_intervals(T0 + QUARTER, None)
    store.add_coverage([measured(T0, 1)])
    assert store.close_intervals(T0 + QUARTER, None) == []


def test_a_closed_interval_is_its_message(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0), [measured(T0, 899.5)])
    store.add_vehicle(passed(47, T0, direction=Direction.RECEDING, display=DisplayState.DARK), [])
    (interval,) = store.close_intervals(T0 + QUARTER, None)
    _, row = store.pending(10)
    assert row.kind == "agg"
    assert parse_aggregate(json.loads(row.body)) == interval


def test_a_restart_in_the_middle_goes_on_with_the_same_interval(path: Path) -> None:
    epochs = set()
    for minute in (1, 2, 14):
        with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
            assert store.begin(BAUSKA, T0 + timedelta(minutes=minute)) == 1
            store.add_vehicle(passed(50, T0 + timedelta(minutes=minute)), [measured(T0, 60)])
            epochs.add(store.epoch)
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        assert {store.epoch} == epochs
        assert store.installation == BAUSKA
        assert summary(store.close_intervals(T0 + QUARTER, T0)) == [(0, 3, 180)]


def test_two_installations_in_one_quarter_are_two_records(store: SqliteStore, path: Path) -> None:
    store.add_vehicle(passed(50, T0), [])
    moved = replace(BAUSKA, site="Skaistkalne", limit_kmh=30)
    assert store.begin(moved, T0 + timedelta(minutes=5)) == 2
    store.add_vehicle(passed(50, T0), [])
    closed = store.close_intervals(T0 + QUARTER, T0)
    assert [(i.installation_id, sum(c.n for c in i.cells)) for i in closed] == [(1, 1), (2, 1)]
    assert [standing.facts for standing in read_installations(path)] == [BAUSKA, moved]
    both = read_counts(path, T0, T0 + QUARTER)
    assert both.installation_ids == {1, 2}
    assert read_counts(path, T0, T0 + QUARTER, installation_id=2).counts["both"] == {50: 1}


def test_old_vehicles_go_but_never_intervals(store: SqliteStore, path: Path) -> None:
    for days in (0, 1, 2):
        store.add_vehicle(passed(50, T0 + timedelta(days=days)), [])
    assert store.prune(T0 + timedelta(days=2)) == 2
    assert [number for number, _ in vehicles_since(path, 0)] == [3]
    assert read_counts(path, T0, T0 + timedelta(days=3)).counts["both"] == {50: 3}


@pytest.mark.parametrize(
    ("day", "quarters"), [((2026, 3, 29), 92), ((2026, 10, 25), 100), ((2026, 6, 1), 96)]
)
def test_a_local_day_is_whole_quarters_also_when_clocks_change(
    path: Path, day: tuple[int, int, int], quarters: int
) -> None:
    zone = ZoneInfo("Europe/Riga")
    midnight = datetime(*day, tzinfo=zone)
    start, end = midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(BAUSKA, start)
        closed = store.close_intervals(end, start)
    assert len(closed) == quarters
    assert closed[0].start_utc == start
    assert closed[-1].start_utc + QUARTER == end


def test_a_shorter_interval_takes_over_without_counting_twice(path: Path) -> None:
    with contextlib.closing(SqliteStore(path, "bauska-3", 900)) as store:
        store.begin(BAUSKA, T0)
        store.add_vehicle(passed(50, T0 + timedelta(minutes=1)), [measured(T0, 120)])
    with contextlib.closing(SqliteStore(path, "bauska-3", 300)) as store:
        store.add_vehicle(passed(50, T0 + timedelta(minutes=6)), [measured(T0 + timedelta(minutes=6), 60)])
        store.close_intervals(T0 + 2 * QUARTER, T0)
    found = read_counts(path, T0, T0 + 2 * QUARTER)
    assert found.counts["both"] == {50: 2}
    assert found.measured_s == 180


def test_an_odd_interval_is_refused(path: Path) -> None:
    with pytest.raises(StoreRejected, match="700"):
        SqliteStore(path, "bauska-3", 700)


def test_officers_read_while_the_sign_writes(store: SqliteStore, path: Path) -> None:
    store._db.execute("BEGIN IMMEDIATE")
    assert read_counts(path, T0, T0 + QUARTER).counts == {"both": {}}
    store._db.execute("ROLLBACK")
    store.add_vehicle(passed(50), [measured(T0, 450)])
    found = read_counts(path, T0, T0 + QUARTER)
    assert found.counts == {"both": {50: 1}, "approaching": {50: 1}}
    assert found.coverage == 0.5


def test_reading_can_be_narrowed_to_what_the_sign_did(store: SqliteStore, path: Path) -> None:
    store.add_vehicle(passed(50, display=DisplayState.SHOWN), [])
    store.add_vehicle(passed(60, display=DisplayState.DARK), [])
    dark = read_counts(path, T0, T0 + QUARTER, display=DisplayState.DARK)
    assert dark.counts["both"] == {60: 1}


def test_a_value_of_a_later_version_is_a_sentence(store: SqliteStore, path: Path) -> None:
    store.add_vehicle(passed(50), [])
    store._db.execute("UPDATE interval SET clock = 'atomic'")
    with pytest.raises(StoreError, match="atomic"):
        read_counts(path, T0, T0 + QUARTER)


Seen = tuple[int, float, Direction, DisplayState]
vehicles = st.lists(
    st.tuples(
        st.integers(0, 4 * 900_000),  # ms after T0
        st.floats(0, 250, allow_nan=False),
        st.sampled_from(Direction),
        st.sampled_from(DisplayState),
    ),
    max_size=40,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(vehicles, st.sets(st.integers(0, 40), max_size=5))
def test_intervals_are_what_a_counter_says(tmp_path: Path, seen: list[Seen], closings: set[int]) -> None:
    expected: Counter[tuple[int, str, str, int]] = Counter()
    latest: dict[datetime, Interval] = {}
    path = tmp_path / "sign.db"
    path.unlink(missing_ok=True)
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store._db.execute("PRAGMA synchronous = OFF")
        store.begin(BAUSKA, T0)
        for step, (ms, speed, direction, display) in enumerate(seen):
            store.add_vehicle(
                passed(speed, T0 + timedelta(milliseconds=ms), direction=direction, display=display), []
            )
            expected[ms // 900_000, direction.value, display.value, int(speed + 0.5)] += 1
            if step in closings:
                latest |= {i.start_utc: i for i in store.close_intervals(T0 + timedelta(milliseconds=ms), T0)}
        latest |= {i.start_utc: i for i in store.close_intervals(T0 + 5 * QUARTER, T0)}
        sent = [parse_aggregate(json.loads(row.body)) for row in store.pending(1000) if row.kind == "agg"]
        messages = {one.start_utc: one for one in reversed(sent)}
    found = {
        (int((i.start_utc - T0) / QUARTER), cell.direction.value, cell.display.value, speed): n
        for i in latest.values()
        for cell in i.cells
        for speed, n in cell.counts.items()
    }
    assert found == dict(expected)
    assert messages == latest  # the last revision of each is what was sent last
    assert len(latest) == 5


def test_another_program_holding_the_file_is_a_sentence_not_a_hang(store: SqliteStore, path: Path) -> None:
    store._db.execute("PRAGMA busy_timeout = 1")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.add_vehicle(passed(), [])
        other.execute("ROLLBACK")
    store.add_vehicle(passed(), [])
