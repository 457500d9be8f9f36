"""A sign and its hub for a simulated year, with faults that a seed draws; docs/simulated-year.md says what.

    python -m benchmarks.simulated_year.run --days 365
    python -m benchmarks.simulated_year.run --seed 7 --days 3 --tell     the same days again, line by line
    make simulate-year                                                   SEED=7 DAYS=3 as well

The seed is printed first. Exit 1 when something was wrong; the sentence says on which day.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.year.run import Report, simulate

_VITALS = ("blocks", "rss_kb", "sign_bytes", "hub_bytes", "tasks", "threads", "handles")


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=None, help="another one each time unless given")
    parser.add_argument(
        "--vehicles", type=int, nargs=2, default=(100, 400), metavar=("FROM", "TO"), help="a day"
    )
    parser.add_argument("--tell", action="store_true", help="print all that is seen, with its time")
    given = parser.parse_args(words)
    seed = int(time.time()) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    began_s = time.process_time()

    def each_day(report: Report) -> None:
        if report.days % 7 == 0:
            print(_week(report, time.process_time() - began_s), flush=True)

    report = simulate(
        seed,
        given.days,
        tell=print if given.tell else None,
        each_day=each_day,
        vehicles=(given.vehicles[0], given.vehicles[1]),
    )
    for name, n in sorted(report.counts.items()):
        print(f"{n:>9,}  {name}")
    print(f"{sum(report.faults.values()):,} faults of {len(report.faults)} kinds")
    print(f"{report}; {(time.process_time() - began_s) / max(report.days, 1):.1f} s of a processor a day")
    return 1 if report.failure else 0


def _week(report: Report, spent_s: float) -> str:
    vitals = report.vitals
    return f"day {report.days}, {spent_s:.0f} s: " + ", ".join(f"{name} {vitals[name]:,}" for name in _VITALS)


if __name__ == "__main__":
    sys.exit(main())
