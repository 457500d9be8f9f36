"""The light sensor on virtual time: what is read, how old it may be, and what a dead one costs the panel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bus_owner import BusOwner
from drivers.display.dm56a04 import Dm56a04
from drivers.display.owner import SignDisplay
from drivers.light_sensor import LightSensorMember, SensorSettings
from drivers.modbus_bus import PymodbusBus
from simulator.light_sensor import LightSensorTwin, SensorFault
from simulator.line import PtyLine
from simulator.panel_end import PanelEnd
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.rtu_slave import RtuSlave
from simulator.virtual_time import VirtualClock, run_virtual
from speedsign.errors import BadReply
from speedsign.model import Face
from tests.display.bus import MemoryBus
from tests.display.rig import FAST_BUS, no_error_in_the_loop
from tests.support import run, until

UNIT = 3


class Sensor(LightSensorTwin):
    """As `MemoryBus` takes it."""

    def write(self, address: int, values: Sequence[int]) -> None:
        raise AssertionError("a sensor is never written to")


def now() -> float:
    return asyncio.get_running_loop().time()


class Line:
    """A line with a sensor that is read by its member."""

    def __init__(self, **where: Any) -> None:
        self.bus = MemoryBus()
        settings = SensorSettings(unit=UNIT, address=where.pop("address", 0), **where)
        self.twin = Sensor(settings.address, settings.words, settings.lux_per_count)
        self.bus.panels[UNIT] = self.twin
        self.member = LightSensorMember(self.bus, settings)
        self.owner = BusOwner(self.bus)
        self.owner.add(self.member)

    @property
    def codes(self) -> list[str]:
        assert {fault.device for fault in self.member.faults()} <= {"light"}
        return [fault.code for fault in self.member.faults()]

    def asked(self, since_s: float = 0.0) -> list[float]:
        return [at_s for at_s, unit, _ in self.bus.log if unit == UNIT and at_s >= since_s]


@contextlib.asynccontextmanager
async def line(**where: Any) -> AsyncIterator[Line]:
    made = Line(**where)
    task = asyncio.create_task(made.owner.run())
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


# ---------------------------------------------------------------------- values


def test_it_is_read_every_two_seconds() -> None:
    async def main() -> None:
        async with line() as made:
            assert made.member.lux() is None
            made.twin.lux = 300.0
            await asyncio.sleep(0.1)
            assert made.member.lux() == 300.0
            made.twin.lux = 400.0
            await asyncio.sleep(2)
            assert made.member.lux() == 400.0
            await asyncio.sleep(58)
            assert 28 <= len(made.asked()) <= 31
            assert made.codes == []

    run_virtual(main())


@pytest.mark.parametrize(
    ("where", "lux"),
    [
        ({}, 54_321.0),
        ({"address": 6, "lux_per_count": 0.1}, 2_345.6),
        ({"words": 2}, 123_456.0),
        ({"words": 2, "lux_per_count": 0.01, "address": 2}, 98_765.43),
        ({"lux_per_count": 100.0}, 120_000.0),
        ({"input": True}, 777.0),
    ],
)
def test_words_scale_and_address(where: dict[str, Any], lux: float) -> None:
    async def main() -> None:
        async with line(**where) as made:
            made.twin.lux = lux
            await asyncio.sleep(0.1)
            assert made.member.lux() == pytest.approx(lux)

    run_virtual(main())


class Asked(MemoryBus):
    """Says which function was used."""

    async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
        return self._say("FC3", unit, address, count)

    async def read_input_registers(self, unit: int, address: int, count: int) -> list[int]:
        return self._say("FC4", unit, address, count)

    def _say(self, function: str, unit: int, address: int, count: int) -> list[int]:
        self.log.append((0.0, unit, f"{function} {address} x{count}"))
        return [1] * count


@pytest.mark.parametrize(("is_input", "said"), [(False, "FC3 9 x2"), (True, "FC4 9 x2")])
def test_the_function_is_as_configured(*, is_input: bool, said: str) -> None:
    async def main() -> None:
        bus = Asked()
        member = LightSensorMember(bus, SensorSettings(unit=7, address=9, words=2, input=is_input))
        await member.step()
        assert bus.said(7) == [said]
        assert member.lux() == 65_537.0

    run_virtual(main())


@given(st.lists(st.integers(0, 0xFFFF), min_size=2, max_size=2), st.floats(0.0001, 1000))
def test_whatever_it_says_is_between_nothing_and_the_bound(words: list[int], scale: float) -> None:
    class Says(MemoryBus):
        async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
            return words

    async def main() -> None:
        settings = SensorSettings(unit=UNIT, address=0, words=2, lux_per_count=scale)
        member = LightSensorMember(Says(), settings)
        await member.step()
        lux = member.lux()
        assert lux is None or 0 <= lux <= settings.max_lux

    run_virtual(main())


# ---------------------------------------------------------------------- what goes wrong


def test_one_lost_answer_is_no_fault_and_the_value_holds() -> None:
    async def main() -> None:
        async with line() as made:
            made.twin.lux = 300.0
            await asyncio.sleep(1)
            made.bus.silent.add(UNIT)
            await asyncio.sleep(3)
            made.bus.silent.clear()
            await asyncio.sleep(1)
            assert (made.codes, made.member.lux()) == ([], 300.0)
            await asyncio.sleep(4)
            assert (made.codes, made.member.lux()) == ([], 300.0)

    run_virtual(main())


def test_a_dead_sensor_is_a_fault_in_a_sentence_and_its_value_is_forgotten() -> None:
    async def main() -> None:
        async with line() as made:
            made.twin.lux = 300.0
            await asyncio.sleep(1)
            made.bus.silent.add(UNIT)
            await asyncio.sleep(10)
            assert made.codes == ["no_reply"]
            (fault,) = made.member.faults()
            for word in ("unit 3", "/dev/ttyPANEL", "power", "[brightness.sensor]"):
                assert word in fault.text
            assert made.member.lux() == 300.0, "light does not change so fast"
            await asyncio.sleep(6)
            assert made.member.lux() is None

    run_virtual(main())


def test_a_dead_sensor_is_asked_twice_a_minute() -> None:
    async def main() -> None:
        async with line() as made:
            made.bus.silent.add(UNIT)
            await asyncio.sleep(10)
            began_s = now()
            await asyncio.sleep(600)
            assert len(made.asked(began_s)) in (19, 20, 21)

    run_virtual(main())


def test_it_comes_back_by_itself() -> None:
    async def main() -> None:
        async with line() as made:
            made.bus.silent.add(UNIT)
            await asyncio.sleep(100)
            made.bus.silent.clear()
            made.twin.lux = 5.0
            await asyncio.sleep(31)
            assert (made.codes, made.member.lux()) == ([], 5.0)
            began_s = now()
            await asyncio.sleep(20)
            assert len(made.asked(began_s)) == 10, "as often as ever"

    run_virtual(main())


def test_more_than_the_sun_gives_is_no_light() -> None:
    async def main() -> None:
        async with line(lux_per_count=10.0) as made:
            made.twin.lux = 300.0
            await asyncio.sleep(1)
            made.twin.faults.add(SensorFault.OUT_OF_RANGE)
            await asyncio.sleep(2)
            assert (made.codes, made.member.lux()) == ([], 300.0), "once may be a glitch"
            await asyncio.sleep(2)
            assert made.codes == ["range"]
            assert "more than 150000 lx" in made.member.faults()[0].text
            await asyncio.sleep(12)
            assert made.member.lux() is None
            made.twin.faults.clear()
            await asyncio.sleep(2)
            assert (made.codes, made.member.lux()) == ([], 300.0)

    run_virtual(main())


def test_a_unit_that_refuses() -> None:
    class Refuses(MemoryBus):
        async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
            raise BadReply(self.name, f"unit {unit} refused: exception 2, illegal address")

    async def main() -> None:
        member = LightSensorMember(Refuses(), SensorSettings(unit=UNIT, address=0))
        for _ in range(2):
            await member.step()
        assert [fault.code for fault in member.faults()] == ["bad_reply"]
        assert "exception 2" in member.faults()[0].text
        assert member.lux() is None

    run_virtual(main())


def test_a_line_that_goes_away_and_comes_back() -> None:
    async def main() -> None:
        async with line() as made:
            made.twin.lux = 300.0
            await asyncio.sleep(1)
            made.bus.gone = True
            await asyncio.sleep(20)
            assert (made.codes, made.member.lux()) == (["port"], None)
            made.bus.gone = False
            await asyncio.sleep(3)
            assert (made.codes, made.member.lux()) == ([], 300.0)

    run_virtual(main())


# ---------------------------------------------------------------------- beside a panel


@pytest.mark.parametrize(("dead", "worst_s"), [(False, 0.07), (True, 0.4)])
def test_the_panel_waits_for_one_reading_at_most(*, dead: bool, worst_s: float) -> None:
    """And for a dead one twice a minute only."""

    async def main() -> None:
        bus = MemoryBus()
        panel = Dm56a04Twin()
        bus.panels.update({1: panel, UNIT: Sensor()})
        if dead:
            bus.silent.add(UNIT)
        acked: list[float] = []
        clock = VirtualClock(asyncio.get_running_loop(), datetime(2026, 5, 4, tzinfo=UTC))
        display = SignDisplay(clock, lambda _face, _t: acked.append(now()))
        shared = display.add_line(BusOwner(bus))
        display.add_panel(shared, Dm56a04(), 1)
        shared.add(LightSensorMember(bus, SensorSettings(unit=UNIT, address=0)))
        task = asyncio.create_task(display.run())
        await asyncio.sleep(20)
        waits = []
        for n in range(200):
            began_s = now()
            display.show(Face(30 + n % 50))
            await asyncio.sleep(0.91)
            waits.append(acked[-1] - began_s)
        assert max(waits) <= worst_s
        assert sum(wait > 0.07 for wait in waits) <= (7 if dead else 0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    run_virtual(main())


# ---------------------------------------------------------------------- on a pty


@pytest.mark.wires
@pytest.mark.parametrize(
    "where", [{}, {"input": True}, {"words": 2, "address": 4, "lux_per_count": 0.01}], ids=str
)
def test_on_a_real_line_with_everything_that_happens_there(tmp_path: Path, where: dict[str, Any]) -> None:
    async def main() -> None:
        settings = SensorSettings(
            unit=UNIT, **({"address": 2} | where), every_s=0.02, retry_s=(0.02, 0.05), stale_s=0.5
        )
        wire = PtyLine(tmp_path / "bus")
        twin = LightSensorTwin(settings.address, settings.words, settings.lux_per_count)
        end = PanelEnd(wire, RtuSlave(UNIT, twin))
        wire.plug()
        owner = BusOwner(PymodbusBus(str(wire.link), settings=FAST_BUS), reconnect_s=0.05)
        member = LightSensorMember(owner.bus, settings)
        owner.add(member)

        def codes() -> list[str]:
            return [fault.code for fault in member.faults()]

        def well(lux: float) -> bool:
            return not codes() and member.lux() == pytest.approx(lux)

        with no_error_in_the_loop():
            task = asyncio.create_task(owner.run())
            for lux in (0.0, 120.0, 65_000.0):
                twin.lux = lux
                await until(partial(well, lux), what=f"{lux} lx")
            twin.faults.add(SensorFault.SILENT)
            await until(lambda: codes() == ["no_reply"], what="the fault")
            await until(lambda: member.lux() is None, what="no value")
            twin.faults.clear()
            await until(partial(well, 65_000.0), what="the sensor, back")
            wire.unplug()
            await until(lambda: codes() == ["port"], what="the line's fault")
            wire.plug()
            await until(partial(well, 65_000.0), what="the line, back")
            task.cancel()
            await asyncio.wait([task])
        end.close()
        wire.unplug()

    run(main())
