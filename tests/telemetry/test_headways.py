"""Headways: from front to front, one direction, never over a gap in measuring."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.model import ClockQuality, Direction
from telemetry.headways import Headways, Passage, headways, measured_stretches, read_headways
from telemetry.period import Hour, read_period
from telemetry.query import read_installations
from telemetry.rows import to_ms
from telemetry.store import SqliteStore
from tests.telemetry.samples import BAUSKA, QUARTER, T0, measured, passed

HOUR = timedelta(hours=1)
START_MS = to_ms(T0)
HOURS = [Hour(T0 + step * HOUR, T0 + step * HOUR, 3600.0) for step in range(3)]
ALL = [(START_MS, START_MS + 3 * 3_600_000)]


def road(*seconds: float, direction: str = "approaching", speed_kmh: int = 50) -> list[Passage]:
    return [Passage(START_MS + round(1000 * second), direction, speed_kmh) for second in seconds]


def of(
    passages: list[Passage], direction: str = "both", stretches: Sequence[tuple[int, int]] = ALL
) -> Headways:
    return headways(sorted(passages), stretches, direction, rounds=True, hours=HOURS)


def test_five_seconds_are_free() -> None:
    found = of(road(0, 2, 7, 11.999, 31.999), "approaching")
    assert (found.vehicles, found.n, found.free_n) == (5, 4, 2)  # 2, 5, 4.999, 20
    assert found.median_s == pytest.approx((4.999 + 5) / 2)
    assert found.free_share == 0.5
    assert (found.from_utc, found.to_utc) == (T0, T0 + timedelta(seconds=31.999))
    assert found.free_flow_s == 5.0


def test_directions_do_not_follow_each_other() -> None:
    passages = road(0, 10, 20) + road(1, 11, direction="receding") + road(2, 3, direction="unknown")
    assert (of(passages, "approaching").n, of(passages, "receding").n, of(passages).n) == (2, 1, 3)
    assert of(passages).median_s == 10
    assert of(passages, "unknown") == Headways(0, 0, None, 0, None, None, None, None)


def test_v85_is_that_of_free_vehicles() -> None:
    column = [road(10 * place, 10 * place + 1)[i] for place in range(20) for i in (0, 1)]
    passages = [one._replace(speed_kmh=60 if place % 2 == 0 else 30) for place, one in enumerate(column)]
    found = of(passages)
    assert found.free_n == 19  # those that come 9 s after the one before; the first follows nobody
    assert found.free_v85_kmh == pytest.approx(59.5 + 0.85)


def test_no_headway_spans_a_gap() -> None:
    stretches = [(START_MS, START_MS + 60_000), (START_MS + 120_000, START_MS + 240_000)]
    found = of(road(0, 50, 70, 130, 150), "approaching", stretches)
    assert (found.vehicles, found.n, found.median_s) == (5, 2, 35)  # 50 and 20: not 20 over the edge, not 80


def test_a_long_wait_on_a_quiet_road_is_a_headway() -> None:
    assert of(road(0, 7200)).median_s == 7200


def test_followers_outside_the_hours_are_not_counted_and_leaders_are() -> None:
    found = headways(road(3599, 3601, 7300), ALL, rounds=True, hours=HOURS[1:2])
    assert (found.vehicles, found.n, found.median_s) == (1, 1, 2)


def test_one_vehicle_and_none() -> None:
    assert (of(road(5)).vehicles, of(road(5)).n, of(road(5)).median_s, of(road(5)).free_share) == (
        1,
        0,
        None,
        None,
    )
    assert of([]) == Headways(0, 0, None, 0, None, None, None, None)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), max_size=20))
def test_stretches_join_what_touches(drawn: list[tuple[int, int]]) -> None:
    intervals = sorted(drawn)
    covered = {second for start, length in intervals for second in range(start, start + length)}
    found = list(measured_stretches(intervals))
    assert {second for start, end in found for second in range(start, end)} == covered
    assert all(end < later for (_, end), (later, _) in pairwise(found))


@given(st.lists(st.tuples(st.integers(0, 10_799_999), st.booleans()), max_size=40))
def test_against_a_plain_walk(drawn: list[tuple[int, bool]]) -> None:
    passages = [
        Passage(START_MS + ms, "approaching" if near else "receding", 50) for ms, near in sorted(drawn)
    ]
    expected = []
    for near in (True, False):
        times = sorted(ms for ms, is_near in drawn if is_near is near)
        expected += [(b - a) / 1000 for a, b in pairwise(times)]
    found = of(passages)
    assert found.n == len(expected)
    assert found.median_s == (pytest.approx(statistics.median(expected)) if expected else None)
    assert found.free_n == sum(headway >= 5 for headway in expected)


# --------------------------------------------------------------------------- from a database


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    found = SqliteStore(tmp_path / "sign.db", "bauska-1")
    found.begin(BAUSKA, T0)
    yield found
    found.close()


def asked(path: Path, hours: int = 2) -> dict[str, Headways]:
    (standing,) = read_installations(path)
    return read_headways(path, read_period(path, standing, T0, T0 + hours * HOUR))


def test_what_is_kept_is_read(store: SqliteStore) -> None:
    """`passed` is first seen 3.25 s before its time: the first of an hour so lies before it."""
    for second in (10, 20, 1000):
        store.add_vehicle(passed(55.4, T0 + timedelta(seconds=second)), [])
    store.add_vehicle(passed(55, T0 + timedelta(seconds=15), direction=Direction.UNKNOWN), [])
    store.add_vehicle(passed(55, T0 + timedelta(seconds=16), clock=ClockQuality.UNKNOWN), [])
    for quarter in range(2):
        store.add_coverage([measured(T0 + quarter * QUARTER, 900)])
    store._db.execute("UPDATE interval SET clock = 'ok'")  # one vehicle had no trusted time
    found = asked(store.path)
    assert list(found) == ["approaching", "receding", "unknown", "both"]
    assert (found["approaching"].n, found["approaching"].median_s) == (2, 495)
    assert found["both"] == found["approaching"]
    assert found["receding"].vehicles == found["unknown"].vehicles == 0
    assert found["both"].free_v85_kmh == pytest.approx(54.5 + 0.85)


@pytest.mark.parametrize(("seconds", "n"), [(900, 2), (675, 2), (674, 1), (0, 1)])
def test_a_quarter_that_was_hardly_measured_is_a_gap(store: SqliteStore, seconds: float, n: int) -> None:
    for second in (10, 20, 2000):  # in the first quarter, and in the third
        store.add_vehicle(passed(50, T0 + timedelta(seconds=second)), [])
    store.add_coverage([measured(T0, 900), measured(T0 + 2 * QUARTER, 900)])
    store.add_coverage([measured(T0 + QUARTER, seconds)])
    assert asked(store.path)["approaching"].n == n


def test_a_quarter_whose_clock_nobody_vouches_for_is_a_gap(store: SqliteStore) -> None:
    for second in (10, 2000):
        store.add_vehicle(passed(50, T0 + timedelta(seconds=second)), [])
    store.add_coverage([measured(T0 + step * QUARTER, 900) for step in range(3)])
    assert asked(store.path)["approaching"].n == 1
    store._db.execute("UPDATE interval SET clock = 'unknown' WHERE start_s = ?", (START_MS // 1000 + 900,))
    assert asked(store.path)["approaching"].n == 0


def test_where_nothing_is_kept_there_is_nothing(store: SqliteStore) -> None:
    store.add_vehicle(passed(50, T0), [measured(T0, 900)])
    with sqlite3.connect(store.path) as db:
        db.execute("DELETE FROM vehicle")
    db.close()
    assert asked(store.path)["both"] == Headways(0, 0, None, 0, None, None, None, None)
