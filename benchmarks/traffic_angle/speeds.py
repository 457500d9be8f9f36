"""What becomes of speeds, by what `mounting_angle_deg` is set to, where the truth is known.

Each recording goes through the sign's tracker four times: with 0, with what traffic tells of the same cars,
with the angle at which cars really are read, and with that of the beam's axis. A vehicle's truth is the
median of its speed at the moments at which the radar told it; the panel's is the speed of the only
approaching car in view, at each report. A speed off by more than 6 km/h and 15 % is nobody's, and left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from statistics import fmean, median

from benchmarks.accuracy.scenes import Recording, Truth
from benchmarks.accuracy.score import Score, score
from benchmarks.traffic_angle.roads import Mast, Moment, moments
from simulator.vehicles import KMH_PER_MPS
from speedsign.model import Direction, Vehicle
from speedsign.tracking import Tracker, TrackingParams

SHOWN = frozenset({Direction.APPROACHING})
SCENE_S = 1800.0
LEAST = 4  # readings of a vehicle that can be counted
HEADER = (
    "read at | set to | angle | approaching, median | mean off | V85 | receding, median"
    " | panel, median | mean off | within 1 km/h"
)


@dataclass(slots=True)
class Off:
    """Measured minus true, km/h, of one recording and one mounting angle."""

    mounting_deg: float
    approaching: list[float] = field(default_factory=list)
    receding: list[float] = field(default_factory=list)
    v85: float = 0.0
    panel: list[float] = field(default_factory=list)  # at each report


def scene(mast: Mast, seed: int, seconds: float) -> list[Moment]:
    """The reports of so long."""
    return list(takewhile(lambda moment: moment.t_s < seconds, moments(mast, seed)))


def speeds_off(scene: Sequence[Moment], mounting_deg: float) -> Off:
    """The sign's tracker on it with this `mounting_angle_deg`."""
    tracker, off = Tracker(TrackingParams(mounting_angle_deg=mounting_deg)), Off(mounting_deg)
    counted: list[Vehicle] = []
    for moment in scene:
        counted += tracker.advance(moment.t_s)
        counted += tracker.add([reading for reading, _ in moment.told])
        target = tracker.target(moment.t_s, SHOWN)
        alone = _alone_kmh(moment)
        if target is not None and alone is not None:
            off.panel.append(int(target.speed_kmh + 0.5) - alone)
    counted += tracker.flush()
    truth = list(_truth(scene))
    approaching = _score(truth, counted, Direction.APPROACHING)
    off.approaching, off.v85 = approaching.off_kmh, approaching.v85_off_kmh
    off.receding = _score(truth, counted, Direction.RECEDING).off_kmh
    return off


def _score(truth: Sequence[Truth], counted: Sequence[Vehicle], direction: Direction) -> Score:
    of_it = [one for one in truth if one.direction is direction]
    return score(Recording([], of_it, 0), [one for one in counted if one.direction is direction])


def _alone_kmh(moment: Moment) -> float | None:
    coming = [one.seen for one in moment.cars.values() if one.seen.direction is Direction.APPROACHING]
    return coming[0].speed_mps * KMH_PER_MPS if len(coming) == 1 else None


def _truth(scene: Sequence[Moment]) -> Iterator[Truth]:
    told: dict[int, list[tuple[float, float]]] = {}
    who = {}
    for moment in scene:
        for _, vehicle_id in moment.told:
            if vehicle_id is not None:
                car = who[vehicle_id] = moment.cars[vehicle_id].seen
                told.setdefault(vehicle_id, []).append((moment.t_s, car.speed_mps * KMH_PER_MPS))
    for vehicle_id, times in told.items():
        if len(times) >= LEAST:
            car, speed_kmh = who[vehicle_id], median(speed for _, speed in times)
            yield Truth(vehicle_id, car.kind, car.direction, speed_kmh, times[0][0], times[-1][0], len(times))


def row(read_at: str, name: str, offs: Sequence[Off]) -> str:
    """A line of the table, over recordings."""
    approaching = [one for off in offs for one in off.approaching]
    receding = [one for off in offs for one in off.receding]
    panel = [one for off in offs for one in off.panel]
    angles = sorted(off.mounting_deg for off in offs)
    span = f"{angles[0]:.0f}" if angles[-1] - angles[0] < 0.5 else f"{angles[0]:.0f} to {angles[-1]:.0f}"
    return (
        f"| {read_at} | {name} | {span}° | {median(approaching):+.2f} | {_mean(approaching):.2f}"
        f" | {fmean(off.v85 for off in offs):+.2f} | {median(receding):+.2f}"
        f" | {median(panel):+.1f} | {_mean(panel):.2f} | {fmean(abs(one) <= 1.0 for one in panel):.0%} |"
    )


def _mean(off: Sequence[float]) -> float:
    return fmean(map(abs, off))
