"""RFbeam K-LD7: distance, speed and angle of the one target it tracks, polled, 115200 8E1.

Source: RFbeam K-LD7 data sheet, revision B of 12/2020, and the public drivers nickovs/kld7 and
robcarruthers/rfbeam. Each question (GNFD) is answered at the end of the running measurement, of which
there are 34 a second. That a positive speed goes away is as those drivers have it; the data sheet has
the sign of its example (-1.05 km/h) without a word on it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from drivers.radar import kld7_frames as frames
from drivers.radar.kld7_frames import Target, command
from drivers.radar.scan import FrameScanner
from drivers.radar.units import LINE_DIFFERS
from drivers.radar.wanted import check_unit
from speedsign.errors import DriverError
from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

log = logging.getLogger(__name__)

MAX_SPEED_KMH = 100.0  # RSPI 3; what is faster folds back
WHOLE_SPEED = "3"
MAX_DISTANCE_M = 100.0  # RRAI 3
MAX_ANGLE_DEG = 90.0
MAX_MAGNITUDE_DB = 120.0  # 16-bit samples span 96 dB
FACTORY_THRESHOLD_DB = 30

TOO_FAST = "above the sensor's limit"
IMPLAUSIBLE = "distance, angle or magnitude is impossible: bytes were lost"
FOLDS = "set to a lower greatest speed than 100 km/h: what is faster folds back"

CONNECT = command("INIT", 0)  # 0: stay at 115200 baud
DISCONNECT = command("GBYE")
POLL = command("GNFD", frames.TRACKED_TARGET)
READ_PARAMETERS = command("GRPS")


class Kld7Decoder:
    """Packets to readings; holds fewer than `kld7_frames.LONGEST_PACKET` bytes.

    The magnitude is told in decibels; strength is that as an amplitude, 10 ** (dB / 20), because
    strengths are compared by their ratio. No target, or one without speed, is Idle. Every command is
    answered by a result first; once targets come, "ok" is the receipt of a question and gives no event.

    Counters: bytes, frames, bad, rejected, refused. A command that is refused gives no event: of a radar
    that refuses every question nothing is heard, so that it is opened anew. While the radar says that it is
    set to a lower greatest speed (RSPI), speeds are rejected: a faster car would be shown as a slow one.
    """

    def __init__(self, unit: Unit | None) -> None:
        self.counters = Counters()
        self.unit_confirmed = False
        self._scanner = FrameScanner(
            frames.measure,
            usual=frames.USUAL_PACKET,
            longest=frames.LONGEST_PACKET,
            counters=self.counters,
        )
        self._is_kmh = unit in (None, Unit.KMH)
        self._folds = False  # until the radar says what it is set to
        self._has_answered = False

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        events: list[RadarEvent] = []
        for packet in self._scanner.frames(data):
            self.counters.add("frames")
            event = self._event(packet[:4], packet[frames.HEAD_BYTES :], t_mono_s)
            if event is not None:
                events.append(event)
        return events

    def _event(self, name: bytes, payload: bytes, t_mono_s: float) -> RadarEvent | None:
        if name == b"TDAT":
            self._has_answered = True
            return self._target(frames.target_of(payload), t_mono_s) if payload else Idle(t_mono_s)
        if name == b"RPST":
            said = frames.parameters_of(payload)
            self._folds = said["RSPI"] != WHOLE_SPEED
            return Reply(t_mono_s, said)
        if name != b"RESP":
            return None
        result = frames.RESULTS[payload[0]]
        if payload[0] == 0:
            return None if self._has_answered else Reply(t_mono_s, {"RESP": result})
        self.counters.add("refused")
        log.debug("radar kld7 refuses: %s", result)
        return None

    def _target(self, target: Target, t_mono_s: float) -> RadarEvent:
        reason = self._wrong(target)
        if reason:
            self.counters.add("rejected")
            return Rejected(t_mono_s, reason)
        if target.speed_kmh == 0:
            return Idle(t_mono_s)
        direction = Direction.RECEDING if target.speed_kmh > 0 else Direction.APPROACHING
        strength = 10 ** (target.magnitude_db / 20)
        return Reading(t_mono_s, abs(target.speed_kmh), direction, strength, target.distance_m)

    def _wrong(self, target: Target) -> str:
        """Why a target must not be used; empty when it can be."""
        if not self._is_kmh:
            return LINE_DIFFERS
        if (
            target.distance_m > MAX_DISTANCE_M
            or abs(target.angle_deg) > MAX_ANGLE_DEG
            or target.magnitude_db > MAX_MAGNITUDE_DB
        ):
            return IMPLAUSIBLE
        if self._folds:
            return FOLDS
        return TOO_FAST if abs(target.speed_kmh) > MAX_SPEED_KMH else ""


class Kld7(RadarDriver):
    """An RFbeam K-LD7, always at its own 115200 baud."""

    name: ClassVar[str] = "kld7"
    title: ClassVar[str] = "RFbeam K-LD7"
    line: ClassVar[LineSettings] = LineSettings(115_200, parity="E")
    bauds: ClassVar[tuple[int, ...]] = (115_200, 460_800)
    streams_when_idle: ClassVar[bool] = True  # each question is answered, on an empty road too
    ping: ClassVar[bytes | None] = READ_PARAMETERS
    command_gap_s: ClassVar[float] = 0.1
    factory_unit: ClassVar[Unit] = Unit.KMH
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    # What a crash left connected ends first. After an unseen loss of power its answer tells that it has lost
    # its settings.
    opening: ClassVar[tuple[bytes, ...]] = (DISCONNECT, CONNECT, READ_PARAMETERS)
    poll: ClassVar[bytes | None] = POLL
    poll_s: ClassVar[float] = 0.05
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="polled binary packets with length, no checksum",
        rate_hz=20.0,
        range_m=30.0,
        direction="sign",
        strength=True,
        gives_range=True,
        targets=1,
        status=SourceStatus.DOCUMENTED,
        source="RFbeam K-LD7 data sheet 12/2020 revision B; nickovs/kld7, robcarruthers/rfbeam",
        quirks=(
            "It measures to 100 km/h; faster cars fold back to a wrong speed and the other direction.",
            "The parity of its line is even.",
            "Set to a lower greatest speed than 100 km/h its readings are rejected; the sign sets it.",
            "A car is seen from about 30 m, whatever the range that is set.",
            "min_strength is its threshold offset in dB, 10 to 60.",
        ),
    )

    def decoder(self, unit: Unit | None) -> Kld7Decoder:
        """A fresh decoder; with a unit other than km/h it rejects every speed."""
        return Kld7Decoder(unit)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """What has to be set; raises DriverError where the radar cannot do it.

        All parameters are in the answer to GRPS; each has a command of its own. The most speed and the
        whole range, without limits of distance or angle; the filter that detects fast, because what it
        shows longer (filter 2) has gone already. Which of 0 and 1 is which direction (DEDI) the data
        sheet and the drivers tell differently; 2 is both.
        """
        _check(wanted)
        threshold = FACTORY_THRESHOLD_DB if wanted.min_strength is None else round(wanted.min_strength)
        return [
            _setting("most speed", "RSPI", 3, "100 km/h"),
            _setting("range", "RRAI", 3, "100 m"),
            _setting("least distance", "MIRA", 0, "0 %"),
            _setting("most distance", "MARA", 100, "100 %"),
            _setting("least angle", "MIAN", -90, "-90"),
            _setting("most angle", "MAAN", 90, "90"),
            # In percent of 100 km/h.
            _setting("least speed", "MISP", round(wanted.min_speed_kmh), f"{wanted.min_speed_kmh:.0f} km/h"),
            _setting("most speed reported", "MASP", 100, "100 %"),
            _setting("directions", "DEDI", 2, "both"),
            _setting("threshold", "THOF", threshold, f"{threshold} dB"),
            _setting("tracking filter", "TRFT", 1, "fast detection"),
        ]


def _setting(name: str, parameter: str, value: int, wanted: str) -> Setting:
    return Setting(name, READ_PARAMETERS, _is(parameter, value), command(parameter, value), wanted)


def _is(parameter: str, value: int) -> Callable[[Reply], bool | None]:
    def matches(reply: Reply) -> bool | None:
        said = reply.values.get(parameter)
        return None if said is None else said == str(value)

    return matches


def _check(wanted: RadarSettings) -> None:
    check_unit("kld7", wanted, (Unit.KMH,))
    if wanted.min_strength is not None and not 10 <= round(wanted.min_strength) <= 60:
        raise DriverError(
            f"radar kld7: min_strength {wanted.min_strength:g} is not possible; set 10 to 60 dB"
        )
    if not 0 <= wanted.min_speed_kmh <= MAX_SPEED_KMH:
        raise DriverError(f"radar kld7: min_speed_kmh must be 0 to {MAX_SPEED_KMH:g}")
    if wanted.targets > 1:
        log.info("radar kld7 reports one target; targets = %s has no effect", wanted.targets)
