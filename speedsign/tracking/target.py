"""Which of the vehicles in sight is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from speedsign.model import Direction, Target
from speedsign.tracking.params import TrackingParams
from speedsign.tracking.track import Track

_FRESH_S = 0.7  # a target that was not seen for so long yields to one that is
_STRONGER = 2.0  # another target takes over when it is so much stronger


class TargetChoice:
    """Keeps to the vehicle shown before, while it is seen and not outshone.

    As many reports as confirm a vehicle, all without the one shown, hand the display to another.
    """

    def __init__(self, params: TrackingParams) -> None:
        self._params = params
        self._id: int | None = None

    def choose(
        self, tracks: Iterable[Track], t_mono_s: float, directions: Collection[Direction], report: int
    ) -> Target | None:
        """The vehicle to show at this moment, `report` being the number of the last report."""
        live = [
            track
            for track in tracks
            if track.confirmed and track.direction in directions and t_mono_s - track.t_last_s <= _FRESH_S
        ]
        if not live:
            self._id = None
            return None
        chosen = live[0] if len(live) == 1 else self._chosen(live, report)
        self._id = chosen.id
        speed_kmh = chosen.live_speed_kmh(self._params.smoothing_readings) * self._params.correction
        return Target(
            chosen.id,
            speed_kmh,
            chosen.direction,
            chosen.t_last_s,
            chosen.count,
            chosen.strength,
            chosen.range_m,
        )

    def renamed(self, old_id: int, new_id: int) -> None:
        """A track has turned out to be what an earlier one goes on as."""
        if self._id == old_id:
            self._id = new_id

    def _chosen(self, live: list[Track], report: int) -> Track:
        seen = [track for track in live if self._still_seen(track, report)] or live
        chosen = max(seen, key=self._prominence)
        kept = next((track for track in live if track.id == self._id), None)
        if kept is not None and self._still_seen(kept, report) and not self._outshines(chosen, kept):
            return kept
        return chosen

    def _still_seen(self, track: Track, report: int) -> bool:
        return report - track.report < self._params.confirm_readings

    def _prominence(self, track: Track) -> tuple[float, float, float]:
        """What is preferred first, as far as the radar tells it; at last whoever was seen last."""
        nearness = -track.range_m if track.range_m is not None else 0.0
        strength = track.strength or 0.0
        if self._params.prefer == "strongest":
            return strength, nearness, track.t_last_s
        return nearness, strength, track.t_last_s

    def _outshines(self, other: Track, kept: Track) -> bool:
        by_strength = self._params.prefer == "strongest" and None not in (other.strength, kept.strength)
        if not by_strength and other.range_m is not None and kept.range_m is not None:
            return other.range_m < kept.range_m
        if other.strength is not None and kept.strength is not None:
            return other.strength > _STRONGER * kept.strength
        return False
