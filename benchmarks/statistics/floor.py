"""The least that Python needs for the same numbers: csv, a Counter, one pass. Nothing is kept or checked.

floor.py FILE.csv
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections import Counter


def numbers(counts: Counter[int], limit_kmh: int) -> dict[str, float]:
    """Of speeds that the radar rounds: classes [k-0.5, k+0.5), V85 linear inside its class."""
    n = counts.total()
    below, v85 = 0, 0.0
    for speed in sorted(counts):
        if below + counts[speed] >= 0.85 * n:
            v85 = speed - 0.5 + (0.85 * n - below) / counts[speed]
            break
        below += counts[speed]
    return {
        "n": n,
        "mean_kmh": sum(speed * found for speed, found in counts.items()) / n,
        "v85_kmh": v85,
        "over_limit_share": sum(found for speed, found in counts.items() if speed > limit_kmh) / n,
    }


def main(path: str, limit_kmh: int = 50) -> None:
    counts: dict[str, Counter[int]] = {"approaching": Counter(), "receding": Counter()}
    with open(path, newline="") as file:  # noqa: PTH123  the least
        for row in csv.DictReader(file):
            counts[row["direction"]][math.floor(float(row["speed_kmh"]) + 0.5)] += 1
    counts["both"] = counts["approaching"] + counts["receding"]
    print(json.dumps({name: numbers(found, limit_kmh) for name, found in counts.items()}))


if __name__ == "__main__":
    main(sys.argv[1])
