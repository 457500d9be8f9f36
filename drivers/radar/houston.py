"""Houston Radar DR500, SS300 and relatives in their binary protocol: asked for the speed, they answer.

Source: the driver in the open traffic-management system IRIS (comm/dr500) and the maker's SS300 and DR500
manuals for the variables. A speed is one byte in the unit that variable UN holds, 0 for none, without
direction. For the maker's ASCII stream there is the driver `ascii`, profile `houston`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import ClassVar

from drivers.radar import houston_frames as frames
from drivers.radar.scan import FrameScanner
from drivers.radar.units import KeepsUnitBelief, UnitBelief
from drivers.radar.wanted import check_one_target, check_unit
from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

MAX_SPEED_KMH = 255.0  # what the byte holds in km/h
POLL_S = 0.25
LEAST_AVERAGE_S = 1
STRONGEST = 0
USUAL_BYTES = 10  # of an answer to a question for a variable

TOO_FAST = "above the sensor's limit"

_FACTORY_UNIT = Unit.MPH  # the maker's home; not documented in what we have
_UNIT_CODES = {Unit.MPH: 0, Unit.KMH: 1, Unit.MPS: 3}
_KMH_PER_CODE = {"0": Unit.MPH.kmh, "1": Unit.KMH.kmh, "2": 1.09728, "3": Unit.MPS.kmh}  # 2: ft/s


class HoustonDecoder(KeepsUnitBelief):
    """Answers to speeds, variables and commands; holds at most `MAX_FRAME_BYTES`.

    A frame whose CRC is wrong is no frame, and the next whole one is read. Frames that only we send, come
    back as an echo of the line, and codes that are not known, are counted and mean nothing.

    Counters: bytes, frames, bad, overflow, rejected, unused.
    """

    def __init__(self, unit: Unit | None) -> None:
        self.counters = Counters()
        self._unit = UnitBelief(unit, _FACTORY_UNIT)
        self._scanner = FrameScanner(
            frames.measure, usual=USUAL_BYTES, longest=frames.MAX_FRAME_BYTES, counters=self.counters
        )

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        events = (self._event(frames.body_of(frame) or b"", t_mono_s) for frame in self._scanner.frames(data))
        return [event for event in events if event is not None]

    def _event(self, body: bytes, t_mono_s: float) -> RadarEvent | None:
        self.counters.add("frames")
        code, data = body[0], body[1:]
        if code == frames.SPEED and len(data) == 1:
            return self._speed(data[0], t_mono_s)
        values = _values(code, data)
        if not values:
            self.counters.add("unused")
            return None
        if (stated := _KMH_PER_CODE.get(values.get("UN", ""))) is not None:
            self._unit.learn(stated)
        return Reply(t_mono_s, values)

    def _speed(self, value: int, t_mono_s: float) -> RadarEvent:
        factor = self._unit.kmh_per_unit()
        if value == 0:
            return Idle(t_mono_s)
        if isinstance(factor, str):
            return self._rejected(factor, t_mono_s)
        if value * factor > MAX_SPEED_KMH:
            return self._rejected(TOO_FAST, t_mono_s)
        return Reading(t_mono_s, value * factor, Direction.UNKNOWN)

    def _rejected(self, reason: str, t_mono_s: float) -> Rejected:
        self.counters.add("rejected")
        return Rejected(t_mono_s, reason)


def _values(code: int, data: bytes) -> dict[str, str]:
    """What an answer says; empty when it is none that is known."""
    if code == frames.VALUE and len(data) == 5 and data[0] == 0 and data[1:3].isalnum():
        return {data[1:3].decode("ascii"): str(int.from_bytes(data[3:], "little"))}
    if code == frames.STATUS and len(data) == 2:
        return {"status": str(int.from_bytes(data, "little", signed=True))}
    if code == frames.INFO:
        lines = (line.partition("=") for line in data.decode("latin-1").splitlines())
        return {tag.strip(): value.strip() for tag, equals, value in lines if equals and tag.strip()}
    return {}


def _variable(name: str, wanted: int, text: str, right: Callable[[int], bool] | None = None) -> Setting:
    def matches(reply: Reply) -> bool | None:
        said = reply.values.get(name)
        if said is None or not said.isdecimal():
            return None
        return right(int(said)) if right else int(said) == wanted

    return Setting(text, frames.read_variable(name), matches, frames.set_variable(name, wanted), str(wanted))


class Houston(RadarDriver):
    """A Houston Radar that is polled four times a second."""

    name: ClassVar[str] = "houston"
    title: ClassVar[str] = "Houston Radar DR500, SS300 (binary protocol)"
    line: ClassVar[LineSettings] = LineSettings(115_200)
    bauds: ClassVar[tuple[int, ...]] = (115_200, 57_600, 19_200, 9_600)
    streams_when_idle: ClassVar[bool] = True  # each question is answered
    ping: ClassVar[bytes | None] = frames.ASK_INFO_FRAME
    command_gap_s: ClassVar[float] = 0.1
    factory_unit: ClassVar[Unit] = _FACTORY_UNIT
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    poll: ClassVar[bytes | None] = frames.ASK_SPEED_FRAME
    poll_s: ClassVar[float] = POLL_S
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="framed binary with escapes and CRC-16, polled",
        rate_hz=1 / POLL_S,
        range_m=None,
        direction="not at all",
        strength=False,
        gives_range=False,
        targets=1,
        status=SourceStatus.CONSTRUCTED,
        source="the dr500 driver of IRIS (mnit-rtmc/iris); SS300 and DR500 manuals for the variables",
        quirks=(
            "Its speed is an average over variable TA, which the sign sets to one second: it lags behind.",
            "The mode bits (MO: slow-target and rain filter, direction) are left as the installer set them.",
            "Its flash endures about 10,000 writes: what is right already is never written.",
            "The port's baud rate is whatever it was set to: 9600, 19200, 57600 and 115200 are possible.",
            "Whether it rounds or truncates to whole units is not documented.",
        ),
    )

    def decoder(self, unit: Unit | None) -> HoustonDecoder:
        """A fresh decoder for a radar set to `unit`; None: what the radar says, else km/h."""
        return HoustonDecoder(unit)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """What has to be set, the unit first; raises DriverError where the radar cannot do it.

        The mode bits are not touched: a command sets all of them, and which ones an installer has chosen is
        known only once the radar has answered. A limit above the one that is wanted is right too.
        """
        check_unit(self.name, wanted, tuple(_UNIT_CODES))
        check_one_target(self.name, wanted, MAX_SPEED_KMH)
        unit = wanted.unit
        least = max(1, round(wanted.min_speed_kmh / unit.kmh))
        most = ceil(wanted.max_speed_kmh / unit.kmh)
        return [
            _variable("UN", _UNIT_CODES[unit], "unit (UN)"),
            _variable("LO", least, "least speed (LO)"),
            _variable("HI", most, "greatest speed (HI)", lambda value: value >= most),
            _variable("SF", STRONGEST, "strongest target (SF)"),
            _variable("TA", LEAST_AVERAGE_S, "seconds of averaging (TA)"),
        ]
