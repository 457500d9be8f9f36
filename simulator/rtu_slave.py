"""The slave's side of Modbus, RTU and TCP: bytes in, replies out, no I/O and no time.

Written from the Modbus application protocol V1.1b3 and the serial line guide V1.02 alone, not on the
library that the driver uses, so that each can show the other's mistakes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

READ_HOLDING, WRITE_SINGLE, WRITE_MULTIPLE = 0x03, 0x06, 0x10
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4
BROADCAST = 0

MAX_RTU = 256  # serial line guide, 2.3: the longest frame
MAX_BUFFER = 2 * MAX_RTU
_MAX_READ, _MAX_WRITE = 125, 123
# Requests of other functions, so that they can be told from noise and refused: data is 4 bytes …
_FOUR_BYTES = frozenset({0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08})
_COUNTED = frozenset({0x0F, 0x10})  # … or 5 and as many as the last of these says


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


class Slave(Protocol):
    """A slave of either framing: cuts requests out of a stream, and answers one."""

    unit: int
    device: RegisterDevice

    def split(self, data: bytes) -> list[bytes]: ...

    def answer(self, frame: bytes) -> bytes | None: ...

    def spoil(self, reply: bytes) -> bytes: ...

    def readdress(self, reply: bytes, unit: int) -> bytes: ...

    def refuse(self, frame: bytes, code: int) -> bytes | None: ...


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_CRC_TABLE = [_crc_of_byte(byte) for byte in range(256)]


def crc16(data: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first as on the wire.

    >>> crc16(bytes.fromhex("01 06 00 07 00 2F")).hex(" ").upper()
    '79 D7'
    """
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def with_crc(frame: bytes) -> bytes:
    return frame + crc16(frame)


def is_write(pdu: bytes) -> bool:
    return pdu[0] in (WRITE_SINGLE, WRITE_MULTIPLE)


def answer_pdu(device: RegisterDevice, pdu: bytes) -> bytes:
    """The reply to one request without its framing: function code and data."""
    function, data = pdu[0], pdu[1:]
    handler = {READ_HOLDING: _read, WRITE_SINGLE: _write_single, WRITE_MULTIPLE: _write_multiple}.get(
        function
    )
    if handler is None:
        return bytes([function | 0x80, ILLEGAL_FUNCTION])
    try:
        return bytes([function]) + handler(device, data)
    except RegisterError as error:
        return bytes([function | 0x80, error.code])


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _read(device: RegisterDevice, data: bytes) -> bytes:
    address, count = _word(data, 0), _word(data, 2)
    if len(data) != 4 or not 1 <= count <= _MAX_READ:
        raise IllegalValue
    if address + count > 0x10000:
        raise IllegalAddress
    words = b"".join(value.to_bytes(2, "big") for value in device.read(address, count))
    return bytes([len(words)]) + words


def _write_single(device: RegisterDevice, data: bytes) -> bytes:
    if len(data) != 4:
        raise IllegalValue
    device.write(_word(data, 0), [_word(data, 2)])
    return data


def _write_multiple(device: RegisterDevice, data: bytes) -> bytes:
    if len(data) < 5:
        raise IllegalValue
    address, count = _word(data, 0), _word(data, 2)
    if not 1 <= count <= _MAX_WRITE or data[4] != 2 * count or len(data) != 5 + 2 * count:
        raise IllegalValue
    if address + count > 0x10000:
        raise IllegalAddress
    device.write(address, [_word(data, at) for at in range(5, len(data), 2)])
    return data[:4]


class RtuSlave:
    """A slave on a serial line, unit 1 to 247.

    Where a frame ends is read from its contents, not from silence, so that it works on a pty too.
    Noise in front of a frame is skipped; holds at most `MAX_BUFFER` bytes.
    """

    def __init__(self, unit: int, device: RegisterDevice) -> None:
        self.unit, self.device = unit, device
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The replies to the requests completed by these bytes, as they go on the wire."""
        return [reply for frame in self.split(data) if (reply := self.answer(frame)) is not None]

    def split(self, data: bytes) -> list[bytes]:
        """The whole frames, of any unit, that these bytes complete."""
        frames: list[bytes] = []
        for start in range(0, len(data), MAX_RTU):
            self._buffer += data[start : start + MAX_RTU]
            while found := _find(self._buffer):
                begin, end = found
                frames.append(self._buffer[begin:end])
                self._buffer = self._buffer[end:]
            self._buffer = self._buffer[-MAX_RTU:]
        return frames

    def answer(self, frame: bytes) -> bytes | None:
        """The reply to one frame with a right CRC; None: not for us, or a broadcast (obeyed)."""
        unit, pdu = frame[0], frame[1:-2]
        if unit == BROADCAST:
            if is_write(pdu):
                answer_pdu(self.device, pdu)
            return None
        if unit != self.unit:
            return None
        return with_crc(bytes([unit]) + answer_pdu(self.device, pdu))

    def spoil(self, reply: bytes) -> bytes:
        """The reply with a wrong CRC."""
        return reply[:-1] + bytes([reply[-1] ^ 0xFF])

    def readdress(self, reply: bytes, unit: int) -> bytes:
        """The reply as if from another unit."""
        return with_crc(bytes([unit]) + reply[1:-2])

    def refuse(self, frame: bytes, code: int) -> bytes | None:
        """An exception reply to the frame, when it is for us."""
        if frame[0] != self.unit:
            return None
        return with_crc(bytes([self.unit, frame[1] | 0x80, code]))


def _find(buffer: bytes) -> tuple[int, int] | None:
    """Where the first whole request with a right CRC begins and ends."""
    for begin in range(len(buffer)):
        end = begin + _request_length(buffer[begin : begin + 7])
        if begin < end <= len(buffer) and crc16(buffer[begin : end - 2]) == buffer[end - 2 : end]:
            return begin, end
    return None


def _request_length(head: bytes) -> int:
    """Of an RTU request that begins so; 0: none does, or not enough is there to tell."""
    if len(head) < 2:
        return 0
    if head[1] in _FOUR_BYTES:
        return 8
    return 9 + head[6] if head[1] in _COUNTED and len(head) == 7 else 0


class MbapSlave:
    """A slave behind Modbus TCP: one object a connection. Answers its own unit id, 0 and 255.

    A header that cannot be one ends the connection in real devices; here what was buffered is dropped.
    """

    def __init__(self, unit: int, device: RegisterDevice) -> None:
        self.unit, self.device = unit, device
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The replies to the requests completed by these bytes, as they go on the wire."""
        return [reply for frame in self.split(data) if (reply := self.answer(frame)) is not None]

    def split(self, data: bytes) -> list[bytes]:
        """The whole frames that these bytes complete: header of 7 bytes and PDU."""
        self._buffer += data
        frames: list[bytes] = []
        while len(self._buffer) >= 7:
            length = _word(self._buffer, 4)  # unit id and PDU
            if _word(self._buffer, 2) != 0 or not 2 <= length <= 254:
                self._buffer = b""
                break
            if len(self._buffer) < 6 + length:
                break
            frames.append(self._buffer[: 6 + length])
            self._buffer = self._buffer[6 + length :]
        return frames

    def answer(self, frame: bytes) -> bytes | None:
        """The reply to one frame; None: not for us."""
        if frame[6] not in (self.unit, 0, 255):
            return None
        return self._wrap(frame, answer_pdu(self.device, frame[7:]))

    def _wrap(self, frame: bytes, pdu: bytes) -> bytes:
        return frame[:4] + (len(pdu) + 1).to_bytes(2, "big") + frame[6:7] + pdu

    def spoil(self, reply: bytes) -> bytes:
        """The reply with a protocol id that is not Modbus: the nearest thing to a wrong CRC."""
        return reply[:2] + b"\xff\xff" + reply[4:]

    def readdress(self, reply: bytes, unit: int) -> bytes:
        """The reply as if from another unit."""
        return reply[:6] + bytes([unit]) + reply[7:]

    def refuse(self, frame: bytes, code: int) -> bytes | None:
        """An exception reply to the frame, when it is for us."""
        if frame[6] not in (self.unit, 0, 255):
            return None
        return self._wrap(frame, bytes([frame[7] | 0x80, code]))
