"""MPH Industries radars (Python, Speedgun, BEE III, DS4): seven bytes at 1200 8N1, every 250 ms.

Source: MPH Radar Protocol, sections 1.1 to 1.4 (mphindustries.com/radar_protocol.php), and for the DS4 its
interface protocol document. A packet is `02` status patrol target lock alt `03`; a speed below 4 is none. It
comes whether there is a target or not. The unit is not in it, and there is no checksum.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from drivers.radar.scan import MORE, NONE_HERE, FrameScanner
from drivers.radar.units import KeepsUnitBelief, UnitBelief
from drivers.radar.wanted import check_one_target, check_unit
from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Rejected, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

log = logging.getLogger(__name__)

ANY, STANDARD, DS4 = "any", "standard", "ds4"
PACKET_BYTES = 7
MAX_SPEED_KMH = 400.0  # the byte ends at 255, which in mph is no car

LOW_VOLTAGE = "low voltage: the radar says that its supply is too low to measure"
INTERFERENCE = "interference: the radar says that a radio disturbs it"
SELF_TEST = "self-test: both antennas are on"
NO_ANTENNA = "standby: no antenna is on; if this radar is a DS4, set profile ds4"
TOO_FAST = "above what a car drives"

_STX, _ETX = 0x02, 0x03
_ALWAYS = 0x80  # bit 7 of the status
_LEAST = 4  # section 1: below it there is none
_FEET_PER_STEP, _M_PER_FOOT = 10, 0.3048  # DS4: range / 10, in feet as its example has it


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet's fields; speeds in the unit that the radar is set to, None where there is none."""

    low_voltage: bool
    interference: bool
    front: bool
    rear: bool
    moving: bool
    alternate: bool  # `alt` is the fastest or the slow target
    opposite: bool
    patrol: int | None
    target: int | None
    lock: int | None
    alt: int | None

    @property
    def self_test(self) -> bool:
        return self.front and self.rear

    @property
    def standby(self) -> bool:
        return not (self.front or self.rear)


def packet_of(frame: bytes) -> Packet:
    """The fields of seven bytes.

    >>> packet_of(bytes.fromhex("02 F4 32 63 4B 01 03")).target
    99
    """
    flags = [bool(frame[1] >> bit & 1) for bit in range(7)]
    speeds = [byte if byte >= _LEAST else None for byte in frame[2:6]]
    return Packet(*flags, *speeds)


def _measure(buffer: bytearray) -> int:
    good = (
        buffer[0] == _STX
        and (len(buffer) < 2 or buffer[1] & _ALWAYS)
        and (len(buffer) < PACKET_BYTES or buffer[PACKET_BYTES - 1] == _ETX)
    )
    if not good:
        return NONE_HERE
    return PACKET_BYTES if len(buffer) >= PACKET_BYTES else MORE


class MphDecoder(KeepsUnitBelief):
    """Finds packets wherever they begin; holds at most six bytes.

    The target is read, never patrol, lock or the alternate. Front antenna: approaching, rear: receding;
    a DS4 (no antenna bits, a range) hears only what approaches.

    Counters: bytes, frames, bad, overflow, rejected; and of the status low_voltage, interference,
    self_test, standby, moving.
    """

    def __init__(self, unit: Unit | None, *, profile: str = ANY) -> None:
        self.counters = Counters()
        self._unit = UnitBelief(unit, Unit.MPH, unsaid=Unit.MPH)
        self._profile = profile
        self._scanner = FrameScanner(
            _measure, usual=PACKET_BYTES, longest=PACKET_BYTES, counters=self.counters
        )

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        return [self._event(packet_of(frame), t_mono_s) for frame in self._scanner.frames(data)]

    def _event(self, packet: Packet, t_mono_s: float) -> RadarEvent:
        self.counters.add("frames")
        ds4 = self._profile == DS4 or (self._profile == ANY and packet.standby and packet.target is not None)
        trouble = self._trouble(packet, ds4=ds4)
        factor = self._unit.kmh_per_unit()
        if trouble:
            return self._rejected(trouble, t_mono_s)
        if packet.target is None:
            return Idle(t_mono_s)
        if isinstance(factor, str):
            return self._rejected(factor, t_mono_s)
        speed_kmh = packet.target * factor
        if speed_kmh > MAX_SPEED_KMH:
            return self._rejected(TOO_FAST, t_mono_s)
        direction = Direction.APPROACHING if ds4 or packet.front else Direction.RECEDING
        range_m = packet.alt * _FEET_PER_STEP * _M_PER_FOOT if ds4 and packet.alt else None
        return Reading(t_mono_s, speed_kmh, direction, range_m=range_m)

    def _trouble(self, packet: Packet, *, ds4: bool) -> str:
        """Why this packet is no measurement; each of its states is counted for the technician."""
        states = {"low_voltage": (packet.low_voltage, LOW_VOLTAGE)}
        if not ds4:  # its other bits are not used
            standby = packet.standby and packet.target is not None
            states["interference"] = (packet.interference, INTERFERENCE)
            states["self_test"] = (packet.self_test, SELF_TEST)
            states["standby"] = (packet.standby, NO_ANTENNA if standby else "")
            states["moving"] = (packet.moving, "")
        found = ""
        for name, (is_so, reason) in states.items():
            if is_so:
                self.counters.add(name)
                found = found or reason
        return found

    def _rejected(self, reason: str, t_mono_s: float) -> Rejected:
        self.counters.add("rejected")
        return Rejected(t_mono_s, reason)


class Mph(RadarDriver):
    """An MPH radar; `ds4` is that model's packet, `any` tells the two apart by the antenna bits."""

    name: ClassVar[str] = "mph"
    title: ClassVar[str] = "MPH Industries Python, Speedgun, BEE III, DS4"
    line: ClassVar[LineSettings] = LineSettings(1_200)
    bauds: ClassVar[tuple[int, ...]] = (1_200,)
    streams_when_idle: ClassVar[bool] = True
    ping: ClassVar[bytes | None] = None
    command_gap_s: ClassVar[float] = 0.25
    factory_unit: ClassVar[Unit] = Unit.MPH
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    profiles: ClassVar[tuple[str, ...]] = (ANY, STANDARD, DS4)
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="seven bytes between 02 and 03, no checksum",
        rate_hz=4.0,
        range_m=None,
        direction="by the antenna that is on",
        strength=False,
        gives_range=True,
        targets=1,
        status=SourceStatus.DOCUMENTED,
        source="MPH Radar Protocol (mphindustries.com/radar_protocol.php); DS4 Radar Interface Protocol",
        quirks=(
            "The unit is not in the packet: set unit to the radar's, which is mph from the factory.",
            "The direction is the antenna's, not the car's: what the front antenna hears is approaching.",
            "A range comes from the DS4 only.",
            "In moving mode the radar takes some car for itself: set it to stationary (counter moving).",
            "Four reports a second: a car at 100 km/h is reported about seven times.",
        ),
    )

    def __init__(self, *, profile: str = ANY) -> None:
        self._profile = profile

    def decoder(self, unit: Unit | None) -> MphDecoder:
        """A fresh decoder for a radar set to `unit`; None: mph."""
        return MphDecoder(unit, profile=self._profile)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """Nothing: the protocol has no commands. Raises DriverError for what it cannot say."""
        check_unit(self.name, wanted, (Unit.MPH, Unit.KMH))
        check_one_target(self.name, wanted, MAX_SPEED_KMH)
        if wanted.unit is not Unit.MPH:
            log.warning(
                "radar mph does not say its unit: its speeds are taken for %s; from the factory it is mph",
                wanted.unit.value,
            )
        return []
