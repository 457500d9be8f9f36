"""RFbeam K-LD2: a small Doppler radar module that is asked for its targets, 38400 8N1 at 3.3 V.

Source: RFbeam K-LD2 data sheet, revision C (02/2020), pages 7 and 15 to 19. A command is `$`, a class, a
number and perhaps a value in hexadecimal, then CR; it is answered by the same with `@`, or by `@E01` to
`@E06`. `$C01` alone is answered without `@`: `040;000;072;000;` CR LF are the strongest approaching and
receding speed in bins of its FFT, then their magnitudes in dB; zeros where nothing moves. No checksum.

What a bin is worth follows from the sampling rate (table 2), which the sign sets, so that no unit is set.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import ClassVar

from drivers.radar.units import UnitBelief
from speedsign.errors import DriverError
from speedsign.model import Counters, Direction, Idle, RadarEvent, Reading, Rejected, Reply, Unit
from speedsign.ports import LineSettings, RadarDriver, RadarFacts, RadarSettings, Setting, SourceStatus

log = logging.getLogger(__name__)

BINS, RAW = "bins", "raw"
MAX_LINE_BYTES = 64  # an answer has 18 at most; three of them that lost their ends still fit
RATE = 0x0A  # the value of S04 that reaches 143 km/h; from the factory 02, which ends at 28 km/h
MAX_BIN = 127
MAX_RAW_KMH = 240.0
RATE_DIFFERS = "unit differs: the radar samples at another rate than the sign sets"
TOO_FAST = "above the sensor's limit"

_RATE_STEP_HZ = 1280  # S04 counts in these
_FFT_POINTS = 256
_HZ_PER_KMH = 44.71  # Doppler shift at 24.125 GHz
_NOISE = b"\x00\xff"
_TARGETS = re.compile(r"(?:\d{3};\d{3};\d{3};\d{3};)+")
_ANSWER = re.compile(r"@([A-Z][0-9A-F]{2})((?:[0-9A-F]{2}){0,2})")


# --------------------------------------------------------------------------- commands


def ask(parameter: str) -> bytes:
    """The question for a parameter.

    >>> ask("C01").hex(" ")
    '24 43 30 31 0d 0a'
    """
    return f"${parameter}\r\n".encode()


def put(parameter: str, value: int) -> bytes:
    """The command that sets a parameter; it is kept in the radar's EEPROM at once.

    >>> put("S04", 5).hex(" ")
    '24 53 30 34 30 35 0d 0a'
    """
    return f"${parameter}{value:02X}\r\n".encode()


TARGETS = ask("C01")
RESTART = ask("W00")


def kmh_per_bin(rate: int) -> float:
    """What a bin is worth in km/h at a value of S04 (table 2).

    >>> round(kmh_per_bin(0x0A), 2), round(kmh_per_bin(2), 2)
    (1.12, 0.22)
    """
    return rate * _RATE_STEP_HZ / _FFT_POINTS / _HZ_PER_KMH


MAX_SPEED_KMH = round(MAX_BIN * kmh_per_bin(RATE))


# --------------------------------------------------------------------------- bytes to events


class RateBelief:
    """What a bin is worth: a sampling rate that is set takes effect when the radar restarts.

    Unless the radar has said otherwise it is taken to be set as the sign sets it. `follows` is for replay:
    the radar's own word decides.
    """

    def __init__(self, *, follows: bool) -> None:
        self._follows = follows
        self._confirmed = False
        self._active: int | None = None
        self._stored: int | None = None

    @property
    def confirmed(self) -> bool:
        return self._confirmed

    @confirmed.setter
    def confirmed(self, confirmed: bool) -> None:
        self._confirmed = confirmed
        if confirmed:
            self._active = RATE

    def said(self, rate: int) -> None:
        """The radar has said what is stored; the first time that is also what it runs at."""
        self._stored = rate
        if self._active is None or rate != RATE:
            self._active = rate
        self._confirmed = self._confirmed and self._active == RATE

    def restarted(self) -> None:
        """What is stored counts from now on."""
        self._active = self._stored or self._active

    def kmh_per_unit(self) -> float | str:
        """What one bin is worth in km/h, or the reason why a speed must not be used."""
        active = RATE if self._active is None else self._active
        return kmh_per_bin(active) if self._follows or active == RATE else RATE_DIFFERS


class Kld2Decoder:
    """Reads lines; holds at most `MAX_LINE_BYTES`. Every answer begins a line, so that a damaged line costs
    itself, and one that has lost its end the next as well (whole ones that lost theirs are told apart).

    A magnitude in dB becomes a linear amplitude, 10 ** (dB / 20): the tracker compares strengths by ratio.
    With `raw` the numbers are speeds in the configured unit instead of bins.

    Counters: bytes, frames, bad, overflow, rejected.
    """

    def __init__(self, unit: Unit | None, *, raw: bool = False) -> None:
        self.counters = Counters()
        self._rate = RateBelief(follows=unit is None)
        self._unit = UnitBelief(unit, Unit.KMH)
        self._raw = raw
        self._line = bytearray()
        self._begun_clean = True

    @property
    def unit_confirmed(self) -> bool:
        """Whether it is known what the numbers are worth."""
        return self._unit.confirmed if self._raw else self._rate.confirmed

    @unit_confirmed.setter
    def unit_confirmed(self, confirmed: bool) -> None:
        self._unit.confirmed = self._rate.confirmed = confirmed

    def feed(self, data: bytes, t_mono_s: float) -> list[RadarEvent]:
        """The events completed by these bytes; see `speedsign.ports.Decoder`."""
        self.counters.add("bytes", len(data))
        events: list[RadarEvent] = []
        for byte in data.translate(None, _NOISE):
            if byte in b"\r\n":
                text, clean = self._line.decode("latin-1"), self._begun_clean
                self._line.clear()
                self._begun_clean = True
                if text:
                    self._read(text if clean else "", t_mono_s, events)
            else:
                self._put(byte)
        return events

    def _put(self, byte: int) -> None:
        if len(self._line) >= MAX_LINE_BYTES:
            self.counters.add("overflow")
            self._line.clear()
            self._begun_clean = False
        self._line.append(byte)

    def _read(self, text: str, t_mono_s: float, events: list[RadarEvent]) -> None:
        answer = _ANSWER.fullmatch(text)
        if answer:
            self.counters.add("frames")
            events.append(Reply(t_mono_s, self._answered(*answer.groups())))
        elif _TARGETS.fullmatch(text):
            numbers = [int(number) for number in text.split(";")[:-1]]
            for start in range(0, len(numbers), 4):
                self._report(numbers[start : start + 4], t_mono_s, events)
        elif not text.startswith("$"):  # our own question, on a line that hears itself
            self.counters.add("bad")

    def _answered(self, parameter: str, value: str) -> dict[str, str]:
        if parameter == "S04" and len(value) == 2:
            self._rate.said(int(value, 16))
        elif parameter == "W00":
            self._rate.restarted()
        return {"error": parameter} if parameter.startswith("E") else {parameter: value}

    def _report(self, numbers: list[int], t_mono_s: float, events: list[RadarEvent]) -> None:
        """One answer: approaching, receding, and their magnitudes; the stronger one comes first."""
        pairs = zip(numbers[:2], numbers[2:], (Direction.APPROACHING, Direction.RECEDING), strict=True)
        seen = [(speed, strength_db, way) for speed, strength_db, way in pairs if speed]
        if any(not strength_db or (speed > MAX_BIN and not self._raw) for speed, strength_db, _ in seen):
            self.counters.add("bad")
            return
        self.counters.add("frames")
        if not seen:
            events.append(Idle(t_mono_s))
        factor = self._unit.kmh_per_unit() if self._raw else self._rate.kmh_per_unit()
        limit_kmh = MAX_RAW_KMH if self._raw else MAX_SPEED_KMH
        seen.sort(key=lambda one: -one[1])
        for rank, (speed, strength_db, way) in enumerate(seen):
            if isinstance(factor, str):
                self._reject(factor, t_mono_s, events)
            elif speed * factor > limit_kmh:
                self._reject(TOO_FAST, t_mono_s, events)
            else:
                strength = 10.0 ** (strength_db / 20)
                events.append(Reading(t_mono_s, speed * factor, way, strength, rank=rank))

    def _reject(self, reason: str, t_mono_s: float, events: list[RadarEvent]) -> None:
        self.counters.add("rejected")
        events.append(Rejected(t_mono_s, reason))


# --------------------------------------------------------------------------- the driver


def _is(parameter: str, wanted: int) -> Callable[[Reply], bool | None]:
    def matches(reply: Reply) -> bool | None:
        value = reply.values.get(parameter)
        return None if not value else int(value, 16) == wanted

    return matches


def _setting(name: str, parameter: str, wanted: int, text: str) -> Setting:
    return Setting(name, ask(parameter), _is(parameter, wanted), put(parameter, wanted), text)


class Kld2(RadarDriver):
    """An RFbeam K-LD2; the profile `raw` takes its numbers for speeds and sets nothing."""

    name: ClassVar[str] = "kld2"
    title: ClassVar[str] = "RFbeam K-LD2"
    line: ClassVar[LineSettings] = LineSettings(38_400)
    bauds: ClassVar[tuple[int, ...]] = (38_400,)
    streams_when_idle: ClassVar[bool] = True  # each question is answered, with zeros if need be
    ping: ClassVar[bytes | None] = None
    command_gap_s: ClassVar[float] = 0.1
    factory_unit: ClassVar[Unit] = Unit.KMH
    rounds: ClassVar[bool] = True
    max_speed_kmh: ClassVar[float] = MAX_SPEED_KMH
    profiles: ClassVar[tuple[str, ...]] = (BINS, RAW)
    poll: ClassVar[bytes | None] = TARGETS
    poll_s: ClassVar[float] = 0.1  # a new spectrum comes every 0.04 s
    facts: ClassVar[RadarFacts] = RadarFacts(
        protocol="text lines, asked for, no checksum",
        rate_hz=10.0,
        range_m=None,
        direction="approaching and receding in two fields",
        strength=True,
        gives_range=False,
        targets=2,
        status=SourceStatus.DOCUMENTED,
        source="RFbeam K-LD2 data sheet, revision C, pages 7 and 15 to 19; a public driver",
        quirks=(
            "Speeds come in steps of 1.12 km/h: the sign sets the sampling rate to 12800 Hz (S04 = 0A).",
            "From the factory it samples at 2560 Hz, which ends at 28 km/h; set up by hand, S04 must be 0A.",
            "Faster than 143 km/h folds over and looks like a vehicle going the other way.",
            "The data sheet says bins; a public driver takes them for speeds, as the profile raw does.",
            "It is restarted when the sign starts, because a sampling rate counts from the next restart on.",
            "What is set is kept in its EEPROM: what is right already is never written.",
        ),
    )

    def __init__(self, *, profile: str = BINS) -> None:
        if profile not in self.profiles:
            raise DriverError(f"radar kld2: no profile {profile!r}; known are {', '.join(self.profiles)}")
        self._raw = profile == RAW

    def decoder(self, unit: Unit | None) -> Kld2Decoder:
        """A fresh decoder; bins become km/h whatever `unit` is, None believes the radar's sampling rate."""
        return Kld2Decoder(unit, raw=self._raw)

    def settings(self, wanted: RadarSettings) -> list[Setting]:
        """What has to be set, in order; raises DriverError where the radar cannot do it.

        The restart is last and unconditional: that S04 is right does not say that it was when the radar
        started. The filters are opened, the sign filters by itself. `raw` sets nothing: what made speeds of
        the bins is not known.
        """
        _check(wanted, raw=self._raw)
        if self._raw:
            return []
        return [
            _setting("sampling rate", "S04", RATE, f"{RATE * _RATE_STEP_HZ} Hz"),
            _setting("directions", "D03", 2, "both"),
            _setting("low speed limit", "D04", 0, "off"),
            _setting("high speed limit", "D05", 0, "off"),
            Setting("restart", None, lambda _reply: None, RESTART, "so that the sampling rate counts"),
        ]


def _check(wanted: RadarSettings, *, raw: bool) -> None:
    limit_kmh = MAX_RAW_KMH if raw else MAX_SPEED_KMH
    if not 0 <= wanted.min_speed_kmh <= limit_kmh:
        raise DriverError(f"radar kld2: min_speed_kmh must be 0 to {limit_kmh:g}")
    if wanted.max_speed_kmh > limit_kmh:
        raise DriverError(
            f"radar kld2: max_speed_kmh {wanted.max_speed_kmh:g} is more than the radar can measure;"
            f" set at most {limit_kmh:g}"
        )
    if wanted.unit is not Unit.KMH and not raw:
        raise DriverError('radar kld2: its speeds are made from its sampling rate; set unit = "km/h"')
    if wanted.min_strength is not None:
        log.info("radar kld2: its threshold is not set by the sign; min_strength has no effect")
