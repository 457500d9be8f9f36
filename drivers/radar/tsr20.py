"""Nanoradar TSR20 on its RS485 line, 9600 8N1: four bytes a report, `FC FA kmh 00` or `FB FD kmh 00`.

Source: one public sign project for this sensor (adamkurniawans/speedsignradar-with-es32); no document of the
maker was seen. FC FA approaches, FB FD recedes, whole km/h, no checksum, nothing is sent while nothing moves.
"""

from __future__ import annotations

from typing import ClassVar

from drivers.radar.scan import MORE, NONE_HERE, FrameScanner
from drivers.radar.units import KeepsUnitBelief, UnitBelief
from drivers.radar.wanted import check_one_target, check_unit
from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Rejected, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

FRAME_BYTES = 4
MAX_SPEED_KMH = 240.0  # below FA: so that no byte of a header is ever a speed

_HEADS = {b"\xfc\xfa": Direction.APPROACHING, b"\xfb\xfd": Direction.RECEDING}
_FIRST = {head[0]: head[1] for head in _HEADS}
_UNIT_WORD = "km/h"


def _measure(buffer: bytearray) -> int:
    """Decides at each byte: a frame that is spoilt is given up before the next one comes."""
    second = _FIRST.get(buffer[0])
    good = (
        second is not None
        and (len(buffer) < 2 or buffer[1] == second)
        and (len(buffer) < 3 or buffer[2] <= MAX_SPEED_KMH)
        and (len(buffer) < 4 or buffer[3] == 0)
    )
    if not good:
        return NONE_HERE
    return FRAME_BYTES if len(buffer) >= FRAME_BYTES else MORE


class Tsr20Decoder(KeepsUnitBelief):
    """Finds frames wherever they begin; holds at most three bytes.

    After anything else in the bytes, the next whole frame is read. A frame's last byte is its only check.

    Counters: bytes, frames, bad, overflow, rejected.
    """

    def __init__(self, unit: Unit | None) -> None:
        self.counters = Counters()
        self._unit = UnitBelief(unit, Unit.KMH)
        self._scanner = FrameScanner(_measure, usual=FRAME_BYTES, longest=FRAME_BYTES, counters=self.counters)

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        return [self._event(frame, t_mono_s) for frame in self._scanner.frames(data)]

    def _event(self, frame: bytes, t_mono_s: float) -> RadarEvent:
        self.counters.add("frames")
        speed = frame[2]
        if speed == 0:
            return Idle(t_mono_s)
        factor = self._unit.kmh_per_unit(_UNIT_WORD)
        if isinstance(factor, str):
            self.counters.add("rejected")
            return Rejected(t_mono_s, factor)
        return Reading(t_mono_s, speed * factor, _HEADS[frame[:2]])


class Tsr20(RadarDriver):
    """A Nanoradar TSR20; it is never written to."""

    name: ClassVar[str] = "tsr20"
    title: ClassVar[str] = "Nanoradar TSR20 (RS485)"
    line: ClassVar[LineSettings] = LineSettings(9_600)
    bauds: ClassVar[tuple[int, ...]] = (9_600,)
    streams_when_idle: ClassVar[bool] = False
    ping: ClassVar[bytes | None] = None
    command_gap_s: ClassVar[float] = 0.1
    factory_unit: ClassVar[Unit] = Unit.KMH
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="four bytes, two of them a header, no checksum",
        rate_hz=10.0,
        range_m=None,
        direction="two headers",
        strength=False,
        gives_range=False,
        targets=1,
        status=SourceStatus.CONSTRUCTED,
        source="a public sign project (adamkurniawans/speedsignradar-with-es32); no document of the maker",
        quirks=(
            "Silent when nothing moves, and no question is known: a dead sensor looks like an empty road.",
            "Its TTL port speaks another protocol at 115200 baud, which is not read: use the RS485 port.",
            "Rate and rounding are not documented.",
        ),
    )

    def decoder(self, unit: Unit | None) -> Tsr20Decoder:
        """A fresh decoder; with a unit other than km/h every speed is rejected."""
        return Tsr20Decoder(unit)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """Nothing: no command is known. Raises DriverError for what the protocol cannot say."""
        check_unit(self.name, wanted, (Unit.KMH,))
        check_one_target(self.name, wanted, MAX_SPEED_KMH)
        return []
