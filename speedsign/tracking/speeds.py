"""The four speeds of a vehicle that has passed, and how sure it is (docs/speeds.md says why these)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, radians
from statistics import median

from speedsign.model import Direction, Vehicle
from speedsign.tracking.params import KMH_PER_MPS, TrackingParams
from speedsign.tracking.passage import Lanes, Passage, passage_of
from speedsign.tracking.track import Track

# Near the pole the radial speed says more about the angle than about the car: that end is left out.
NEAR_POLE_S = 0.5
UPPER = 0.75  # without a known passage: so much of the far readings lie below the representative speed
ENDS = 5  # readings that make an entry or exit speed
LEAST_COSINE, LEAST_COSINE_MAX = 0.8, 0.95  # of readings that count, and that count for the maximum
MOST_GAINED = 1.08  # what the passage may add to the upper quartile; more is a wrong passage

IMAGE, PARTED, REJOINED, LONG, FEW = "image?", "parted", "rejoined", "long?", "few"
_LONG_M = 220.0  # no radar of a sign looks so far: rather two that merged
_FEW = 8


@dataclass(frozen=True, slots=True)
class Speeds:
    """Speeds along the road in km/h."""

    speed_kmh: float
    entry_kmh: float
    exit_kmh: float
    max_kmh: float
    radial_kmh: float  # the representative speed before any angle
    along_kmh: float | None = None  # by the vehicle's own passage, whatever the mounting angle


def vehicle_of(track: Track, params: TrackingParams, lanes: Lanes | None = None) -> Vehicle:
    """The record of a track that has ended; `lanes` knows the passes before it, and learns from this one."""
    series = track.series
    speeds = speeds_of(series.times, series.speeds, track.direction, params.mounting_angle_deg, lanes)
    flags = set(track.flags)
    if track.count < _FEW:
        flags.add(FEW)
    if speeds.speed_kmh / KMH_PER_MPS * (track.t_last_s - track.t_first_s) > _LONG_M:
        flags.add(LONG)
    return Vehicle(
        track_id=track.id,
        direction=track.direction,
        t_first_mono_s=track.t_first_s,
        t_last_mono_s=track.t_last_s,
        speed_kmh=speeds.speed_kmh,
        entry_kmh=speeds.entry_kmh,
        exit_kmh=speeds.exit_kmh,
        max_kmh=speeds.max_kmh,
        readings=track.count,
        strength=track.peak_strength,
        flags=tuple(sorted(flags)),
        radial_kmh=speeds.radial_kmh,
        along_kmh=speeds.along_kmh,
    )


def speeds_of(
    times: Sequence[float],
    speeds: Sequence[float],
    direction: Direction,
    mounting_angle_deg: float = 0.0,
    lanes: Lanes | None = None,
) -> Speeds:
    """From the radial speeds of one vehicle, in order of time; at least one.

    Where the readings show how the vehicle passed the radar (`passage.passage_of`), each is divided by the
    cosine of its own angle, though never by more than the mounting angle's where that is smaller; speed is
    their median. Where they do not, all are divided by the cosine of the mounting angle, and speed is the
    upper quartile of the smoothed readings away from the pole. Entry and exit: median of the first and last
    five; max: the highest that its neighbours support.
    """
    mounting = cos(radians(mounting_angle_deg))
    passage = passage_of(times, speeds, direction, lanes)
    plain = _plain(times, speeds, direction, mounting)
    if passage is None:
        return plain
    found = _along(times, speeds, passage, mounting)
    if found is None or found.speed_kmh > MOST_GAINED * plain.speed_kmh:
        return plain
    return found


def _along(
    times: Sequence[float], speeds: Sequence[float], passage: Passage, mounting: float
) -> Speeds | None:
    """Speeds along the road by a known passage; None: too few readings are far enough from the pole."""
    along, radial, cosines = [], [], []
    for t_s, speed in zip(times, speeds, strict=True):
        cosine = passage.cosine(t_s)
        if cosine >= LEAST_COSINE:
            along.append(speed / min(cosine, mounting))
            radial.append(speed)
            cosines.append(cosine)
    if len(along) < max(ENDS, len(speeds) // 3):
        return None
    own = median(smoothed([speed / cosine for speed, cosine in zip(radial, cosines, strict=True)]))
    along = smoothed(along)
    speed_kmh = median(along)
    far = [speed for speed, cosine in zip(along, cosines, strict=True) if cosine >= LEAST_COSINE_MAX]
    highest = max(far, default=speed_kmh)
    found = _ordered(speed_kmh, median(along[:ENDS]), median(along[-ENDS:]), highest)
    return replace(found, radial_kmh=median(smoothed(radial)), along_kmh=own)


def _plain(times: Sequence[float], speeds: Sequence[float], direction: Direction, mounting: float) -> Speeds:
    smooth = smoothed(far_part(times, speeds, direction))
    ordered = sorted(smooth)
    radial_kmh = ordered[min(int(UPPER * len(ordered)), len(ordered) - 1)]
    found = _ordered(
        radial_kmh / mounting,
        median(smooth[:ENDS]) / mounting,
        median(smooth[-ENDS:]) / mounting,
        max(smoothed(speeds)) / mounting,
    )
    return replace(found, radial_kmh=radial_kmh)


def _ordered(speed_kmh: float, entry_kmh: float, exit_kmh: float, highest_kmh: float) -> Speeds:
    highest_kmh = max(highest_kmh, speed_kmh, entry_kmh, exit_kmh)
    return Speeds(speed_kmh, entry_kmh, exit_kmh, highest_kmh, speed_kmh)


def far_part(times: Sequence[float], speeds: Sequence[float], direction: Direction) -> Sequence[float]:
    """The readings without the last half second of an approach, or the first of a departure.

    A short track keeps at least half of its readings.
    """
    keep = max((len(speeds) + 1) // 2, 1)
    if direction is Direction.RECEDING:
        cut = next((i for i, t in enumerate(times) if t - times[0] >= NEAR_POLE_S), len(times))
        return speeds[min(cut, len(speeds) - keep) :]
    if direction is Direction.APPROACHING:
        cut = next((i for i, t in enumerate(times) if times[-1] - t < NEAR_POLE_S), len(times))
        return speeds[: max(cut, keep)]
    return speeds


def smoothed(speeds: Sequence[float]) -> list[float]:
    """Median of each reading and its two neighbours: one spike never counts."""
    if len(speeds) < 3:
        return [median(speeds)] * len(speeds)
    inner = [sorted(speeds[i - 1 : i + 2])[1] for i in range(1, len(speeds) - 1)]
    return [inner[0], *inner, inner[-1]]
