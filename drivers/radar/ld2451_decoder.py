"""The decoder of the HLK-LD2451: reports and answers to readings, and which way a target goes.

Which way is told by a byte whose two descriptions in the maker's document contradict each other: the
table says 01 approaches, the worked example reads 00 as coming nearer. Recorded reports of a real sensor
(jbeale1/doppler, HLK_LD2451_monitor.py) have 01 with the alarm byte at 1, which is said to mean that
something approaches, and 00 with 0: so 01 approaches here. Where a radar says otherwise, the decoder's
counters show it (`direction_contradicts_alarm`), and `invert_direction` puts it right.
"""

from __future__ import annotations

import logging

from drivers.radar import ld2451_frames as frames
from drivers.radar.ld2451_frames import Report, Target
from drivers.radar.scan import FrameScanner
from drivers.radar.units import LINE_DIFFERS
from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit

log = logging.getLogger(__name__)

MAX_SPEED_KMH = 120.0  # Hi-Link: 0 to 120 km/h
NEAR_M = 3  # a target that has gone is seen to stay at 2 to 3 m, with its last speed
NEAR_REPORTS = 20  # 0.45 s: what really moves at 10 km/h is a metre further by then
CONTRADICTIONS = 20  # before a person is told

TOO_FAST = "above the sensor's limit"
NO_DIRECTION = "direction byte is neither 0 nor 1"
STUCK = "claims to move and stays where it is, close to the radar"

_DIRECTIONS = {0: Direction.RECEDING, 1: Direction.APPROACHING}


class Ld2451Decoder:
    """Reports and answers; holds fewer than `ld2451_frames.LONGEST_FRAME` bytes.

    The readings of one report come with the strongest first. Strength is the SNR as it is told, taken
    for a plain ratio: the least that can be set is 3 to 8 and near targets stand at 255, which no
    decibels do. A report without a moving target is Idle.

    Counters: bytes, frames, bad, rejected; direction_agrees and direction_contradicts_alarm.
    """

    def __init__(self, unit: Unit | None) -> None:
        self.counters = Counters()
        self.unit_confirmed = False
        self._scanner = FrameScanner(
            frames.measure,
            usual=frames.USUAL_FRAME,
            longest=frames.LONGEST_FRAME,
            counters=self.counters,
        )
        self._is_kmh = unit in (None, Unit.KMH)
        self._near: dict[Target, int] = {}  # for how many reports each has stood where it stands
        self._told = False

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        events: list[RadarEvent] = []
        for frame in self._scanner.frames(data):
            self.counters.add("frames")
            report = frames.report_of(frame)
            if report is not None:
                events += self._report(report, t_mono_s)
            elif said := frames.answer_of(frame):
                events.append(Reply(t_mono_s, said))
        return events

    def _report(self, report: Report, t_mono_s: float) -> list[RadarEvent]:
        self._note_near(report)
        self._compare_with_alarm(report)
        moving = sorted((one for one in report.targets if one.speed_kmh), key=_snr, reverse=True)
        events: list[RadarEvent] = []
        rank = 0
        for target in moving:
            reason = self._wrong(target)
            if reason:
                self.counters.add("rejected")
                events.append(Rejected(t_mono_s, reason))
                continue
            direction = _DIRECTIONS[target.direction]
            speed_kmh, distance_m = float(target.speed_kmh), float(target.distance_m)
            events.append(Reading(t_mono_s, speed_kmh, direction, float(target.snr), distance_m, rank))
            rank += 1
        return events or [Idle(t_mono_s)]

    def _wrong(self, target: Target) -> str:
        """Why a target must not be used; empty when it can be."""
        if not self._is_kmh:
            return LINE_DIFFERS
        if target.direction not in _DIRECTIONS:
            return NO_DIRECTION
        if target.speed_kmh > MAX_SPEED_KMH:
            return TOO_FAST
        return STUCK if self._near.get(_place(target), 0) > NEAR_REPORTS else ""

    def _note_near(self, report: Report) -> None:
        near = {_place(one) for one in report.targets if one.distance_m <= NEAR_M}
        self._near = {place: self._near.get(place, 0) + 1 for place in near}

    def _compare_with_alarm(self, report: Report) -> None:
        """Alarm 1 means that something approaches: some target has to be read so."""
        ways = {_DIRECTIONS.get(one.direction) for one in report.targets if one.speed_kmh}
        if report.alarm != 1 or not ways:
            return
        if Direction.APPROACHING not in ways:
            self.counters.add("direction_contradicts_alarm")
            self._tell()
        elif len(ways) == 1:
            self.counters.add("direction_agrees")

    def _tell(self) -> None:
        against = self.counters.get("direction_contradicts_alarm")
        if (
            not self._told
            and against >= CONTRADICTIONS
            and against > 2 * self.counters.get("direction_agrees")
        ):
            self._told = True
            log.warning(
                "radar ld2451: what it reports as receding, its alarm byte says approaches;"
                " drive towards the sign once, and set invert_direction if the direction is wrong"
            )


def _snr(target: Target) -> int:
    return target.snr


def _place(target: Target) -> Target:
    """A target without what flickers while it stays the same one."""
    return target._replace(angle_deg=0, snr=0)
