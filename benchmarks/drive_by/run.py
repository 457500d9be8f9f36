"""How often a drive-by's interval holds what a sign really reads wrong.

python -m benchmarks.drive_by.run              100 seeds; prints the table
python -m benchmarks.drive_by.run --write      and puts it into docs/accuracy.md
python -m benchmarks.drive_by.run --seeds 10   a look

Each seed is a sign of its own (radar, mast, fading, noise) whose readings are 0.95 to 1.05 times the truth. A
car passes at 40 to 60 km/h, alone; its speed is told by a reference with noise from run to run, and with an
error of its own that is the same in all runs. What the tracker measures goes to `drive_by`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import NamedTuple

from benchmarks.drive_by.passes import FASTEST_KMH, SENSORS, SLOWEST_KMH, measured, site
from speedsign.calibration.drive_by import Run, Verdict, drive_by

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"
BEGIN, END = "<!-- drive-by -->", "<!-- end of drive-by -->"
LEAST, MOST = 0.95, 1.05
RUNS = (3, 5, 10, 20)


class Reference(NamedTuple):
    """How a car's own speed is known: standard deviations, km/h."""

    name: str
    noise_kmh: float  # from run to run
    common_kmh: float  # the same in all runs


REFERENCES = (
    Reference("GPS", 0.2, 0.0),
    Reference("tachograph, read by eye", 0.6, 0.5),
)
HEADER = (
    "Reference | Runs | Signs | Interval holds the factor | Half width | Off, median | Verdict given | wrong"
)


class Outcome(NamedTuple):
    """One sign, one reference, so many runs."""

    reference: str
    runs: int
    holds: bool
    half_width: float
    off: float
    verdict: Verdict
    right: Verdict  # what somebody would say who knew the factor


def outcomes(seed: int) -> list[Outcome]:
    """One sign by each reference; fewer runs are the first of them."""
    random = Random(f"{seed}/drive-by")
    factor = random.uniform(LEAST, MOST)
    name = list(SENSORS)[seed % len(SENSORS)]
    speeds = [random.uniform(SLOWEST_KMH, FASTEST_KMH) for _ in range(max(RUNS))]
    told = measured(site(name, seed, factor), speeds, seed)
    found = []
    for reference in REFERENCES:
        common = random.gauss(0.0, reference.common_kmh)
        runs = [
            Run(kmh + common + random.gauss(0.0, reference.noise_kmh), one)
            for kmh, one in zip(speeds, told, strict=True)
            if one is not None
        ]
        found += [_outcome(reference, runs[:n], n, factor) for n in RUNS if len(runs) >= n]
    return found


def _outcome(reference: Reference, runs: Sequence[Run], n: int, factor: float) -> Outcome:
    told = drive_by(runs, reference.common_kmh)
    off_kmh = (factor - 1.0) * told.at_kmh
    return Outcome(
        reference=reference.name,
        runs=n,
        holds=told.factor.holds(factor),
        half_width=(told.factor.high - told.factor.low) / 2,
        off=abs(told.factor.value - factor),
        verdict=told.verdict,
        right=Verdict.WITHIN if abs(off_kmh) <= told.tolerance_kmh else Verdict.OUTSIDE,
    )


def rows(found: Sequence[Outcome]) -> Iterator[str]:
    """The lines of the table."""
    yield f"| {HEADER} |"
    yield "| " + " | ".join("---" for _ in HEADER.split("|")) + " |"
    for reference in REFERENCES:
        for n in RUNS:
            here = [one for one in found if one.reference == reference.name and one.runs == n]
            given = [one for one in here if one.verdict is not Verdict.NOT_YET_KNOWN]
            wrong = sum(one.verdict is not one.right for one in given)
            yield (
                f"| {reference.name} | {n} | {len(here)} | {fmean(one.holds for one in here):.0%}"
                f" | {fmean(one.half_width for one in here):.2%} | {median(one.off for one in here):.2%}"
                f" | {len(given) / len(here):.0%} | {wrong} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="seed to begin with")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help=f"into docs/{PAGE.name}")
    options = parser.parse_args()
    with multiprocessing.Pool(options.jobs) as pool:
        of_each = pool.map(outcomes, range(options.first, options.first + options.seeds), chunksize=1)
    text = "\n".join(rows([one for found in of_each for one in found]))
    print(text)
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
