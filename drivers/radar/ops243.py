"""OmniPreSense OPS243-A, OPS243-C, OPS241-A: Doppler radars with a text protocol over USB or UART.

Source: OmniPreSense AN-010 (API interface) and OPS-DS-003 (data sheet). Lines without a sign approach,
lines with a minus recede. The line end is CR LF, there is no checksum.
"""

from __future__ import annotations

from typing import ClassVar

from drivers.radar.ops243_decoder import MAX_SPEED_KMH, Ops243Decoder
from drivers.radar.ops243_setup import settings_for
from speedsign.model import Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

__all__ = ["Ops243", "Ops243Decoder"]

TEXT, BINARY = "text", "binary"


class Ops243(RadarDriver):
    """An OPS24x; the profile `binary` reads OB output (see `Ops243Decoder`)."""

    name: ClassVar[str] = "ops243"
    title: ClassVar[str] = "OmniPreSense OPS243-A / OPS243-C / OPS241-A"
    # AN-010 says 19200, the data sheet 57600, the field also 9600; on USB it does not matter.
    line: ClassVar[LineSettings] = LineSettings(19_200)
    bauds: ClassVar[tuple[int, ...]] = (19_200, 57_600, 115_200, 9_600, 230_400)
    streams_when_idle: ClassVar[bool] = False
    ping: ClassVar[bytes | None] = b"?V"
    command_gap_s: ClassVar[float] = 0.15  # commands sent back to back are dropped; 100-200 ms work
    factory_unit: ClassVar[Unit] = Unit.MPS
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    profiles: ClassVar[tuple[str, ...]] = (TEXT, BINARY)
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="text lines: JSON, comma-separated or plain",
        rate_hz=9.5,
        range_m=100.0,
        direction="sign of the speed, or a word",
        strength=True,
        gives_range=False,
        targets=9,
        status=SourceStatus.CAPTURED,
        source="OmniPreSense AN-010 and OPS-DS-003; recordings published with velocity.report",
        quirks=(
            "JSON, magnitude, time and units are not kept in its flash: the sign sets them at each start.",
            "The UART's baud rate differs from revision to revision: 9600, 19200 and 57600 are documented.",
        ),
    )

    def __init__(self, *, profile: str = TEXT, binary: bool = False) -> None:
        self._binary = binary or profile == BINARY

    def decoder(self, unit: Unit | None, *, binary: bool = False) -> Ops243Decoder:
        """A fresh decoder for a radar set to `unit`; None: believe each line."""
        return Ops243Decoder(unit, binary=binary or self._binary)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """What has to be set, in order; raises DriverError where the radar cannot do it."""
        return settings_for(wanted)
