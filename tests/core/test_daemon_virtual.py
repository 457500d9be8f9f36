"""The seam: the whole daemon on virtual time, with real decoder, tracker, rules, display, store and outbox.

Only the wires are memory and the clock is virtual, so an hour of traffic takes seconds and is the same
each time.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.road import Road, RoadShape
from simulator.virtual_time import run_virtual
from speedsign.model import ClockQuality, Direction, Reading
from telemetry.message.messages import parse_aggregate
from telemetry.query import read_counts, read_intervals, read_vehicles
from telemetry.store import SqliteStore
from tests.core.street import START, Street


def test_an_hour_of_traffic_in_seconds(tmp_path: Path) -> None:
    async def hour() -> Street:
        street = Street(tmp_path)
        await street.run(3600)
        return street

    street = run_virtual(hour())
    passed = [vehicle for vehicle in street.world.truth() if street.world.leading[vehicle.vehicle_id] >= 5]
    kept = read_vehicles(street.path, START, START + timedelta(hours=2))
    assert len(passed) > 200
    assert abs(len(kept) - len(passed)) <= 0.1 * len(passed), (len(kept), len(passed))

    # Every vehicle is in the counts once, in the interval that it passed in, and nowhere else.
    counted: Counter[tuple[datetime, str, int]] = Counter()
    for interval in read_intervals(street.path, START - timedelta(hours=1), START + timedelta(hours=2)):
        for cell in interval.cells:
            for speed, n in cell.counts.items():
                counted[interval.start_utc, cell.direction.value, speed] += n
    by_hand = Counter(
        (
            record.last_utc.replace(minute=record.last_utc.minute // 15 * 15, second=0, microsecond=0),
            record.vehicle.direction.value,
            int(record.vehicle.speed_kmh + 0.5),
        )
        for _, record in kept
    )
    assert counted == by_hand

    # Only numbers between the minimum and the ceiling were lit, and none outlived its vehicle.
    numbers = [int(text) for _, text in street.lit if text and text != "0000"]
    assert numbers
    assert all(10 <= number <= 100 for number in numbers)
    assert street.panel.lit().strip() == "", "dark after the end"
    assert street.daemon.faults() == []


def test_intervals_close_on_time_and_are_announced_once(tmp_path: Path) -> None:
    async def run() -> Street:
        street = Street(tmp_path, vehicles_per_hour=120)
        await street.run(2 * 3600)
        return street

    street = run_virtual(run())
    store = SqliteStore(street.path, "virtual")
    waiting = [row for row in reversed(store.pending(1000)) if row.kind == "agg"]
    messages = [parse_aggregate(json.loads(row.body)) for row in waiting]
    store.close()
    starts = [message.start_utc for message in messages]
    assert starts == [datetime(2026, 5, 4, 6, 45, tzinfo=UTC) + timedelta(minutes=15 * i) for i in range(8)]
    assert messages[0].measured_s == pytest.approx(450 - 15, abs=15), "from the middle of it, set-up aside"
    for message in messages[1:]:
        assert message.measured_s == pytest.approx(900, abs=12)
        assert message.clock is ClockQuality.OK
    closed = sum(cell.n for message in messages for cell in message.cells)
    until = datetime(2026, 5, 4, 8, 45, tzinfo=UTC)
    merged = read_counts(street.path, START - timedelta(hours=1), until)
    assert closed == sum(merged.counts["both"].values())


def test_a_clock_that_is_not_trusted_is_written_into_every_record(tmp_path: Path) -> None:
    async def run() -> Street:
        street = Street(tmp_path, trusted=False)
        await street.run(1200)
        return street

    street = run_virtual(run())
    kept = read_vehicles(street.path, START, START + timedelta(hours=2))
    assert kept
    assert {record.clock for _, record in kept} == {ClockQuality.UNKNOWN}


def test_a_dead_panel_holds_up_nobody(tmp_path: Path) -> None:
    async def run() -> tuple[Street, list[str]]:
        street = Street(tmp_path)
        street.bus.cut.add(1)
        daemon = asyncio.create_task(street.daemon.run())
        world = asyncio.create_task(street.world.run())
        await asyncio.sleep(600)
        codes = [fault.code for fault in street.daemon.faults()]
        await street.stop(daemon, world)
        return street, codes

    street, codes = run_virtual(run())
    assert codes == ["no_reply"]
    kept = read_vehicles(street.path, START, START + timedelta(hours=1))
    assert len(kept) > 20
    assert {record.display.value for _, record in kept} == {"fault"}


def test_a_radar_that_is_unplugged_leaves_the_panel_dark_and_comes_back(tmp_path: Path) -> None:
    async def run() -> tuple[Street, float, list[str]]:
        street = Street(tmp_path, vehicles_per_hour=600)
        daemon = asyncio.create_task(street.daemon.run())
        world = asyncio.create_task(street.world.run())
        while not street.panel.lit().strip().isdigit() or street.panel.lit() == "0000":
            await asyncio.sleep(0.1)
        street.world.radar_end.unplug()
        unplugged_s = street.clock.monotonic()
        await asyncio.sleep(60)
        codes = [fault.code for fault in street.daemon.faults()]
        street.world.radar_end.plug()
        await asyncio.sleep(600)
        await street.stop(daemon, world)
        return street, unplugged_s, codes

    street, unplugged_s, codes = run_virtual(run())
    assert codes == ["port"]
    while_away = [(t_s, text) for t_s, text in street.lit if unplugged_s < t_s < unplugged_s + 60]
    assert [text for _, text in while_away] == [""]
    assert while_away[0][0] - unplugged_s < 2.0
    assert street.daemon.faults() == []
    assert [text for t_s, text in street.lit if t_s > unplugged_s + 90 and text], "it shows again"


def test_what_waited_while_the_process_stood_still_is_not_shown(tmp_path: Path) -> None:
    """Stopped for some seconds: the port has kept the readings of a car that has long gone."""

    async def run() -> list[str]:
        street = Street(tmp_path, vehicles_per_hour=1)
        daemon = asyncio.create_task(street.daemon.run())
        await asyncio.sleep(20)
        began_s = street.clock.monotonic()
        old = [Reading(began_s, 66.0, Direction.APPROACHING)] * 20
        street.daemon._ticked_s -= 8.0
        street.daemon._on_events(old)
        await asyncio.sleep(3)
        shown = [text for t_s, text in street.lit if t_s >= began_s and text]
        now_s = street.clock.monotonic()
        street.daemon._on_events([Reading(now_s, 44.0, Direction.APPROACHING)] * 3)
        await asyncio.sleep(1)
        shown += [text for t_s, text in street.lit if t_s >= now_s and text]
        await street.stop(daemon)
        return shown

    assert run_virtual(run()) == ["44"]


def test_a_night_without_power_is_seen_as_such(tmp_path: Path) -> None:
    """Intervals of the time in between are there, empty and without coverage; none is lost or doubled."""

    async def run(start: datetime) -> None:
        street = Street(tmp_path, start=start)
        await street.run(1200)

    run_virtual(run(START))
    run_virtual(run(START + timedelta(hours=3)))
    intervals = read_intervals(tmp_path / "sign.db", START - timedelta(hours=1), START + timedelta(hours=5))
    starts = [interval.start_utc for interval in intervals]
    assert starts == [starts[0] + timedelta(minutes=15 * i) for i in range(len(starts))]
    dark = [interval for interval in intervals if interval.measured_s == 0]
    assert len(dark) in (9, 10)
    assert not any(interval.cells for interval in dark)


def test_an_empty_road_is_an_empty_road() -> None:
    """The scene's own control: no vehicles, no truth."""
    road = Road(iter(()), RoadShape())
    road.process(60)
    assert road.is_empty
    assert not road.passed
