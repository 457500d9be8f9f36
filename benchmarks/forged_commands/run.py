"""A million commands that must not be taken, at the gate of a sign.

    python -m benchmarks.forged_commands.run [--cases 1000000] [--seed 6]

Prints how many were refused for which reason, and, so that the numbers mean something, how many of some
thousand genuine ones were accepted. Exit code 1 when one bad command was accepted, or one good one was not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter

from tests.command.forging import Forger, Gatekeeper
from tests.command.office import key

CHUNK = 10_000
GENUINE = 5_000


def judged(seed: int) -> Counter[tuple[str, str]]:
    """(how it was spoiled, verdict) of one chunk."""
    keeper = Gatekeeper()
    return Counter((case.kind, keeper.verdict(case)) for case in Forger(seed).cases(CHUNK))


def accepted(seed: int) -> int:
    keeper, forger = Gatekeeper(), Forger(seed)
    return sum(keeper.verdict(forger.genuine()) == "accepted" for _ in range(GENUINE))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=6)
    given = parser.parse_args()
    for name in ("officer", "reader", "technician"):
        key(name)  # made before the work is divided: all workers have the same
    began_s = time.perf_counter()
    chunks = range(given.seed, given.seed + -(-given.cases // CHUNK))
    total: Counter[tuple[str, str]] = Counter()
    with multiprocessing.get_context("fork").Pool() as pool:
        for found in pool.imap_unordered(judged, chunks):
            total += found
        good = pool.apply(accepted, (given.seed,))
    took_s = time.perf_counter() - began_s
    print(f"{total.total():,} bad commands, {took_s:.0f} s")
    for (kind, verdict), n in sorted(total.items()):
        print(f"  {kind:<24}{verdict:<12}{n:>10,}")
    taken = sum(n for (_, verdict), n in total.items() if verdict == "accepted")
    print(f"accepted: {taken}")
    print(f"control: {good:,} of {GENUINE:,} genuine commands accepted")
    return int(taken > 0 or good != GENUINE)


if __name__ == "__main__":
    sys.exit(main())
