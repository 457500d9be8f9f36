"""Sign, broker and hub killed (kill -9) at random: what is lost, what is counted twice, what was sent again.

    python -m benchmarks.kill_matrix.run --seeds 20 --seconds 60
    python -m benchmarks.kill_matrix.run --retire-on puback     the weaker word: loses, and says so (exit 1)
    make kill-matrix                                            20 seeds, the table into docs/telemetry.md

The real store, publisher and port, the real `speedsign hub`, a real mosquitto with persistence; see
tests/wires/kill_matrix.py.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks.telemetry_page import machine, write_between
from tests.wires.kill_check import Verdict
from tests.wires.kill_matrix import PARTS, Plan, run_matrix

DUPLICATES_AT_MOST = 1.2
HEAD = (
    "| seed | kills: sign, broker, hub | events | lost | counted twice | foreign | holes"
    " | messages | sent | times sent | again at the hub |"
)


def row(seed: int | str, verdict: Verdict, kills: dict[str, int]) -> str:
    return (
        f"| {seed} | {', '.join(str(kills[part]) for part in PARTS)} | {verdict.events:,} | {verdict.lost:,}"
        f" | {verdict.twice} | {verdict.foreign} | {verdict.unordered} | {verdict.messages:,}"
        f" | {verdict.sent:,} | {verdict.times_sent:.3f} | {verdict.duplicates} |"
    )


def total(results: list[tuple[Verdict, dict[str, int]]]) -> tuple[Verdict, dict[str, int]]:
    """All seeds as one."""
    names = Verdict.__slots__
    verdict = Verdict(**{name: sum(getattr(each, name) for each, _ in results) for name in names})
    return verdict, {part: sum(kills[part] for _, kills in results) for part in PARTS}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--retire-on", choices=("hub", "puback"), default="hub")
    parser.add_argument("--rate", type=float, default=Plan().rate_hz, help="intervals a second")
    parser.add_argument("--resend-s", type=float, default=Plan().resend_s)
    parser.add_argument("--keep", type=Path, help="a folder that keeps what the runs leave")
    parser.add_argument("--write", action="store_true", help="the table into docs/telemetry.md")
    args = parser.parse_args()
    plan = Plan(args.seconds, args.retire_on, args.rate, args.resend_s)
    lines = [HEAD, "|" + " --- |" * HEAD.count(" | ") + " --- |"]
    print("\n".join(lines), flush=True)
    results = []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        results.append(one(seed, plan, args.keep))
        lines.append(row(seed, *results[-1]))
        print(lines[-1], flush=True)
    verdict, kills = total(results)
    lines.append(row("all", verdict, kills))
    print(lines[-1])
    if args.write:
        told = f"{machine()}, {args.seconds:g} s a seed, first time-out {args.resend_s:g} s"
        write_between(f"kills {args.retire_on}", told + "\n\n" + "\n".join(lines))
    return 0 if verdict.good and verdict.times_sent < DUPLICATES_AT_MOST else 1


def one(seed: int, plan: Plan, keep: Path | None) -> tuple[Verdict, dict[str, int]]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep / f"{plan.retire_on}-{seed}" if keep else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        return asyncio.run(run_matrix(folder, seed, plan))


if __name__ == "__main__":
    sys.exit(main())
