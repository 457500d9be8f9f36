"""One vehicle that came towards the radar: at which angle was it seen, by its own readings?

The radial speed r is how fast the distance R to the radar shrinks, whatever the driver does. So the
distances at all readings are known but for one, the last: the others are that one and the speeds since.
With d the distance from the radar to the line that the vehicle drives along, the cosine at a distance R is
sqrt(1 - d^2/R^2), and the speed along the road is r over it. At a steady speed v

    r^2 = v^2 - v^2 d^2 / R^2,

a straight line over 1/R^2 for each last distance that is tried. The one that fits best tells d, and with
it the angle of every reading. A driver who gains or loses a little adds a term that grows with the way
(u^2 = v^2 + 2 a way); it is held small by what drivers usually do. Where it is known from others how far
away the lane is, d is held to that, as far as cars keep to the middle of a lane.

Where the radar tells ranges, the last distance is what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import exp, isfinite, log, sqrt
from statistics import median
from typing import NamedTuple

from speedsign.calibration.line import FARTHEST_M, NEAREST_M, Best, best_of, line_of, rows_of
from speedsign.model import Direction
from speedsign.tracking.params import KMH_PER_MPS
from speedsign.tracking.speeds import UPPER, far_part, smoothed

LEAST_READINGS, LEAST_S = 10, 0.8
NOISE_MPS, LEAST_NOISE_MPS = 0.1, 0.05  # of a reading: until it is known, and at least
LANE_SPREAD = 0.1  # standard deviation of ln d: cars keep so near to the middle of a lane
LANES_M = tuple(2.0 * 1.1**i for i in range(27))  # 2 to 24 m, the radar's height included
_FEW_LANES_M = LANES_M[2:-2:4]
_STEP, _STEPS = 0.06, 4  # of ln d around a known lane
_RANGE_OFF_M = 1.0  # standard deviation of what a radar's ranges are off, all of them together
_CLIPPED = 3.0  # standard deviations: readings farther off count no more than that
_NEAR_M = 40.0  # before the last reading: farther away the cosine hardly bends, and drivers brake
_SLOWEST_MPS = 1.0  # a line that says so of a reading explains nothing
_MOST_KEPT = 40  # readings that a line is laid through
_TO_SD = 1.4826  # from the median of absolute deviations


class Approach(NamedTuple):
    """The readings of one approaching vehicle, in order of time; `ranges_m`: empty, or one for each."""

    times_s: Sequence[float]
    speeds_kmh: Sequence[float]  # radial, as the radar says them
    ranges_m: Sequence[float] = ()


class Seen(NamedTuple):
    """What the readings of one vehicle tell."""

    angle_deg: float  # between line of sight and way, at its representative reading
    sd_deg: float  # standard deviation of that, by the noise of the readings
    beside_m: float  # from the radar to the line of its way
    along_kmh: float  # its speed along the road at the last reading
    radial_kmh: float  # the representative radial speed: what the tracker divides by the angle's cosine
    accel_mps2: float
    misfit_mps: float  # root mean square of what its readings are off


def checked(approach: Approach) -> Approach:
    """The approach itself; raises ValueError for what no series of readings can be."""
    times, speeds, ranges = approach
    if not times or len(times) != len(speeds) or len(ranges) not in (0, len(times)):
        raise ValueError("an approach needs as many speeds as times, and as many ranges or none")
    if not all(isfinite(value) for column in approach for value in column):
        raise ValueError("times, speeds and ranges of an approach have to be numbers")
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("the readings of an approach have to be in order of time")
    if min(speeds) < 0.0 or min(ranges, default=0.0) < 0.0:
        raise ValueError("speeds and ranges of an approach cannot be negative")
    return approach


def representative(times_s: Sequence[float], speeds_kmh: Sequence[float]) -> tuple[int, float]:
    """Which reading stands for an approach, and the radial speed (km/h) that the tracker makes of it.

    The upper quartile of the readings away from the pole, as in `speedsign.tracking.speeds`: at a steady
    speed the one that a quarter of them precede.
    """
    far = smoothed(far_part(times_s, speeds_kmh, Direction.APPROACHING))
    place = min(int(UPPER * len(far)), len(far) - 1)
    return len(far) - 1 - place, sorted(far)[place]


class Fits:
    """An approach, and how well lanes and last distances explain it.

    `noise_mps`: standard deviation of one of its readings.
    """

    def __init__(self, approach: Approach, noise_mps: float = NOISE_MPS) -> None:
        """Raises ValueError for impossible readings; `usable` is False for too few."""
        times, speeds, ranges = checked(approach)
        long_enough = len(times) >= LEAST_READINGS and times[-1] - times[0] >= LEAST_S
        self.usable = long_enough and min(speeds) > 0.0
        self.noise_mps = noise_mps
        if not self.usable:
            return
        self._which, self._radial_kmh = representative(times, speeds)
        radial = [speed / KMH_PER_MPS for speed in speeds]
        calm = [radial[0], *smoothed(radial)[1:-1], radial[-1]]  # a spike is no way; the ends sweep
        self._ahead = _ahead(times, calm)
        near = sum(ahead <= _NEAR_M for ahead in self._ahead)
        first = len(times) - max(near, LEAST_READINGS)
        kept = range(len(times) - 1, first - 1, -((len(times) - 1 - first) // _MOST_KEPT + 1))
        self._radial = [radial[i] for i in kept]
        self._kept = [self._ahead[i] for i in kept]
        self._told_m = None if not ranges else _last_range(self._ahead, ranges)
        calm = [calm[i] for i in kept]
        self._rows = rows_of(calm, self._kept, calm)
        self._settle()

    def own_noise_mps(self) -> float:
        """How far its readings lie off its own best line, each."""
        misfit = min(best.line.misfit for best in self._bests(_FEW_LANES_M))
        return max(sqrt(misfit / max(len(self._radial) - 4, 1)), LEAST_NOISE_MPS)

    def against(self, lanes_m: Sequence[float]) -> list[float]:
        """How badly each lane explains the readings: sums of squares in standard deviations."""
        return [self._score(best) for best in self._bests(lanes_m)]

    def without_lane(self) -> float:
        """The same for a radial speed that does not fall but by braking."""
        return line_of(self._rows, 0.0, FARTHEST_M, self.noise_mps).misfit / self.noise_mps**2

    def seen(self, lane_m: float) -> Seen:
        """What the readings tell about a car that keeps to this lane."""
        steps = [i * _STEP for i in range(-_STEPS, _STEPS + 1)]
        bests = self._bests([lane_m * exp(step) for step in steps])
        held = [(step / LANE_SPREAD) ** 2 for step in steps]
        scores = [self._score(best) + more for best, more in zip(bests, held, strict=True)]
        least = min(scores)
        line = bests[scores.index(least)].line
        ahead_m = self._ahead[self._which]
        total = mean = square = 0.0
        for score, best in zip(scores, bests, strict=True):
            likely = exp(max((least - score) / 2, -700.0))
            angle_deg = best.line.angle_deg(ahead_m)
            within_deg = angle_deg * best.last_part(ahead_m) * best.place_sd * self.noise_mps
            total += likely
            mean += likely * angle_deg
            square += likely * (angle_deg * angle_deg + within_deg * within_deg)
        mean /= total
        return Seen(
            angle_deg=mean,
            sd_deg=sqrt(max(square / total - mean * mean, 0.0)),
            beside_m=line.beside_m,
            along_kmh=sqrt(line.v2) * KMH_PER_MPS,
            radial_kmh=self._radial_kmh,
            accel_mps2=-line.gain / 2,
            misfit_mps=sqrt(line.misfit / len(self._radial)),
        )

    def _settle(self) -> None:
        """Weigh the readings by the best line, and bring those far off it nearer."""
        line = min(self._bests(_FEW_LANES_M), key=lambda best: best.line.misfit).line
        fitted = [line.speed_mps(ahead) for ahead in self._kept]
        if min(fitted) < _SLOWEST_MPS:
            return
        off = [r - f for r, f in zip(self._radial, fitted, strict=True)]
        most = _CLIPPED * max(_TO_SD * median(abs(one) for one in off), LEAST_NOISE_MPS)
        clipped = [f + min(max(one, -most), most) for f, one in zip(fitted, off, strict=True)]
        self._rows = rows_of(clipped, self._kept, fitted)

    def _bests(self, lanes_m: Sequence[float]) -> list[Best]:
        """For each lane the best last place: what is found for one is tried first for the next."""
        found: list[Best] = []
        for lane_m in lanes_m:
            near = found[-1].place if found else None
            if self._told_m is not None:
                near = log(max(sqrt(max(self._told_m**2 - lane_m**2, 0.0)), NEAREST_M))
            found.append(best_of(self._rows, lane_m, self.noise_mps, near))
        return found

    def _score(self, best: Best) -> float:
        score = best.line.misfit / self.noise_mps**2
        if self._told_m is not None:
            score += ((best.line.last_m - self._told_m) / _RANGE_OFF_M) ** 2
        return score


def _ahead(times: Sequence[float], speeds: Sequence[float]) -> Sequence[float]:
    """What each reading was farther away than the last, m: the way between them."""
    ahead = [0.0] * len(times)
    for i in range(len(times) - 2, -1, -1):
        ahead[i] = ahead[i + 1] + (speeds[i] + speeds[i + 1]) / 2 * (times[i + 1] - times[i])
    return ahead


def _last_range(ahead_m: Sequence[float], ranges_m: Sequence[float]) -> float:
    """The distance at the last reading: what most ranges agree on."""
    away_m = median(told - ahead for told, ahead in zip(ranges_m, ahead_m, strict=True))
    return max(float(away_m), NEAREST_M)
