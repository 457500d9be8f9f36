"""A year of one sign, 1.8 million vehicles, and ten: what each command takes, beside plain scripts.

make bench-statistics                    one year and ten, the table on screen and in docs/performance.md
run.py [--years 1 10] [--write]          any number of years
run.py --quick                           two weeks, a short look

Each program runs in a process of its own; time, CPU time and memory are what the system says of it.
All of them have to come to the same numbers, else there is no table. Files are made in the folder of --folder
or in a temporary one, and are deleted; ten years need 8 GB for a while.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.statistics import year

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- statistics -->", "<!-- end statistics -->"
SPEEDSIGN = (sys.executable, "-m", "speedsign")
AGREE = ("n", "mean_kmh", "v85_kmh", "over_limit_share")
_NEEDS = {"DuckDB": "duckdb", "PDF": "typst"}
_DIGITS = 0.51e-6  # our JSON has six after the point


@dataclass(frozen=True)
class Step:
    """A program that is timed; {csv} and {db} are the files of the run, without their endings."""

    name: str
    arguments: tuple[str, ...]
    runs: int = 1  # of which the median counts
    numbers: bool = False  # prints what all have to agree on
    target_s: float | None = None  # for one year
    target_per_s: float | None = None  # vehicles a second
    target_mb: float | None = 150


def _ours(*arguments: str) -> tuple[str, ...]:
    return (*SPEEDSIGN, *arguments)


def _duck(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(HERE / "duck.py"), *arguments)


_IMPORT = ("import", "{base}.csv", "--db", "{base}.db", "--site", "Bench", "--limit", "50", "--sign", "bench")
_DB = ("--db", "{base}.db")

STEPS = (
    Step("`speedsign import`", _ours(*_IMPORT, "--timezone", "Europe/Riga"), target_per_s=50_000),
    Step("`speedsign stats --json`", _ours("stats", *_DB, "--json"), 5, numbers=True, target_s=0.5),
    Step("`speedsign report`, HTML", _ours("report", *_DB, "-o", "{base}.html"), 3, target_s=3),
    Step("`speedsign report`, PDF", _ours("report", *_DB, "-o", "{base}.pdf"), 3, target_s=5),
    Step("`speedsign compare`", _ours("compare", *_DB, "--json"), 3),
    Step("DuckDB: CSV to database", _duck("load", "{base}.csv", "{base}.duckdb"), target_mb=None),
    Step("DuckDB: the numbers by SQL", _duck("stats", "{base}.duckdb"), 5, numbers=True, target_mb=None),
    Step(
        "Python's csv and Counter",
        (sys.executable, str(HERE / "floor.py"), "{base}.csv"),
        numbers=True,
        target_mb=None,
    ),
)


@dataclass(frozen=True)
class Cost:
    """Of one process."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


@dataclass(frozen=True)
class Run:
    """So many vehicles, and what each step cost."""

    days: int
    vehicles: int
    csv_mb: float
    db_mb: float
    costs: Mapping[str, Cost]


def cost(command: list[str]) -> Cost:
    """Run it to its end; SystemExit with its last words when it fails."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        files = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
        began_s = time.perf_counter()
        process = os.posix_spawn(
            command[0], command, {**os.environ, "PYTHONPATH": str(HERE.parents[1])}, file_actions=files
        )
        _, status, used = os.wait4(process, 0)
        wall_s = time.perf_counter() - began_s
        output.seek(0)
        errors.seek(0)
        if status:
            raise SystemExit(f"{' '.join(command)} failed:\n{errors.read().decode()[-2000:]}")
        return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output.read().decode())


def _median(costs: Sequence[Cost]) -> Cost:
    """The one in the middle by time, with the highest memory of all."""
    middle = sorted(costs, key=lambda one: one.wall_s)[len(costs) // 2]
    return Cost(middle.wall_s, middle.cpu_s, max(one.peak_mb for one in costs), middle.output)


def numbers(output: str) -> dict[str, dict[str, float]]:
    """{direction: {what all agree on: value}}, of our JSON or of a script's."""
    found: Any = json.loads(output)
    by_direction = found if isinstance(found, dict) else {one["direction"]: one for one in found}
    return {
        name: {key: by_direction[name][key] for key in AGREE} for name in ("approaching", "receding", "both")
    }


def disagreements(outputs: Mapping[str, str]) -> Iterator[str]:
    """A line for every number that differs in a digit that `stats --json` prints."""
    first, *others = outputs
    wanted = numbers(outputs[first])
    for other in others:
        for direction, values in numbers(outputs[other]).items():
            for key, value in values.items():
                ours = wanted[direction][key]
                if abs(value - ours) > _DIGITS:
                    yield f"{direction} {key}: {ours} by {first}, {value} by {other}"


def run(folder: Path, days: int, *, steps: Sequence[Step] = STEPS, most_runs: int = 5) -> Run:
    """Write the file, time every step; SystemExit when two of them do not agree."""
    base = folder / f"days{days}"
    vehicles = year.write(base.with_suffix(".csv"), days)
    costs = {}
    for step in steps:
        command = [part.format(base=base) for part in step.arguments]
        costs[step.name] = _median([cost(command) for _ in range(min(step.runs, most_runs))])
        print(f"{step.name}: {costs[step.name].wall_s:.2f} s, {costs[step.name].peak_mb:.0f} MB", flush=True)
    wrong = list(disagreements({step.name: costs[step.name].output for step in steps if step.numbers}))
    if wrong:
        raise SystemExit("the programs do not agree:\n" + "\n".join(wrong))
    csv_mb, db_mb = (base.with_suffix(suffix).stat().st_size / 1e6 for suffix in (".csv", ".db"))
    for file in folder.glob(f"days{days}*"):
        file.unlink()
    return Run(days, vehicles, csv_mb, db_mb, costs)


def available() -> list[Step]:
    """The steps whose programs are installed."""
    missing = [word for word, name in _NEEDS.items() if importlib.util.find_spec(name) is None]
    return [step for step in STEPS if not any(word in step.name for word in missing)]


# --------------------------------------------------------------------------- the page


def verdict(step: Step, runs: Sequence[Run]) -> str:
    """The targets of a step and whether they were kept; ten years may take ten times as much."""
    kept = {_period(found): "; ".join(_kept(step, found)) for found in runs}
    if len(kept) == 1 or not any(kept.values()):
        return next(iter(kept.values()))
    return ". ".join(f"{period}: {said}" for period, said in kept.items())


def _kept(step: Step, found: Run) -> Iterator[str]:
    one, years = found.costs[step.name], found.days / 365
    if step.target_per_s is not None:
        per_s = found.vehicles / one.wall_s
        yield _said(f"{step.target_per_s:,.0f}/s", per_s >= step.target_per_s, f"{per_s:,.0f}/s")
    if step.target_s is not None:
        target_s = step.target_s * max(years, 1)
        yield _said(f"{target_s:g} s", one.wall_s <= target_s, f"{one.wall_s:.2f} s")
    if step.target_mb is not None:
        target_mb = step.target_mb * max(years, 1)
        yield _said(f"{target_mb:g} MB", one.peak_mb <= target_mb, f"{one.peak_mb:.0f} MB")


def _said(target: str, kept: bool, reached: str) -> str:
    return f"{target} kept" if kept else f"{target} **missed: {reached}**"


def table(runs: Sequence[Run], steps: Sequence[Step]) -> str:
    """Markdown; a group of columns for each run."""
    heads = ["step"]
    for found in runs:
        heads += [f"{_period(found)}: s", "CPU s", "peak MB"]
    heads.append("target")
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    for step in steps:
        cells = [step.name]
        for found in runs:
            one = found.costs[step.name]
            cells += [f"{one.wall_s:.2f}", f"{one.cpu_s:.2f}", f"{one.peak_mb:.0f}"]
        lines.append(f"| {' | '.join([*cells, verdict(step, runs)])} |")
    return "\n".join(lines)


def _period(found: Run) -> str:
    years = found.days / 365
    return f"{years:g} years" if years > 1 else "1 year" if years == 1 else f"{found.days} days"


def text(runs: Sequence[Run], steps: Sequence[Step]) -> str:
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    machine += f", load {os.getloadavg()[2]:.1f} in the last quarter of an hour (1: this run alone)"
    sizes = "; ".join(
        f"{_period(found)}: {found.vehicles:,} vehicles, CSV {found.csv_mb:,.0f} MB,"
        f" database {found.db_mb:,.0f} MB"
        for found in runs
    )
    agreed = ", ".join(step.name for step in steps if step.numbers)
    same = f"The same n, mean, V85 and share over the limit by {agreed}."
    return f"{machine}. {sizes}. {same}\n\n{table(runs, steps)}"


def write(written: str, page: Path = PAGE) -> None:
    """Into the page, between its marks; SystemExit when it has none."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} has no {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{written}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--years", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--quick", action="store_true", help="two weeks, every step once; writes nothing")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    parser.add_argument("--folder", type=Path, help="where the files are made; a disk with room")
    options = parser.parse_args()
    steps = available()
    if len(steps) < len(STEPS):
        print("without " + ", ".join(step.name for step in STEPS if step not in steps), file=sys.stderr)
    runs = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for days in [14] if options.quick else [365 * years for years in options.years]:
            runs.append(run(Path(folder), days, steps=steps, most_runs=1 if options.quick else 5))
            print(text(runs[-1:], steps), flush=True)
    print(text(runs, steps))
    if options.write and not options.quick:
        write(text(runs, steps))


if __name__ == "__main__":
    main()
