"""A tuning fork before the radar: which one is meant, and what the radar reads of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from speedsign.calibration.fork import (
    CARRIER_GHZ,
    LEAST_READINGS,
    USUAL_KMH,
    USUAL_MPH,
    ForkLine,
    ForkReading,
    ForkVerdict,
    hertz_of,
    kmh_of,
    table,
)
from speedsign.calibration.record import Verdict
from speedsign.cli.numbers import decimal_of
from speedsign.model import Direction, RadarEvent, Reading, Rejected, Unit, Vehicle

BANDS_GHZ = (9.0, 36.0)  # X, K and Ka band
_SLOWEST_KMH, _FASTEST_KMH = 5.0, 300.0
_EACH = 20  # readings from one line of progress to the next
_UNITS = {"hz": None, "km/h": Unit.KMH, "kmh": Unit.KMH, "mph": Unit.MPH}
_VERDICTS = {ForkVerdict.WITHIN: Verdict.PASS, ForkVerdict.OUTSIDE: Verdict.FAIL}
_WORDS = {
    ForkVerdict.NOT_YET_KNOWN: "too few readings, or they vary too much",
    ForkVerdict.ABSENT: "the radar does not see the fork: strike it again and hold it nearer",
    ForkVerdict.UNSTEADY: (
        "what the radar reads moves, or it sees something else as well: wait for a gap in the traffic"
    ),
    ForkVerdict.STOPPED: "stopped before its time, and not judged",
    ForkVerdict.PERHAPS_A_CAR: (
        "the radar tells no direction that changes as a fork's does, so that it may have been a car:"
        " wait for a gap in the traffic"
    ),
}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fork:
    """The fork that is held, and what it reads as at this radar's carrier."""

    hertz: float
    kmh: float
    band_ghz: float

    @property
    def words(self) -> str:
        return f"{self.hertz:.0f} Hz, reads {self.kmh:.1f} km/h ({self.kmh / Unit.MPH.kmh:.1f} mph)"

    def as_json(self) -> dict[str, float]:
        """For the record."""
        return {"hertz": round(self.hertz, 2), "kmh": round(self.kmh, 3), "band_ghz": self.band_ghz}


def fork_of(text: str, band_ghz: float, stamped_ghz: float | None = None) -> Fork:
    """`2000Hz`, `45km/h`, `35mph`; a speed is what is stamped on it, for `stamped_ghz` or the radar's band.

    Raises ValueError with a sentence.
    """
    found = re.fullmatch(r"\s*([0-9.,]+)\s*(hz|km/?h|mph)\s*", text, re.IGNORECASE)
    if found is None:
        raise ValueError(f"{text.strip()!r} is no fork; write 2000Hz, 45km/h or 35mph")
    number = decimal_of(found[1])
    unit = _UNITS[found[2].lower()]
    hertz = number if unit is None else number and hertz_of(number * unit.kmh, stamped_ghz or band_ghz)
    if not isfinite(hertz) or hertz <= 0.0 or not _SLOWEST_KMH <= kmh_of(hertz, band_ghz) <= _FASTEST_KMH:
        raise ValueError(
            f"{text.strip()} reads as no speed of a car, {_SLOWEST_KMH:.0f} to {_FASTEST_KMH:.0f} km/h;"
            " thousands have no comma or point: 2000Hz"
        )
    return Fork(hertz, kmh_of(hertz, band_ghz), band_ghz)


class Held:
    """A `Hearer` that keeps what the radar says while the fork is held: the first target of each report."""

    def __init__(self, fork: Fork, say: Say) -> None:
        self.kmh: list[float] = []
        self.ways: list[Direction] = []  # one for each of these
        self.values: dict[str, str] = {}
        self.directions: dict[str, int] = {}
        self.rejected: dict[str, int] = {}
        self._fork, self._say = fork, say

    def events(self, t_mono_s: float, events: Sequence[RadarEvent]) -> None:
        for event in events:
            if isinstance(event, Reading) and event.rank == 0:
                self.kmh.append(event.speed_kmh)
                self.ways.append(event.direction)
                self._count(event.direction)
            elif isinstance(event, Rejected):
                self.rejected[event.reason] = self.rejected.get(event.reason, 0) + 1

    def vehicles(self, found: Sequence[Vehicle]) -> None:
        """A fork is none."""

    def introduced(self, values: Mapping[str, str]) -> None:
        self.values |= values

    def state(self, facts: Mapping[str, object]) -> None:
        """How the sign is makes no difference here."""

    def _count(self, direction: Direction) -> None:
        self.directions[direction.value] = self.directions.get(direction.value, 0) + 1
        if len(self.kmh) % _EACH == 0:
            newest = self.kmh[-_EACH:]
            self._say(f"{len(self.kmh):>5} readings, {sum(newest) / _EACH:.1f} km/h")


def step_of(readings_kmh: Sequence[float]) -> float:
    """The steps in which a radar tells speeds, km/h: whole ones of a unit where all readings are such."""
    for unit in (Unit.MPH, Unit.KMH):
        if readings_kmh and all(_is_whole(one / unit.kmh) for one in readings_kmh):
            return unit.kmh
    return 0.1


def _is_whole(value: float) -> bool:
    return abs(value - round(value)) < 1e-3  # a running sign tells three digits


def table_lines(band_ghz: float) -> list[str]:
    """Forks and speeds, round ones of both units; fits 40 columns."""
    lines = [f"{'fork, Hz':>9} {'km/h':>7} {'mph':>7}  at {band_ghz:g} GHz"]
    return lines + [f"{one.hertz:>9.0f} {one.kmh:>7.1f} {one.mph:>7.1f}" for one in table_of(band_ghz)]


def table_of(band_ghz: float = CARRIER_GHZ) -> list[ForkLine]:
    """The same as numbers, by rising speed."""
    lines = table(USUAL_KMH, Unit.KMH, band_ghz) + table(USUAL_MPH, Unit.MPH, band_ghz)
    return sorted(lines, key=lambda one: one.kmh)


def verdict_of(reading: ForkReading) -> Verdict:
    return _VERDICTS.get(reading.verdict, Verdict.UNDECIDED)


def lines_of(reading: ForkReading, rejected: Mapping[str, int]) -> list[str]:
    """What the radar read, for a narrow screen."""
    lines = [f"{reading.readings} readings"]
    if reading.mean_kmh is not None:
        lines.append(f"mean {reading.mean_kmh:.2f} km/h, expected {reading.expected_kmh:.2f}")
    if reading.low_kmh is not None and reading.high_kmh is not None:
        lines.append(f"95 % interval {reading.low_kmh:.2f} to {reading.high_kmh:.2f}")
    if reading.stray:
        lines.append(f"left out, far off: {reading.stray}")
    if reading.sways:
        lines.append("the direction changes as a fork's does")
    if reading.stuck:
        lines.append("all the same to the last digit")
    lines += [f"rejected {n}: {reason}" for reason, n in rejected.items()]
    return lines


def sentence_of(fork: Fork, reading: ForkReading) -> str:
    """The verdict in words."""
    if reading.mean_kmh is None or reading.verdict in _WORDS:
        why = _WORDS.get(reading.verdict, reading.verdict.value)
        if reading.verdict is ForkVerdict.NOT_YET_KNOWN and reading.readings < LEAST_READINGS:
            why = f"{reading.readings} readings are too few; {LEAST_READINGS} are needed"
        return f"A fork of {fork.hertz:.0f} Hz: {why}."
    off_kmh = reading.mean_kmh - reading.expected_kmh
    return (
        f"A fork of {fork.hertz:.0f} Hz reads {reading.mean_kmh:.2f} km/h, {off_kmh:+.2f} from"
        f" {reading.expected_kmh:.2f}; {reading.tolerance_kmh:g} km/h are allowed: {reading.verdict.value}."
    )


def result_of(fork: Fork, reading: ForkReading, step_kmh: float) -> dict[str, Any]:
    """For the record."""
    return {
        **fork.as_json(),
        "expected_kmh": round(reading.expected_kmh, 3),
        "tolerance_kmh": reading.tolerance_kmh,
        "readings": reading.readings,
        "mean_kmh": _rounded(reading.mean_kmh),
        "low_kmh": _rounded(reading.low_kmh),
        "high_kmh": _rounded(reading.high_kmh),
        "spread_kmh": _rounded(reading.spread_kmh),
        "stray": reading.stray,
        "stuck": reading.stuck,
        "sways": reading.sways,
        "alone": reading.alone,
        "step_kmh": round(step_kmh, 4),
        "verdict": reading.verdict.value,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
