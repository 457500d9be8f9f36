"""How long a wrong number stays lit, for everything that can be wrong with a panel; all on real frames.

make faults           the table on screen and in docs/safety.md
run.py --quick NAME   some cases, nothing is written
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.faults.cases import CASES, Case
from benchmarks.faults.rig import Outcome, run_case

PAGE = Path(__file__).parents[2] / "docs" / "safety.md"
BEGIN, END = "<!-- faults -->\n", "<!-- end of faults -->"


async def run_all(cases: Sequence[Case], folder: Path) -> dict[str, Outcome]:
    """All cases side by side, each on a line of its own."""
    outcomes = await asyncio.gather(*(run_case(case, folder) for case in cases))
    return {case.name: outcome for case, outcome in zip(cases, outcomes, strict=True)}


def table(outcomes: dict[str, Outcome]) -> str:
    """The table of the page."""
    lines = [
        "| What is wrong | A wrong number was lit for at most | Fault told | after | All well afterwards |",
        "| --- | --- | --- | --- | --- |",
    ]
    for case in CASES:
        if case.name not in outcomes:
            continue
        got = outcomes[case.name]
        wrong = f"{got.wrong_s:.2f} s" if case.bound_s is not None else "as long as it lasts"
        told = ", ".join(f"`{code}`" for code in sorted(got.codes)) or "none"
        after = f"{got.told_s:.2f} s" if got.told_s is not None else ""
        lines.append(f"| {case.what} | {wrong} | {told} | {after} | {'yes' if got.recovered else '**no**'} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", nargs="*", metavar="NAME")
    chosen = parser.parse_args().quick
    cases = [case for case in CASES if not chosen or case.name in chosen]
    with tempfile.TemporaryDirectory() as folder:
        outcomes = asyncio.run(run_all(cases, Path(folder)))
    text = table(outcomes)
    print(text)
    if chosen is None:
        page = PAGE.read_text(encoding="utf-8")
        head, rest = page.split(BEGIN, 1)
        PAGE.write_text(head + BEGIN + text + END + rest.split(END, 1)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
