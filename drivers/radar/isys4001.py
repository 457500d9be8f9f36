"""InnoSenT iSYS-4001 (RS232) and iSYS-4002 (RS485): range, speed and level of many targets, polled.

Source: the public driver KB-Sensor-Mart/iSYS4001; the maker's data sheet V2.9 for the limits. 115200 8N1, a
new list each 75 ms. No recorded answer was to be had: what is here is built from descriptions.

Which sign of the velocity approaches is not written there. A public sign's driver takes the distance to
fall while the velocity is positive, so positive approaches here; where that is wrong `invert_direction`
puts it right.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from drivers.radar import isys4001_frames as frames
from drivers.radar.isys4001_frames import Target
from drivers.radar.scan import FrameScanner
from drivers.radar.units import LINE_DIFFERS
from drivers.radar.wanted import check_unit
from speedsign.errors import DriverError
from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

log = logging.getLogger(__name__)

MAX_SPEED_KMH = 250.0  # data sheet V2.9
KMH_PER_CMPS = 0.036

TOO_FAST = "above the sensor's limit"
CLIPPING = "the receiver is overdriven"

START = frames.acquisition_command(start=True)
POLL = frames.targets_command()


class Isys4001Decoder:
    """Lists of targets and answers; holds fewer than `isys4001_frames.LONGEST_FRAME` bytes.

    The level is told in decibels; strength is that as an amplitude, 10 ** (dB / 20), because strengths
    are compared by their ratio. The readings of a list come with the strongest first. A list without a
    moving target is Idle.

    Counters: bytes, frames, bad, rejected, refused. A refused command gives no event: of a radar that
    refuses every question (one that does not measure) nothing is heard, so that it is opened anew.
    """

    def __init__(self, unit: Unit | None) -> None:
        self.counters = Counters()
        self.unit_confirmed = False
        self._scanner = FrameScanner(
            frames.measure, usual=frames.USUAL_FRAME, longest=frames.LONGEST_FRAME, counters=self.counters
        )
        self._is_metric = unit in (None, Unit.KMH, Unit.MPS)

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        events: list[RadarEvent] = []
        for frame in self._scanner.frames(data):
            self.counters.add("frames")
            body = frame[4:-2]
            if body[0] == frames.MASTER:  # else our own question, come back
                events += self._events(body, t_mono_s)
        return events

    def _events(self, body: bytes, t_mono_s: float) -> list[RadarEvent]:
        function, data = body[2], body[3:]
        if function == frames.TARGETS:
            return self._list(frames.targets_of(body), t_mono_s)
        if function == frames.REFUSED:
            self.counters.add("refused")
            return []
        if function == frames.NAME:
            return [Reply(t_mono_s, {"name": data.decode("latin-1").strip("\0 ")})]
        if function == frames.READ_SETTING and len(data) == 2:
            return [Reply(t_mono_s, {"value": str(int.from_bytes(data, "big"))})]
        return [Reply(t_mono_s, {"done": f"{function:02X}"})]

    def _list(self, targets: list[Target] | None, t_mono_s: float) -> list[RadarEvent]:
        if targets is None:
            return [self._rejected(CLIPPING, t_mono_s)]
        events: list[RadarEvent] = []
        rank = 0
        for target in sorted(targets, key=_level, reverse=True):
            speed_kmh = abs(target.velocity) * KMH_PER_CMPS
            if speed_kmh == 0:
                continue
            reason = LINE_DIFFERS if not self._is_metric else TOO_FAST if speed_kmh > MAX_SPEED_KMH else ""
            if reason:
                events.append(self._rejected(reason, t_mono_s))
                continue
            events.append(_reading(target, speed_kmh, rank, t_mono_s))
            rank += 1
        return events or [Idle(t_mono_s)]

    def _rejected(self, reason: str, t_mono_s: float) -> Rejected:
        self.counters.add("rejected")
        return Rejected(t_mono_s, reason)


def _reading(target: Target, speed_kmh: float, rank: int, t_mono_s: float) -> Reading:
    direction = Direction.APPROACHING if target.velocity > 0 else Direction.RECEDING
    range_m = target.distance / 100 if target.distance >= 0 else None
    return Reading(t_mono_s, speed_kmh, direction, 10 ** (target.level_db / 20), range_m, rank)


def _level(target: Target) -> int:
    return target.level_db


class Isys4001(RadarDriver):
    """An InnoSenT iSYS-4001 or -4002 at its factory address."""

    name: ClassVar[str] = "isys4001"
    title: ClassVar[str] = "InnoSenT iSYS-4001"
    line: ClassVar[LineSettings] = LineSettings(115_200)
    bauds: ClassVar[tuple[int, ...]] = (115_200,)
    streams_when_idle: ClassVar[bool] = True  # each question is answered, on an empty road too
    ping: ClassVar[bytes | None] = frames.command(frames.NAME)
    command_gap_s: ClassVar[float] = 0.1
    factory_unit: ClassVar[Unit] = Unit.MPS
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    # An answer to the reading is no answer to a setting's question, so that after an unseen loss of power the
    # settings are looked at again.
    opening: ClassVar[tuple[bytes, ...]] = (START, frames.read_command(frames.DIRECTION))
    poll: ClassVar[bytes | None] = POLL
    poll_s: ClassVar[float] = 0.1  # a list takes 75 ms; asked sooner it comes twice
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="polled binary frames with length and sum",
        rate_hz=10.0,
        range_m=150.0,
        direction="sign",
        strength=True,
        gives_range=True,
        targets=frames.MOST_TARGETS,
        status=SourceStatus.CONSTRUCTED,
        source="KB-Sensor-Mart/iSYS4001; InnoSenT data sheet V2.9",
        quirks=(
            (
                "Which sign of the velocity approaches is not documented: drive towards the sign once,"
                " and set invert_direction if the direction is wrong."
            ),
            "From the factory it looks 50 m far; the maker's program sets it to 150 m.",
            "An overdriven receiver is reported without targets.",
        ),
    )

    def decoder(self, unit: Unit | None) -> Isys4001Decoder:
        """A fresh decoder. The radar says cm/s; set to mph it rejects every speed."""
        return Isys4001Decoder(unit)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """What has to be set; raises DriverError where the radar cannot do it.

        The limits of output 1, which live until the power goes and are never saved; how far it looks can
        only be changed while it does not measure, and is left as the installer set it.
        """
        _check(wanted)
        least, most = (_decimetres(kmh) for kmh in (wanted.min_speed_kmh, MAX_SPEED_KMH))
        return [
            _setting("directions", frames.DIRECTION, frames.BOTH, "both"),
            _setting("least speed", frames.MIN_SPEED, least, f"{wanted.min_speed_kmh:g} km/h"),
            _setting("most speed", frames.MAX_SPEED, most, f"{MAX_SPEED_KMH:g} km/h"),
        ]


def _decimetres(speed_kmh: float) -> int:
    """A speed in 0.1 m/s."""
    return round(speed_kmh / 0.36)


def _setting(name: str, number: int, value: int, wanted: str) -> Setting:
    return Setting(name, frames.read_command(number), _is(value), frames.write_command(number, value), wanted)


def _is(value: int) -> Callable[[Reply], bool | None]:
    def matches(reply: Reply) -> bool | None:
        said = reply.values.get("value")
        return None if said is None else said == str(value)

    return matches


def _check(wanted: RadarSettings) -> None:
    check_unit("isys4001", wanted, (Unit.KMH, Unit.MPS))
    if not 0 <= wanted.min_speed_kmh < MAX_SPEED_KMH:
        raise DriverError(f"radar isys4001: min_speed_kmh must be 0 to {MAX_SPEED_KMH:g}")
    if wanted.min_strength is not None:
        log.info("radar isys4001: min_strength is not set in the radar; it has no effect")
