"""benchmarks/compare_coverage still runs, and its table is that of docs/compare.md."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from benchmarks.compare_coverage.road import Truth, day_shifts
from benchmarks.compare_coverage.run import CASES, HEAD, measured
from tests.docs import pages


@pytest.mark.parametrize("at", [0, -1], ids=["alone", "with a control site"])
def test_a_few_roads_make_a_row(at: int) -> None:
    row = measured(replace(CASES[at], days=7), 3)
    assert len(row) == len(HEAD[0])
    assert all(cell in ("–", "0 %", "33 %", "67 %", "100 %") for cell in (*row[2:5], *row[6:]))


def test_the_truth_is_known() -> None:
    assert Truth().over_share(0.0) > Truth().over_share(-1.5) > 0
    shifts = day_shifts(Truth(persistence=0.5), 20_000, random.Random(1))
    pairs = sum(a * b for a, b in pairwise(shifts)) / sum(a * a for a in shifts)
    assert pairs == pytest.approx(0.5, abs=0.03)


def test_the_page_has_every_case() -> None:
    part = (
        pages.text("docs/compare.md")
        .partition("<!-- coverage -->")[2]
        .partition("<!-- end of coverage -->")[0]
    )
    rows = pages.table_rows(part)
    assert [(row[0], row[1]) for row in rows] == [(case.name, str(case.days)) for case in CASES]
