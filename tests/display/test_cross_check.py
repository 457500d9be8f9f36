"""Our half of Modbus against halves that others wrote: libmodbus as the client, pymodbus as the slave.

Our client and our slave could make the same mistake and never notice. `mbpoll`, which is libmodbus on a
command line, talks to our twins; our bus and every panel driver talk to pymodbus's server.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.modbus_bus import PymodbusBus
from simulator.light_sensor import LightSensorTwin
from simulator.line import PtyLine
from simulator.multi_drop import MultiDrop
from simulator.panel_end import PanelEnd
from simulator.panels.catalogue import PANELS, make_panel, profiles_of
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.relay_board import RelayBoard
from simulator.rtu_slave import Device, MbapSlave, RtuSlave
from simulator.tcp_line import TcpLine
from speedsign.errors import BadReply
from speedsign.model import BLANK, Face
from speedsign.ports import COIL_OFF, COIL_ON
from speedsign.registry import load_display
from tests.display.rig import FAST_BUS
from tests.support import run

pytestmark = pytest.mark.wires

# ---------------------------------------------------------------------- libmodbus asks, our slaves answer

COIL, INPUT, HOLDING = "0", "3", "4"  # mbpoll's table numbers
VALUE = re.compile(r"^\[(\d+)\]:\s+(-?\w+)", re.MULTILINE)


class Mbpoll:
    """mbpoll, told where the devices are."""

    def __init__(self, *where: str, target: str) -> None:
        program = shutil.which("mbpoll")
        assert program, "mbpoll is missing: sh tests/install_tools.sh"
        self.command = [program, *where, "-1", "-0", "-o", "0.5", target]

    async def __call__(self, unit: int, table: str, address: int, *options: str) -> tuple[int, str]:
        """Its exit status, and everything it says; values to write are options too."""
        where = ["-a", str(unit), "-t", table, "-r", str(address)]
        process = await asyncio.create_subprocess_exec(
            *self.command, *where, *options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode("latin-1")

    async def read(self, unit: int, table: str, address: int, count: int) -> list[str]:
        status, said = await self(unit, table, address, "-c", str(count))
        assert status == 0, said
        found = VALUE.findall(said)
        assert [int(place) for place, _ in found] == list(range(address, address + count)), said
        return [value for _, value in found]

    async def write(self, unit: int, table: str, address: int, *values: int) -> None:
        status, said = await self(unit, table, address, "--", *map(str, values))
        assert status == 0, said
        assert f"Written {len(values)} references" in said

    async def refused(self, unit: int, table: str, address: int, *options: str) -> str:
        status, said = await self(unit, table, address, *options)
        assert status == 1, said
        return said


class Devices:
    """Panel 1, relays 2, light sensor 3."""

    def __init__(self) -> None:
        self.panel, self.relays, self.sensor = Dm56a04Twin(), RelayBoard(), LightSensorTwin(words=2)

    def join(self, line: PtyLine | TcpLine) -> None:
        drop = MultiDrop(line)
        slave = MbapSlave if isinstance(line, TcpLine) else RtuSlave
        all_: tuple[Device, ...] = (self.panel, self.relays, self.sensor)
        for unit, device in enumerate(all_, 1):
            PanelEnd(drop.tap(), slave(unit, device))


@contextlib.asynccontextmanager
async def asked_by_libmodbus(devices: Devices, kind: str, folder: Path) -> AsyncIterator[Mbpoll]:
    if kind == "rtu":
        pty = PtyLine(folder / "bus")
        devices.join(pty)
        pty.plug()
        yield Mbpoll("-m", "rtu", "-b", "9600", "-P", "none", target=str(pty.link))
        pty.unplug()
        return
    tcp = TcpLine()
    devices.join(tcp)
    await tcp.start()
    yield Mbpoll("-m", "tcp", "-p", tcp.address.rpartition(":")[2], target="127.0.0.1")
    await tcp.stop()


@pytest.mark.parametrize("kind", ["rtu", "tcp"])
def test_libmodbus_writes_and_reads_our_panel(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        devices = Devices()
        async with asked_by_libmodbus(devices, kind, tmp_path) as mbpoll:
            assert await mbpoll.read(1, HOLDING, 0, 4) == ["48"] * 4
            await mbpoll.write(1, HOLDING, 0, 0x20, 0x20, 0x34, 0x37)  # FC16
            assert devices.panel.lit() == "  47"
            assert await mbpoll.read(1, HOLDING, 0, 6) == ["32", "32", "52", "55", "32", "32"]
            await mbpoll.write(1, HOLDING, 9, 3)  # FC6
            assert (devices.panel.brightness, await mbpoll.read(1, HOLDING, 9, 1)) == (3, ["3"])
            assert "Illegal data value" in await mbpoll.refused(1, HOLDING, 9, "9")
            assert "Illegal data address" in await mbpoll.refused(1, HOLDING, 100, "-c", "1")
            assert "Illegal function" in await mbpoll.refused(1, COIL, 0, "-c", "8")
            assert devices.panel.brightness == 3

    run(main())


@pytest.mark.parametrize("kind", ["rtu", "tcp"])
def test_libmodbus_switches_our_relays(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        devices = Devices()
        async with asked_by_libmodbus(devices, kind, tmp_path) as mbpoll:
            await mbpoll.write(2, COIL, 2, 1)  # FC5
            assert devices.relays.lit() == [place == 2 for place in range(8)]
            await mbpoll.write(2, COIL, 3, 1, 0, 1, 0, 1)  # FC15
            on = [place in (2, 3, 5, 7) for place in range(8)]
            assert devices.relays.lit() == on
            assert await mbpoll.read(2, COIL, 0, 8) == [str(int(closed)) for closed in on]
            assert await mbpoll.read(2, COIL, 5, 3) == ["1", "0", "1"]
            await mbpoll.write(2, COIL, 2, 0)
            assert not devices.relays.lit()[2]
            assert "Illegal data address" in await mbpoll.refused(2, COIL, 0, "-c", "9")
            assert "Illegal data address" in await mbpoll.refused(2, COIL, 8, "1")
            assert "Illegal function" in await mbpoll.refused(2, HOLDING, 0, "-c", "1")

    run(main())


@pytest.mark.parametrize("kind", ["rtu", "tcp"])
def test_libmodbus_reads_our_light_sensor(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        devices = Devices()
        async with asked_by_libmodbus(devices, kind, tmp_path) as mbpoll:
            devices.sensor.lux = 70000.0
            assert await mbpoll.read(3, INPUT, 0, 2) == ["1", "4464"]
            assert await mbpoll.read(3, HOLDING, 1, 1) == ["4464"]
            assert "Illegal data address" in await mbpoll.refused(3, INPUT, 1, "-c", "2")
            assert "Connection timed out" in await mbpoll.refused(4, INPUT, 0, "-c", "1")

    run(main())


# ---------------------------------------------------------------------- our bus asks, pymodbus answers


def _device() -> SimDevice:
    """16 coils of which 3 is on, 1024 holding registers, and input registers that count from 100."""
    coils = [SimData(0, values=[place == 3 for place in range(16)], datatype=DataType.BITS)]
    discrete = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    holding = [SimData(0, count=1024, values=0x30, datatype=DataType.REGISTERS)]
    inputs = [SimData(0, values=list(range(100, 110)), datatype=DataType.REGISTERS)]
    return SimDevice(1, simdata=(coils, discrete, holding, inputs))


@contextlib.asynccontextmanager
async def answered_by_pymodbus(kind: str, folder: Path) -> AsyncIterator[PymodbusBus]:
    server: ModbusSerialServer | ModbusTcpServer
    ours, theirs = PtyLine(folder / "ours"), PtyLine(folder / "theirs")
    if kind == "rtu":
        ours.on_data, theirs.on_data = theirs.write, ours.write
        ours.plug()
        theirs.plug()
        server, target = ModbusSerialServer(_device(), port=str(theirs.link), baudrate=9600), str(ours.link)
        await server.serve_forever(background=True)
    else:
        framer = FramerType.SOCKET if kind == "tcp" else FramerType.RTU
        server = ModbusTcpServer(_device(), framer=framer, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        target = f"{kind}://127.0.0.1:{server.transport.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    bus = PymodbusBus(target, settings=FAST_BUS)
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.close()
        await server.shutdown()  # type: ignore[no-untyped-call]  # theirs
        ours.unplug()
        theirs.unplug()


KINDS = ["rtu", "tcp", "rtu+tcp"]


@pytest.mark.parametrize("kind", KINDS)
def test_pymodbus_answers_every_function(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with answered_by_pymodbus(kind, tmp_path) as bus:
            await bus.write_registers(1, 0, (0x20, 0x20, 0x34, 0x37))
            assert await bus.read_registers(1, 0, 6) == [0x20, 0x20, 0x34, 0x37, 0x30, 0x30]
            await bus.write_register(1, 9, 5)
            assert await bus.read_registers(1, 9, 1) == [5]
            assert await bus.read_input_registers(1, 0, 3) == [100, 101, 102]
            assert await bus.read_coils(1, 0, 8) == [place == 3 for place in range(8)]
            await bus.write_coil(1, 0, COIL_ON)
            await bus.write_coil(1, 3, COIL_OFF)
            assert await bus.read_coils(1, 0, 11) == [place == 0 for place in range(11)]

    run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_pymodbus_refuses_in_words(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with answered_by_pymodbus(kind, tmp_path) as bus:
            for asked in (
                bus.read_registers(1, 1023, 2),
                bus.write_registers(1, 1023, (1, 2)),
                bus.read_input_registers(1, 100, 1),
                bus.read_coils(1, 64, 1),
            ):
                with pytest.raises(BadReply, match="exception 2, illegal data address"):
                    await asked
            await bus.write_register(1, 0, 7)  # and goes on

    run(main())


# Every panel whose map is known, each of its maps.
MAPS = [(name, profile) for name in PANELS if name != "registers" for profile in profiles_of(name) or (None,)]


@pytest.mark.parametrize("kind", KINDS)
def test_pymodbus_takes_what_every_driver_writes(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with answered_by_pymodbus(kind, tmp_path) as bus:
            for name, profile in MAPS:
                driver = load_display(name, profile=profile)
                for face in (BLANK, Face(47), Face(8), Face(99), BLANK):
                    for write in (*driver.start(), *driver.writes(face, 1.0), *driver.brightness(0.5)):
                        if write.single:
                            await bus.write_register(1, write.address, write.values[0])
                        else:
                            await bus.write_registers(1, write.address, write.values)
                        held = await bus.read_registers(1, write.address, len(write.values))
                        assert tuple(held) == write.values
                    expect = driver.read_back(face, 1.0)
                    if expect is not None:
                        held = await bus.read_registers(1, expect.address, len(expect.values))
                        assert tuple(held) == expect.values

    run(main())


# ---------------------------------------------------------------------- libmodbus asks every twin


@pytest.mark.parametrize(("name", "profile"), MAPS)
def test_libmodbus_shows_a_number_as_the_driver_would(tmp_path: Path, name: str, profile: str | None) -> None:
    """The driver's own requests, sent by somebody else's client, to the driver's twin."""

    async def main() -> None:
        driver, panel = load_display(name, profile=profile), make_panel(name, profile)
        line = PtyLine(tmp_path / "panel")
        PanelEnd(line, RtuSlave(1, panel))
        line.plug()
        mbpoll = Mbpoll("-m", "rtu", "-b", "9600", "-P", "none", target=str(line.link))
        for write in (*driver.start(), *driver.writes(Face(47), 1.0)):
            await mbpoll.write(1, HOLDING, write.address, *write.values)
        assert panel.lit().strip() == "47"
        line.unplug()

    run(main())
