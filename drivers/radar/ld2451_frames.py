"""The frames of the Hi-Link HLK-LD2451: reports, answers to commands, and the commands themselves.

Source: Hi-Link, LD2451 serial communication protocol V1.03, sections 1.2 (commands) and 1.3 (reports).
Both kinds are header | length u16, little-endian | payload | tail; there is no checksum.
"""

from __future__ import annotations

from typing import NamedTuple

from drivers.radar.scan import MORE, NONE_HERE

REPORT_HEAD, REPORT_TAIL = bytes.fromhex("F4 F3 F2 F1"), bytes.fromhex("F8 F7 F6 F5")
COMMAND_HEAD, COMMAND_TAIL = bytes.fromhex("FD FC FB FA"), bytes.fromhex("04 03 02 01")
TARGET_BYTES = 5
MOST_TARGETS = 10  # the document names no limit, and public drivers have met 5
LONGEST_ANSWER = 64  # the longest known one, the firmware's version, has 12 bytes
_ENVELOPE = 10  # header, length and tail
_PAYLOAD_AT = 6
USUAL_FRAME = 17  # one target
LONGEST_FRAME = _ENVELOPE + LONGEST_ANSWER  # a report of ten targets has 62

ENABLE, END = 0x00FF, 0x00FE
SET_DETECTION, READ_DETECTION = 0x0002, 0x0012
SET_SENSITIVITY, READ_SENSITIVITY = 0x0003, 0x0013
READ_VERSION = 0x00A0
_ANSWER = 0x0100  # an answer repeats its command's word with this bit

_NAMES = {
    ENABLE: ("protocol",),
    READ_DETECTION: ("max_distance_m", "direction", "min_speed_kmh", "hold_s"),
    READ_SENSITIVITY: ("hits", "snr"),
}

AWAY, APPROACH, BOTH = 0, 1, 2  # the direction filter of command 0002


class Target(NamedTuple):
    """One target as a report has it."""

    angle_deg: int
    distance_m: int
    direction: int
    speed_kmh: int
    snr: int


class Report(NamedTuple):
    """What one report says; `alarm` is 1 while something approaches."""

    alarm: int
    targets: tuple[Target, ...]


def command(word: int, value: bytes = b"") -> bytes:
    """One command; only heard between `ENABLE` and `END`.

    >>> command(ENABLE, bytes((1, 0))).hex(" ")
    'fd fc fb fa 04 00 ff 00 01 00 04 03 02 01'
    """
    payload = word.to_bytes(2, "little") + value
    return COMMAND_HEAD + len(payload).to_bytes(2, "little") + payload + COMMAND_TAIL


def enable_command() -> bytes:
    """Stop reporting and listen to commands."""
    return command(ENABLE, bytes((1, 0)))


def end_command() -> bytes:
    """Report again."""
    return command(END)


def detection_command(max_m: int, directions: int, min_kmh: int, hold_s: int) -> bytes:
    """Command 0002: 10 to 255 m; `AWAY`, `APPROACH` or `BOTH`; for how long a lost target is kept."""
    return command(SET_DETECTION, bytes((max_m, directions, min_kmh, hold_s)))


def sensitivity_command(hits: int, snr: int) -> bytes:
    """Command 0003: 1 to 10 hits before a target is one; least SNR 3 to 8, or 0: the radar's own."""
    return command(SET_SENSITIVITY, bytes((hits, snr, 0, 0)))


def enveloped(*commands: bytes) -> bytes:
    """Commands that are heard, and reports again after them, whatever became of them."""
    return b"".join((enable_command(), *commands, end_command()))


def measure(data: bytes | bytearray) -> int:
    """For `FrameScanner`: the length of the good frame that these bytes begin with."""
    is_report = _begins(data, REPORT_HEAD)
    if not is_report and not _begins(data, COMMAND_HEAD):
        return NONE_HERE
    if len(data) < _PAYLOAD_AT:
        return MORE
    length = data[4] | data[5] << 8
    if not (
        _is_report(length, data[_PAYLOAD_AT : _PAYLOAD_AT + 1])
        if is_report
        else 4 <= length <= LONGEST_ANSWER
    ):
        return NONE_HERE
    whole = length + _ENVELOPE
    if any(data.find(head, 1, whole) > 0 for head in (REPORT_HEAD, COMMAND_HEAD)):
        return NONE_HERE  # it was cut, and the next one fills it up
    if not _begins(data[_PAYLOAD_AT + length : whole], REPORT_TAIL if is_report else COMMAND_TAIL):
        return NONE_HERE
    return whole if len(data) >= whole else MORE


def _begins(data: bytes | bytearray, start: bytes) -> bool:
    """Whether bytes are `start`, or can still become it.

    >>> [_begins(bytes.fromhex(some), REPORT_HEAD) for some in ("F4 F3", "F4 F4")]
    [True, False]
    """
    return data[: len(start)] == start[: len(data)]


def _is_report(length: int, count_byte: bytes | bytearray) -> bool:
    """An empty report has no payload (the document) or two zeros (seen); else the count must agree."""
    if length == 0:
        return True
    count, rest = divmod(length - 2, TARGET_BYTES)
    return rest == 0 and 0 <= count <= MOST_TARGETS and (not count_byte or count_byte[0] == count)


def report_of(frame: bytes) -> Report | None:
    """The report that a frame is; None: it is an answer."""
    if not frame.startswith(REPORT_HEAD):
        return None
    payload = frame[_PAYLOAD_AT:-4]
    fields = payload[2:]
    targets = (fields[at : at + TARGET_BYTES] for at in range(0, len(fields), TARGET_BYTES))
    return Report(
        payload[1] if payload else 0,
        tuple(Target(angle - 0x80, *rest) for angle, *rest in targets),
    )


def answer_of(frame: bytes) -> dict[str, str]:
    """What an answer says, by readable names; empty for anything else, our own command come back too."""
    word, status = int.from_bytes(frame[6:8], "little"), int.from_bytes(frame[8:10], "little")
    if not frame.startswith(COMMAND_HEAD) or not word & _ANSWER:
        return {}
    command_word, value = word & ~_ANSWER, frame[10:-4]
    said = {"command": f"{command_word:02X}", "status": "ok" if status == 0 else f"failed ({status})"}
    names = _NAMES.get(command_word, ())
    if status == 0 and len(value) >= len(names):
        said |= {name: str(number) for name, number in zip(names, value, strict=False)}
    if status == 0 and command_word == READ_VERSION and len(value) >= 8:
        said["firmware"] = _version(value)
    return said


def _version(value: bytes) -> str:
    """Type u16, major u16, minor u32, as Hi-Link's other modules print theirs: V1.19.37070120."""
    return f"V{value[3]:X}.{value[2]:02X}.{int.from_bytes(value[4:8], 'little'):08X}"
