"""Radars that say a speed in ASCII, a line each time: Houston, Icoms, Decatur SI-3, CSR-I, Stalker.

One tolerant decoder; the profile says which dialect is spoken, `any` recognises them all by their structure
(forms and sources: `drivers.radar.ascii_forms`). No sign means that the direction is not known. There is no
checksum in any of them: a wrong speed is worse than a missed one, so that what does not fit is left out.
"""

from __future__ import annotations

from typing import ClassVar

from drivers.radar.ascii_forms import LIVE, PADDED, PLAIN, PROFILES, RANGED, SHORT, Line, is_cut, read
from drivers.radar.units import KMH_PER_UNIT_WORD, KeepsUnitBelief, UnitBelief
from drivers.radar.wanted import check_one_target, check_unit
from speedsign.errors import DriverError
from speedsign.model import Counters, Idle, RadarEvent, Reading, Rejected, Reply, Restarted, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

MAX_LINE_BYTES = 64  # the longest form has 19
LONGEST_BURST_BYTES = 32
UNENDED_LINES = 2  # that many without a line end: there are none, and no lines of text either
ANY = "any"
TOO_FAST = "above the sensor's limit"
STARTED = "power-on burst"

_FACTORY_UNIT = Unit.KMH
_NOISE = b"\x00\xff"  # RS485 turn-round
_CR, _LF = 0x0D, 0x0A
_OK = b"OK"


class AsciiDecoder(KeepsUnitBelief):
    """Cuts the bytes at line ends and before signs, and believes what is complete; holds `MAX_LINE_BYTES`.

    - A line ends with CR, LF, both in any order, or with the sign that begins the next one. In the profile
      `csr` it ends with its fourth character. 00 and FF are noise and skipped.
    - A form without a sign must begin where a line begins (or the stream does); a signed one may follow
      anything but words (in `csr`, whose lines do not end, those too). So a cut signed line costs itself
      alone; a cut line without sign that has lost its end too costs the next one as well.
    - Whole lines of a fixed length that lost their ends are told apart; with anything else among them, not.
    - What may be the rest of a longer line (a number below 100 without leading zero, or with a space there;
      three digits after lines with a range or of Stalker's format S) is believed when the line before it
      had the same shape.
    - After garbage the second line is read at the latest. Lines that do not end, in `any`, before two of
      them were read: the one that begins `MAX_LINE_BYTES` later, because words are taken for a line of text.

    Counters: bytes, frames, bad, overflow, rejected.
    """

    def __init__(self, unit: Unit | None, profile: str = ANY) -> None:
        self.counters = Counters()
        self._profile = PROFILES[profile]
        self._unit = UnitBelief(unit, _FACTORY_UNIT)
        self._burst = _Burst()
        self._line = bytearray()
        self._begun_clean = True  # the line so far began where lines begin
        self._in_stream = False  # a line end has been seen
        self._text_bytes = 0  # for which no sign begins anything: there are words in this line
        self._since_end = 0  # lines read since the last line end
        self._joint: int | None = None  # where an OK was taken out of the line
        self._ok_lf = False  # the last three bytes were OK LF
        self._last_shape = ""  # of the last one that was believed
        self._line_shape = ""  # of the line before, believed or not

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        self.counters.add("bytes", len(data))
        events: list[RadarEvent] = []
        for byte in data.translate(None, _NOISE):
            self._text_bytes = max(self._text_bytes - 1, 0)
            self._take(byte, t_mono_s, events)
            if self._profile.bursts and self._burst.ended_by(byte):
                self._restarted(t_mono_s, events)
        return events

    # ----------------------------------------------------------------- bytes to pieces

    def _take(self, byte: int, t_mono_s: float, events: list[RadarEvent]) -> None:
        if self._ok_lf:
            self._ok_lf = False
            if byte == _CR:
                self._take_out(len(self._line) - len(_OK), t_mono_s, events)
                return
            self._end_line(t_mono_s, events)
        if byte == _LF and self._profile.acknowledges and self._line.endswith(_OK):
            self._ok_lf = True
        elif byte in (_CR, _LF):
            self._end_line(t_mono_s, events)
        elif byte in self._profile.starts:
            self._end_piece(t_mono_s, events)
            self._begun_clean = not self._text_bytes
            self._line.append(byte)
        else:
            self._put(byte, t_mono_s, events)

    def _put(self, byte: int, t_mono_s: float, events: list[RadarEvent]) -> None:
        if len(self._line) >= MAX_LINE_BYTES:
            self.counters.add("overflow")
            self._give_up(self._line.decode("latin-1"))
            self._line.clear()
            self._begun_clean, self._joint = False, None
        self._line.append(byte)
        if self._profile.unended and len(self._line) == 4 and self._begun_clean:
            self._end_piece(t_mono_s, events)

    def _end_line(self, t_mono_s: float, events: list[RadarEvent]) -> None:
        self._end_piece(t_mono_s, events)
        self._text_bytes, self._begun_clean, self._in_stream = 0, True, True
        self._since_end = 0

    def _end_piece(self, t_mono_s: float, events: list[RadarEvent]) -> None:
        """A line, or what stands before a sign: believe it or leave it out."""
        text, joint = self._line.decode("latin-1"), self._joint
        clean, self._begun_clean = self._begun_clean, False
        self._line.clear()
        self._joint = None
        if self._profile.acknowledges and joint is None and "OK" in text:
            joint = text.index("OK")  # the manual's own example has neither LF nor CR
            self._acknowledged(t_mono_s, events)
            text = text[:joint] + text[joint + len(_OK) :]
        if not text.strip(" "):
            self._blank(text, t_mono_s, events)
            return
        lines = self._lines(text, joint, clean=clean)
        if not lines:
            self._give_up(text)
        for line in lines:
            self._tell(line, t_mono_s, events)

    def _lines(self, text: str, joint: int | None, *, clean: bool) -> list[Line]:
        """What a piece says; what stands before an OK may be a line that was cut before."""
        found = read(text, self._profile, glued=self._in_stream) if clean else []
        if joint and not found:
            found = read(text[joint:], self._profile, glued=True)
            if found:
                self._give_up(text[:joint])
        return found

    def _give_up(self, text: str) -> None:
        if not self._text_bytes:
            self.counters.add("bad")
        self._line_shape = ""
        if not self._profile.unended and self._since_end < UNENDED_LINES and not is_cut(text):
            self._text_bytes = MAX_LINE_BYTES

    # ----------------------------------------------------------------- what was said

    def _tell(self, line: Line, t_mono_s: float, events: list[RadarEvent]) -> None:
        doubted = self._is_doubtful(line)
        self._line_shape = line.shape
        self._since_end += 1
        if line.value == 0:
            self.counters.add("frames")
            events.append(Idle(t_mono_s))
            return
        if doubted:
            self.counters.add("bad")
            return
        self.counters.add("frames")
        self._last_shape = line.shape
        factor = self._factor(line.unit)
        if isinstance(factor, str):
            self._reject(factor, t_mono_s, events)
        elif line.value * factor > self._profile.max_kmh:
            self._reject(TOO_FAST, t_mono_s, events)
        else:
            speed_kmh = line.value * factor
            events.append(Reading(t_mono_s, speed_kmh, line.direction, line.strength, line.range_m))

    def _is_doubtful(self, line: Line) -> bool:
        """Whether this may be the rest of a longer line, and the one before was not the same."""
        may_be_rest = line.shape.startswith((SHORT, PADDED)) or (
            line.shape == PLAIN and self._last_shape in (RANGED, LIVE)
        )
        return may_be_rest and self._line_shape != line.shape

    def _factor(self, word: str) -> float | str:
        """What one unit is worth in km/h. A line that states its unit speaks for those that lost it."""
        stated = KMH_PER_UNIT_WORD.get(word)
        if stated is not None:
            self._unit.learn(stated)
        return self._unit.kmh_per_unit(word)

    def _reject(self, reason: str, t_mono_s: float, events: list[RadarEvent]) -> None:
        self.counters.add("rejected")
        events.append(Rejected(t_mono_s, reason))

    def _blank(self, text: str, t_mono_s: float, events: list[RadarEvent]) -> None:
        """Spaces instead of a speed: nothing moves (Stalker). An empty line is the rest of a line end."""
        if len(text) >= 3 and self._profile.blanks:
            self.counters.add("frames")
            events.append(Idle(t_mono_s))

    def _take_out(self, at: int, t_mono_s: float, events: list[RadarEvent]) -> None:
        """OK LF CR: it may stand in the middle of a number, which then goes on."""
        del self._line[at:]
        self._joint = at or None
        if not at:
            self._begun_clean, self._text_bytes = True, 0
        self._acknowledged(t_mono_s, events)

    def _acknowledged(self, t_mono_s: float, events: list[RadarEvent]) -> None:
        self.counters.add("frames")
        events.append(Reply(t_mono_s, {"Answer": "OK"}))

    def _restarted(self, t_mono_s: float, events: list[RadarEvent]) -> None:
        self.counters.add("frames")
        self._unit.forget()
        self._line.clear()
        self._begun_clean, self._joint, self._text_bytes = True, None, 0
        events.append(Restarted(t_mono_s, STARTED))


class _Burst:
    """Looks for FE FD … FD FE (CSR-I at power-on; Hikvision's is these four bytes alone)."""

    def __init__(self) -> None:
        self._last = 0
        self._age = LONGEST_BURST_BYTES  # bytes since FE FD

    def ended_by(self, byte: int) -> bool:
        """Whether this byte is the last of a burst."""
        last, self._last = self._last, byte
        self._age += self._age < LONGEST_BURST_BYTES
        if (last, byte) == (0xFE, 0xFD) and self._age >= LONGEST_BURST_BYTES:
            self._age = 0
        elif (last, byte) == (0xFD, 0xFE) and 2 <= self._age < LONGEST_BURST_BYTES:
            self._age, self._last = LONGEST_BURST_BYTES, 0
            return True
        return False


class Ascii(RadarDriver):
    """A radar of one of the ASCII dialects. It is set up once, with its maker's tool."""

    name: ClassVar[str] = "ascii"
    title: ClassVar[str] = "ASCII speed lines: Houston, Icoms TMA, Decatur SI-3, CSR-I, Stalker"
    line: ClassVar[LineSettings] = LineSettings(9_600)
    bauds: ClassVar[tuple[int, ...]] = (9_600, 115_200, 19_200, 57_600, 38_400, 4_800, 2_400, 1_200)
    # Whether an empty road is reported depends on how the radar was set: silence proves nothing.
    streams_when_idle: ClassVar[bool] = False
    ping: ClassVar[bytes | None] = None
    command_gap_s: ClassVar[float] = 0.15
    factory_unit: ClassVar[Unit] = _FACTORY_UNIT
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = PROFILES[ANY].max_kmh
    profiles: ClassVar[tuple[str, ...]] = tuple(PROFILES)
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="text lines, no checksum",
        rate_hz=10.0,
        range_m=None,
        direction="sign or letter, where the radar is set to tell it",
        strength=True,
        gives_range=True,
        targets=1,
        status=SourceStatus.DOCUMENTED,
        source="manuals of Houston SS300, Icoms TMA-296, Decatur SI-3, Stalker Speed Sensor, Hikvision CSR-I",
        quirks=(
            "The unit is mostly not in the line: configure the one that the maker's tool has set.",
            "No checksum: a digit that becomes another digit on the way cannot be seen.",
            "Strength comes in Stalker's format S alone, on a scale not documented; range in Icoms' type 6.",
            "Not known whether whole numbers are rounded or cut off; they are taken as rounded.",
            "Silence is not judged: whether an empty road is reported is a setting of the radar.",
            "CSR-I has no line ends: in `any` a value is read when the next one begins, with `csr` at once.",
            "Two bytes lost where two CSR-I values meet can make a wrong speed; nothing in the bytes tells.",
            "Houston's 7-bit formats need the line set to 7 bits; set RS to an 8-bit one instead.",
            "A number below 100 without leading zeros is believed from the second in a row on (Decatur).",
        ),
    )

    def __init__(self, *, profile: str = ANY) -> None:
        if profile not in PROFILES:
            raise DriverError(f"radar ascii: no profile {profile!r}; known are {', '.join(PROFILES)}")
        self._profile = PROFILES[profile]

    def decoder(self, unit: Unit | None) -> AsciiDecoder:
        """A fresh decoder for a radar set to `unit`; None: what a line states, else km/h."""
        return AsciiDecoder(unit, self._profile.name)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """Always empty: nothing is sent. Raises DriverError for what the dialect cannot say.

        Houston allows about 10,000 writes in its flash's life and keeps what it is sent; Decatur's letters
        contradict each other from manual to manual and its settings are lost without a flash save; of the
        others no commands are documented. The maker's tool sets them once.
        """
        name = f"ascii ({self._profile.name})"
        check_one_target(name, wanted, self._profile.max_kmh)
        check_unit(name, wanted, self._profile.units)
        return []
