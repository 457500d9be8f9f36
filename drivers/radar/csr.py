"""Chuansu CSR-I, also sold by Hikvision: a small RS485 or RS232 radar, 9600 8N1, in its binary formats.

Source: Hikvision CSR-I manual, pages 12 to 14. Format 1 (`2-byte`): F9 closing, F8 leaving, F7 unknown,
then the speed in km/h. Format 0 (`1-byte`): the speed alone. There is no checksum. In continuous mode a value
comes every 26 ms, zero when nothing moves. Format 2 is ASCII: the driver `ascii`, profile `csr`.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from drivers.radar.scan import MORE, NONE_HERE, FrameScanner
from drivers.radar.units import KeepsUnitBelief, UnitBelief
from drivers.radar.wanted import check_one_target, check_unit
from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Rejected, Reply, Restarted, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

log = logging.getLogger(__name__)

TWO_BYTES, ONE_BYTE = "2-byte", "1-byte"
MAX_SPEED_KMH = 240.0  # manual: to 240 km/h, F0
LONGEST_BYTES = 18  # of an answer: head, length, fifteen bytes, tail

_HEADS = {0xF9: Direction.APPROACHING, 0xF8: Direction.RECEDING, 0xF7: Direction.UNKNOWN}
_ANSWER, _ANSWER_END, _ANSWER_LENGTH = 0xFA, 0xFB, 0x30
_BURST, _BURST_END = b"\xfe\xfd", b"\xfd\xfe"
_UNIT_WORD = "km/h"


# --------------------------------------------------------------------------- commands


def command(code: int, first: int, second: int) -> bytes:
    """A command of the manual: `FA code first second FB`."""
    return bytes((0xFA, code, first, second, 0xFB))


def low_limit_command(kmh: int) -> bytes:
    """The least speed that is reported, 1 to 150 km/h (from the factory 5).

    >>> low_limit_command(5).hex(" ")
    'fa 39 05 30 fb'
    """
    return command(0x39, kmh, 0x30)


ENTER_CONFIGURATION = command(0x31, 0x30, 0x30)
LEAVE_CONFIGURATION = command(0x32, 0x30, 0x30)
SAVE = command(0x3D, 0x31, 0x30)  # never sent by the sign: it writes to the radar's memory
READ_SETTINGS = command(0x3D, 0x34, 0x30)
READ_VERSION = command(0x3F, 0x30, 0x30)


# --------------------------------------------------------------------------- bytes to events


def _measure_answer(buffer: bytearray) -> int:
    """`FA 3n`, n bytes, `FB`: the second byte of `FA 32 xx 3x FB` taken for their number."""
    if len(buffer) < 2:
        return MORE
    n = buffer[1] - _ANSWER_LENGTH
    if not 1 <= n <= 15 or any(byte in _HEADS for byte in buffer[2 : n + 2]):
        return NONE_HERE
    if len(buffer) < n + 3:
        return MORE
    return n + 3 if buffer[n + 2] == _ANSWER_END else NONE_HERE


def _measure_burst(buffer: bytearray) -> int:
    """`FE FD … FD FE`, the dots being at most fourteen bytes; Hikvision's has none."""
    if len(buffer) < 2:
        return MORE
    end = buffer.find(_BURST_END, 2)
    if buffer[:2] != _BURST or any(byte in _HEADS for byte in buffer[: end if end >= 0 else None]):
        return NONE_HERE
    return MORE if end < 0 else end + 2


def _measure_other(buffer: bytearray) -> int:
    if buffer[0] == _ANSWER:
        return _measure_answer(buffer)
    return _measure_burst(buffer) if buffer[0] == _BURST[0] else NONE_HERE


def _measure_two(buffer: bytearray) -> int:
    """A speed is at most F0, so F7 to F9 can only be a header."""
    if buffer[0] not in _HEADS:
        return _measure_other(buffer)
    if len(buffer) < 2:
        return MORE
    return 2 if buffer[1] <= MAX_SPEED_KMH else NONE_HERE


def _measure_one(buffer: bytearray) -> int:
    return 1 if buffer[0] <= MAX_SPEED_KMH else _measure_other(buffer)


class CsrDecoder(KeepsUnitBelief):
    """Finds the frames of one format; holds at most `LONGEST_BYTES`.

    Two bytes: after anything else the next whole frame is read. One byte: every byte up to F0 is a speed,
    noise included. The radar's answers and its power-on burst are known by bytes that no speed has.

    Counters: bytes, frames, bad, overflow, rejected.
    """

    def __init__(self, unit: Unit | None, *, one_byte: bool = False) -> None:
        self.counters = Counters()
        self._unit = UnitBelief(unit, Unit.KMH)
        self._scanner = FrameScanner(
            _measure_one if one_byte else _measure_two,
            usual=1 if one_byte else 2,
            longest=LONGEST_BYTES,
            counters=self.counters,
        )

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        return [self._event(frame, t_mono_s) for frame in self._scanner.frames(data)]

    def _event(self, frame: bytes, t_mono_s: float) -> RadarEvent:
        self.counters.add("frames")
        if frame[0] == _BURST[0]:
            return Restarted(t_mono_s, f"power-on burst {frame.hex(' ').upper()}")
        if frame[0] == _ANSWER:
            return Reply(t_mono_s, {"answer": frame[2:-1].hex(" ").upper()})
        speed = frame[-1]
        if speed == 0:
            return Idle(t_mono_s)
        factor = self._unit.kmh_per_unit(_UNIT_WORD)
        if isinstance(factor, str):
            self.counters.add("rejected")
            return Rejected(t_mono_s, factor)
        direction = _HEADS[frame[0]] if len(frame) == 2 else Direction.UNKNOWN
        return Reading(t_mono_s, speed * factor, direction)


class Csr(RadarDriver):
    """A CSR-I in continuous mode, format 1 (`2-byte`) or 0 (`1-byte`); it is never written to."""

    name: ClassVar[str] = "csr"
    title: ClassVar[str] = "Chuansu / Hikvision CSR-I"
    line: ClassVar[LineSettings] = LineSettings(9_600)
    bauds: ClassVar[tuple[int, ...]] = (9_600,)
    streams_when_idle: ClassVar[bool] = True
    ping: ClassVar[bytes | None] = None
    command_gap_s: ClassVar[float] = 0.15
    factory_unit: ClassVar[Unit] = Unit.KMH
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    profiles: ClassVar[tuple[str, ...]] = (TWO_BYTES, ONE_BYTE)
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="a header byte and a speed byte, or a speed byte alone; no checksum",
        rate_hz=38.0,
        range_m=None,
        direction="header byte (2-byte); not at all (1-byte)",
        strength=False,
        gives_range=False,
        targets=1,
        status=SourceStatus.DOCUMENTED,
        source="Hikvision CSR-I manual, pages 12 to 14",
        quirks=(
            "It has to be set to continuous mode with the maker's tool: other modes say one speed a car.",
            "In any other mode its silence on an empty road is taken for a fault.",
            "The factory's 1-byte format cannot be told from noise and has no direction; set format 1 or 2.",
            "What its answers to commands mean is uncertain, so the sign sets nothing.",
            "Whether it rounds or truncates to whole km/h is not documented.",
        ),
    )

    def __init__(self, *, profile: str = TWO_BYTES) -> None:
        self._one_byte = profile == ONE_BYTE

    def decoder(self, unit: Unit | None) -> CsrDecoder:
        """A fresh decoder; with a unit other than km/h every speed is rejected."""
        return CsrDecoder(unit, one_byte=self._one_byte)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """Nothing; raises DriverError for what the protocol cannot say.

        Settings can be read only in configuration mode, in which no speeds come, and the length and codes of
        the answers are not known well enough to compare by: an installer sets it with the maker's tool.
        """
        check_unit(self.name, wanted, (Unit.KMH,))
        check_one_target(self.name, wanted, MAX_SPEED_KMH)
        if self._one_byte:
            log.warning(
                "radar csr: the 1-byte format cannot be told from noise and has no direction;"
                " set the radar to the 2-byte format"
            )
        return []
