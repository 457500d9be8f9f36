"""Hi-Link HLK-LD2415H (and its sibling RA189C): a speed sign radar on RS485 or TTL, 9600 8N1.

Source: Hi-Link LD2415H manual, section 6; recordings of glued and cut frames. A report is
`V+033.2` CR LF: + approaches, - recedes, one decimal (RA189C: two), the unit is whatever was set and is
not in the frame. Nothing is sent while nothing moves. There is no checksum.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import ClassVar

from drivers.radar.units import KeepsUnitBelief, UnitBelief
from speedsign.errors import DriverError
from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

log = logging.getLogger(__name__)

MAX_LINE_BYTES = 64  # a parameter answer has 59; glued frames never come near
MAX_SPEED_KMH = 240.0  # manual: 1 to 240 km/h

TOO_FAST = "above the sensor's limit"

_FACTORY_UNIT = Unit.KMH
_NOISE = b"\x00\xff"  # RS485 turn-round
_UNIT_CODES = {Unit.KMH: 0, Unit.MPH: 1, Unit.MPS: 2}  # manual: command 02, third value
_ANY, _SIGN, _DIGIT, _POINT = b"V", b"+-", b"0123456789", b"."
_FRAME = (_ANY, _SIGN, _DIGIT, _DIGIT, _DIGIT, _POINT, _DIGIT)
_PARAMETERS = re.compile(r"(X\d):([0-9A-Fa-f]{2})(?: |$)")
_CR, _LF = 0x0D, 0x0A

READ = b"CF\x07" + bytes(11)  # the manual's example; its format line has one zero less
DEFAULT_SENSITIVITY = 5  # 1 to 15; a larger one is less sensitive
BOTH_DIRECTIONS = 0
RATE_11_PER_S = 1


def basics_command(min_kmh: int, angle_deg: int, sensitivity: int) -> bytes:
    """Command 01.

    >>> basics_command(3, 10, 5).hex(" ")
    '43 46 01 03 0a 05 0d 0a'
    """
    return bytes((0x43, 0x46, 1, min_kmh, angle_deg, sensitivity, _CR, _LF))


def output_command(directions: int, rate: int, unit: Unit) -> bytes:
    """Command 02: directions 0 both, 1 approaching, 2 receding; rate 0 22/s, 1 11/s, 2 5.5/s, 3 3/s."""
    return bytes((0x43, 0x46, 2, directions, rate, _UNIT_CODES[unit], _CR, _LF))


def vibration_command(level: int) -> bytes:
    """Command 03, 0 to 0x70; never sent by the sign: a large value misses short tracks."""
    return bytes((0x43, 0x46, 3, level, 0, 0, _CR, _LF))


class Ld2415hDecoder(KeepsUnitBelief):
    """Finds frames anywhere in the bytes; holds at most `MAX_LINE_BYTES`.

    A frame is decided by the first byte that cannot belong to it: the CR of a normal one, the V of the
    next one where the line end was lost. A second decimal is the RA189C's; more digits than that are
    the tail of a cut frame and are left out. Inside a frame 00, FF and CR are noise and skipped; a cut
    frame costs itself only.

    Counters: bytes, frames, bad, overflow, rejected.
    """

    def __init__(self, unit: Unit | None) -> None:
        self.counters = Counters()
        self._unit = UnitBelief(unit, _FACTORY_UNIT)
        self._frame = bytearray()  # a frame so far, from its V on
        self._text = bytearray()  # a line that is no frame

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        self.counters.add("bytes", len(data))
        events: list[RadarEvent] = []
        for byte in data.translate(None, _NOISE):
            if not (self._frame and self._grow(byte, t_mono_s, events)):
                self._begin(byte, t_mono_s, events)
        return events

    def _grow(self, byte: int, t_mono_s: float, events: list[RadarEvent]) -> bool:
        """Take a byte into the frame that has begun; False: the byte is the start of something else."""
        length = len(self._frame)
        if length < len(_FRAME):
            if byte in _FRAME[length]:
                self._frame.append(byte)
                return True
            if byte == _CR:
                return True
            self._give_up()
            return False
        if byte in _DIGIT and length < len(_FRAME) + 2:
            self._frame.append(byte)
            return True
        decimals = length - len(_FRAME) + 1
        end = length if decimals == 2 and byte != 0x2E else len(_FRAME)
        number = self._frame[1:end].decode("ascii")
        self._frame.clear()
        self._spoil_text()
        self._speed(number, t_mono_s, events)
        return False

    def _give_up(self) -> None:
        """Not a frame after all: its bytes may be part of a line of text."""
        if len(self._frame) > 1:
            self.counters.add("bad")
            self._spoil_text()
        else:
            self._put(self._frame[0])
        self._frame.clear()

    def _begin(self, byte: int, t_mono_s: float, events: list[RadarEvent]) -> None:
        if byte == 0x56:
            self._frame.append(byte)
        elif byte in (_CR, _LF):
            text, self._text = self._text.decode("latin-1").strip(), bytearray()
            if text:
                self._line(text, t_mono_s, events)
        else:
            self._put(byte)

    def _put(self, byte: int) -> None:
        if len(self._text) >= MAX_LINE_BYTES:
            self.counters.add("overflow")
            self._text.clear()
        self._text.append(byte)

    def _spoil_text(self) -> None:
        """A frame in the middle of a line: what stood before it is the rest of something cut."""
        if self._text.strip():
            self.counters.add("bad")
        self._text.clear()

    def _line(self, text: str, t_mono_s: float, events: list[RadarEvent]) -> None:
        values = _read_line(text)
        if not values:
            self.counters.add("bad")
            return
        self.counters.add("frames")
        self._learn_unit(values.get("X6"))
        events.append(Reply(t_mono_s, values))

    def _learn_unit(self, code: str | None) -> None:
        for unit, number in _UNIT_CODES.items():
            if _number(code) == number:
                self._unit.learn(unit.kmh)

    def _speed(self, number: str, t_mono_s: float, events: list[RadarEvent]) -> None:
        self.counters.add("frames")
        value = float(number)
        factor = self._unit.kmh_per_unit()
        speed_kmh = 0.0 if isinstance(factor, str) else abs(value) * factor
        if value == 0:
            events.append(Idle(t_mono_s))
        elif isinstance(factor, str):
            self._reject(factor, t_mono_s, events)
        elif speed_kmh > MAX_SPEED_KMH:
            self._reject(TOO_FAST, t_mono_s, events)
        else:
            direction = Direction.RECEDING if value < 0 else Direction.APPROACHING
            events.append(Reading(t_mono_s, speed_kmh, direction))

    def _reject(self, reason: str, t_mono_s: float, events: list[RadarEvent]) -> None:
        self.counters.add("rejected")
        events.append(Rejected(t_mono_s, reason))


def _read_line(text: str) -> dict[str, str]:
    """The parameters, the firmware or the mode that a line states; empty when it is not the radar's."""
    if text.startswith("No.:"):
        return {"No.": text[4:].strip()}
    if text.startswith("Switch to "):
        return {"Mode": text}
    found = _PARAMETERS.findall(text)
    whole = sum(len(key) + len(value) + 1 for key, value in found) + len(found) - 1
    return dict(found) if found and whole == len(text) else {}


def _number(text: str | None) -> int | None:
    """Two digits of an answer: hexadecimal, as public drivers read them."""
    try:
        return int(text or "", 16)
    except ValueError:
        return None


def _are(wanted: dict[str, int]) -> Callable[[Reply], bool | None]:
    def matches(reply: Reply) -> bool | None:
        said = {key: _number(reply.values.get(key)) for key in wanted}
        return None if None in said.values() else said == wanted

    return matches


class Ld2415h(RadarDriver):
    """A Hi-Link LD2415H; `rate` is the code of its reports a second (see `output_command`)."""

    name: ClassVar[str] = "ld2415h"
    title: ClassVar[str] = "Hi-Link HLK-LD2415H"
    line: ClassVar[LineSettings] = LineSettings(9_600)
    bauds: ClassVar[tuple[int, ...]] = (9_600,)
    streams_when_idle: ClassVar[bool] = False
    ping: ClassVar[bytes | None] = READ
    command_gap_s: ClassVar[float] = 0.15
    factory_unit: ClassVar[Unit] = _FACTORY_UNIT
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="text frames of nine bytes, no checksum",
        rate_hz=11.0,
        range_m=180.0,
        direction="sign",
        strength=False,
        gives_range=False,
        targets=1,
        status=SourceStatus.CAPTURED,
        source="Hi-Link LD2415H manual, section 6; recordings and drivers of its ESPHome component",
        quirks=(
            "The unit is not in the frame: the sign asks which one is set.",
            "Silent when nothing moves: the sign asks after ten quiet seconds whether it is alive.",
        ),
    )

    def __init__(self, *, rate: int = RATE_11_PER_S) -> None:
        if rate not in range(4):
            raise DriverError(f"radar ld2415h: rate {rate} is not known; set 0 (22/s), 1 (11/s), 2 or 3")
        self._rate = rate

    def decoder(self, unit: Unit | None) -> Ld2415hDecoder:
        """A fresh decoder for a radar set to `unit`; None: what the radar says, else km/h."""
        return Ld2415hDecoder(unit)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """What has to be set; raises DriverError where the radar cannot do it.

        One command sets three values, so one setting is right when all three are. The unit comes first;
        directions are not filtered in the radar (manual: its filter leaks), the angle is corrected in the
        sign alone, and vibration (X7) is left as the installer set it. It is not known how often the
        radar's memory can be written: what is right already is never written.
        """
        sensitivity = DEFAULT_SENSITIVITY if wanted.min_strength is None else round(wanted.min_strength)
        _check(wanted, sensitivity)
        least = max(1, round(wanted.min_speed_kmh))
        unit = wanted.unit
        return [
            Setting(
                "directions, rate, unit",
                READ,
                _are({"X4": BOTH_DIRECTIONS, "X5": self._rate, "X6": _UNIT_CODES[unit]}),
                output_command(BOTH_DIRECTIONS, self._rate, unit),
                f"both directions, rate {self._rate}, {unit.value}",
            ),
            Setting(
                "least speed, angle, sensitivity",
                READ,
                _are({"X1": least, "X2": 0, "X3": sensitivity}),
                basics_command(least, 0, sensitivity),
                f"{least} km/h, angle 0, sensitivity {sensitivity}",
            ),
        ]


def _check(wanted: RadarSettings, sensitivity: int) -> None:
    if not 1 <= sensitivity <= 15:
        raise DriverError(f"radar ld2415h: min_strength {sensitivity} is not possible; set 1 to 15")
    if not 0 <= wanted.min_speed_kmh <= MAX_SPEED_KMH:
        raise DriverError(f"radar ld2415h: min_speed_kmh must be 0 to {MAX_SPEED_KMH:g}")
    if wanted.max_speed_kmh > MAX_SPEED_KMH:
        raise DriverError(
            f"radar ld2415h: max_speed_kmh {wanted.max_speed_kmh:g} is more than the radar can measure;"
            f" set at most {MAX_SPEED_KMH:g}"
        )
    if wanted.targets > 1:
        log.info("radar ld2415h reports one target; targets = %s has no effect", wanted.targets)
