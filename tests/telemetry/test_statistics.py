"""The numbers against published tables and against computations of another kind."""

from __future__ import annotations

import statistics
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.percentiles import (
    SpeedClass,
    classes,
    counted_percentile,
    counted_rank,
    grouped_percentile,
    mean_sd,
    value_percentile,
)
from telemetry.statistics import bands, compute, merge, method, pace

# BFC 32302 (UTHM 2013), "Example of Spot Speed Study": state road, limit 60, 15 classes of 5 km/h from 39.5
UTHM = [5, 8, 12, 10, 15, 21, 16, 11, 10, 4, 5, 4, 5, 1, 3]
UTHM_CLASSES = [SpeedClass(39.5 + 5 * step, 5.0, n) for step, n in enumerate(UTHM)]

# Iowa IHRB TR-455 (2002), table 2-1: mph -> vehicles
IOWA = {15: 1, 18: 2, 21: 6, 24: 12, 27: 13, 30: 20, 33: 18, 36: 14, 39: 6, 42: 6, 45: 1, 48: 1}

# "Spot speed study - 85th percentile demo": single speeds, mph
DEMO = [20, 23, 26, 48, 33, 46, 31, 32, 34, 23, 25, 48, 37, 21, 47]

# Garber and Hoel, 5th ed., problem 4-10 "before": class mid-points, mph
GARBER = [
    SpeedClass(mid - 1.5, 3.0, n) for mid, n in zip((29, 32, 35, 38, 41), (4, 5, 12, 6, 3), strict=True)
]


def test_uthm_grouped_table() -> None:
    mean, sd = mean_sd(UTHM_CLASSES)
    assert sum(UTHM) == 130
    assert mean == pytest.approx(69.9, abs=0.05)
    assert sd == pytest.approx(16.517, abs=0.001)
    assert grouped_percentile(UTHM_CLASSES, 50) == pytest.approx(64.5 + (65 - 50) / 21 * 5)
    assert grouped_percentile(UTHM_CLASSES, 85) == pytest.approx(87.625)
    assert grouped_percentile(UTHM_CLASSES, 15) == pytest.approx(52.208, abs=0.001)
    assert grouped_percentile(UTHM_CLASSES, 95) == pytest.approx(102.0)


def test_iowa_value_plotted_rule() -> None:
    assert value_percentile(IOWA, 50) == pytest.approx(29.4)
    assert value_percentile(IOWA, 85) == pytest.approx(35.786, abs=0.001)
    mean, sd = mean_sd([SpeedClass(speed - 0.5, 1.0, n) for speed, n in IOWA.items()])
    assert mean == pytest.approx(30.93)
    assert sd == pytest.approx(6.377, abs=0.001)


def test_raw_speeds_demo() -> None:
    assert value_percentile(merge([{speed: 1} for speed in DEMO]), 85) == pytest.approx(46.75)


def test_garber_mean_and_deviation() -> None:
    mean, sd = mean_sd(GARBER)
    assert mean == pytest.approx(34.9)
    assert sd == pytest.approx((350.7 / 29) ** 0.5)


def test_engineers_forum_rule() -> None:
    assert value_percentile({42: 84, 47: 13, 60: 3}, 85) == pytest.approx(42.385, abs=0.001)


def test_texas_counts_to_the_106th_car() -> None:
    assert counted_rank(125, 85) == 106
    assert counted_percentile({40: 105, 48: 1, 55: 19}, 85) == 48


def test_normal_speeds_give_the_textbook_v85() -> None:
    """FHWA-HRT-05-042, appendix F: mean 50, sd 3 has its 85th percentile at 53.11."""
    normal = statistics.NormalDist(50, 3)
    edges = [35 + step / 10 for step in range(300)]
    groups = [SpeedClass(low, 0.1, round(1e7 * (normal.cdf(low + 0.1) - normal.cdf(low)))) for low in edges]
    assert grouped_percentile(groups, 85) == pytest.approx(53.11, abs=0.005)


histograms = st.dictionaries(st.integers(0, 200), st.integers(0, 30), max_size=40)


def brute_force_percentile(counts: dict[int, int], percent: int, low_edge: Fraction) -> Fraction:
    """Each vehicle spread evenly over its own n-th of the class; exact fractions, one vehicle at a time."""
    target = Fraction(percent * sum(counts.values()), 100)
    passed = 0
    for speed in sorted(counts):
        for place in range(counts[speed]):
            if passed + 1 >= target:
                part = (place + (target - passed)) / counts[speed]
                return speed + low_edge + part
            passed += 1
    raise AssertionError("no vehicle")


@settings(deadline=None)
@given(histograms, st.integers(1, 99), st.booleans())
def test_percentiles_against_brute_force(counts: dict[int, int], percent: int, rounds: bool) -> None:
    found = grouped_percentile(classes(counts, rounds=rounds), percent)
    if not any(counts.values()):
        assert found is None
        return
    edge = Fraction(-1, 2) if rounds else Fraction(0)
    assert found == pytest.approx(float(brute_force_percentile(counts, percent, edge)), abs=1e-9)


@settings(deadline=None)
@given(histograms)
def test_mean_and_deviation_against_the_standard_library(counts: dict[int, int]) -> None:
    raw = [speed for speed, n in counts.items() for _ in range(n)]
    found = compute(counts, 50)
    assert found.n == len(raw)
    assert found.mean_kmh == (pytest.approx(statistics.fmean(raw)) if raw else None)
    assert found.sd_kmh == (pytest.approx(statistics.stdev(raw)) if len(raw) > 1 else None)
    assert found.max_kmh == max(raw, default=None)


@settings(deadline=None)
@given(histograms, st.integers(10, 130))
def test_shares_and_bands_add_up(counts: dict[int, int], limit: int) -> None:
    raw = [speed for speed, n in counts.items() for _ in range(n)]
    found = compute(counts, limit)
    assert sum(band.n for band in found.bands) == len(raw)
    if raw:
        assert found.over_limit_share == sum(speed > limit for speed in raw) / len(raw)
        assert found.over_limit_10_share == sum(speed > limit + 10 for speed in raw) / len(raw)
        assert found.over_limit_20_share == sum(speed > limit + 20 for speed in raw) / len(raw)


@settings(deadline=None)
@given(histograms)
def test_no_window_holds_more_than_the_pace(counts: dict[int, int]) -> None:
    window = pace(counts)
    raw = [speed for speed, n in counts.items() for _ in range(n)]
    if window is None:
        assert not raw
        return
    held = {low: sum(low <= speed <= low + 14 for speed in raw) for low in range(201)}
    assert window.n == max(held.values())
    assert window.low_kmh == min(low for low, n in held.items() if n == window.n)
    assert window.high_kmh - window.low_kmh == 14


@settings(deadline=None)
@given(st.lists(histograms, max_size=4))
def test_merging_is_counting_together(parts: list[dict[int, int]]) -> None:
    raw = sorted(speed for counts in parts for speed, n in counts.items() for _ in range(n))
    assert [speed for speed, n in merge(parts).items() for _ in range(n)] == raw


def test_a_share_reached_at_a_gap_is_the_upper_edge_of_the_class_before_it() -> None:
    groups = classes({40: 1, 60: 1}, rounds=True)
    assert [grouped_percentile(groups, percent) for percent in (0, 25, 50, 75, 100)] == [
        39.5, 40.0, 40.5, 60.0, 60.5,
    ]  # fmt: skip


def test_the_limit_itself_is_not_over_it() -> None:
    found = compute({50: 1, 51: 1, 60: 1, 61: 1, 70: 1, 71: 1, 100: 1, 101: 3}, 50)
    assert found.over_limit_share == 0.9
    assert [(band.name, band.n) for band in found.bands] == [
        ("within limit", 1), ("1-10", 2), ("11-20", 2), ("21-30", 1), ("31-40", 0), ("41-50", 1),
        ("51-60", 3), ("61-70", 0), (">70", 0),
    ]  # fmt: skip


def test_a_radar_that_truncates_is_half_a_kmh_up() -> None:
    counts = {47: 30, 50: 70}
    cut, rounded = compute(counts, 50, rounds=False), compute(counts, 50)
    assert cut.mean_kmh is not None
    assert rounded.mean_kmh is not None
    assert cut.mean_kmh - rounded.mean_kmh == pytest.approx(0.5)
    assert "[k, k+1)" in method(rounds=False)
    assert "[k-0.5, k+0.5)" in method(rounds=True)


def test_no_vehicle_is_no_error() -> None:
    found = compute({50: 0}, 50)
    assert (found.n, found.mean_kmh, found.max_kmh, found.pace, found.over_limit_share) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert set(found.percentiles_kmh.values()) == {None}
    assert all(band.share is None for band in bands({}, 50))
