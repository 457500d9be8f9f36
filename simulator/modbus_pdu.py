"""What a Modbus device makes of a request without its framing: function code and data in, the same out.

Written from the Modbus application protocol V1.1b3 alone, not on the library that the driver uses, so
that each can show the other's mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

READ_COILS, READ_HOLDING, READ_INPUTS = 0x01, 0x03, 0x04
WRITE_COIL, WRITE_SINGLE, WRITE_COILS, WRITE_MULTIPLE = 0x05, 0x06, 0x0F, 0x10
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4
ON, OFF = 0xFF00, 0x0000  # the two words that FC5 knows

_WRITES = frozenset({WRITE_COIL, WRITE_SINGLE, WRITE_COILS, WRITE_MULTIPLE})
_MAX_READ, _MAX_WRITE = 125, 123  # registers (6.3, 6.12)
_MAX_READ_COILS, _MAX_WRITE_COILS = 2000, 1968  # (6.1, 6.11)


class RegisterError(Exception):
    """A device refuses; `code` is the Modbus exception code."""

    code = DEVICE_FAILURE


class IllegalAddress(RegisterError):  # noqa: N818  named as in the protocol
    code = ILLEGAL_ADDRESS


class IllegalValue(RegisterError):  # noqa: N818  named as in the protocol
    code = ILLEGAL_VALUE


class RegisterDevice(Protocol):
    """Holding registers with something behind them; both raise RegisterError."""

    def read(self, address: int, count: int) -> list[int]: ...

    def write(self, address: int, values: Sequence[int]) -> None: ...


class WritableDevice(Protocol):
    """Holding registers that nobody can read."""

    def write(self, address: int, values: Sequence[int]) -> None: ...


class CoilDevice(Protocol):
    """Coils with something behind them; both raise RegisterError."""

    def read_coils(self, address: int, count: int) -> list[bool]: ...

    def write_coil(self, address: int, value: int) -> None:
        """`value` is the word of FC5 as it came: ON, OFF, or what a maker has added."""
        ...


class InputDevice(Protocol):
    """Input registers; raises RegisterError."""

    def read_inputs(self, address: int, count: int) -> list[int]: ...


# A device has the methods of one or several of these; what it has not is an illegal function.
Device = RegisterDevice | WritableDevice | CoilDevice | InputDevice


def is_write(pdu: bytes) -> bool:
    return pdu[0] in _WRITES


def answer_pdu(device: Device, pdu: bytes) -> bytes:
    """The reply to one request without its framing: function code and data."""
    function, data = pdu[0], pdu[1:]
    method, handler = _HANDLERS.get(function, ("", _read_words))
    call = getattr(device, method, None)
    if call is None:
        return bytes([function | 0x80, ILLEGAL_FUNCTION])
    try:
        return bytes([function]) + handler(call, data)
    except RegisterError as error:
        return bytes([function | 0x80, error.code])


def word_at(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _range(data: bytes, most: int) -> tuple[int, int]:
    """Address and count that a request begins with, checked."""
    address, count = word_at(data, 0), word_at(data, 2)
    if not 1 <= count <= most:
        raise IllegalValue
    if address + count > 0x10000:
        raise IllegalAddress
    return address, count


def _read_words(read: Callable[[int, int], list[int]], data: bytes) -> bytes:
    if len(data) != 4:
        raise IllegalValue
    words = b"".join(value.to_bytes(2, "big") for value in read(*_range(data, _MAX_READ)))
    return bytes([len(words)]) + words


def _read_coils(read: Callable[[int, int], list[bool]], data: bytes) -> bytes:
    """The first coil is the lowest bit of the first byte (6.1)."""
    if len(data) != 4:
        raise IllegalValue
    coils = read(*_range(data, _MAX_READ_COILS))
    packed = sum(on << place for place, on in enumerate(coils)).to_bytes((len(coils) + 7) // 8, "little")
    return bytes([len(packed)]) + packed


def _write_register(write: Callable[[int, list[int]], None], data: bytes) -> bytes:
    if len(data) != 4:
        raise IllegalValue
    write(word_at(data, 0), [word_at(data, 2)])
    return data


def _write_coil(write: Callable[[int, int], None], data: bytes) -> bytes:
    if len(data) != 4:
        raise IllegalValue
    write(word_at(data, 0), word_at(data, 2))
    return data


def _write_registers(write: Callable[[int, list[int]], None], data: bytes) -> bytes:
    if len(data) < 5 or data[4] != 2 * word_at(data, 2) or len(data) != 5 + data[4]:
        raise IllegalValue
    address, _ = _range(data, _MAX_WRITE)
    write(address, [word_at(data, at) for at in range(5, len(data), 2)])
    return data[:4]


def _write_coils(write: Callable[[int, int], None], data: bytes) -> bytes:
    """One after the other: a coil that is refused leaves those before it written."""
    if len(data) < 5 or data[4] != (word_at(data, 2) + 7) // 8 or len(data) != 5 + data[4]:
        raise IllegalValue
    address, count = _range(data, _MAX_WRITE_COILS)
    bits = int.from_bytes(data[5:], "little")
    for place in range(count):
        write(address + place, ON if bits >> place & 1 else OFF)
    return data[:4]


_HANDLERS: dict[int, tuple[str, Callable[[Any, bytes], bytes]]] = {  # what the device is asked for it
    READ_COILS: ("read_coils", _read_coils),
    READ_HOLDING: ("read", _read_words),
    READ_INPUTS: ("read_inputs", _read_words),
    WRITE_COIL: ("write_coil", _write_coil),
    WRITE_SINGLE: ("write", _write_register),
    WRITE_COILS: ("write_coil", _write_coils),
    WRITE_MULTIPLE: ("write", _write_registers),
}
