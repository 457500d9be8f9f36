"""The packets of the RFbeam K-LD7: four letters, length u32 little-endian, payload.

Source: RFbeam K-LD7 data sheet, revision B of 12/2020: tables 9 (packet), 12 (parameters), 13 (messages)
and 14 (commands). There is no checksum.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from drivers.radar.scan import MORE, NONE_HERE

HEAD_BYTES = 8
USUAL_PACKET = 16
LONGEST_PACKET = HEAD_BYTES + 96  # PDAT with twelve raw targets
TRACKED_TARGET = 8  # the flag of TDAT in the question GNFD

# Raw samples and spectra (RADC, RFFT) are never asked for.
_LENGTHS = {
    b"RESP": range(1, 2),
    b"TDAT": range(0, 9, 8),
    b"PDAT": range(0, 97, 8),
    b"DDAT": range(6, 7),
    b"DONE": range(4, 5),
    b"RPST": range(42, 43),
}
RESULTS = (
    "ok",
    "unknown command",
    "bad parameter",
    "bad structure version",
    "UART error",
    "busy",
    "timeout",
)
MOST_SENSITIVE = 9  # of MIDS
_TARGET = struct.Struct("<HhhH")
_PARAMETERS = struct.Struct("<19s8B2b4Bb4BH2B")
_NAMES = (
    *("RBFR", "RSPI", "RRAI", "THOF", "TRFT", "VISU", "MIRA", "MARA", "MIAN", "MAAN", "MISP"),
    *("MASP", "DEDI", "RATH", "ANTH", "SPTH", "DIG1", "DIG2", "DIG3", "HOLD", "MIDE", "MIDS"),
)


class Target(NamedTuple):
    """The tracked target; a positive speed goes away."""

    distance_m: float
    speed_kmh: float
    angle_deg: float
    magnitude_db: float


def command(name: str, value: int | None = None) -> bytes:
    """One command; its value, where it has one, is 32 bits.

    >>> command("RSPI", 3).hex(" ")
    '52 53 50 49 04 00 00 00 03 00 00 00'
    >>> command("GBYE").hex(" ")
    '47 42 59 45 00 00 00 00'
    """
    payload = b"" if value is None else value.to_bytes(4, "little", signed=True)
    return name.encode("ascii") + len(payload).to_bytes(4, "little") + payload


def measure(data: bytes | bytearray) -> int:
    """For `FrameScanner`: the length of the good packet that these bytes begin with."""
    name = bytes(data[:4])
    if name not in _LENGTHS:
        return MORE if len(name) < 4 and any(one.startswith(name) for one in _LENGTHS) else NONE_HERE
    if len(data) < HEAD_BYTES:
        return MORE
    length = int.from_bytes(data[4:HEAD_BYTES], "little")
    if length not in _LENGTHS[name]:
        return NONE_HERE
    whole = HEAD_BYTES + length
    if len(data) < whole:
        return MORE
    return whole if _makes_sense(name, bytes(data[HEAD_BYTES:whole])) else NONE_HERE


def _makes_sense(name: bytes, payload: bytes) -> bool:
    """Not a packet that was cut and filled up by the next one, as far as that can be told."""
    if any(one in payload for one in _LENGTHS):
        return False
    if name == b"RESP":
        return payload[0] < len(RESULTS)
    return name != b"RPST" or payload[-1] <= MOST_SENSITIVE  # MIDS, where a letter of the next would be


def target_of(payload: bytes) -> Target:
    """The target of a TDAT with eight bytes."""
    distance, speed, angle, magnitude = _TARGET.unpack(payload)
    return Target(distance / 100, speed / 100, angle / 100, magnitude / 100)


def parameters_of(payload: bytes) -> dict[str, str]:
    """The parameters of an RPST, by the names of the commands that set them, and the firmware."""
    firmware, *values = _PARAMETERS.unpack(payload)
    said = {"firmware": firmware.split(b"\0")[0].decode("ascii", "replace")}
    return said | {name: str(value) for name, value in zip(_NAMES, values, strict=True)}
