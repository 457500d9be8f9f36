"""What a UART makes of bytes that were sent at another rate than it listens at.

A line rests at 1. A character is a start bit of 0, eight bits from the lowest up, and a stop bit of 1. Who
listens waits for the line to fall and then looks in the middle of each bit of its own length; what it finds
where the stop bit should be changes nothing (a tty without INPCK hands a broken character on as it came).
"""

from __future__ import annotations

BITS = 10  # a character with its start and its stop
_STOP = BITS - 1


def garbled(data: bytes, sent_baud: int, heard_baud: int) -> bytes:
    """What is heard of `data`, its characters following each other without a pause.

    >>> garbled(b"47", 9600, 9600)
    b'47'
    >>> garbled(b"47", 9600, 19200).hex(" ")
    '60 98 1e'
    """
    if sent_baud == heard_baud:
        return data
    line = [bit for byte in data for bit in _bits(byte)]
    per_bit = sent_baud / heard_baud  # bits as sent in one bit as heard
    heard = bytearray()
    at = 0.0  # it begins with a start bit
    while at < len(line):
        bits = [_level(line, at + (place + 0.5) * per_bit) for place in range(1, _STOP)]
        heard.append(sum(bit << place for place, bit in enumerate(bits)))
        at = float(_next_fall(line, int(at + (_STOP + 0.5) * per_bit)))
    return bytes(heard)


def _bits(byte: int) -> list[int]:
    return [0, *(byte >> place & 1 for place in range(8)), 1]


def _level(line: list[int], at: float) -> int:
    return line[int(at)] if at < len(line) else 1


def _next_fall(line: list[int], at: int) -> int:
    """A line that is at 0 has to rise first."""
    while at < len(line) and line[at] == 0:
        at += 1
    while at < len(line) and line[at] == 1:
        at += 1
    return at
