"""From readings to vehicles: pure, deterministic, the same live and replayed."""

from speedsign.tracking.params import TrackingParams
from speedsign.tracking.tracker import VERSION, Tracker

__all__ = ["VERSION", "Tracker", "TrackingParams"]
