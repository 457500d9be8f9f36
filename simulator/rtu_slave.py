"""The slave's side of Modbus, RTU and TCP: bytes in, replies out, no I/O and no time.

Written from the serial line guide V1.02 and the messaging guide V1.0b alone; what a request asks for
is `simulator.modbus_pdu`'s business.
"""

from __future__ import annotations

from typing import Protocol

from simulator.modbus_pdu import (
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Device,
    IllegalAddress,
    IllegalValue,
    RegisterDevice,
    RegisterError,
    answer_pdu,
    is_write,
    word_at,
)

__all__ = [
    "DEVICE_FAILURE",
    "ILLEGAL_ADDRESS",
    "ILLEGAL_FUNCTION",
    "ILLEGAL_VALUE",
    "MAX_BUFFER",
    "Device",
    "IllegalAddress",
    "IllegalValue",
    "MbapSlave",
    "RegisterDevice",
    "RegisterError",
    "RtuSlave",
    "Slave",
    "crc16",
    "with_crc",
]

BROADCAST = 0
MAX_RTU = 256  # serial line guide, 2.3: the longest frame
MAX_BUFFER = 2 * MAX_RTU
# Requests of any function, so that they can be told from noise and refused: data is 4 bytes …
_FOUR_BYTES = frozenset({0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08})
_COUNTED = frozenset({0x0F, 0x10})  # … or 5 and as many as the last of these says


class Slave(Protocol):
    """A slave of either framing: cuts requests out of a stream, and answers one."""

    unit: int
    device: Device

    def split(self, data: bytes) -> list[bytes]: ...

    def answer(self, frame: bytes) -> bytes | None: ...

    def spoil(self, reply: bytes) -> bytes: ...

    def readdress(self, reply: bytes, unit: int) -> bytes: ...

    def refuse(self, frame: bytes, code: int) -> bytes | None: ...

    def is_ours(self, frame: bytes) -> bool: ...


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


class RtuSlave:
    """A slave on a serial line, unit 1 to 247.

    Where a frame ends is read from its contents, not from silence, so that it works on a pty too.
    Noise in front of a frame is skipped; holds at most `MAX_BUFFER` bytes.
    """

    def __init__(self, unit: int, device: Device) -> None:
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
        if not self.is_ours(frame):
            return None
        unit, pdu = frame[0], frame[1:-2]
        if unit == BROADCAST:
            if is_write(pdu):
                answer_pdu(self.device, pdu)
            return None
        return with_crc(bytes([unit]) + answer_pdu(self.device, pdu))

    def is_ours(self, frame: bytes) -> bool:
        """Whether a frame is for this unit, alone or among all."""
        return frame[0] in (self.unit, BROADCAST)

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

    def __init__(self, unit: int, device: Device) -> None:
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
            length = word_at(self._buffer, 4)  # unit id and PDU
            if word_at(self._buffer, 2) != 0 or not 2 <= length <= 254:
                self._buffer = b""
                break
            if len(self._buffer) < 6 + length:
                break
            frames.append(self._buffer[: 6 + length])
            self._buffer = self._buffer[6 + length :]
        return frames

    def answer(self, frame: bytes) -> bytes | None:
        """The reply to one frame; None: not for us."""
        if not self.is_ours(frame):
            return None
        return self._wrap(frame, answer_pdu(self.device, frame[7:]))

    def is_ours(self, frame: bytes) -> bool:
        """Whether a frame is for this unit; 0 and 255 stand for the device that is connected to."""
        return frame[6] in (self.unit, 0, 255)

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
        if not self.is_ours(frame):
            return None
        return self._wrap(frame, bytes([frame[7] | 0x80, code]))
