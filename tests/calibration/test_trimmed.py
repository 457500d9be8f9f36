"""The mean of the middle, and how often its interval holds."""

from __future__ import annotations

from math import nan
from random import Random
from statistics import fmean

import pytest

from speedsign.calibration.trimmed import middle_of


def test_the_ends_do_not_count() -> None:
    values = [4.0, 5.0, 6.0, 7.0]
    assert middle_of([-1e6, *values, 1e9], 0.17).mean == fmean(values)


def test_without_trimming_it_is_the_mean_with_its_t_interval() -> None:
    found = middle_of([1.0, 2.0, 3.0, 4.0], 0.0)
    assert found.mean == 2.5
    assert found.half_width == pytest.approx(3.182 * 1.29099 / 2, rel=1e-3)


@pytest.mark.parametrize(("name", "n"), [("normal", 20), ("normal", 200), ("tailed", 60)])
def test_the_interval_holds_as_often_as_promised(name: str, n: int) -> None:
    random, held = Random(4), 0
    for _ in range(1000):
        values = [random.gauss(0.0, 1.0) for _ in range(n)]
        if name == "tailed":
            values = [value * (8.0 if random.random() < 0.1 else 1.0) for value in values]
        found = middle_of(values, 0.25)
        held += abs(found.mean) <= found.half_width
    assert 925 <= held <= 975


@pytest.mark.parametrize("trimmed", [-0.1, 0.5, nan])
def test_an_impossible_part(trimmed: float) -> None:
    with pytest.raises(ValueError, match="either end"):
        middle_of([1.0] * 9, trimmed)


def test_too_few_and_no_numbers() -> None:
    with pytest.raises(ValueError, match="too few"):
        middle_of([1.0, 2.0, 3.0, 4.0], 0.25)
    with pytest.raises(ValueError, match="too few"):
        middle_of([], 0.1)
    with pytest.raises(ValueError, match="numbers"):
        middle_of([1.0, nan, 2.0, 3.0], 0.0)
