"""Frames of Houston Radar's binary protocol.

Source: the layout in the open traffic-management system IRIS (comm/dr500), facts only; no document of the
maker was seen. `F3`, body, CRC low, CRC high, `FC`; in between F3, FA and FC are sent as FA 03, FA 0A, FA 0C.
A body is a code and its data.
"""

from __future__ import annotations

from binascii import crc_hqx

from drivers.radar.scan import MORE, NONE_HERE

MAX_FRAME_BYTES = 512  # the longest answer known is a few lines of text

BEGIN, ESCAPE, END = 0xF3, 0xFA, 0xFC
_ESCAPED = {byte & 0x0F: byte for byte in (BEGIN, ESCAPE, END)}
_CONFIG = 0  # the domain that precedes a variable's name

INFO, STATUS, SET, READ, VALUE = 0x0E, 0x13, 0x17, 0x18, 0x19
ASK_SPEED, SPEED = 0x31, 0x32


def crc(body: bytes) -> int:
    """CRC-16 with polynomial 1021, start 0, not reflected.

    >>> hex(crc(b"123456789"))
    '0x31c3'
    """
    return crc_hqx(body, 0)


def frame(body: bytes) -> bytes:
    """A body as it is sent.

    >>> frame(bytes((ASK_SPEED,))).hex(" ")
    'f3 31 72 26 fc'
    """
    sent = bytearray((BEGIN,))
    for byte in body + crc(body).to_bytes(2, "little"):
        sent += bytes((ESCAPE, byte & 0x0F)) if byte in (BEGIN, ESCAPE, END) else bytes((byte,))
    sent.append(END)
    return bytes(sent)


def body_of(received: bytes | bytearray) -> bytes | None:
    """The body of a whole frame; None when it is damaged."""
    body, escaped = bytearray(), False
    for byte in received[1:-1]:
        if escaped:
            if byte not in _ESCAPED:
                return None
            body.append(_ESCAPED[byte])
            escaped = False
        elif byte == ESCAPE:
            escaped = True
        else:
            body.append(byte)
    if escaped or len(body) < 3 or crc(bytes(body[:-2])) != int.from_bytes(body[-2:], "little"):
        return None
    return bytes(body[:-2])


def measure(buffer: bytearray) -> int:
    """For a `FrameScanner`: an F3 inside means that the frame before it was cut."""
    if buffer[0] != BEGIN:
        return NONE_HERE
    end = buffer.find(END)
    again = buffer.find(BEGIN, 1, len(buffer) if end < 0 else end)
    if again >= 0:
        return NONE_HERE
    if end < 0:
        return MORE
    return end + 1 if body_of(buffer[: end + 1]) is not None else NONE_HERE


def read_variable(name: str) -> bytes:
    """Ask for a variable by its two letters.

    >>> read_variable("UN").hex(" ")
    'f3 18 00 55 4e 24 c6 fc'
    """
    return frame(bytes((READ, _CONFIG)) + name.encode("ascii"))


def set_variable(name: str, value: int) -> bytes:
    """Set a variable, 0 to 65535; the radar writes it to its flash."""
    return frame(bytes((SET, _CONFIG)) + name.encode("ascii") + value.to_bytes(2, "little"))


ASK_SPEED_FRAME = frame(bytes((ASK_SPEED,)))
ASK_INFO_FRAME = frame(bytes((INFO,)))
