"""The frames of the InnoSenT iSYS-4001: PROFIBUS-like, `68 L L 68 DA SA FC data FCS 16`.

Source: the public driver KB-Sensor-Mart/iSYS4001. L counts from DA to the end of the data, of which FCS is
the sum's low byte. The radar is 80, its master 01.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from drivers.radar.scan import MORE, NONE_HERE

START, END = 0x68, 0x16
RADAR, MASTER = 0x80, 0x01
LONGEST_FRAME = 255 + 6
USUAL_FRAME = 18  # one target
OUTPUT = 1  # of three, each with its own limits

NAME, ACQUISITION, READ_SETTING, WRITE_SETTING, TARGETS = 0xD0, 0xD1, 0xD4, 0xD5, 0xDA
REFUSED = 0xFD
MAX_RANGE, MIN_SPEED, MAX_SPEED, DIRECTION = 0x09, 0x0C, 0x0D, 0x0E  # 0.1 m, 0.1 m/s, 0.1 m/s
BOTH = 3  # 1 approaching, 2 receding
BITS_16, BITS_32 = 16, 32
CLIPPING = 0xFF
MOST_TARGETS = 35

_TARGET = struct.Struct(">Bhhh")


class Target(NamedTuple):
    """One target as the 16-bit list has it, in dB, 0.01 m/s, 0.01 m and 0.01 degrees."""

    level_db: int
    velocity: int
    distance: int
    angle: int


def frame(to: int, source: int, function: int, data: bytes = b"") -> bytes:
    """One frame."""
    body = bytes((to, source, function)) + data
    return bytes((START, len(body), len(body), START)) + body + bytes((sum(body) & 0xFF, END))


def command(function: int, data: bytes = b"") -> bytes:
    """A frame from the master to the radar."""
    return frame(RADAR, MASTER, function, data)


def targets_command(bits: int = BITS_16) -> bytes:
    """Ask for the targets that pass the limits of output 1.

    >>> targets_command().hex(" ")
    '68 05 05 68 80 01 da 01 10 6c 16'
    """
    return command(TARGETS, bytes((OUTPUT, bits)))


def acquisition_command(*, start: bool) -> bytes:
    """Begin or end measuring."""
    return command(ACQUISITION, bytes((0, 0 if start else 1)))


def read_command(setting: int) -> bytes:
    """Ask for a setting of output 1; the answer does not say for which."""
    return command(READ_SETTING, bytes((OUTPUT, setting)))


def write_command(setting: int, value: int) -> bytes:
    """Set a setting of output 1, until the power goes."""
    return command(WRITE_SETTING, bytes((OUTPUT, setting)) + value.to_bytes(2, "big"))


def measure(data: bytes | bytearray) -> int:
    """For `FrameScanner`: the length of the good frame that these bytes begin with."""
    if data[0] != START:
        return NONE_HERE
    if len(data) < 4:
        return MORE if len(data) < 3 or data[1] == data[2] else NONE_HERE
    length = data[1]
    if data[2] != length or data[3] != START or length < 3:
        return NONE_HERE
    whole = length + 6
    if len(data) < whole:
        return MORE
    return whole if _adds_up(data[4:whole]) else NONE_HERE


def _adds_up(rest: bytes | bytearray) -> bool:
    """From DA on: the sum and the end are right, and a list of targets is as long as it says."""
    body, fcs, end = rest[:-2], rest[-2], rest[-1]
    if end != END or sum(body) & 0xFF != fcs:
        return False
    if body[0] != MASTER or body[2] != TARGETS:
        return True
    count = body[4] if len(body) > 4 else -1
    return len(body) == 5 + (0 if count == CLIPPING else count * _TARGET.size) and count != -1


def targets_of(body: bytes) -> list[Target] | None:
    """The targets of an answer, without its envelope; None: the receiver was overdriven."""
    if body[4] == CLIPPING:
        return None
    return [Target(*values) for values in _TARGET.iter_unpack(body[5:])]
