"""Vehicles of a soak: who passed, who was counted, and whether sign and hub have the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from benchmarks.soak.rig import look

VIEW_M = 110.0  # a vehicle is heard no farther away
VIEW_S = 15.0  # and seldom longer
_LATE_S = 2.0
_ALIKE_KMH = 8.0
_COUNTS = (
    "SELECT start_s, duration_s, direction, display, speed_kmh, sum(n) FROM interval"
    " JOIN speed_count ON interval_id = interval.id GROUP BY 1, 2, 3, 4, 5"
)


@dataclass(frozen=True, slots=True)
class Passed:
    """One that was there, in seconds since the machine was switched on."""

    enter_s: float
    exit_s: float
    direction: str
    kmh: float

    @classmethod
    def of(cls, said: Mapping[str, Any], zero_s: float) -> Passed:
        exit_s = zero_s + said["t_s"]
        return cls(
            exit_s - VIEW_M * 3.6 / said["speed_kmh"], exit_s, said["direction"], float(said["speed_kmh"])
        )

    def meets(self, from_s: float, to_s: float) -> bool:
        return self.enter_s < to_s and from_s < self.exit_s


@dataclass(frozen=True, slots=True)
class Tally:
    passed: int
    counted: int
    while_away: int  # not counted: the radar was away, or only noise came from it
    beside_another: int  # not counted: a radar of one target hears the louder of two
    for_no_reason: int  # not counted
    twice: int  # counted, and nobody is left who could have been it


Kept = tuple[float, str, float]  # s since boot, direction, km/h


def tally(there: Sequence[Passed], kept: Sequence[Kept], away: Sequence[tuple[float, float]]) -> Tally:
    """`away`: when no radar could be heard."""
    left = set(range(len(there)))
    # First whom they fit, then whom they fit but for the speed: of two abreast the readings are mixed.
    rest = _matched(there, _matched(there, kept, left, _ALIKE_KMH), left, inf)
    twice = sum(not _in_parts(there, one, away) for one in rest)
    why = Counter(_why(there, n, away) for n in left)
    return Tally(len(there), len(kept), why["away"], why["beside"], why[""], twice)


def _matched(there: Sequence[Passed], kept: Sequence[Kept], left: set[int], within_kmh: float) -> list[Kept]:
    """Take from `left` whom each could have been; those that could have been nobody."""
    rest = []
    for one in kept:
        at_s, direction, kmh = one
        alike = [
            n
            for n in left
            if there[n].direction == direction
            and abs(there[n].kmh - kmh) <= within_kmh
            and there[n].enter_s - _LATE_S <= at_s <= there[n].exit_s + _LATE_S
        ]
        if alike:
            left.remove(min(alike, key=lambda n: abs(there[n].exit_s - at_s) + abs(there[n].kmh - kmh) / 2))
        else:
            rest.append(one)
    return rest


def _in_parts(there: Sequence[Passed], one: Kept, away: Sequence[tuple[float, float]]) -> bool:
    """Seen before and after the radar was away, or still in view at the end."""
    at_s = one[0]
    cut = any(from_s - VIEW_S <= at_s <= to_s + VIEW_S for from_s, to_s in away)
    return cut or at_s > max((other.exit_s for other in there), default=0.0) - VIEW_S


def _why(there: Sequence[Passed], n: int, away: Sequence[tuple[float, float]]) -> str:
    one = there[n]
    if any(one.meets(from_s - _LATE_S, to_s + _LATE_S) for from_s, to_s in away):
        return "away"
    others = (other for m, other in enumerate(there) if m != n)
    return "beside" if any(other.meets(one.enter_s, one.exit_s) for other in others) else ""


def counts(path: Path) -> dict[tuple[Any, ...], int]:
    """By interval, direction, display and km/h, whatever revision it is of."""
    return {row[:-1]: row[-1] for row in look(path, _COUNTS)}


@dataclass(frozen=True, slots=True)
class AtHub:
    """What became of what the sign counted."""

    intervals: int
    vehicles: int
    lost: int
    doubled: int


def at_hub(sign: dict[tuple[Any, ...], int], hub: dict[tuple[Any, ...], int]) -> AtHub:
    lost = sum(max(n - hub.get(cell, 0), 0) for cell, n in sign.items())
    doubled = sum(max(n - sign.get(cell, 0), 0) for cell, n in hub.items())
    return AtHub(len({cell[:2] for cell in sign}), sum(sign.values()), lost, doubled)
