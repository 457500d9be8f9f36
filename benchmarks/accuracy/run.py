"""How many vehicles are found, and how well measured, where the truth is known.

make accuracy                                    every scene, ten seeds; writes docs/accuracy.md
python -m benchmarks.accuracy.run --quick        two seeds, on screen only

Each line is one scene with one method on the same readings: this tracker, the gap rule (one vehicle a
direction until it has been silent for a second) and association by the nearest speed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.accuracy import baselines, scenes, textbook
from benchmarks.accuracy.score import Line, Score, Shown, line, score, track
from speedsign.tracking import VERSION

ROOT = Path(__file__).parents[2]

PAGE = ROOT / "docs" / "accuracy.md"
BEGIN, END = "<!-- accuracy -->", "<!-- end -->"
TEXTBOOK = {"textbook road, 200/h": 200.0, "textbook road, 500/h": 500.0, "textbook road, 1,000/h": 1000.0}
HEADER = "scene | method | vehicles | recall | precision | count | speed, median | 95 % | V85, mean | bias"
DISPLAY_HEADER = "scene | waits | median s | 95 % s | numbers nobody drove, an hour"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scene and seed, by every method."""

    ours: Score
    gap: Score
    nearest: Score
    shown: Shown


def outcome(name: str, seconds: float, seed: int) -> Outcome:
    """Record the scene once, and let each method have the same readings."""
    if name in TEXTBOOK:
        recording = textbook.record(TEXTBOOK[name], seed, seconds)
    else:
        recording = scenes.record(scenes.SCENES[name], seed, seconds)
    counted, shown = track(recording)
    return Outcome(
        score(recording, counted),
        score(recording, list(baselines.by_gap(recording.reports))),
        score(recording, list(baselines.by_nearest(recording.reports))),
        shown,
    )


def rows(name: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The lines of one scene."""
    yield _row(name, "**this tracker**", line([one.ours for one in outcomes]))
    yield _row("", "1 s gap", line([one.gap for one in outcomes]))
    yield _row("", "nearest speed", line([one.nearest for one in outcomes]))


def _row(name: str, method: str, of: Line) -> str:
    return (
        f"| {name} | {method} | {of.passed} | {of.recall:.3f} | {of.precision:.3f} | {of.count_off:+.1%}"
        f" | {of.median_kmh:.2f} | {of.p95_kmh:.1f} | {of.v85_kmh:.2f} | {of.v85_bias_kmh:+.2f} |"
    )


def display_row(name: str, outcomes: Sequence[Outcome]) -> str:
    waits = sorted(wait for one in outcomes for wait in one.shown.waits_s)
    hours = sum(one.shown.hours for one in outcomes)
    wrong = sum(one.shown.wrong for one in outcomes)
    if not waits:
        return f"| {name} | 0 | | | {wrong / hours:.0f} |"
    half, most = waits[len(waits) // 2], waits[min(int(0.95 * len(waits)), len(waits) - 1)]
    return f"| {name} | {len(waits)} | {half:.2f} | {most:.2f} | {wrong / hours:.0f} |"


def _table(header: str, lines: Sequence[str]) -> list[str]:
    return [f"| {header} |", "| " + " | ".join("---" for _ in header.split("|")) + " |", *lines]


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scene", nargs="*", help="part of a scene's name; none: all")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0, help="of each scene and seed")
    parser.add_argument("--quick", action="store_true", help="two seeds of ten minutes")
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    seeds, minutes = (2, 10.0) if options.quick else (options.seeds, options.minutes)
    wanted = [
        name
        for name in (*scenes.SCENES, *TEXTBOOK)
        if not options.scene or any(part in name for part in options.scene)
    ]
    counted: list[str] = []
    displayed: list[str] = []
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for name in wanted:
            numbers = range(options.first_seed, options.first_seed + seeds)
            outcomes = pool.map(partial(outcome, name, minutes * 60), numbers)
            counted += rows(name, outcomes)
            displayed.append(display_row(name, outcomes))
            print("\n".join(counted[-3:]), "\n", displayed[-1], flush=True)
    text = "\n".join(
        [
            f"Tracker {VERSION}, {seeds} seeds of {minutes:g} minutes, Python {platform.python_version()}.",
            "",
            *_table(HEADER, counted),
            "",
            *_table(DISPLAY_HEADER, displayed),
        ]
    )
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    _main()
