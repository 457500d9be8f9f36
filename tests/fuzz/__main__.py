"""Every target for a while, two at a time, and a table at the end: `make fuzz MINUTES=60`.

What is new is kept under build/fuzz/TARGET/corpus and is where the next run begins; what fails is kept
beside it, with the command that runs it again. Ends with 1 when anything did.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import kit
from tests.fuzz.one import has_guidance

KEPT = Path("build/fuzz")
_EXECUTIONS = re.compile(r"number_of_executed_units: (\d+)")
_EDGES = re.compile(r"cov: (\d+)")
# By what it says itself: what was found before and is found again is the same file.
_KEPT_AS = re.compile(r"(?:Test unit written to|kept as) (\S.*)")
_TOLD = 3000  # characters of each of its ends


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a target. `edges` None: nobody counted; `found`: inputs that failed or took too long."""

    target: str
    executions: int
    edges: int | None
    found: tuple[Path, ...]
    ended_well: bool
    said: str  # the end of what it said

    def row(self) -> str:
        edges = "-" if self.edges is None else f"{self.edges:,}"
        word = "ok" if self.ended_well else f"{len(self.found)} found" if self.found else "FAILED"
        return f"{self.target:<16} {self.executions:>12,} {edges:>8}  {word}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=20.0, help="of all targets together, on one processor"
    )
    parser.add_argument("--target", action="append", choices=kit.names())
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--plain", action="store_true", help="no coverage guidance")
    asked = parser.parse_args()
    names = asked.target or kit.names()
    seconds = max(int(asked.minutes * 60 / len(names)), 1)
    guided = has_guidance() and not asked.plain
    why = "" if has_guidance() else ": atheris is not installed"
    how = "guided by coverage" if guided else f"plain mutations{why}"
    print(f"{len(names)} targets, {seconds} s each, {how}", flush=True)  # noqa: T201  a command's answer
    seed = asked.seed or int.from_bytes(os.urandom(3), "big") + 1
    options = ["--seconds", str(seconds), "--seed", str(seed), *(["--plain"] if asked.plain else [])]
    with ThreadPoolExecutor(asked.jobs) as pool:
        outcomes = list(pool.map(lambda name: run(name, options, KEPT / name), names))
    print(table(outcomes, seed))  # noqa: T201
    return 0 if all(one.ended_well for one in outcomes) else 1


def run(name: str, options: Iterable[str], kept: Path) -> Outcome:
    """One target in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.one", name, "--kept", str(kept), *options],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    said = done.stdout + done.stderr
    executions, edges = _EXECUTIONS.findall(said), _EDGES.findall(said)
    return Outcome(
        name,
        int(executions[-1]) if executions else 0,
        int(edges[-1]) if edges else None,
        tuple(map(Path, dict.fromkeys(_KEPT_AS.findall(said)))),
        done.returncode == 0,
        f"{done.stderr[-_TOLD:]}\n{done.stdout[-_TOLD:]}",  # guided, what was raised stands in the latter
    )


def table(outcomes: Iterable[Outcome], seed: int) -> str:
    """A row a target; behind it what was found, and how to see it again."""
    outcomes = list(outcomes)
    total = sum(one.executions for one in outcomes)
    lines = [f"{'target':<16} {'executions':>12} {'edges':>8}", *(one.row() for one in outcomes)]
    lines.append(f"{'all':<16} {total:>12,}           seed {seed}")
    for one in outcomes:
        if not one.ended_well:
            lines += ["", one.said]
            lines += [f"again: {sys.executable} -m tests.fuzz.one {one.target} {file}" for file in one.found]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
