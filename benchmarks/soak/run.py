"""An hour of a sign on ptys, with a broker and a hub, while one thing after another goes wrong.

    python -m benchmarks.soak.run --minutes 10
    make soak                               an hour, the table into docs/reliability.md

The real `speedsign run` between the simulated devices of `speedsign simulate`, a real Mosquitto, the real
`speedsign hub`. Troubles come from a seed: radar unplugged or noisy, panel silent or slow, broker killed, the
network cut, the hub killed, watchers that come and go, the card full (as root with a loop device). Memory,
open files, threads and CPU are read beside them, also of a process with the same modules that only sleeps.

Flat means: memory rises less than 1 MB an hour after the first fifth (in a run of minutes: less than 0.75 MB
in all), beyond what the sleeping one shows; after each trouble no more files and threads are open than before
the first.
Exit 1 where that, or anything else that is promised, does not hold: the sentences say what.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.soak.plan import Plan
from benchmarks.soak.rig import SoakError
from benchmarks.soak.soak import soak
from benchmarks.soak.usage import Gone
from benchmarks.soak.verdict import complaints, table
from benchmarks.telemetry_page import machine, write_between


def plan_of(args: argparse.Namespace) -> Plan:
    plan = Plan(seed=args.seed, minutes=args.minutes, per_hour=args.per_hour)
    if plan.is_short:
        plan = replace(plan, sample_s=0.5, pause_s=(0.5, 1.0), over_within_s=60.0)
    return replace(plan, interval_s=60, entry=args.entry) if args.entry else plan


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="at least 1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-hour", type=float, default=400.0, help="vehicles")
    parser.add_argument(
        "--entry",
        help="another sign, with intervals of a minute: what stands behind python -m; {config} is its config",
    )
    parser.add_argument("--keep", type=Path, help="a folder that keeps logs and databases")
    parser.add_argument("--write", action="store_true", help="the table into docs/reliability.md")
    args = parser.parse_args()
    plan = plan_of(args)
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            record = asyncio.run(soak(folder, plan, lambda line: print(line, flush=True)))
        except (SoakError, Gone) as error:
            print(f"the soak has ended early: {error}", file=sys.stderr)
            return 1
    text, wrong = table(record, plan), complaints(record, plan)
    told = f"{machine()}; {plan.minutes:g} minutes, {plan.per_hour:g} vehicles an hour, seed {plan.seed}"
    verdict = "; ".join(wrong) if wrong else "Flat, nothing lost, nothing doubled"
    text = f"{told}.\n\n{text}\n\n{verdict}."
    print(text)
    if args.write:
        write_between("soak", text, "reliability")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
