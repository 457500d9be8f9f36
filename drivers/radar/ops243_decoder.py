"""Bytes of an OmniPreSense OPS24x -> events. What each line says is read in `ops243_lines`."""

from __future__ import annotations

import re

from drivers.radar.ops243_lines import (
    Answer,
    Banner,
    Line,
    Note,
    Speeds,
    parse_object,
    parse_objects,
    parse_text,
    read_at_once,
)
from drivers.radar.units import KMH_PER_UNIT_WORD, KeepsUnitBelief, UnitBelief
from speedsign.model import (
    Counters,
    Direction,
    Idle,
    RadarEvent,
    Reading,
    Rejected,
    Reply,
    Restarted,
    Unit,
)

MAX_LINE_BYTES = 1024  # the longest known line, a vehicle record, has 300
MAX_SPEED_KMH = 224.0  # AN-010: 62.2 m/s at 20k samples a second, the fastest rate that we set

_FACTORY_UNIT = Unit.MPS  # AN-010: UM is the default
_ZERO = 0.005  # less is a zero with the radar's finest useful decimals (F2), in any unit
# Noise at the end of the spectrum is reported as the highest speed of the sampling rate, weakly
# (recordings: 31.1 m/s at magnitude 5, never seen above the factory squelch of 20).
_LIMITS_KMH = (31.1 * 3.6, 62.2 * 3.6)  # SX (10k) and S2 (20k), AN-010 table of sampling rates
_LIMIT_WIDTH_KMH = 0.25  # one step of the spectrum, 0.061 m/s
_LIMIT_STRENGTH = 20.0

_NOISE = b"\x00\xff"  # firmware fault: a stray NUL inside USB JSON; FF: line turn-round
_LINE_ENDS = (b"\n", b"\r")
_PIECE_END = re.compile(rb"\}[\r\n]*|[\r\n]+")

TOO_FAST = "above the sensor's limit"
AT_LIMIT = "at the limit of the sampling rate, and weak: noise"


class Ops243Decoder(KeepsUnitBelief):
    """Decodes every text form of the radar; holds at most `MAX_LINE_BYTES`.

    A JSON object is complete at its last brace, any other line at its CR or LF: a lost line end costs
    nothing between objects, and a number glued to one costs that number. Text that follows an object or
    an overflow on the same line is not believed: it may have lost its first digits.

    `unit` None believes each line's unit, else what the radar last said it is set to, else km/h.
    `unit_confirmed` follows the radar's own statements ({"Units": ...}) and falls when it restarts; the
    link may set it too.

    `binary`: OB output instead of text: pairs of a type byte (1 speed, 2 range) and a signed value
    (AN-010). Nothing marks its start, so it cannot be told from text, and one lost byte turns values into
    types: the mode exists for recordings, no settings of ours lead to it.

    Counters: bytes, frames, bad, overflow, rejected, bare (speeds in plain text without a unit: a radar
    that nobody has set up), ranges, objects, alerts.
    """

    def __init__(self, unit: Unit | None, *, binary: bool = False) -> None:
        self.counters = Counters()
        self._unit = UnitBelief(unit, _FACTORY_UNIT)
        self._binary = binary
        self._line = b""
        self._glued = False  # this line's text follows something: it may be cut

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        self.counters.add("bytes", len(data))
        events: list[RadarEvent] = []
        if self._binary:
            self._feed_pairs(data, t_mono_s, events)
            return events
        if self._is_one_object(data) and (usual := read_at_once(data[:-2].decode("ascii"))) is not None:
            self.counters.add("frames")
            self._speeds(usual, t_mono_s, events)
            return events
        clean = data.translate(None, _NOISE)
        start = 0
        for end_of_piece in _PIECE_END.finditer(clean):
            end = end_of_piece.end()
            self._take(clean[start:end], t_mono_s, events)
            start = end
        if start < len(clean):
            self._take(clean[start:], t_mono_s, events)
        return events

    def _is_one_object(self, data: bytes) -> bool:
        """One whole JSON line and nothing else: what a driver gets nearly always, and soonest shown."""
        return (
            data.endswith(b"}\r\n")
            and data.startswith(b"{")
            and data.count(b"{") == 1
            and data.isascii()
            and len(data) <= MAX_LINE_BYTES
            and not self._line
            and not self._glued
        )

    def _take(self, piece: bytes, t_mono_s: float, events: list[RadarEvent]) -> None:
        """Bytes up to and including the next brace or line end, or up to the end of the chunk."""
        line = self._line + piece
        if len(line) > MAX_LINE_BYTES:
            line = self._cut(line, t_mono_s, events)
        self._line = line
        if line.endswith(_LINE_ENDS):
            self._end_line(line.strip(), t_mono_s, events)
        elif line.endswith(b"}"):
            start = line.find(b"{")
            if start >= 0 and line.count(b"{", start) == line.count(b"}", start):
                self._objects(line, t_mono_s, events)
                self._line = b""

    def _cut(self, line: bytes, t_mono_s: float, events: list[RadarEvent]) -> bytes:
        """What is left of a line that has grown too long; its end does not count."""
        while len(line.rstrip(b"\r\n")) > MAX_LINE_BYTES:
            self.counters.add("overflow")
            head = line[:MAX_LINE_BYTES]
            self._glued = True
            kept = self._objects(head, t_mono_s, events) if b"{" in head else len(head)
            line = head[kept:] + line[MAX_LINE_BYTES:]
        return line

    def _end_line(self, text: bytes, t_mono_s: float, events: list[RadarEvent]) -> None:
        glued, self._line, self._glued = self._glued, b"", False
        if not text:
            return
        if text.startswith(b"{") and (whole := parse_object(text.decode("latin-1"))) is not None:
            self._accept(whole, t_mono_s, events)
        elif b"{" in text:
            self._objects(text, t_mono_s, events)
            self._glued = False
        elif glued:
            self.counters.add("bad")
        else:
            self._accept(parse_text(text.decode("latin-1")), t_mono_s, events)

    def _objects(self, text: bytes, t_mono_s: float, events: list[RadarEvent]) -> int:
        """Accept every object in the text; where what may be the start of another one begins."""
        done = 0
        for end, line in parse_objects(text.decode("latin-1")):
            self._accept(line, t_mono_s, events)
            done = max(done, end)
        self._glued = True
        unfinished = text.rfind(b"{", max(done, 1))
        return unfinished if unfinished >= 0 else len(text)

    def _accept(self, line: Line | None, t_mono_s: float, events: list[RadarEvent]) -> None:
        if line is None:
            self.counters.add("bad")
            return
        self.counters.add("frames")
        if type(line) is Speeds:
            self._speeds(line, t_mono_s, events)
        elif type(line) is Answer:
            self._learn_unit(line)
            events.append(Reply(t_mono_s, line.values))
        elif type(line) is Banner:
            self._unit.forget()
            events.append(Restarted(t_mono_s, line.text))
        elif type(line) is Note:
            self.counters.add(line.value)

    def _learn_unit(self, answer: Answer) -> None:
        stated = KMH_PER_UNIT_WORD.get(answer.values.get("Units", "").lower())
        if stated is not None:
            self._unit.learn(stated)

    def _speeds(self, line: Speeds, t_mono_s: float, events: list[RadarEvent]) -> None:
        if line.bare:
            self.counters.add("bare")
        factor = self._unit.kmh_per_unit(line.unit)
        idle, reason = True, ""
        for rank, value in enumerate(line.values):
            if -_ZERO < value < _ZERO:
                continue
            idle = False
            if isinstance(factor, str):  # a zero needs no unit, everything else does
                reason = factor
                break
            speed_kmh = abs(value) * factor
            strength = line.strengths[rank]
            wrong = _implausible(speed_kmh, strength)
            if wrong:
                reason = reason or wrong
                continue
            sign = Direction.RECEDING if value < 0 else Direction.APPROACHING
            events.append(Reading(t_mono_s, speed_kmh, line.direction or sign, strength, None, rank))
        if idle:
            events.append(Idle(t_mono_s))
        elif reason:
            self._reject(reason, t_mono_s, events)

    def _reject(self, reason: str, t_mono_s: float, events: list[RadarEvent]) -> None:
        self.counters.add("rejected")
        events.append(Rejected(t_mono_s, reason))

    def _feed_pairs(self, data: bytes, t_mono_s: float, events: list[RadarEvent]) -> None:
        for byte in data:
            if not self._line:
                if byte in (1, 2):
                    self._line = bytes((byte,))
                else:
                    self.counters.add("bad")
                continue
            kind, self._line = self._line[0], b""
            value = float(byte - 256 if byte > 127 else byte)
            speeds = Speeds([value], [None], "", None, bare=False)
            self._accept(speeds if kind == 1 else Note.RANGE, t_mono_s, events)


def _implausible(speed_kmh: float, strength: float | None) -> str:
    """Why a speed cannot be a vehicle's; empty when it can."""
    if speed_kmh > MAX_SPEED_KMH:
        return TOO_FAST
    if strength is not None and strength < _LIMIT_STRENGTH:
        for limit in _LIMITS_KMH:
            if abs(speed_kmh - limit) <= _LIMIT_WIDTH_KMH:
                return AT_LIMIT
    return ""
