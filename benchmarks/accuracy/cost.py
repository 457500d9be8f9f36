"""What the tracker costs: a reading, by the number of vehicles in view, and a whole day replayed.

make accuracy-cost        on screen and in docs/accuracy.md; an idle machine, about three minutes

Beside it, in the same run: association by the nearest speed, and for the day the time that it takes to
read the file and decode the bytes.
"""

from __future__ import annotations

import argparse
import gc
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from benchmarks.accuracy import baselines, textbook
from benchmarks.accuracy.scenes import Report
from speedsign.capture import CaptureHeader, CaptureReader, CaptureWriter, open_capture
from speedsign.model import Direction, Reading, Vehicle
from speedsign.replay import decoder_for
from speedsign.tracking import Tracker

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "accuracy.md"
BEGIN, END = "<!-- cost -->", "<!-- end of cost -->"
IN_VIEW = (1, 2, 4, 8, 16, 32)
REPORTS = 2_000
REPEATS = 5
HOURS, RATE_HZ = 24, 10


def side_by_side(vehicles: int) -> list[Report]:
    """A radar that reports so many vehicles each time, well apart in speed; every 6 s others."""
    reports = []
    for i in range(REPORTS):
        t_s = i / RATE_HZ
        shift = (i // 60) % 2 * 2.0
        readings = [
            Reading(t_s, 20.0 + 5.0 * n + shift, Direction.APPROACHING, 50.0 + n, None, n)
            for n in range(vehicles)
        ]
        reports.append(Report(t_s, readings, [None] * vehicles, []))
    return reports


def ours(reports: Iterable[Report]) -> Iterator[Vehicle]:
    tracker = Tracker()
    for report in reports:
        yield from tracker.add(report.readings)
    yield from tracker.flush()


def us_per_reading(method: Callable[[Iterable[Report]], Iterable[Vehicle]], reports: list[Report]) -> float:
    """The best of some runs, in microseconds of one core's time."""
    n = sum(len(report.readings) for report in reports)
    best = float("inf")
    for _ in range(REPEATS):
        gc.collect()
        began_s = time.process_time()
        for _vehicle in method(reports):
            pass
        best = min(best, time.process_time() - began_s)
    return best / n * 1e6


def growth() -> Iterator[str]:
    yield "| vehicles in each report | this tracker, µs a reading | nearest speed, µs a reading |"
    yield "| --- | --- | --- |"
    for vehicles in IN_VIEW:
        reports = side_by_side(vehicles)
        yield (
            f"| {vehicles} | {us_per_reading(ours, reports):.0f}"
            f" | {us_per_reading(baselines.by_nearest, reports):.1f} |"
        )
    busy = textbook.record(1000, 1, 1800).reports
    yield (
        f"| strongest only, 1,000 vehicles/h | {us_per_reading(ours, busy):.0f}"
        f" | {us_per_reading(baselines.by_nearest, busy):.1f} |"
    )


def write_day(path: Path) -> int:
    """A capture of 24 hours in which the radar never falls silent; how many readings."""
    hour = [report for report in textbook.record(1000, 2, 7200).reports if report.readings]
    hour = hour[: 3600 * RATE_HZ]
    n = 0
    with path.open("w", encoding="utf-8") as out:
        writer = CaptureWriter(out, CaptureHeader("ops243", unit="km/h"), 0.0)
        for i in range(HOURS * 3600 * RATE_HZ):
            (reading,) = hour[i % len(hour)].readings
            speed = reading.speed_kmh if reading.direction is Direction.APPROACHING else -reading.speed_kmh
            data = f'{{"unit":"kmph","magnitude":"{reading.strength:.2f}","speed":"{speed:.1f}"}}\r\n'
            writer.add(data.encode(), i / RATE_HZ)
            n += 1
    return n


def day() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "day.jsonl"
        readings = write_day(capture)
        began_s = time.process_time()
        with open_capture(capture) as lines:
            reader = CaptureReader(lines, str(capture))
            decoder = decoder_for(reader.header)
            for t_s, data in reader:
                decoder.feed(data, t_s)
        decoded_s = time.process_time() - began_s
        began_s = time.monotonic()
        command = [sys.executable, "-m", "speedsign", "replay", "--csv", str(capture)]
        found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        replayed_s = time.monotonic() - began_s
    vehicles = found.stdout.count("\n") - 1
    yield (
        f"A day without a pause, {readings:,} readings: `speedsign replay` takes {replayed_s:.0f} s"
        f" on one core ({vehicles:,} vehicles); reading the file and decoding alone {decoded_s:.0f} s."
    )


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    lines = [f"Python {platform.python_version()}, {platform.machine()}.", "", *growth(), "", *day()]
    text = "\n".join(lines)
    print(text)
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    _main()
