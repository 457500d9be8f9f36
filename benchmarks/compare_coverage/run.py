"""How often a 95 % range of `speedsign compare` holds the truth, on roads where the truth is known.

    python -m benchmarks.compare_coverage.run [--roads 400] [--write]

Beside the method in use stand the two that are usual: the plain percentile bootstrap of days, and vehicles
taken as independent. --write puts the table into docs/compare.md.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compare_coverage.road import LIMIT_KMH, Truth, day_shifts, hours
from telemetry.compare.bootstrap import strata
from telemetry.compare.lanes import spread
from telemetry.compare.measures import MEASURES, Road, measure
from telemetry.compare.sides import Draws, changes_of, side_of, sides_of
from telemetry.compare.week import SCALE, MeanWeek, slots_of
from tests.docs.pages import ROOT, with_part

PAGE = ROOT / "docs" / "compare.md"
ROAD = Road(LIMIT_KMH)
DAYS = (7, 14, 28)
RESAMPLES = 500
SHOWN = ("mean_kmh", "v85_kmh", "over_limit_share")
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    truth: Truth
    days: int
    control: bool = False  # another road with the same days and no sign


CASES = (
    *(Case("days differ", Truth(), days) for days in DAYS),
    *(Case("days differ much", Truth(day_sd_kmh=2.0), days) for days in DAYS),
    *(Case("quiet road", Truth(vehicles_per_hour=8.0), days) for days in DAYS),
    *(Case("days resemble the day before", Truth(persistence=0.5), days) for days in DAYS),
    *(Case("the same, with a control site", Truth(persistence=0.5), days, control=True) for days in DAYS),
)


Weeks = tuple[MeanWeek, MeanWeek]


def roads_of(case: Case, seed: int) -> list[Weeks]:
    """The sign's road, and that of its control."""
    rng = random.Random(seed)
    truth = case.truth
    shifts = day_shifts(truth, 2 * case.days, rng)
    changes = (truth.change_kmh, 0.0) if case.control else (truth.change_kmh,)
    sides = [
        (
            list(hours(truth, shifts[: case.days], 0, 0.0, rng)),
            list(hours(truth, shifts[case.days :], case.days, change_kmh, rng)),
        )
        for change_kmh in changes
    ]
    slots = slots_of(sides[0][0])
    return [sides_of(before, after, slots) for before, after in sides]


def in_use(roads: Sequence[Weeks], seed: int) -> dict[str, Range]:
    """By the method of the program; with a control, what is left beyond its change."""
    own, *others = roads
    sides = side_of("before", own[0], ROAD), side_of("after", own[1], ROAD)
    weeks = [pair[0] for pair in roads], [pair[1] for pair in roads]
    found = changes_of(sides, weeks, [ROAD] * len(roads), Draws(RESAMPLES, seed))
    ranges = {}
    for at, change in enumerate(found):
        trend = sum(_number(pair[1], at) - _number(pair[0], at) for pair in others)
        if change.low is not None and change.high is not None:
            ranges[change.measure] = change.low - trend, change.high - trend
    return ranges


def _number(week: MeanWeek, at: int) -> float:
    numbers = week.numbers(ROAD)
    return math.nan if numbers is None else numbers[at]


def plain_bootstrap(weeks: Weeks, seed: int) -> dict[str, Range]:
    """n days of n, 2.5 % of the results cut off on each side."""
    rng = random.Random(seed)
    results = [list(_plain(week, rng)) for week in weeks]
    columns = zip(
        *([b - a for a, b in zip(*pair, strict=True)] for pair in zip(*results, strict=True)), strict=True
    )
    cut = RESAMPLES // 40
    return {
        name: (sorted(column)[cut], sorted(column)[-1 - cut])
        for name, column in zip(MEASURES, map(list, columns), strict=True)
    }


def _plain(week: MeanWeek, rng: random.Random) -> Iterator[tuple[float, ...]]:
    groups = strata(week.days).groups
    for _ in range(RESAMPLES):
        lanes = sum(sum(rng.choices(group, k=len(group))) for group in groups)
        yield measure(spread(lanes), ROAD, week.slots * SCALE) or (0.0,) * len(MEASURES)


def independent(weeks: Weeks) -> dict[str, Range]:
    """As if every vehicle stood for itself: s/sqrt(n)."""
    numbers = [week.numbers(ROAD) for week in weeks]
    assert numbers[0] is not None
    assert numbers[1] is not None
    found = {}
    for name, variances in (
        ("mean_kmh", [_variance(week.counts) / week.n for week in weeks]),
        ("over_limit_share", [_over(week) * (1 - _over(week)) / week.n for week in weeks]),
    ):
        at = MEASURES.index(name)
        difference = numbers[1][at] - numbers[0][at]
        half = 1.96 * math.sqrt(sum(variances))
        found[name] = difference - half, difference + half
    return found


def _over(week: MeanWeek) -> float:
    return _number(week, MEASURES.index("over_limit_share"))


def _variance(counts: Sequence[float]) -> float:
    total = sum(counts)
    mean = sum(k * n for k, n in enumerate(counts)) / total
    return sum(n * (k - mean) ** 2 for k, n in enumerate(counts)) / total


def truth_of(case: Case) -> dict[str, float]:
    change = case.truth.change_kmh
    share = case.truth.over_share(change) - case.truth.over_share(0.0)
    return {"mean_kmh": change, "v50_kmh": change, "v85_kmh": change, "over_limit_share": share}


def measured(case: Case, roads: int) -> list[str]:
    """One row of the table."""
    truth = truth_of(case)
    held: dict[tuple[str, str], int] = {}
    width = 0.0
    for seed in range(roads):
        roads_there = roads_of(case, seed)
        weeks = roads_there[0]
        ours = in_use(roads_there, seed)
        width += (ours["v85_kmh"][1] - ours["v85_kmh"][0]) / 2
        for method, ranges in (
            ("ours", ours),
            ("plain", plain_bootstrap(weeks, seed)),
            ("alone", independent(weeks)),
        ):
            for name, (low, high) in ranges.items():
                if name in truth:
                    held[method, name] = held.get((method, name), 0) + (low <= truth[name] <= high)

    def share(method: str, name: str) -> str:
        return f"{100 * held.get((method, name), 0) / roads:.0f} %"

    usual = ["–", "–"] if case.control else [share("plain", "v85_kmh"), share("alone", "mean_kmh")]
    return [
        case.name,
        str(case.days),
        *(share("ours", name) for name in SHOWN),
        f"± {width / roads:.1f}",
        *usual,
    ]


HEAD = (
    (
        "",
        "Days a side",
        "mean",
        "V85",
        "over the limit",
        "range of V85, km/h",
        "plain, V85",
        "vehicles, mean",
    ),
    ("---", "---:", "---:", "---:", "---:", "---:", "---:", "---:"),
)


def main(args: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--roads", type=int, default=400)
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args(args)
    rows: list[Sequence[str]] = [*HEAD]
    for row in HEAD:
        print("| " + " | ".join(row) + " |")
    for case in CASES:
        rows.append(measured(case, wanted.roads))
        print("| " + " | ".join(rows[-1]) + " |", flush=True)
    if wanted.write:
        table = "".join("| " + " | ".join(row) + " |\n" for row in rows)
        _put(PAGE, table)


def _put(page: Path, table: str) -> None:
    page.write_text(with_part(page.read_text(encoding="utf-8"), "coverage", table), encoding="utf-8")


if __name__ == "__main__":
    main()
