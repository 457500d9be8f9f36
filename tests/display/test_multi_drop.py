"""Several devices on one line: each is reached, and none of them is taken for another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus_bus import BusSettings, PymodbusBus
from simulator.light_sensor import LightSensorTwin, SensorFault
from simulator.line import PtyLine
from simulator.multi_drop import MultiDrop
from simulator.panel_end import PanelEnd, PanelFault
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.relay_board import RelayBoard
from simulator.rtu_slave import RtuSlave, with_crc
from speedsign.errors import BadReply, DeviceError, DriverError, NoReply
from speedsign.ports import COIL_OFF, COIL_ON
from tests.display.rig import FAST_BUS, no_error_in_the_loop
from tests.display.vectors import hex_of
from tests.support import run, until

pytestmark = pytest.mark.wires

LIT_47, LIT_48 = (0x20, 0x20, 0x34, 0x37), (0x20, 0x20, 0x34, 0x38)
Act = Callable[[PymodbusBus], Coroutine[Any, Any, Any]]


class Line:
    """Panel 1, relays 2 and light sensor 3 on one pty, and the bus at the other end."""

    def __init__(self, folder: Path, settings: BusSettings) -> None:
        self.wire = PtyLine(folder / "bus")
        self.drop = MultiDrop(self.wire)
        self.panel, self.relays, self.sensor = Dm56a04Twin(), RelayBoard(), LightSensorTwin(address=2)
        self.panel_end = PanelEnd(self.drop.tap(), RtuSlave(1, self.panel))
        self.relay_end = PanelEnd(self.drop.tap(), RtuSlave(2, self.relays))
        self.sensor_end = PanelEnd(self.drop.tap(), RtuSlave(3, self.sensor))
        self.said: list[str] = []
        self.bus = PymodbusBus(str(self.wire.link), settings=settings)
        put = self.wire.write

        def noted(data: bytes) -> None:
            self.said.append(hex_of(data))
            put(data)

        self.wire.write = noted  # type: ignore[method-assign]


@contextlib.asynccontextmanager
async def line(folder: Path, settings: BusSettings = FAST_BUS) -> AsyncIterator[Line]:
    devices = Line(folder, settings)
    devices.wire.plug()
    with no_error_in_the_loop():
        await devices.bus.connect()
        try:
            yield devices
        finally:
            await devices.bus.close()
            for end in (devices.panel_end, devices.relay_end, devices.sensor_end):
                end.close()
            devices.wire.unplug()


def asked(end: PanelEnd) -> list[str]:
    return [hex_of(frame) for frame in end.requests]


# ---------------------------------------------------------------------- relays


@pytest.mark.parametrize(
    ("act", "request_", "reply"),
    [
        (lambda bus: bus.write_coil(1, 0, COIL_ON), "01 05 00 00 FF 00 8C 3A", None),
        (lambda bus: bus.write_coil(1, 0, COIL_OFF), "01 05 00 00 00 00 CD CA", None),
        (lambda bus: bus.write_coil(1, 0x0200, 7), "01 05 02 00 00 07 8D B0", None),
        (lambda bus: bus.write_coil(1, 0, 0x5500), "01 05 00 00 55 00 F2 9A", None),
        (lambda bus: bus.read_coils(1, 0, 8), "01 01 00 00 00 08 3D CC", "01 01 01 00 51 88"),
    ],
)
def test_published_relay_frames(tmp_path: Path, act: Act, request_: str, reply: str | None) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            devices.panel_end.slave.unit, devices.relay_end.slave.unit = 9, 1
            await act(devices.bus)
            assert asked(devices.relay_end) == [request_]
            assert devices.said == [reply or request_]
            assert asked(devices.panel_end) == []

    run(main())


def test_relays_are_switched_and_read(tmp_path: Path) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            await devices.bus.write_coil(2, 0, COIL_ON)
            await devices.bus.write_coil(2, 5, COIL_ON)
            assert await devices.bus.read_coils(2, 0, 8) == [place in (0, 5) for place in range(8)]
            assert devices.said[-1].startswith("02 01 01 21")
            await devices.bus.write_coil(2, 0, COIL_OFF)
            assert await devices.bus.read_coils(2, 0, 1) == [False]
            with pytest.raises(BadReply, match="function 5 at coil 8: exception 2, illegal data address"):
                await devices.bus.write_coil(2, 8, COIL_ON)
            with pytest.raises(BadReply, match="function 5 at coil 1: exception 3, illegal data value"):
                await devices.bus.write_coil(2, 1, 0x0100)
            with pytest.raises(BadReply, match="exception 1, illegal function"):
                await devices.bus.read_registers(2, 0, 1)
            with pytest.raises(DriverError, match="0 to 65535"):
                await devices.bus.write_coil(2, 0, 65536)
            assert devices.relays.lit() == [place == 5 for place in range(8)]

    run(main())


@pytest.mark.parametrize(
    ("reply", "wrong"),
    [
        ("02 05 00 03 FF 00", "address 3 instead of 4"),
        ("02 05 00 04 00 00", "value 0 instead of 65280"),
    ],
)
def test_a_board_that_answers_another_coil_is_not_believed(tmp_path: Path, reply: str, wrong: str) -> None:
    """A board is known that answers for a relay that it lacks, with a wrong echo."""

    async def main() -> None:
        async with line(tmp_path) as devices:
            pytest.MonkeyPatch().setattr(
                devices.relay_end.slave, "answer", lambda _frame: with_crc(bytes.fromhex(reply))
            )
            with pytest.raises(BadReply, match=wrong):
                await devices.bus.write_coil(2, 4, COIL_ON)

    run(main())


def test_an_echo_passes_for_a_relay_unless_it_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            devices.drop.echo, devices.relay_end.faults = True, {PanelFault.DEAD}
            await devices.bus.write_coil(2, 0, COIL_ON)  # cannot be told …
            with pytest.raises(NoReply, match="the adapter echoes"):
                await devices.bus.read_coils(2, 0, 8)  # … but by reading back
            assert devices.relays.lit() == [False] * 8
        async with line(tmp_path, BusSettings(timeout_s=0.1, quiet_s=0.02, local_echo=True)) as devices:
            devices.drop.echo = True
            await devices.bus.write_coil(2, 0, COIL_ON)
            assert await devices.bus.read_coils(2, 0, 2) == [True, False]
            devices.relay_end.faults = {PanelFault.DEAD}
            with pytest.raises(NoReply):
                await devices.bus.write_coil(2, 0, COIL_OFF)

    run(main())


# ---------------------------------------------------------------------- the light sensor


def test_the_sensor_is_read_by_either_function(tmp_path: Path) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            devices.sensor.lux = 4321.0
            assert await devices.bus.read_input_registers(3, 2, 1) == [4321]
            assert asked(devices.sensor_end)[-1].startswith("03 04 00 02 00 01")
            assert await devices.bus.read_registers(3, 2, 1) == [4321]
            devices.sensor.faults = {SensorFault.STUCK}
            devices.sensor.lux = 5.0
            assert await devices.bus.read_input_registers(3, 2, 1) == [4321]
            devices.sensor.faults = {SensorFault.OUT_OF_RANGE}
            assert await devices.bus.read_input_registers(3, 2, 1) == [0xFFFF]
            with pytest.raises(BadReply, match="exception 2"):
                await devices.bus.read_input_registers(3, 3, 1)
            devices.sensor.faults = {SensorFault.SILENT}
            with pytest.raises(NoReply, match="unit 3 did not answer: nothing came back"):
                await devices.bus.read_input_registers(3, 2, 1)

    run(main())


def test_a_sensor_of_two_words() -> None:
    sensor = LightSensorTwin(words=2, lux_per_count=0.01)
    sensor.lux = 1234.56
    assert sensor.read(0, 2) == [1, 0xE240]
    assert sensor.read(1, 1) == [0xE240]
    sensor.lux = 1e9
    assert sensor.read(0, 2) == [0xFFFF, 0xFFFF]


# ---------------------------------------------------------------------- late, dead, silent


async def act_on(devices: Line, unit: int, value: int) -> object:
    """Something harmless for each kind of device; what it holds afterwards, by a read."""
    if unit == 1:
        await devices.bus.write_registers(1, 0, (0x20, 0x20, 0x20, 0x30 + value))
        return (await devices.bus.read_registers(1, 3, 1))[0] - 0x30
    if unit == 2:
        await devices.bus.write_coil(2, 0, COIL_ON if value % 2 else COIL_OFF)
        return (await devices.bus.read_coils(2, 0, 1))[0]
    devices.sensor.lux = value
    return (await devices.bus.read_input_registers(3, 2, 1))[0]


def end_of(devices: Line, unit: int) -> PanelEnd:
    return {1: devices.panel_end, 2: devices.relay_end, 3: devices.sensor_end}[unit]


@pytest.mark.parametrize("unit", [1, 2, 3])
@pytest.mark.parametrize("slow_s", [0.11, 0.15, 0.19, 0.3])
def test_late_replies_of_one_are_nothing_to_the_others(tmp_path: Path, unit: int, slow_s: float) -> None:
    async def main() -> None:
        async with line(tmp_path, BusSettings(timeout_s=0.1, quiet_s=0.02)) as devices:
            late = end_of(devices, unit)
            late.faults, late.slow_s = {PanelFault.SLOW}, slow_s
            for value in range(1, 4):
                with pytest.raises(NoReply):
                    await act_on(devices, unit, value)
                for other in {1, 2, 3} - {unit}:  # nobody else loses an exchange, nor gets a wrong answer
                    assert await act_on(devices, other, value) in (value, value % 2)

    run(main())


@pytest.mark.parametrize("unit", [1, 2, 3])
def test_a_late_reply_of_its_own_is_told_from_the_next(tmp_path: Path, unit: int) -> None:
    """A relay board has no holding registers: what it refuses is an answer too."""

    async def main() -> None:
        async with line(tmp_path, BusSettings(timeout_s=0.1, quiet_s=0.02)) as devices:
            end, late = end_of(devices, unit), 0
            for value in (1, 2, 3, 4, 5):
                end.faults, end.slow_s = {PanelFault.SLOW}, 0.13
                try:
                    await act_on(devices, unit, value - 1)
                except NoReply:
                    late += 1  # a machine that was busy for 30 ms makes it in time
                end.faults = set()
                for _ in range(4):  # at most: the late one, and one refusal that could be either's
                    with contextlib.suppress(DeviceError):
                        assert await act_on(devices, unit, value) in (value, value % 2)
                        break
                else:
                    raise AssertionError("it never came back")
            assert late > 0

    run(main())


def test_coils_read_late_are_not_what_is_read_next(tmp_path: Path) -> None:
    async def main() -> None:
        async with line(tmp_path, BusSettings(timeout_s=0.1, quiet_s=0.0)) as devices:
            end = devices.relay_end
            end.faults, end.slow_s = {PanelFault.SLOW}, 0.12
            with pytest.raises(NoReply):
                await devices.bus.read_coils(2, 0, 8)  # all off; the answer is under way
            devices.relays.write_coil(0, COIL_ON)
            end.faults = set()
            coils = None
            for _ in range(4):
                with contextlib.suppress(DeviceError):
                    coils = await devices.bus.read_coils(2, 0, 8)
                    break
            assert coils == [True] + [False] * 7
            # Two bytes first: such an answer is nobody's, and it is refused by a board of eight.
            assert asked(end)[1].startswith("02 01 00 00 00 09")

    run(main())


@pytest.mark.parametrize("unreadable", [frozenset[int](), frozenset({2})])
def test_a_dead_board_costs_the_panel_nothing(tmp_path: Path, unreadable: frozenset[int]) -> None:
    async def main() -> None:
        async with line(tmp_path, BusSettings(timeout_s=0.1, quiet_s=0.04, unreadable=unreadable)) as devices:
            await devices.bus.write_registers(1, 0, LIT_47)
            devices.relay_end.faults = {PanelFault.DEAD}
            for _ in range(3):
                with pytest.raises(NoReply, match="unit 2"):
                    await devices.bus.write_coil(2, 0, COIL_ON)
                await devices.bus.ready(1)
                await devices.bus.ready()
                await devices.bus.write_registers(1, 0, LIT_47)
            probed = [request[:5] for request in asked(devices.relay_end)]
            assert probed == (["02 05"] * 3 if unreadable else ["02 05", "02 01", "02 01"])
            assert all(request.startswith("01 10") for request in asked(devices.panel_end))

    run(main())


def test_ready_makes_sure_of_the_unit_that_is_to_be_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            await devices.bus.write_registers(1, 0, LIT_47)
            devices.relay_end.faults = {PanelFault.DEAD}
            with pytest.raises(NoReply):
                await devices.bus.write_coil(2, 0, COIL_ON)
            with pytest.raises(NoReply):
                await devices.bus.ready(2)
            devices.relay_end.faults = set()
            await devices.bus.ready(2)
            count = len(devices.relay_end.requests)
            await devices.bus.write_coil(2, 0, COIL_ON)
            assert len(devices.relay_end.requests) == count + 1

    run(main())


# ---------------------------------------------------------------------- collisions and damage


def test_two_with_one_id_are_never_understood(tmp_path: Path) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            twin = Dm56a04Twin()
            PanelEnd(devices.drop.tap(), RtuSlave(1, twin))
            for act in (
                lambda: devices.bus.write_registers(1, 0, LIT_47),
                lambda: devices.bus.read_registers(1, 0, 4),
                lambda: devices.bus.write_register(1, 9, 3),
            ):
                with pytest.raises(DeviceError):
                    await act()
            assert devices.drop.collisions >= 3
            assert twin.lit() == devices.panel.lit() == "  47"  # both took what was written
            await devices.bus.write_coil(2, 0, COIL_ON)  # the others are not concerned

    run(main())


def test_two_that_answer_alike_in_the_same_moment_are_heard_as_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            devices.drop.skew = 0
            twin = Dm56a04Twin()
            PanelEnd(devices.drop.tap(), RtuSlave(1, twin))
            await devices.bus.write_registers(1, 0, LIT_47)
            twin.write(0, LIT_48)
            with pytest.raises(DeviceError):
                await devices.bus.read_registers(1, 0, 4)  # what differs shows

    run(main())


@pytest.mark.parametrize("fault", [PanelFault.CUT, PanelFault.BAD_CRC])
def test_half_a_reply_is_none(tmp_path: Path, fault: PanelFault) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            devices.relay_end.faults = {fault}
            with pytest.raises(NoReply, match="what came is not its reply"):
                await devices.bus.write_coil(2, 0, COIL_ON)
            devices.relay_end.faults = set()
            await devices.bus.write_coil(2, 0, COIL_OFF)

    run(main())


@pytest.mark.parametrize("fault", [PanelFault.REPEAT, PanelFault.NOISE, PanelFault.GLITCH])
def test_what_comes_beside_a_reply_does_no_harm(tmp_path: Path, fault: PanelFault) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            for end in (devices.panel_end, devices.relay_end, devices.sensor_end):
                end.faults, end.noise_after_s = {fault}, 0.006
            for value in range(8):
                for unit in (1, 2, 3):
                    assert await act_on(devices, unit, value) in (value, value % 2)
            # The last noise is heard before the line is taken away.
            await until(lambda: not any(end._timers for end in (devices.panel_end, devices.sensor_end)))

    run(main())


def test_a_device_alone_can_be_taken_off_the_line(tmp_path: Path) -> None:
    async def main() -> None:
        async with line(tmp_path) as devices:
            devices.relay_end.line.unplug()
            with pytest.raises(NoReply):
                await devices.bus.write_coil(2, 0, COIL_ON)
            await devices.bus.write_registers(1, 0, LIT_47)
            devices.relay_end.line.plug()
            await devices.bus.write_coil(2, 0, COIL_ON)
            assert devices.relays.lit()[0]

    run(main())


def test_everybody_hears_everybody_and_talks_when_asked() -> None:
    async def main() -> None:
        heard: list[list[bytes]] = [[], []]
        said: list[bytes] = []

        class Wire:
            plugged = True
            on_data = staticmethod(lambda data: None)

            def write(self, data: bytes) -> None:
                said.append(data)

        wire: Any = Wire()
        drop = MultiDrop(wire)
        taps = [drop.tap(), drop.tap()]

        def answer(place: int, data: bytes) -> None:
            heard[place].append(data)
            if data == b"ab"[place : place + 1]:
                taps[place].write(b"AB"[place : place + 1])
            elif data == b"A":
                taps[place].write(b"taken for a question")

        taps[0].on_data = lambda data: answer(0, data)
        taps[1].on_data = lambda data: answer(1, data)
        wire.on_data(b"a")
        wire.on_data(b"b")
        assert heard == [[b"a", b"b", b"B"], [b"a", b"A", b"b"]]
        assert said == [b"A", b"B"]
        await asyncio.sleep(0)

    run(main())
