"""How well traffic tells the angle at which a radar reads it, where the truth is known.

python -m benchmarks.traffic_angle.run              100 seeds an angle; prints the table
python -m benchmarks.traffic_angle.run --seeds 8    a look

Each angle is met on four masts, a quarter of the seeds each: an OPS243, an LD2415H (wide beam, no
strengths), an LD2451 (whole km/h, ranges) and an OPS243 with twice the noise, dense platoons and many who
brake. Truth is the mean of the middle half of all cars of all seeds of a mast. Beside the estimate stand two
plain ways: the ratio of the representative radial speed to the highest of the same car, and to the speed that
the tracker's own passage gives; of each the median over the cars, and the angle of that cosine.

A second table says what becomes of speeds and of the panel's number by what `mounting_angle_deg` is set to.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from math import acos, degrees, sqrt
from statistics import fmean, median
from typing import NamedTuple

from benchmarks.traffic_angle import speeds
from benchmarks.traffic_angle.roads import Mast, hard, ld2415h, ld2451, ops, population_deg, record
from speedsign.calibration.approach import Approach, representative
from speedsign.calibration.traffic_angle import TrafficAngle, traffic_angle
from speedsign.model import Direction
from speedsign.tracking.passage import Lanes, passage_of
from speedsign.tracking.speeds import smoothed

CARS = 200
GATE_DEG = 1.5
HEADER = (
    "read at | mast | truth | seeds | refused | bias | RMS | worst | within 1.5° | covered | half width"
    " | by highest, RMS | by passages, RMS"
)
# Offsets and aims were chosen so that cars are read at about these angles.
MASTS: dict[int, tuple[Mast, ...]] = {
    5: (ops(4, 5), ld2415h(3, 10), ld2451(6, 20), hard(4, 2)),
    10: (ops(6, 26), ld2415h(8, 15), ld2451(8, 40), hard(6, 15)),
    15: (ops(8, 31), ld2415h(11, 35), ld2451(8, 51), hard(8, 30)),
    20: (ops(8, 39), ld2415h(10, 51), ld2451(10, 56), hard(8, 40)),
    25: (ops(8, 46), ld2415h(10, 60), ld2451(10, 62), hard(8, 46)),
}


class Outcome(NamedTuple):
    """One seed."""

    angle: int
    mast: int
    cars: int
    truths_deg: list[float]
    estimate: tuple[float, float, float] | None  # with its interval; None: refused
    reason: str
    highest_deg: float
    passages_deg: float


def outcome(task: tuple[int, int]) -> Outcome:
    """Record the cars, estimate the angle each way."""
    angle, seed = task
    which = seed % len(MASTS[angle])
    recording = record(MASTS[angle][which], seed, CARS)
    found = traffic_angle(recording.approaches)
    told = isinstance(found, TrafficAngle)
    return Outcome(
        angle,
        which,
        len(recording.approaches),
        recording.angles_deg,
        (found.angle_deg, found.low_deg, found.high_deg) if isinstance(found, TrafficAngle) else None,
        "" if told or isinstance(found, TrafficAngle) else found.reason,
        _angle_deg(_by_highest(recording.approaches)),
        _angle_deg(_by_passages(recording.approaches)),
    )


def _by_highest(approaches: Sequence[Approach]) -> Iterator[float]:
    for one in approaches:
        yield representative(one.times_s, one.speeds_kmh)[1] / max(smoothed(one.speeds_kmh))


def _by_passages(approaches: Sequence[Approach]) -> Iterator[float]:
    lanes = Lanes()
    for one in approaches:
        passage = passage_of(one.times_s, one.speeds_kmh, Direction.APPROACHING, lanes)
        if passage is not None:
            yield representative(one.times_s, one.speeds_kmh)[1] / passage.speed_kmh


def _angle_deg(ratios: Iterator[float]) -> float:
    return degrees(acos(min(median(list(ratios) or [1.0]), 1.0)))


def rows(outcomes: Sequence[Outcome], by_mast: bool) -> Iterator[str]:
    """The lines of the table."""
    yield f"| {HEADER} |"
    yield "| " + " | ".join("---" for _ in HEADER.split("|")) + " |"
    for angle, masts in MASTS.items():
        here = [one for one in outcomes if one.angle == angle]
        truth = {}
        for which in range(len(masts)):
            angles = [deg for one in here if one.mast == which for deg in one.truths_deg]
            truth[which] = population_deg(angles) if angles else float("nan")
        yield _row(f"{angle}°", "all", here, truth)
        if by_mast:
            for which, mast in enumerate(masts):
                yield _row("", mast.name, [one for one in here if one.mast == which], truth)


SETTINGS = ("0", "told by traffic", "read at", "beam's axis")


def speeds_by_setting(task: tuple[int, int]) -> tuple[int, list[speeds.Off]]:
    """One seed with each of `SETTINGS`; where traffic tells no angle, 0 stands for it."""
    angle, seed = task
    mast = MASTS[angle][seed % len(MASTS[angle])]
    recording = record(mast, seed, CARS)
    found = traffic_angle(recording.approaches)
    told_deg = found.angle_deg if isinstance(found, TrafficAngle) else 0.0
    settings_deg = (0.0, told_deg, population_deg(recording.angles_deg), mast.aim_deg)
    scene = speeds.scene(mast, seed, speeds.SCENE_S)
    return angle, [speeds.speeds_off(scene, setting_deg) for setting_deg in settings_deg]


def speed_rows(outcomes: Sequence[tuple[int, list[speeds.Off]]]) -> Iterator[str]:
    """The lines of the second table."""
    yield f"| {speeds.HEADER} |"
    yield "| " + " | ".join("---" for _ in speeds.HEADER.split("|")) + " |"
    for angle in MASTS:
        for number, name in enumerate(SETTINGS):
            offs = [one[number] for at, one in outcomes if at == angle]
            yield speeds.row(f"{angle}°" if number == 0 else "", name, offs)


def _row(read_at: str, name: str, outcomes: Sequence[Outcome], truth: dict[int, float]) -> str:
    told = [(one, one.estimate, truth[one.mast]) for one in outcomes if one.estimate is not None]
    off = [estimate[0] - true for _, estimate, true in told] or [float("nan")]
    covered = fmean(low <= true <= high for _, (_, low, high), true in told) if told else float("nan")
    width = fmean((high - low) / 2 for _, (_, low, high), _ in told) if told else float("nan")
    truths = sorted({truth[one.mast] for one in outcomes})
    span = f"{truths[0]:.1f}" if len(truths) == 1 else f"{truths[0]:.1f} to {truths[-1]:.1f}"
    highest = _rms([one.highest_deg - truth[one.mast] for one in outcomes])
    passages = _rms([one.passages_deg - truth[one.mast] for one in outcomes])
    near = fmean(abs(one) <= GATE_DEG for one in off)
    return (
        f"| {read_at} | {name} | {span}° | {len(outcomes)} | {len(outcomes) - len(told)} | {fmean(off):+.2f}°"
        f" | {_rms(off):.2f}° | {max(map(abs, off)):.2f}° | {near:.0%} | {covered:.0%} | {width:.2f}°"
        f" | {highest:.1f}° | {passages:.1f}° |"
    )


def _rms(values: Sequence[float]) -> float:
    return sqrt(fmean(value * value for value in values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="seed to begin with")
    parser.add_argument("--speed-seeds", type=int, default=8, help="of the second table, half an hour each")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    tasks = [(angle, seed) for seed in range(options.first, options.first + options.seeds) for angle in MASTS]
    with multiprocessing.Pool(options.jobs) as pool:
        outcomes = pool.map(outcome, tasks, chunksize=1)
        tasks = [
            (angle, seed)
            for seed in range(options.first, options.first + options.speed_seeds)
            for angle in MASTS
        ]
        by_setting = pool.map(speeds_by_setting, tasks, chunksize=1)
    print(f"{CARS} cars, {options.seeds} seeds an angle.\n")
    for line in rows(outcomes, by_mast=True):
        print(line)
    for reason in sorted({one.reason for one in outcomes if one.reason}):
        print(f"\nrefused: {reason}")
    print(
        f"\n{options.speed_seeds} seeds an angle, {speeds.SCENE_S / 60:g} minutes each; km/h above truth.\n"
    )
    for line in speed_rows(by_setting):
        print(line)


if __name__ == "__main__":
    main()
