"""Readings that are an image of a strong echo: its mirror the other way, or twice its speed."""

from __future__ import annotations

from collections.abc import Iterable

from speedsign.model import Reading
from speedsign.tracking.params import TrackingParams
from speedsign.tracking.track import Track

_MIRROR_KMH, _DOUBLE_PART = 1.5, 0.03  # how far an image lies off the same speed, and off twice the speed
_WEAKER = 0.7  # it has so much of the strength at most
_SEEN_S = 0.5  # and its original was seen within so long


def original_of(reading: Reading, tracks: Iterable[Track], params: TrackingParams) -> Track | None:
    """The live vehicle that a reading may be an image of."""
    for track in tracks:
        together = track.t_last_s == reading.t_mono_s  # both for the first time: an image can come at once
        if not (track.confirmed or together) or reading.t_mono_s - track.t_last_s > _SEEN_S:
            continue
        if track.strength is not None and (reading.strength or 0.0) > _WEAKER * track.strength:
            continue
        speed_kmh = track.live_speed_kmh(params.smoothing_readings)
        if track.direction is not reading.direction:
            if abs(reading.speed_kmh - speed_kmh) <= _MIRROR_KMH:
                return track
        elif abs(reading.speed_kmh - 2 * speed_kmh) <= _DOUBLE_PART * reading.speed_kmh:
            return track
    return None
