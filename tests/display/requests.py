"""Requests as their bytes, made by hand from the protocol: what the bus is to put on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.rtu_slave import with_crc
from speedsign.ports import Expect, ModbusBus, WriteRegisters


@dataclass(frozen=True, slots=True)
class ReadRegisters:
    """Holding registers by FC3."""

    address: int
    count: int


@dataclass(frozen=True, slots=True)
class WriteCoil:
    """One coil by FC5."""

    address: int
    value: int


@dataclass(frozen=True, slots=True)
class ReadCoils:
    """Coils by FC1."""

    address: int
    count: int


Request = WriteRegisters | Expect | ReadRegisters | WriteCoil | ReadCoils


def frame_of(request: Request, unit: int = 1) -> bytes:
    """An RTU frame with its CRC."""
    return with_crc(bytes([unit]) + _pdu(request))


def _pdu(request: Request) -> bytes:
    match request:
        case WriteRegisters(address, (value,), single=True):
            return b"\x06" + _words(address, value)
        case WriteRegisters(address, values, single=False):
            return b"\x10" + _words(address, len(values)) + bytes([2 * len(values)]) + _words(*values)
        case Expect(address, values):
            return b"\x03" + _words(address, len(values))
        case ReadRegisters(address, count):
            return b"\x03" + _words(address, count)
        case WriteCoil(address, value):
            return b"\x05" + _words(address, value)
        case ReadCoils(address, count):
            return b"\x01" + _words(address, count)
        case _:
            raise AssertionError(f"no such request: {request}")


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


async def send(bus: ModbusBus, request: Request, unit: int = 1) -> object:
    """The call of the bus that this request is."""
    match request:
        case WriteRegisters(address, (value,), single=True):
            await bus.write_register(unit, address, value)
        case WriteRegisters(address, values):
            await bus.write_registers(unit, address, values)
        case Expect(address, values):
            return await bus.read_registers(unit, address, len(values))
        case ReadRegisters(address, count):
            return await bus.read_registers(unit, address, count)
        case WriteCoil(address, value):
            await bus.write_coil(unit, address, value)
        case ReadCoils(address, count):
            return await bus.read_coils(unit, address, count)
    return None
