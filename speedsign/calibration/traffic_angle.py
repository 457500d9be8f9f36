"""The mounting angle from traffic itself.

What `mounting_angle_deg` has to be is not where the radar points but under which angle it reads cars: the
tracker takes the upper quartile of a car's radial speeds and divides it by the cosine of that angle. A
radar that is turned 25 degrees towards a lane 5 m away still reads most cars at 9 degrees, because it hears
them long before they come into the middle of its beam; divided by the cosine of 25, speeds would be 9 %
too high. So the angle that is sought is the one between line of sight and road at that reading, in the
middle of all passages: the mean of their middle half. It follows from the speeds alone (`approach`), with
any radar that tells approaching cars apart.

All passages together tell how far away the lane is, and with that each tells its angle. Left out are drivers
who brake or pull away in the beam, and tracks that are two cars. The interval is that of the trimmed mean
(`trimmed`), widened by what the method itself may be off.

What speeds alone cannot tell: an angle that the sensor itself corrects for. It makes all speeds, and with
them all distances, larger by one factor, and the angles stay as they are. A radar that tells ranges gives
it away: see `sensor_angle`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, hypot, radians
from statistics import median

from speedsign.calibration.approach import LANES_M, NOISE_MPS, Approach, Fits, Seen
from speedsign.calibration.trimmed import middle_of

LEAST_PASSAGES = 30
TRIMMED = 0.25  # of the angles, at either end
LEAST_SHARE = 0.3  # of the passages that can be used: fewer, and what is left is a selection
# By how many squares of standard deviations a lane explains readings better than none: less is no fall.
_FALL = 12.0
_MOST_AGAINST = 9.0  # how much one passage can say against a lane: some change lanes, or are two
_ACCEL_MPS2 = 0.9  # a driver who does more is braking, or pulling away
_MISFIT_MPS, _MISFIT_TIMES = 0.3, 3.0  # more, or so many times the usual: two cars, or one that turned off
_UNSURE_DEG, _UNSURE_PART = 1.0, 0.4  # a passage that tells its angle worse tells nothing
# What may shift all passages alike, habits of drivers and noise: degrees, parts, parts for each m/s of noise.
_METHOD_DEG, _METHOD_PART, _METHOD_NOISE = 0.5, 0.03, 0.25

SHORT, NO_FALL = "short", "no fall"
UNSTEADY, MISFITS, UNSURE = "brakes or pulls away", "does not fit", "unsure"


@dataclass(frozen=True, slots=True)
class TrafficAngle:
    """An estimate with its 95 % interval, in degrees."""

    angle_deg: float
    low_deg: float
    high_deg: float
    passages: int  # that it rests on
    rejected: Mapping[str, int]  # the others, by reason
    beside_m: float  # from the radar to the lane's middle, height included: the middle of the passages
    error_percent: float  # what speeds are wrong by where the angle is left out: negative, too low

    @property
    def half_width_deg(self) -> float:
        return (self.high_deg - self.low_deg) / 2


@dataclass(frozen=True, slots=True)
class CannotTell:
    """Why traffic does not tell the angle, in a sentence."""

    reason: str
    passages: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)


def traffic_angle(approaches: Iterable[Approach]) -> TrafficAngle | CannotTell:
    """The angle from the readings of many approaching vehicles; raises ValueError for impossible readings."""
    approaches = list(approaches)
    if not approaches:
        return CannotTell("no vehicle has approached yet")
    rejected: Counter[str] = Counter()
    seen, noise_mps = _sorted_out(approaches, rejected)
    refusal = _refusal(len(approaches), len(seen), rejected)
    if refusal is not None:
        return CannotTell(refusal, len(seen), dict(+rejected))
    angle_deg, by_chance_deg = middle_of([one.angle_deg for one in seen], TRIMMED)
    method_deg = hypot(_METHOD_DEG, (_METHOD_PART + _METHOD_NOISE * noise_mps) * angle_deg)
    half_deg = hypot(by_chance_deg, method_deg)
    return TrafficAngle(
        angle_deg=angle_deg,
        low_deg=max(angle_deg - half_deg, 0.0),
        high_deg=angle_deg + half_deg,
        passages=len(seen),
        rejected=dict(+rejected),
        beside_m=median(one.beside_m for one in seen),
        error_percent=100.0 * (cos(radians(angle_deg)) - 1.0),
    )


def lane_of(fits: Sequence[Fits]) -> float:
    """How far the lane is from the radar, m, height included: what explains all passages together best.

    At least one; each says only so much against a lane, because some drive in another one.
    """
    against = [0.0] * len(LANES_M)
    for one in fits:
        scores = one.against(LANES_M)
        least = min(scores)
        more = (min(score - least, _MOST_AGAINST) for score in scores)
        against = [a + b for a, b in zip(against, more, strict=True)]
    k = min(range(len(against)), key=against.__getitem__)
    if not 0 < k < len(against) - 1:
        return LANES_M[k]
    left, right = against[k - 1] - against[k], against[k + 1] - against[k]
    shift = (left - right) / (2 * (left + right)) if left + right > 0.0 else 0.0
    return LANES_M[k] * float((LANES_M[k + 1] / LANES_M[k]) ** shift)


def _sorted_out(approaches: Sequence[Approach], rejected: Counter[str]) -> tuple[list[Seen], float]:
    """What each usable passage tells, the others counted by reason; and the noise of a reading, m/s."""
    fits = [Fits(approach) for approach in approaches]
    falling = [one for one in fits if one.usable]
    rejected[SHORT] += len(fits) - len(falling)
    noise_mps = median(one.own_noise_mps() for one in falling) if falling else NOISE_MPS
    for one in falling:
        one.noise_mps = noise_mps
    flat = sum(one.without_lane() - min(one.against(LANES_M)) <= _FALL for one in falling)
    if flat > (1.0 - LEAST_SHARE) * len(falling):
        rejected[NO_FALL] += flat
        return [], noise_mps
    # A car that alone does not show it tells its angle all the same, once the lane is known: those seen
    # briefly would be missing else.
    lane_m = lane_of(falling)
    kept = []
    for one in falling:
        seen = one.seen(lane_m)
        reason = _why_not(seen, noise_mps)
        if reason is None:
            kept.append(seen)
        else:
            rejected[reason] += 1
    return kept, noise_mps


def _why_not(seen: Seen, noise_mps: float) -> str | None:
    if seen.misfit_mps > max(_MISFIT_MPS, _MISFIT_TIMES * noise_mps):
        return MISFITS
    if abs(seen.accel_mps2) > _ACCEL_MPS2:
        return UNSTEADY
    if seen.sd_deg > _UNSURE_DEG + _UNSURE_PART * seen.angle_deg:
        return UNSURE
    return None


def _refusal(n: int, kept: int, rejected: Mapping[str, int]) -> str | None:
    flat = rejected.get(NO_FALL, 0)
    if n >= LEAST_PASSAGES and flat > (1.0 - LEAST_SHARE) * n:
        return (
            f"{flat} of {n} cars keep their radial speed through the beam: it does not fall as they near, so"
            " they pass far from the radar, or leave its sight long before it"
        )
    if kept < LEAST_PASSAGES:
        return f"{kept} usable passages of {n}; {LEAST_PASSAGES} are needed"
    if kept < LEAST_SHARE * n:
        return (
            f"only {kept} of {n} passages can be used: most drivers brake, turn off or hide each other here"
        )
    return None
