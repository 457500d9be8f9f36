"""From a live target to what the driver sees.

Pure: (what was shown, live target, time, rules) -> what is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from speedsign.model import BLANK, Direction, Face, Target

# No number outlives the last reading of its vehicle by 5 s, whatever is configured: decided so early that a
# panel which misses the first request is dark by then.
HARD_LIMIT_S = 4.0


@dataclass(frozen=True, slots=True)
class Rules:
    """Thresholds are inclusive: the minimum and the ceiling themselves are still shown."""

    minimum_kmh: int = 10
    ceiling_kmh: int = 100  # above it: dark, so that nobody races the sign; still recorded
    directions: frozenset[Direction] = frozenset({Direction.APPROACHING})
    hold_s: float = 1.5
    min_change_interval_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown, since when, for which vehicle, and when that vehicle was last seen."""

    face: Face = BLANK
    since_mono_s: float = -math.inf
    track_id: int | None = None
    seen_mono_s: float = -math.inf


DARK = Shown()


def rounded(speed_kmh: float) -> int:
    """The number shown for a speed: half up, so that 49.5 and 50.4 both read 50."""
    return math.floor(speed_kmh + 0.5)


def step(before: Shown, target: Target | None, t_mono_s: float, rules: Rules) -> Shown:
    """What is shown at `t_mono_s`."""
    if target is None or target.direction not in rules.directions:
        return _without_target(before, t_mono_s, rules)
    number = rounded(target.speed_kmh)
    if not rules.minimum_kmh <= number <= rules.ceiling_kmh:
        return _dark(before, t_mono_s, target)
    if t_mono_s - target.t_last_mono_s > _hold_s(rules):
        return _dark(before, t_mono_s, None)
    return _with_number(before, number, target, t_mono_s, rules)


def next_check_s(shown: Shown, rules: Rules) -> float | None:
    """When `step` may decide otherwise though nothing new was seen; None: never."""
    return None if shown.face.is_blank else shown.seen_mono_s + _hold_s(rules)


def _with_number(before: Shown, number: int, target: Target, t_mono_s: float, rules: Rules) -> Shown:
    seen_s = target.t_last_mono_s
    if before.face.number == number:
        return replace(before, track_id=target.track_id, seen_mono_s=seen_s)
    too_soon = t_mono_s - before.since_mono_s < rules.min_change_interval_s
    if too_soon and before.track_id == target.track_id and not before.face.is_blank:
        return replace(before, seen_mono_s=seen_s)
    return Shown(Face(number), t_mono_s, target.track_id, seen_s)


def _without_target(before: Shown, t_mono_s: float, rules: Rules) -> Shown:
    if before.face.is_blank or t_mono_s - before.seen_mono_s < _hold_s(rules):
        return before
    return _dark(before, t_mono_s, None)


def _dark(before: Shown, t_mono_s: float, target: Target | None) -> Shown:
    if before.face.is_blank:
        return before
    return Shown(BLANK, t_mono_s, target.track_id if target else None, t_mono_s)


def _hold_s(rules: Rules) -> float:
    return min(rules.hold_s, HARD_LIMIT_S)
