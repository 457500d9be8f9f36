"""Hi-Link HLK-LD2451: angle, distance, direction, speed and SNR of several targets, 115200 8N1 on TTL.

Source: Hi-Link, LD2451 serial communication protocol V1.03, and public drivers. It reports 40 times a
second, an empty road too. What is told per target is whole km/h and whole metres, without a checksum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from drivers.radar import ld2451_frames as frames
from drivers.radar.ld2451_decoder import MAX_SPEED_KMH, Ld2451Decoder
from drivers.radar.wanted import check_unit
from speedsign.errors import DriverError
from speedsign.model import Reply, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

MAX_DISTANCE_M = 100

READ_DETECTION = frames.enveloped(frames.command(frames.READ_DETECTION))
READ_SENSITIVITY = frames.enveloped(frames.command(frames.READ_SENSITIVITY))
READ_VERSION = frames.enveloped(frames.command(frames.READ_VERSION))


def _are(wanted: dict[str, range]) -> Callable[[Reply], bool | None]:
    def matches(reply: Reply) -> bool | None:
        if not wanted.keys() <= reply.values.keys():
            return None
        return all(int(reply.values[name]) in allowed for name, allowed in wanted.items())

    return matches


class Ld2451(RadarDriver):
    """A Hi-Link LD2451. The unit is always km/h; commands are heard only in their envelope."""

    name: ClassVar[str] = "ld2451"
    title: ClassVar[str] = "Hi-Link HLK-LD2451"
    line: ClassVar[LineSettings] = LineSettings(115_200)
    bauds: ClassVar[tuple[int, ...]] = (115_200, 256_000, 9_600)
    streams_when_idle: ClassVar[bool] = True
    ping: ClassVar[bytes | None] = READ_VERSION
    command_gap_s: ClassVar[float] = 0.15
    factory_unit: ClassVar[Unit] = Unit.KMH
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="binary frames with length and tail, no checksum",
        rate_hz=40.0,
        range_m=100.0,
        direction="a byte",
        strength=True,
        gives_range=True,
        targets=5,
        status=SourceStatus.CAPTURED,
        source="Hi-Link LD2451 serial communication protocol V1.03; reports recorded by jbeale1/doppler",
        quirks=(
            (
                "The maker's document contradicts itself on the direction byte: drive towards the sign once,"
                " and set invert_direction if it is wrong; a counter in health shows it too."
            ),
            "It measures to 120 km/h; a faster car is not seen, or rejected.",
            (
                "A target that has gone may be reported for the hold time, which the sign sets to 0,"
                " and may stay at 2 to 3 m, where the sign rejects it."
            ),
            (
                "Some firmware is said to fall silent on an empty road instead of reporting it;"
                " the sign takes that for a fault."
            ),
            "min_strength is its least SNR, 3 to 8.",
        ),
    )

    def decoder(self, unit: Unit | None) -> Ld2451Decoder:
        """A fresh decoder; with a unit other than km/h it rejects every speed."""
        return Ld2451Decoder(unit)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """What has to be set; raises DriverError where the radar cannot do it.

        The radar reports both directions, the whole range, and holds no target that has gone. A hold of
        one second is left, should that be the least a firmware takes. Whether its memory wears is not
        known: what is right already is never written.
        """
        _check(wanted)
        least = round(wanted.min_speed_kmh)
        snr = 0 if wanted.min_strength is None else round(wanted.min_strength)
        sensitivity = {"hits": range(1, 2)}
        if snr:
            sensitivity["snr"] = range(snr, snr + 1)
        return [
            Setting(
                "distance, directions, least speed, hold",
                READ_DETECTION,
                _are(
                    {
                        "max_distance_m": range(MAX_DISTANCE_M, MAX_DISTANCE_M + 1),
                        "direction": range(frames.BOTH, frames.BOTH + 1),
                        "min_speed_kmh": range(least, least + 1),
                        "hold_s": range(2),
                    }
                ),
                frames.enveloped(frames.detection_command(MAX_DISTANCE_M, frames.BOTH, least, 0)),
                f"{MAX_DISTANCE_M} m, both directions, {least} km/h, hold 0 s",
            ),
            Setting(
                "hits, least SNR",
                READ_SENSITIVITY,
                _are(sensitivity),
                frames.enveloped(frames.sensitivity_command(1, snr)),
                f"1 hit, SNR {snr or 'as the radar chooses'}",
            ),
        ]


def _check(wanted: RadarSettings) -> None:
    check_unit("ld2451", wanted, (Unit.KMH,))
    if wanted.min_strength is not None and not 3 <= round(wanted.min_strength) <= 8:
        raise DriverError(
            f"radar ld2451: min_strength {wanted.min_strength:g} is not possible; set its least SNR, 3 to 8"
        )
    if not 0 <= wanted.min_speed_kmh <= MAX_SPEED_KMH:
        raise DriverError(f"radar ld2451: min_speed_kmh must be 0 to {MAX_SPEED_KMH:g}")
