"""The main job, end to end: radar bytes in, digits out, vehicles stored, intervals published.

Nothing here is a stand-in but the street: serial lines are ptys, the panel answers real Modbus frames, the
broker is Mosquitto, the daemon is a process of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from telemetry.message.messages import parse_aggregate
from telemetry.query import read_counts
from tests.scenes import Outcomes, Together
from tests.support import until
from tests.telemetry.broker import Broker, Listener
from tests.wires.rig import Rig

pytestmark = pytest.mark.wires

APPROACHING, RECEDING = 0, 1
# Three to come and one to go, far enough apart that each is alone in front of the sign.
STREET = [
    (0.0, APPROACHING, 47.0, "car"),
    (5.0, RECEDING, 62.0, "car"),
    (8.0, APPROACHING, 58.0, "car"),
    (15.0, APPROACHING, 39.0, "lorry"),
]


together = Together(at_once=4)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Side by side: the traffic takes its time."""
    return together.play(request, tmp_path_factory)


def check_vehicles(rig: Rig) -> None:
    """Every vehicle of the script is in the database once, with its direction and its speed."""
    truth = sorted((passed.direction.value, passed.mean_kmh) for passed in rig.stand.world.truth())
    kept = sorted((record.vehicle.direction.value, record.vehicle.speed_kmh) for record in rig.records())
    assert [direction for direction, _ in kept] == [direction for direction, _ in truth]
    for (_, measured), (_, true) in zip(kept, truth, strict=True):
        assert measured == pytest.approx(true, abs=1.5)


def check_counts(rig: Rig) -> None:
    """The counts hold what the vehicles are, no more and no less."""
    merged = read_counts(rig.database, *_ever(rig))
    by_hand = Counter(int(record.vehicle.speed_kmh + 0.5) for record in rig.records())
    assert merged.counts["both"] == dict(by_hand)


def _ever(rig: Rig) -> tuple[datetime, datetime]:
    first = min(record.first_utc for record in rig.records())
    last = max(record.last_utc for record in rig.records())
    return first - timedelta(days=1), last + timedelta(days=1)  # with the intervals that they are in


async def what_passes(folder: Path, radar: str) -> None:
    with Broker(folder) as broker:
        # The interval ends in the middle of the traffic: what passed before it is in the first message.
        rig = Rig(folder, STREET, radar=radar, broker_port=broker.port, boundary_in_s=20.0)
        listener = Listener(broker.port)
        try:
            await drive_by(rig, listener)
            check_vehicles(rig)
            check_counts(rig)
            check_display(rig)
            check_messages(listener, rig)
        finally:
            listener.close()


@together.test
async def test_what_passes_is_shown_stored_and_published(folder: Path) -> None:
    await what_passes(folder, "ops243")


@together.test
async def test_the_same_with_another_radar(folder: Path) -> None:
    await what_passes(folder, "ld2415h")


async def drive_by(rig: Rig, listener: Listener) -> None:
    async with rig:
        await rig.panel_shows(45, 48)
        await rig.panel_dark()
        await rig.panel_shows(56, 59)
        await rig.panel_shows(36, 40)
        await rig.passed(4)
        await rig.kept(4)
        await rig.panel_dark()
        await until(lambda: any("/up/agg" in topic for topic, _, _ in listener.heard), 60.0, "an interval")


def check_display(rig: Rig) -> None:
    """Numbers in the order in which the vehicles came; nothing for the one that went; dark in time."""
    numbers = [int(text) for text in rig.stand.shown() if text != "0000"]
    decades = [decade for decade, _ in _runs([number // 10 for number in numbers])]
    assert set(decades) <= {4, 5, 3}, numbers
    assert not any(number > 59 for number in numbers), "the receding one is nobody's business"
    first = {low: numbers.index(next(n for n in numbers if low <= n < low + 5)) for low in (45, 55, 35)}
    assert first[45] < first[55] < first[35]
    assert rig.longest_unsupported_s() < 2.5
    assert rig.stand.panel.lit().strip() == "", "dark at the end"


def _runs(values: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1] = value, runs[-1][1] + 1
        else:
            runs.append((value, 1))
    return runs


def check_messages(listener: Listener, rig: Rig) -> None:
    """Birth, state, and the interval with the very histogram that is in the database."""
    by_topic: dict[str, list[bytes]] = {}
    for topic, payload, _ in listener.heard:
        by_topic.setdefault(topic.removeprefix("speedsign/1/wired/up/"), []).append(payload)
    assert [json.loads(payload)["s"] for payload in by_topic["state"]] == ["on", "off"]
    assert json.loads(by_topic["birth"][0])["radar"] in ("ops243", "ld2415h")
    interval = parse_aggregate(by_topic["agg"][0])
    heard = {(cell.direction.value, cell.display.value): dict(cell.counts) for cell in interval.cells}
    stored: dict[tuple[str, str], dict[int, int]] = {}
    for record in rig.records():
        if (
            interval.start_utc <= record.last_utc
            and (record.last_utc - interval.start_utc).total_seconds() < 60
        ):
            cell = stored.setdefault((record.vehicle.direction.value, record.display.value), {})
            speed = int(record.vehicle.speed_kmh + 0.5)
            cell[speed] = cell.get(speed, 0) + 1
    assert heard == stored
    assert stored, "something passed in that minute"
    assert 10 < interval.measured_s <= 60


@together.test
async def test_a_radar_that_is_unplugged_and_plugged_in_again(folder: Path) -> None:
    rig = Rig(folder, [(0.0, APPROACHING, 47.0, "car"), (10.0, APPROACHING, 56.0, "car")])
    async with rig:
        await rig.panel_shows(44, 48)
        unplugged_s = rig.t_s
        rig.stand.fault("radar unplug")
        await rig.panel_dark()
        assert rig.t_s - unplugged_s < 2.5
        await rig.said("fault: radar")
        rig.stand.fault("radar plug")
        await rig.said("set up", times=2)  # its settings were lost with its power
        await rig.panel_shows(53, 57)
        await rig.kept(2)
    kept = [record.vehicle.speed_kmh for record in rig.records()]
    assert kept == pytest.approx([47, 56], abs=1.5)
    check_counts(rig)
    assert rig.longest_unsupported_s() < 5.0


@together.test
async def test_a_panel_that_is_silent_for_ten_seconds(folder: Path) -> None:
    script = [
        (0.0, APPROACHING, 47.0, "car"),
        (3.0, APPROACHING, 50.0, "car"),
        (13.0, APPROACHING, 55.0, "car"),
    ]
    rig = Rig(folder, script)
    async with rig:
        await rig.panel_shows(44, 48)
        await rig.world_is(3.5)
        rig.stand.fault("panel off")  # without power it shows nothing; on again, zeros of its own
        off_s = rig.t_s
        await rig.said("fault: ")
        await rig.world_is(off_s + 10.0)
        rig.stand.fault("panel on")
        on_s = rig.t_s
        await rig.panel_dark()
        assert rig.t_s - on_s < 2.5, "what it lit by itself was darkened"
        await rig.panel_shows(52, 56)
        await rig.said("mended: ")
        await rig.passed(3)
        await rig.kept(3)
    check_vehicles(rig)
    displays = [record.display.value for record in rig.records()]
    assert displays[-1] == "shown"
    assert "fault" in displays, "what the drivers at a panel without power saw nobody knows"
    assert rig.longest_unsupported_s() < 5.0


@together.test
async def test_a_broker_that_is_restarted(folder: Path) -> None:
    with Broker(folder) as broker:
        rig = Rig(folder, STREET[:1], broker_port=broker.port, boundary_in_s=22.0)
        async with rig:
            await rig.panel_shows(44, 48)
            await rig.passed(1)
            await rig.kept(1)
            broker.stop()
            await rig.said("interval ")  # closed while nobody could be told
            broker.start()
            listener = Listener(broker.port)
            try:
                await until(lambda: any("/up/agg" in topic for topic, _, _ in listener.heard), 60.0)
                [message] = [payload for topic, payload, _ in listener.heard if topic.endswith("/agg")][:1]
                told = sum(cell.n for cell in parse_aggregate(message).cells)
            finally:
                listener.close()
        check_vehicles(rig)
        assert told == 1
        assert rig.longest_unsupported_s() < 5.0


@together.test
async def test_a_daemon_that_is_killed_loses_nothing_that_was_stored(folder: Path) -> None:
    script = [
        (0.0, APPROACHING, 47.0, "car"),
        (3.0, RECEDING, 61.0, "car"),
        (16.0, APPROACHING, 56.0, "car"),
    ]
    rig = Rig(folder, script)
    async with rig:
        await rig.passed(2)
        before = await rig.kept(2)
        await rig.kill()
        await rig.start()
        await rig.panel_dark()
        await rig.passed(3)
        after = await rig.kept(3)
    assert after[:2] == before
    assert len(rig.records()) == 3
    check_counts(rig)
    check_vehicles(rig)


@together.test
async def test_killed_with_a_number_lit_the_next_start_darkens_it(folder: Path) -> None:
    async with Rig(folder, [(0.0, APPROACHING, 47.0, "car")]) as rig:
        await rig.panel_shows(44, 48)
        await rig.kill()
        assert rig.number() > 0, "a panel of this kind keeps its number: the supervisor starts us again"
        await rig.passed(1)
        await rig.start()
        await rig.panel_dark()
