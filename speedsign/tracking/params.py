"""What the tracker assumes about cars and radars; few numbers, all physical."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

KMH_PER_MPS = 3.6


@dataclass(frozen=True, slots=True)
class TrackingParams:
    """The defaults need no tuning; the first six can be set in the config."""

    min_speed_kmh: float = 10.0  # slower is rain, branches and walkers
    max_speed_kmh: float = 200.0
    confirm_readings: int = 3  # agreeing readings that make a track a vehicle
    smoothing_readings: int = 3  # the live speed is their median; 1: the last reading itself
    gap_s: float = 1.5  # not seen for so long: it has passed
    prefer: Literal["nearest", "strongest"] = "nearest"  # of several in sight: the one to show
    hidden_s: float = 5.0  # … unless somebody stronger is in front of it

    stands_s: float = 40.0  # … and unless it came to a halt there: a bus stop, a junction
    mounting_angle_deg: float = 0.0  # between beam and road; speeds are divided by its cosine

    noise_min_kmh: float = 1.0  # how far one reading may lie off, of the quietest sensor
    noise_max_kmh: float = 3.0  # and of the noisiest
    speed_up_kmh_s: float = 3.0 * KMH_PER_MPS  # a car that accelerates hard
    brake_kmh_s: float = 8.0 * KMH_PER_MPS  # a car that brakes as hard as tyres allow
    emerge_kmh_s: float = 12.0 * KMH_PER_MPS  # radial speed of a car that leaves the pole behind it

    confirm_within_s: float = 1.0  # the confirming readings must come this close together
    image_readings: int = 8  # what may be an image of another vehicle has to insist for so long
    min_readings: int = 4  # fewer are no vehicle, whatever they agree on
    min_duration_s: float = 0.25
    slow_kmh: float = 30.0  # slower ones are in sight for long: what is not, are drops of rain that agree
    slow_readings: int = 8
    slow_duration_s: float = 1.0

    @property
    def correction(self) -> float:
        """What a radial speed is multiplied by: the beam sees speed times the cosine of its angle."""
        return 1.0 / math.cos(math.radians(self.mounting_angle_deg))


MAX_TRACKS = 24  # more at once is noise; the least certain one is dropped
MAX_READINGS = 1024  # kept per track; a longer one keeps every second reading, then every fourth, …
