"""The Modbus bus, and who uses it, with any replies: what was not asked is never taken for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache
from typing import Any

from drivers.display.dm56a04 import Dm56a04
from drivers.display.panel import Panel
from drivers.display.relay import Relay
from drivers.display.scan_frames import crc16
from drivers.light_sensor import LightSensorMember, SensorSettings
from drivers.modbus_bus import BusSettings, PymodbusBus
from speedsign.errors import DeviceError, PortError
from speedsign.model import Face
from tests.fuzz.kit import one_sentence
from tests.fuzz.line import (
    ECHO,
    FRAMED,
    IN_TWO,
    LATE,
    LOST,
    NOTHING,
    RAW,
    RIGHT,
    LineLoop,
    MemoryLine,
    replies_of,
)

LONGEST = 600
WORDS = (
    bytes([RIGHT, 0]), bytes([NOTHING, 0]), bytes([LOST, 0]), bytes([LATE, 0]), b"\x01\x03\x08",
    b"\x01\x83\x02", b"\x01\x10\x00\x00\x00\x04", b"\x01\x01\x01", b"\x01\x05\x00\x00\xff\x00",
    bytes([FRAMED, 3]),
)  # fmt: skip
SETTINGS = (BusSettings(), BusSettings(local_echo=True), BusSettings(resync=False))
TARGETS = ("tcp://panel:502", "rtu+tcp://panel:4001")


@cache
def loop() -> LineLoop:
    return LineLoop()


def close() -> None:
    loop().close()
    loop.cache_clear()


def target(data: bytes) -> None:
    """The first byte says over what and with which settings, the rest what comes back."""
    if not data:
        return
    tcp = data[0] % 2 == 0
    replies = replies_of(data[1:])
    lines: list[MemoryLine] = []

    def made(protocol: Any) -> MemoryLine:
        lines.append(MemoryLine(protocol, replies, tcp=tcp))
        return lines[-1]

    loop().made = made
    bus = PymodbusBus(TARGETS[not tcp], settings=SETTINGS[data[0] // 2 % 3])
    loop().run_until_complete(_use(bus, lines))
    assert not loop().raised, loop().raised


async def _use(bus: PymodbusBus, lines: list[MemoryLine]) -> None:
    tcp = bus.name == TARGETS[0]
    try:
        await bus.connect()
        for count in (4, 1, 2):
            try:
                words = await bus.read_registers(1, count, count)
                said = bytes([1, 3, 2 * count]) + b"".join(word.to_bytes(2, "big") for word in words)
                proves(lines[-1], said, tcp=tcp)
                await bus.write_registers(1, 0, (1,) * count)
                proves(lines[-1], bytes([1, 16, 0, 0, 0, count]), tcp=tcp)
                assert len(await bus.read_coils(1, 0, 9)) == 9
            except PortError:
                await bus.connect()
            except DeviceError as error:
                one_sentence(error)
        await members(bus)
    except PortError:
        pass
    finally:
        await bus.close()
        await asyncio.sleep(0)


def proves(line: MemoryLine, said: bytes, *, tcp: bool) -> None:
    """These bytes have come in a right frame since they were asked for."""
    head = line.requests[-1][:4] + len(said).to_bytes(2, "big")
    assert (head + said if tcp else said + crc16(said)) in line.heard, (said, line.heard)


async def members(bus: PymodbusBus) -> None:
    """A panel, a relay and a light sensor take their turns; they deal with all but a lost line themselves."""
    sensor = LightSensorMember(bus, SensorSettings(unit=1, address=7, words=2))
    relay = Relay(bus, 1, 0, "beacon", wake=lambda: None)
    panel = Panel(bus, Dm56a04(), 1, wake=lambda: None)
    relay.switch(on=True)
    for number in (47, None):
        panel.show(Face(number=number))
        for member in (panel, relay, sensor):
            await member.step()
        assert panel.lit() in (None, Face(number=number), Face())
        assert sensor.lux() is None or 0 <= (sensor.lux() or 0) <= 150_000


def seeds() -> Iterator[bytes]:
    """All is well, over each of the lines; what goes wrong once; an answer to something else."""
    good = bytes([RIGHT, 0])
    for first in range(6):
        yield bytes([first]) + good * 60
        for kind in (RAW, FRAMED, NOTHING, IN_TWO, LOST, ECHO, LATE):
            odd = bytes([kind, 5]) + b"\x01\x03\x02\x00\x07"
            yield bytes([first]) + odd + good * 5 + odd + good * 40
        yield (
            bytes([first])
            + bytes([FRAMED, 11])
            + b"\x01\x03\x08"
            + bytes(8)
            + bytes([FRAMED, 3])
            + b"\x01\x90\x02"
        )
