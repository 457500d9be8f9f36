"""A radar that says nothing unasked: opened, asked at its pace, one question at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import ClassVar

import pytest

from drivers.radar.link import RadarLink
from drivers.radar.polling import ANSWER_S
from simulator.line import MemoryLine
from simulator.virtual_time import VirtualClock, run_virtual
from speedsign.model import Idle, RadarEvent, Reading
from speedsign.ports import RadarSettings
from tests.radar.polled import Polled, PolledDevice


class Rig:
    """The link, the line and the device."""

    def __init__(self, driver: Polled, *, set_up: bool, delay_s: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.line = MemoryLine("radar")
        self.device = PolledDevice(self.line.write, delay_s)
        self.line.on_data = self.device.take
        self.events: list[RadarEvent] = []
        clock = VirtualClock(self.loop, datetime(2026, 5, 4, tzinfo=UTC))
        self.link = RadarLink(self.line.port, driver, RadarSettings(), clock, set_up=set_up)

    def sent(self, since_s: float = 0.0) -> list[bytes]:
        return [data for at, data in self.device.asked if at >= since_s]

    def polls(self) -> list[float]:
        return [at for at, data in self.device.asked if data == b"?\n"]

    def codes(self) -> list[str]:
        return [fault.code for fault in self.link.faults()]

    def measured(self) -> float:
        return self.link.measured_s(self.loop.time())


def on_rig(
    test: Callable[[Rig], Awaitable[None]],
    driver: Polled | None = None,
    *,
    set_up: bool = True,
    delay_s: float = 0.01,
) -> None:
    async def main() -> None:
        rig = Rig(driver or Polled(), set_up=set_up, delay_s=delay_s)
        running = asyncio.create_task(rig.link.run(rig.events.extend))
        try:
            await test(rig)
        finally:
            running.cancel()
            await asyncio.wait([running])

    run_virtual(main())


def test_it_is_opened_set_up_and_asked_at_its_pace() -> None:
    async def test(rig: Rig) -> None:
        await asyncio.sleep(10.0)
        assert rig.sent()[:2] == [b"HELLO\n", b"GO\n"]
        (first, _), (second, _), (third, _) = rig.device.asked[:3]
        assert second - first >= Polled.command_gap_s
        assert third - second >= Polled.command_gap_s
        assert rig.device.limit == b"8"
        late = [at for at in rig.polls() if at - first > 2.0]
        assert all(after - before == pytest.approx(Polled.poll_s) for before, after in pairwise(late))
        readings = [event for event in rig.events if isinstance(event, Reading)]
        assert 40 <= len(readings) <= 50
        assert rig.codes() == []
        assert rig.measured() > 9.0

    on_rig(test)


@pytest.mark.parametrize("delay_s", [0.01, 0.15, 0.25])
def test_one_question_at_a_time(delay_s: float) -> None:
    """No question goes out while another one waits for its answer: the line carries one direction."""

    async def test(rig: Rig) -> None:
        await asyncio.sleep(20.0)
        waiting: bytes | None = None
        log = [(at, "asked", data) for at, data in rig.device.asked]
        log += [(at, "answered", data) for at, data in rig.device.answered]
        for _, what, data in sorted(log):
            if what == "answered":
                waiting = None
                continue
            assert waiting is None, f"{data!r} while {waiting!r} waits for its answer"
            waiting = data if b"?" in data else None
        assert len(rig.device.answered) > 60

    on_rig(test, delay_s=delay_s)


def test_readings_go_on_while_a_set_up_is_not_answered() -> None:
    async def test(rig: Rig) -> None:
        rig.line.on_data = lambda data: None if data.startswith(b"L") else rig.device.take(data)
        await asyncio.sleep(30.0)
        assert rig.codes() == ["setup"]
        assert rig.measured() > 28.0

    on_rig(test)


def test_a_lost_answer_costs_its_time_and_no_more() -> None:
    async def test(rig: Rig) -> None:
        await asyncio.sleep(5.0)
        rig.device.lost = 1
        before = len(rig.polls())
        await asyncio.sleep(5.0)
        asked = rig.polls()[before - 1 :]
        gaps = [after - one for one, after in pairwise(asked)]
        assert max(gaps) == pytest.approx(ANSWER_S, abs=0.02)
        assert rig.link.health()["unanswered"] == 1
        assert rig.codes() == []

    on_rig(test)


def test_an_empty_answer_is_life() -> None:
    async def test(rig: Rig) -> None:
        rig.device.speed = b"S000\n"
        await asyncio.sleep(60.0)
        assert rig.codes() == []
        assert {type(event) for event in rig.events[5:]} == {Idle}
        assert rig.measured() > 58.0

    on_rig(test)


def test_one_that_has_lost_its_power_is_opened_again() -> None:
    """It has forgotten HELLO, and the port has noticed nothing."""

    async def test(rig: Rig) -> None:
        await asyncio.sleep(5.0)
        rig.device.open = False
        cut_s = rig.loop.time()
        await asyncio.sleep(3.1)
        assert rig.codes() == ["silent"]
        await asyncio.sleep(2.0)
        assert rig.codes() == []
        assert rig.sent(cut_s).count(b"HELLO\n") == 1
        assert rig.link.health()["reopened"] == 0

    on_rig(test)


def test_a_dead_one_is_at_fault_and_its_port_is_opened_anew() -> None:
    async def test(rig: Rig) -> None:
        await asyncio.sleep(5.0)
        measured = rig.measured()
        rig.device.lost = 10_000
        await asyncio.sleep(2.7)
        assert rig.codes() == []
        await asyncio.sleep(300.0)
        assert {"silent", "port"} & set(rig.codes())
        assert rig.link.health()["reopened"] >= 3
        assert rig.measured() == pytest.approx(measured, abs=0.3)
        rig.device.lost = 0
        await asyncio.sleep(60.0)
        assert rig.codes() == []

    on_rig(test)


def test_without_set_up_it_is_opened_and_asked_and_nothing_else() -> None:
    async def test(rig: Rig) -> None:
        await asyncio.sleep(10.0)
        assert rig.sent()[:2] == [b"HELLO\n", b"GO\n"]
        assert set(rig.sent()[2:]) == {b"?\n"}
        assert rig.measured() > 9.0

    on_rig(test, set_up=False)


def test_each_opening_of_the_line_is_followed_by_the_opening_of_the_talk() -> None:
    async def test(rig: Rig) -> None:
        await asyncio.sleep(5.0)
        rig.line.unplug()
        await asyncio.sleep(1.0)
        rig.device.open = False
        rig.line.plug()
        again_s = rig.loop.time()
        await asyncio.sleep(5.0)
        assert rig.sent(again_s)[:2] == [b"HELLO\n", b"GO\n"]
        assert rig.codes() == []

    on_rig(test)


def test_a_driver_says_how_long_silence_is_normal() -> None:
    class Slow(Polled):
        silent_after_s: ClassVar[float] = 8.0

    async def test(rig: Rig) -> None:
        await asyncio.sleep(5.0)
        rig.device.lost = 10_000
        await asyncio.sleep(7.5)
        assert rig.codes() == []
        await asyncio.sleep(0.7)
        assert rig.codes() == ["silent"]

    on_rig(test, Slow())
