"""Tuning forks: which speed a fork makes a radar read, and whether it reads it.

A prong that swings at f hertz shifts the echo as a target of constant speed would whose Doppler shift is f:
v = f c / (2 F), F being the radar's carrier. At 24.125 GHz one km/h is 44.71 Hz, one mile an hour 71.95 Hz.
(Exactly c + v over c - v; at road speeds that differs by less than one part in ten million.)

A fork says that the radar's clock and arithmetic are right. It says nothing about how the radar is mounted.

What tells a fork from a car, for a radar that looks at a street: a fork is as steady as the radar's own
steps, and a prong comes and goes, so that a radar which tells the direction says now one, now the other. A
car goes one way, and what it reads as moves; far away it hardly does, and then only the direction tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from math import isfinite, sqrt
from statistics import fmean, stdev

from speedsign.calibration.student import quantile
from speedsign.model import Direction, Unit
from speedsign.ports import RadarFacts

LIGHT_MPS = 299_792_458.0
CARRIER_GHZ = 24.125  # K band: the middle of 24.05 to 24.25 GHz, which most radars of signs use
USUAL_KMH = (30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 120.0)
USUAL_MPH = (20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 55.0, 65.0)
LEAST_READINGS = 10
_FAR = 3.0  # tolerances: a reading so far off is of something else
_STRAY_SHARE = 0.2  # of such readings at most
_NO_SPREAD = 1e-9
_STEADY_KMH = 0.5  # standard deviation of a fork at most; between two neighbouring steps it is half of one
_SURE = 3.0  # standard errors by which the end has to differ from the beginning
_SWAYS = 0.1  # of the readings change the direction at least, where it is a prong that swings
_EACH_WAY = 0.2  # of the readings at least; of a car a few may be told as going the other way
_KMH_PER_MPS = 3.6


class ForkVerdict(StrEnum):
    """What the readings of a held fork say."""

    WITHIN = "within"
    OUTSIDE = "outside"
    NOT_YET_KNOWN = "not yet known"
    ABSENT = "absent"  # the radar does not see the fork
    UNSTEADY = "unsteady"  # it sees something else as well, or something that moves
    STOPPED = "stopped"  # before its time, by somebody who knows why
    PERHAPS_A_CAR = "perhaps a car"  # steady, and nothing tells it from a car that is still far away


@dataclass(frozen=True, slots=True)
class ForkLine:
    """A line of the table."""

    hertz: float
    kmh: float
    mph: float


@dataclass(frozen=True, slots=True)
class ForkReading:
    """What a radar read of a held fork, km/h."""

    expected_kmh: float
    tolerance_kmh: float
    readings: int
    verdict: ForkVerdict
    mean_kmh: float | None = None
    low_kmh: float | None = None  # 95 % interval of the mean
    high_kmh: float | None = None
    spread_kmh: float | None = None  # standard deviation of a reading
    stray: int = 0  # readings far off, left out
    stuck: bool = False  # all the same to the last digit: right for whole km/h, odd for tenths
    sways: bool = False  # now approaching, now receding, as only a fork does
    alone: bool = False  # somebody says that there was no car


def hertz_of(kmh: float, carrier_ghz: float = CARRIER_GHZ) -> float:
    """The fork that reads as a speed.

    >>> round(hertz_of(50.0))
    2235
    """
    _check_positive(speed=kmh, carrier=carrier_ghz)
    return 2.0 * kmh / _KMH_PER_MPS * carrier_ghz * 1e9 / LIGHT_MPS


def kmh_of(hertz: float, carrier_ghz: float = CARRIER_GHZ) -> float:
    """The speed that a fork reads as; inverse of `hertz_of`."""
    _check_positive(frequency=hertz, carrier=carrier_ghz)
    return hertz * LIGHT_MPS / (2.0 * carrier_ghz * 1e9) * _KMH_PER_MPS


def kmh_on(stamped_kmh: float, stamped_ghz: float, carrier_ghz: float = CARRIER_GHZ) -> float:
    """What a fork that is stamped for another band reads as: 35 for X band (10.525 GHz) is 15 here."""
    return kmh_of(hertz_of(stamped_kmh, stamped_ghz), carrier_ghz)


def table(speeds: Sequence[float], unit: Unit = Unit.KMH, carrier_ghz: float = CARRIER_GHZ) -> list[ForkLine]:
    """Forks for speeds in a unit."""
    lines = []
    for speed in speeds:
        kmh = speed * unit.kmh
        lines.append(ForkLine(hertz_of(kmh, carrier_ghz), kmh, kmh / Unit.MPH.kmh))
    return lines


def judge(
    readings_kmh: Sequence[float],
    expected_kmh: float,
    tolerance_kmh: float = 1.0,
    step_kmh: float = 0.0,
    directions: Sequence[Direction] = (),
    *,
    alone: bool = False,
) -> ForkReading:
    """Judge what the radar read while the fork was held before it, in the order in which it was read.

    `step_kmh`: the steps in which the radar tells speeds; its readings may be off by half of one, and their
    mean no better. Readings more than three tolerances off are of something else. `directions`: one for each
    reading; where they do not sway as a fork's, a verdict needs a person who says that the fork was there and
    no car: `alone`. Raises ValueError for impossible numbers.
    """
    _check_positive(speed=expected_kmh, tolerance=tolerance_kmh)
    if not all(isfinite(one) and one >= 0.0 for one in (*readings_kmh, step_kmh)):
        raise ValueError("readings and steps have to be numbers of 0 or more")
    far_kmh = _FAR * tolerance_kmh + step_kmh
    places = [place for place, one in enumerate(readings_kmh) if abs(one - expected_kmh) <= far_kmh]
    stray = len(readings_kmh) - len(places)
    n = len(readings_kmh)
    blank = ForkReading(expected_kmh, tolerance_kmh, n, ForkVerdict.UNSTEADY, stray=stray, alone=alone)
    if places and stray > _STRAY_SHARE * n:
        return blank
    if not places:
        # All alike and far off: a fork of another band, a wrong unit or carrier, and no absence.
        places, blank = list(range(n)), replace(blank, stray=0)
    sways = _sways([directions[place] for place in places]) if directions else False
    judged = _judged([readings_kmh[place] for place in places], step_kmh, replace(blank, sways=sways))
    if sways or alone or judged.verdict not in (ForkVerdict.WITHIN, ForkVerdict.OUTSIDE):
        return judged
    return replace(judged, verdict=ForkVerdict.PERHAPS_A_CAR)


def _judged(near: Sequence[float], step_kmh: float, blank: ForkReading) -> ForkReading:
    n = len(near)
    if n < LEAST_READINGS:
        return replace(blank, verdict=ForkVerdict.NOT_YET_KNOWN if n else ForkVerdict.ABSENT)
    mean_kmh, spread_kmh = fmean(near), stdev(near)
    blank = replace(blank, mean_kmh=mean_kmh, spread_kmh=spread_kmh)
    if spread_kmh > max(_STEADY_KMH, 0.6 * step_kmh) or _moves(near, spread_kmh, step_kmh):
        return blank
    half_kmh = max(quantile(n - 1) * spread_kmh / sqrt(n), step_kmh / 2 if spread_kmh < step_kmh / 2 else 0.0)
    low_kmh, high_kmh = mean_kmh - half_kmh, mean_kmh + half_kmh
    return replace(
        blank,
        verdict=_verdict(low_kmh - blank.expected_kmh, high_kmh - blank.expected_kmh, blank.tolerance_kmh),
        low_kmh=low_kmh,
        high_kmh=high_kmh,
        stuck=spread_kmh < _NO_SPREAD,
    )


def _moves(near: Sequence[float], spread_kmh: float, step_kmh: float) -> bool:
    """Whether the end reads otherwise than the beginning: a car that brakes, or comes near."""
    part = len(near) // 3
    error_kmh = spread_kmh * sqrt(2 / part)
    moved_kmh = abs(fmean(near[-part:]) - fmean(near[:part]))
    return moved_kmh > max(_STEADY_KMH, step_kmh, _SURE * error_kmh)


def _sways(directions: Sequence[Direction]) -> bool:
    """Whether the direction changes all the time; cars that come one after the other change it once each."""
    told = [one for one in directions if one is not Direction.UNKNOWN]
    changes = sum(one is not other for one, other in pairwise(told))
    fewest = min(told.count(one) for one in (Direction.APPROACHING, Direction.RECEDING))
    return changes >= max(3, _SWAYS * len(directions)) and fewest >= _EACH_WAY * len(directions)


def _verdict(low: float, high: float, tolerance: float) -> ForkVerdict:
    if -tolerance <= low and high <= tolerance:
        return ForkVerdict.WITHIN
    if low > tolerance or high < -tolerance:
        return ForkVerdict.OUTSIDE
    return ForkVerdict.NOT_YET_KNOWN


def obstacles(facts: RadarFacts, fork_kmh: float, min_kmh: float = 0.0, max_kmh: float = 300.0) -> list[str]:
    """Why a radar may not see a fork, in sentences; empty: nothing known stands against it.

    `min_kmh` and `max_kmh` are what the radar is set to. From the facts alone: nobody has tried each model.
    """
    _check_positive(speed=fork_kmh)
    found = []
    if fork_kmh < min_kmh:
        found.append(f"the fork reads {fork_kmh:.0f} km/h and the radar reports from {min_kmh:g} km/h on")
    if fork_kmh > max_kmh:
        found.append(f"the fork reads {fork_kmh:.0f} km/h and the radar reports up to {max_kmh:g} km/h")
    if facts.gives_range:
        found.append(
            "a radar that tells ranges looks for something that moves along: a fork stays where it is, nearer"
            " than its nearest range"
        )
    if facts.direction != "not at all":
        found.append(
            "a fork swings both ways: a radar that tells the direction may report it as approaching, as"
            " receding, by turns, or drop it as no vehicle; both directions count"
        )
    return found


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not (isfinite(value) and value > 0.0):
            raise ValueError(f"the {name} has to be a number above 0")
