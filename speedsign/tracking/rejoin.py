"""Whether a track that has just begun is an earlier one that goes on, or another vehicle.

Readings that do not clearly continue a track begin one of their own. When it is old enough to show how it
began, it is held against every earlier track of its direction that is still waited for.
"""

from __future__ import annotations

from math import sqrt

from speedsign.tracking.junction import breach
from speedsign.tracking.noise import Noise
from speedsign.tracking.params import TrackingParams
from speedsign.tracking.track import Track, same_way

_FEW, _FEW_PART, _FEW_S = 3, 0.25, 2.0  # fewer readings tell little: they must fit so well, and come soon
_LATER_PER_S, _SOON_S = 1.0, 0.5  # the longer unseen, the more others can have come: it must fit better
_APART_SURE, _APART_KMH, _APART_STEPS = 2.0, 0.5, 1.0  # of two that are seen by turns
_APART_M = 6.0
_MOVES_OFF_KMH, _STANDS_STEP, _MOVES_OFF_UNHEARD = 10.0, 1.2, 0.9  # of one that had come to a halt


def misjoin(earlier: Track, later: Track, noise: Noise, params: TrackingParams) -> float | None:
    """How badly `later` continues `earlier`, 0 to 1; None: they are two vehicles."""
    if not same_way(earlier.direction, later.direction):
        return None
    if later.t_first_s < earlier.t_last_s:
        return _by_turns(earlier, later, noise)
    if earlier.stands(params):
        return _moves_off(earlier, later, params)
    unseen_s = later.t_first_s - earlier.t_last_s
    if later.count < _FEW and unseen_s > _FEW_S:
        return None
    direction = earlier.direction
    part = breach(earlier.series.end(direction), later.series.beginning(direction), direction, noise)
    part *= 1.0 + _LATER_PER_S * max(unseen_s - _SOON_S, 0.0)
    return part if part <= (1.0 if later.count >= _FEW else _FEW_PART) else None


def _moves_off(earlier: Track, later: Track, params: TrackingParams) -> float | None:
    """One had come to a halt: who begins as slowly, as loud and at the same place, moves off again."""
    begins = later.series.beginning(later.direction)
    if begins.speed_kmh > params.min_speed_kmh + _MOVES_OFF_KMH or later.count < _FEW:
        return None
    if earlier.range_m is not None and begins.range_m is not None:
        away = abs(earlier.range_m - begins.range_m) / _APART_M
        return away if away <= 1.0 else None
    stood = earlier.series.end(earlier.direction)
    if stood.level is None or begins.level is None:
        return _MOVES_OFF_UNHEARD
    step = abs(stood.level - begins.level) / _STANDS_STEP
    return step if step <= 1.0 else None


def _by_turns(earlier: Track, later: Track, noise: Noise) -> float | None:
    """Both are seen by turns: one vehicle only where the noise alone parts them."""
    place_m = earlier.place_m(later.t_last_s)
    if place_m is not None and later.range_m is not None and abs(place_m - later.range_m) > _APART_M:
        return None
    one, other = earlier.series.end(earlier.direction), later.series.end(later.direction)
    t_s = min(one.t_s, other.t_s)
    apart_kmh = abs(one.at(t_s) - other.at(t_s))
    unsure_kmh = _APART_SURE * noise.speed_kmh * sqrt(one.variance + other.variance)
    room_kmh = _APART_KMH + max(unsure_kmh, _APART_STEPS * noise.step_kmh)
    return apart_kmh / room_kmh if apart_kmh < room_kmh else None
