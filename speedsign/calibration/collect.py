"""The approaches that a calibration works with, as the tracker parts them from the readings."""

from __future__ import annotations

from speedsign.calibration.approach import LEAST_READINGS, Approach
from speedsign.model import Direction
from speedsign.tracking import Tracker, TrackingParams
from speedsign.tracking.track import Track

MOST_KEPT = 2000  # approaches that nobody has taken


class CollectingTracker(Tracker):
    """The sign's own tracker that also keeps the readings of approaching vehicles until they are taken."""

    def __init__(self, params: TrackingParams | None = None) -> None:
        super().__init__(params)
        self._approaches: list[Approach] = []

    def take_approaches(self) -> list[Approach]:
        """The approaches that have ended since the last call, in that order."""
        self.settle()
        taken, self._approaches = self._approaches, []
        return taken

    def _end(self, tracks: list[Track]) -> None:
        for track in tracks:
            series = track.series
            approaches = track.direction is Direction.APPROACHING and track.confirmed
            if approaches and len(series) >= LEAST_READINGS and len(self._approaches) < MOST_KEPT:
                ranges = tuple(series.ranges)
                self._approaches.append(Approach(tuple(series.times), tuple(series.speeds), ranges))
        super()._end(tracks)
