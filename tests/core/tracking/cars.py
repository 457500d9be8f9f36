"""Small hand-made cars: what a radar beside the road sees of one, cosine and all.

A car drives along a straight line that passes the radar `beside_m` away. Its radial speed is its speed times
the cosine of the angle to that line, the strength of its echo falls with the fourth power of the distance
(1e8 at one metre), and the sensor tells a speed to a tenth of a km/h, each report at its own time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from speedsign.model import Direction, Reading, Vehicle
from speedsign.tracking import Tracker, TrackingParams
from speedsign.tracking.track import Track

IN, OUT, EITHER = Direction.APPROACHING, Direction.RECEDING, Direction.UNKNOWN
BOTH = frozenset({IN, OUT})
ALL = frozenset(Direction)
LOUD = 1e8  # the strength at one metre of a car; a lorry has ten times as much


def approach(
    speed_kmh: float,
    t_s: float,
    *,
    beside_m: float = 5.0,
    rate_hz: float = 10.0,
    from_m: float = 60.0,
    to_m: float = 8.0,
    loud: float = LOUD,
) -> Iterator[Reading]:
    """A car that drives towards the sign at a steady speed."""
    distance_m = from_m
    while distance_m > to_m:
        seen = speed_kmh * distance_m / math.hypot(distance_m, beside_m)
        strength = loud / math.hypot(distance_m, beside_m) ** 4
        yield Reading(t_s, round(seen, 1), IN, strength)
        t_s += 1 / rate_hz
        distance_m -= speed_kmh / 3.6 / rate_hz


def depart(speed_kmh: float, t_s: float, *, rate_hz: float = 10.0, loud: float = LOUD) -> Iterator[Reading]:
    """The same, mirrored."""
    seen = list(approach(speed_kmh, 0.0, rate_hz=rate_hz, loud=loud))
    for index, reading in enumerate(reversed(seen)):
        yield Reading(t_s + index / rate_hz, reading.speed_kmh, OUT, reading.strength)


def drive(
    speed_at: Callable[[float], float],
    t_s: float,
    *,
    from_m: float = 60.0,
    to_m: float = 8.0,
    beside_m: float = 5.0,
    rate_hz: float = 10.0,
    loud: float = LOUD,
) -> Iterator[Reading]:
    """A car whose driver does something: `speed_at` gives its speed in km/h where it has so many metres left.

    It must never be 0: a car that stands never gets anywhere.
    """
    distance_m = from_m
    while distance_m > to_m:
        speed_kmh = speed_at(distance_m)
        away_m = math.hypot(distance_m, beside_m)
        yield Reading(t_s, round(speed_kmh * distance_m / away_m, 1), IN, loud / away_m**4)
        t_s += 1 / rate_hz
        distance_m -= speed_kmh / 3.6 / rate_hz


def braking(from_kmh: float, to_kmh: float, mps2: float, begins_m: float) -> Callable[[float], float]:
    """A driver who brakes at so many m/s² from `begins_m` before the pole until the speed is reached."""

    def speed_at(distance_m: float) -> float:
        way_m = max(begins_m - distance_m, 0.0)
        return 3.6 * math.sqrt(max((from_kmh / 3.6) ** 2 - 2 * mps2 * way_m, (to_kmh / 3.6) ** 2))

    return speed_at


def easing(from_kmh: float, to_kmh: float, mps2: float, begins_m: float) -> Callable[[float], float]:
    """The same at so many m/s² on average, by a foot that comes down and lifts gently."""
    whole = (from_kmh / 3.6) ** 2 - (to_kmh / 3.6) ** 2

    def speed_at(distance_m: float) -> float:
        part = min(max((begins_m - distance_m) * 2 * mps2 / whole, 0.0), 1.0)
        return 3.6 * math.sqrt((from_kmh / 3.6) ** 2 - whole * part * part * (3 - 2 * part))

    return speed_at


def with_range(
    readings: Iterable[Reading], *, beside_m: float = 5.0, loud: float = LOUD
) -> Iterator[Reading]:
    """The same from a radar that tells the range, in steps of a tenth of a metre (out of the strength)."""
    for reading in readings:
        assert reading.strength
        away_m = (loud / reading.strength) ** 0.25
        yield replace(reading, range_m=round(max(away_m, beside_m), 1))


def without_strength(readings: Iterable[Reading]) -> Iterator[Reading]:
    """The same from a radar that tells speeds alone."""
    return (replace(reading, strength=None) for reading in readings)


def without_direction(readings: Iterable[Reading]) -> Iterator[Reading]:
    """The same from a radar that cannot tell which way."""
    return (replace(reading, direction=EITHER) for reading in readings)


def coarse(readings: Iterable[Reading], step_kmh: float = 1.0) -> Iterator[Reading]:
    """The same from a sensor that tells a speed in such steps."""
    return (replace(r, speed_kmh=step_kmh * round(r.speed_kmh / step_kmh)) for r in readings)


def strongest(*cars: Iterable[Reading]) -> list[Reading]:
    """What a radar that reports the strongest echo alone says of cars with reports at the same times."""
    best: dict[float, Reading] = {}
    for reading in in_order(*cars):
        key = round(reading.t_mono_s, 3)
        held = best.get(key)
        if held is None or (reading.strength or 0.0) > (held.strength or 0.0):
            best[key] = reading
    return list(best.values())


def in_order(*cars: Iterable[Reading]) -> list[Reading]:
    """All readings in order of time."""
    return sorted((reading for car in cars for reading in car), key=lambda reading: reading.t_mono_s)


def reports(readings: Iterable[Reading]) -> list[list[Reading]]:
    """Readings in order of time, one list a report: ranks are as the strengths, strongest first."""
    by_time: dict[float, list[Reading]] = {}
    for reading in readings:
        by_time.setdefault(round(reading.t_mono_s, 3), []).append(reading)
    return [
        [
            replace(reading, t_mono_s=t_s, rank=rank)
            for rank, reading in enumerate(sorted(report, key=lambda r: -(r.strength or 0.0)))
        ]
        for t_s, report in sorted(by_time.items())
    ]


def vehicles(*cars: Iterable[Reading], tracker: Tracker | None = None) -> list[Vehicle]:
    """What has passed once all readings have come."""
    tracker = tracker or Tracker()
    return tracker.add(in_order(*cars)) + tracker.flush()


def vehicles_in_reports(*cars: Iterable[Reading], params: TrackingParams | None = None) -> list[Vehicle]:
    """The same for a radar that reports several targets at a time."""
    tracker = Tracker(params)
    found: list[Vehicle] = []
    for report in reports(in_order(*cars)):
        found += tracker.add(report)
    return found + tracker.flush()


def track_of(readings: Iterable[Reading], track_id: int = 1) -> Track:
    """A track that has these readings, whether they fit or not."""
    first, *others = readings
    track = Track(track_id, first)
    for reading in others:
        track.add(reading)
    return track
