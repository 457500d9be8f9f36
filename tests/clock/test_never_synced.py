"""Boots that never knew the time: counted in totals, in no hour, and where they can have been."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import speedsign.daemon
from simulator.virtual_time import run_virtual
from speedsign.model import ClockQuality, Interval
from telemetry.boots import Bounds, between
from telemetry.store import SqliteStore
from tests.clock.pole import QUARTER, T0, Pole, counted, quarter, slow_ticks

__all__ = ["slow_ticks"]

pytestmark = pytest.mark.usefixtures("slow_ticks")
HOUR = 3600.0


def undated(pole: Pole) -> list[Interval]:
    """Those that hold something."""
    return [one for one in pole.intervals() if one.boot and (one.cells or one.measured_s)]


@pytest.mark.parametrize(
    ("claims", "lies"),
    [
        (T0 - timedelta(hours=20), "from the end of what was known"),
        (datetime(1970, 1, 1, tzinfo=UTC), "from the end of what was known"),
        (T0 + timedelta(days=3000), "until the start of what is known"),
        (T0 + timedelta(hours=3), "where it says"),
    ],
    ids=["yesterday", "unset", "ahead", "inside"],
)
def test_a_boot_without_sync_lies_between_two_that_had_one(
    claims: datetime, lies: str, tmp_path: Path
) -> None:
    async def run() -> Pole:
        pole = Pole(tmp_path)
        pole.boot()
        await pole.run(HOUR, cut=True)
        await pole.off(2.5 * HOUR)
        pole.boot(claims)
        await pole.run(HOUR, cut=True)
        await pole.off(1.5 * HOUR)
        pole.boot()
        await pole.run(HOUR)
        return pole

    pole = run_virtual(run())
    pole.check()
    found = undated(pole)
    assert counted(iter(found)).total() == pytest.approx(80, abs=2)
    assert {one.boot for one in found} == {"b007000000000003"}
    begin = {
        "from the end of what was known": T0 + timedelta(hours=1),
        "until the start of what is known": T0 + timedelta(hours=5),
        "where it says": claims,
    }[lies]
    for one in found:
        assert begin - QUARTER <= one.start_utc <= begin + timedelta(hours=1, minutes=15), lies
        assert one.clock is ClockQuality.UNKNOWN
    assert sum(one.measured_s for one in found) == pytest.approx(HOUR, abs=80)


def test_three_of_them_in_their_order(tmp_path: Path) -> None:
    async def run() -> Pole:
        pole = Pole(tmp_path)
        pole.boot()
        await pole.run(HOUR)
        for days in (400, -400, 0):
            await pole.off(600)
            pole.boot(T0 + timedelta(days=days))
            await pole.run(HOUR, cut=True)
        await pole.off(600)
        pole.boot(T0 - timedelta(days=1))
        await pole.run(1200, then=pole.sync)
        return pole

    pole = run_virtual(run())
    pole.check()
    found = sorted(undated(pole), key=lambda one: one.boot)
    spans = {}
    for boot in sorted({one.boot for one in found}):
        mine = [one for one in found if one.boot == boot]
        spans[boot] = (min(one.start_utc for one in mine), max(one.start_utc for one in mine))
        assert counted(iter(mine)).total() == pytest.approx(80, abs=2)
    assert len(spans) == 3
    ends = [T0 + timedelta(minutes=45), *(at for span in spans.values() for at in span)]
    assert ends == sorted(ends), "in their order"
    assert ends[-1] <= T0 + timedelta(hours=5)
    assert pole.dated().total() == pytest.approx(80 + 26, abs=3)


def test_vehicles_that_were_told_are_told_again_where_they_lie(tmp_path: Path) -> None:
    """As their intervals are; a boot that stays where it was is not told twice."""

    async def run() -> Pole:
        pole = Pole(tmp_path, gap_s=30.0, vehicles=True)
        pole.boot()
        await pole.run(HOUR)
        for claims in (T0 - timedelta(days=9), T0 + timedelta(hours=4)):  # impossible, and possible
            await pole.off(300)
            pole.boot(claims)
            await pole.run(2.5 * HOUR)
        await pole.off(HOUR)
        pole.boot()
        await pole.run(2 * HOUR)
        return pole

    pole = run_virtual(run())
    pole.check()
    with contextlib.closing(SqliteStore(pole.path, "pole")) as store:
        rows = sorted(store.pending(10_000), key=lambda row: row.seq)
        bodies = [json.loads(row.body) for row in rows if row.kind == "raw"]
    told: dict[str, dict[int, Counter[int]]] = {}  # by boot and its guess: when vehicles passed, in boot time
    for body in bodies:
        if body["clk"][0] == "u":
            up = body["up"] if isinstance(body["up"], list) else [body["up"]]
            guess = round((body["t0"] - up[0]) / 60_000)
            told.setdefault(body["boot"], {}).setdefault(guess, Counter()).update(up)
    moved, stayed = told.values()
    before, after = moved.values()
    assert before <= after, "what had not been told yet is told where it lies"
    assert before.total() >= 100
    assert set(after.values()) == {1}
    assert len(stayed) == 1
    assert set(next(iter(stayed.values())).values()) == {1}


def test_known_time_is_only_what_was_trusted(tmp_path: Path) -> None:
    """A boot that is dated bounds those before it; one that only claims a time bounds nothing."""

    async def run() -> Pole:
        pole = Pole(tmp_path)
        pole.boot(T0 + timedelta(days=9))
        await pole.run(HOUR, cut=True)
        pole.boot(T0 + timedelta(days=2))
        await pole.run(HOUR, cut=True)
        pole.boot()
        await pole.run(HOUR)
        return pole

    pole = run_virtual(run())
    pole.check()
    assert max(one.start_utc for one in undated(pole)) <= T0 + timedelta(hours=2)
    assert pole.dated() == {key: n for key, n in pole.truth.items() if key[0] >= T0 + timedelta(hours=2)}


ms = st.integers(-(10**6), 10**6)


@given(st.none() | ms, ms, st.lists(st.tuples(ms, st.integers(0, 1000)), max_size=6))
def test_where_they_fit_they_lie_in_the_bounds(
    after: int | None, before: int, boots: list[tuple[int, int]]
) -> None:
    base = 1_800_000_000_000
    bounds = Bounds(None if after is None else base + after, base + before)
    asked = [(base + guess, length) for guess, length in boots]
    found = between(bounds, asked)
    assert len(found) == len(boots)
    ends = [begin + length for begin, (_, length) in zip(found, asked, strict=True)]
    assert all(end <= bounds.before_ms for end in ends), "no boot lasts beyond the next one's start"
    assert all(end <= begin for end, begin in zip(ends, found[1:], strict=False)), "they do not overlap"
    if after is None or bounds.before_ms - (bounds.after_ms or 0) >= sum(length for _, length in asked):
        assert all(bounds.after_ms is None or begin >= bounds.after_ms for begin in found)
        if found == sorted(found) and len(found) == 1 and (bounds.after_ms or 0) <= asked[0][0]:
            assert found[0] == min(asked[0][0], bounds.before_ms - asked[0][1]), (
                "moved only as far as it must"
            )


def test_without_a_clock_vehicles_are_forgotten_by_boot_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is promised about single vehicles holds on a sign that never hears a time server, too."""
    monkeypatch.setattr(speedsign.daemon, "DAY", timedelta(hours=1))

    async def run() -> Pole:
        pole = Pole(tmp_path, gap_s=300.0)
        pole.keep_days = 1
        pole.boot(T0 + timedelta(days=9))
        await pole.run(5 * HOUR, cut=True)
        pole.boot(T0 - timedelta(days=400))
        await pole.run(23 * HOUR)
        assert pole.ask("SELECT min(id) FROM vehicle") == [(1,)], "within the day none is forgotten"
        await pole.run(7 * HOUR)
        return pole

    pole = run_virtual(run())
    pole.check()
    rows = pole.ask("SELECT boot, count(*), min(last_mono_s) FROM vehicle GROUP BY boot")
    ((boot, n, oldest_s),) = rows
    assert boot == 2
    assert n == pytest.approx(24 * 12, abs=24)
    assert oldest_s == pytest.approx(6 * HOUR, abs=1.3 * HOUR)


def test_an_undated_boot_that_goes_on_over_a_restart_is_one(tmp_path: Path) -> None:
    async def run() -> Pole:
        pole = Pole(tmp_path)
        pole.boot(T0)
        await pole.run(1800)
        await asyncio.sleep(60)
        await pole.run(1800)
        return pole

    pole = run_virtual(run())
    pole.check()
    assert {one.boot for one in pole.intervals()} == {"b007000000000002"}
    assert {quarter(one.start_utc) for one in pole.intervals()} == {one.start_utc for one in pole.intervals()}
    assert pole.undated() == pole.truth
