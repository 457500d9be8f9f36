"""Ranges of whole days: repeatable, right in width where the truth can be computed, honest with few days."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from statistics import variance

import pytest

from telemetry.compare.bootstrap import draws, half_ranges, spread_of, strata, t_95
from telemetry.compare.measures import MEASURES, Road
from telemetry.compare.sides import Change, Draws, changes_of, side_of, sides_of
from telemetry.compare.split import UsedHour
from telemetry.compare.week import mean_week, slots_of
from tests.compare.roads import MONDAY, random_side, used

ROAD = Road(50)
MEAN = MEASURES.index("mean_kmh")


def compared(before: list[UsedHour], after: list[UsedHour], seed: int = 1) -> dict[str, Change]:
    slots = slots_of(before) & slots_of(after)
    weeks = sides_of(before, after, slots)
    sides = side_of("before", weeks[0], ROAD), side_of("after", weeks[1], ROAD)
    found = changes_of(sides, ([weeks[0]], [weeks[1]]), [ROAD], Draws(1000, seed))
    return {change.measure: change for change in found}


# Tables of Student's t as printed in textbooks.
@pytest.mark.parametrize(
    ("degrees", "wanted"),
    [(1, 12.706), (2, 4.303), (5, 2.571), (11, 2.201), (13, 2.160), (18, 2.101), (25, 2.060), (40, 2.021)],
)
def test_students_t(degrees: int, wanted: float) -> None:
    assert t_95(degrees) == pytest.approx(wanted, abs=0.005)


def test_students_t_of_many_days_is_the_normals() -> None:
    assert t_95(1e9) == pytest.approx(1.96, abs=0.0005)
    assert t_95(0.5) == t_95(1)


def test_days_are_drawn_within_the_week_and_the_weekend() -> None:
    days = {MONDAY + timedelta(days=at): at for at in range(14)}
    found = strata(days)
    assert [len(group) for group in found.groups] == [10, 4]
    assert found.degrees == 12
    for week, weekend in draws(found, 50, random.Random(1)):
        assert len(week) == 9
        assert len(weekend) == 3
        assert all(at % 7 < 5 for at in week)
        assert all(at % 7 >= 5 for at in weekend)


@pytest.mark.parametrize(("days", "groups"), [(1, [1]), (5, [5]), (6, [6]), (7, [5, 2])])
def test_a_single_day_of_the_weekend_joins_the_others(days: int, groups: list[int]) -> None:
    found = strata({MONDAY + timedelta(days=at): at for at in range(days)})
    assert [len(group) for group in found.groups] == groups


def test_the_spread_of_the_mean_is_that_of_the_days() -> None:
    """Days of equal size: the variance of their mean is s²/n, with n-1 in s² however few they are."""
    for n in (3, 5, 10, 40):
        rng = random.Random(n)
        speeds = [rng.randint(40, 60) for _ in range(n)]
        # The same weekday and hour each week, so that each day weighs the same and there is one stratum.
        side = [used(MONDAY + timedelta(weeks=at), 8, [speed] * 10) for at, speed in enumerate(speeds)]
        week = mean_week(side, slots_of(side))
        found = spread_of([week], [ROAD], 4000, random.Random(1))
        assert found.variances[MEAN] == pytest.approx(variance(speeds) / n, rel=0.12), n
        assert found.degrees == n - 1


@pytest.mark.parametrize("weeks", [2, 3, 8])
def test_the_spread_of_the_volume_is_that_of_workdays_and_weekends_apart(weeks: int) -> None:
    """The mean of seven hours of the week: the variances of its two groups of days add up."""
    rng = random.Random(weeks)
    counts = {MONDAY + timedelta(days=at): rng.randint(20, 60) for at in range(7 * weeks)}
    side = [used(day, 8, [50] * n) for day, n in counts.items()]
    week = mean_week(side, slots_of(side))
    found = spread_of([week], [ROAD], 6000, random.Random(1))
    groups = [
        [n for day, n in counts.items() if (day.weekday() >= 5) is weekend] for weekend in (False, True)
    ]
    # Each day is 1/weeks of its slot, and a slot 1/7 of the mean.
    wanted = sum(len(group) * variance(group) for group in groups) / (weeks * 7) ** 2
    assert found.variances[MEASURES.index("vehicles_per_hour")] == pytest.approx(wanted, rel=0.1)


def test_a_lost_day_makes_the_range_of_the_traffic_little_wider() -> None:
    """Without it the only Wednesday left has twice the weight: drawn twice, it is no more traffic."""
    before, after = random_side(1, 14), random_side(2, 14, start=14)
    counts = {hour.date: 40 + hour.date.day % 5 for hour in before + after}
    first, second = (
        [used(hour.date, hour.start_utc.hour, [50] * counts[hour.date]) for hour in side]
        for side in (before, after)
    )
    lost = MONDAY + timedelta(days=16)
    whole, short = compared(first, second), compared(first, [hour for hour in second if hour.date != lost])
    widths = []
    for found in (whole, short):
        change = found["vehicles_per_hour"]
        assert change.low is not None
        assert change.high is not None
        widths.append(change.high - change.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.3)


def test_vehicles_of_one_day_are_not_independent() -> None:
    """A hundred times the vehicles of the same days tell nothing new."""
    few = compared(random_side(1, 14, a_day=60), random_side(2, 14, start=14, a_day=60))
    before, after = random_side(1, 14, a_day=60), random_side(2, 14, start=14, a_day=60)
    many = compared(
        [UsedHour(h.start_utc, h.date, h.slot, h.lanes * 100, h.n * 100) for h in before],
        [UsedHour(h.start_utc, h.date, h.slot, h.lanes * 100, h.n * 100) for h in after],
    )
    assert many["mean_kmh"].low == pytest.approx(few["mean_kmh"].low)
    assert many["v85_kmh"].high == pytest.approx(few["v85_kmh"].high)


def test_the_same_seed_gives_the_same_ranges_and_another_one_nearly_the_same() -> None:
    before, after = random_side(1, 14), random_side(2, 14, start=14, mean_kmh=48)
    first, again, other = (compared(before, after, seed) for seed in (1, 1, 2))
    assert first == again
    assert first["v85_kmh"].low != other["v85_kmh"].low
    assert first["v85_kmh"].difference == other["v85_kmh"].difference
    low, another = first["v85_kmh"].low, other["v85_kmh"].low
    assert low is not None
    assert another == pytest.approx(low, abs=0.2)


@pytest.mark.parametrize("days", [7, 14, 28])
def test_ranges_hold_the_truth_about_as_often_as_they_say(days: int) -> None:
    """A small run of benchmarks/compare_coverage. 95 % of 120 roads are 114; fewer than 105 would be no
    chance.
    """
    held = 0
    for seed in range(120):
        before = random_side(seed, days, a_day=30, hours=(8, 17))
        after = random_side(seed + 1000, days, start=days, mean_kmh=48.5, a_day=30, hours=(8, 17))
        slots = slots_of(before) & slots_of(after)
        weeks = sides_of(before, after, slots)
        sides = side_of("before", weeks[0], ROAD), side_of("after", weeks[1], ROAD)
        changes = changes_of(sides, ([weeks[0]], [weeks[1]]), [ROAD], Draws(100, seed))
        change = next(one for one in changes if one.measure == "v85_kmh")
        assert change.low is not None
        assert change.high is not None
        held += change.low <= -1.5 <= change.high
    assert held >= 105


def test_days_that_all_are_the_same_leave_no_doubt() -> None:
    before = [used(MONDAY + timedelta(days=at), 8, [50] * 20) for at in range(7)]
    after = [used(MONDAY + timedelta(days=at), 8, [48] * 20) for at in range(7, 14)]
    change = compared(before, after)["v85_kmh"]
    assert (change.difference, change.low, change.high) == (-2.0, -2.0, -2.0)
    assert change.clear
    same = compared(before, [used(h.date + timedelta(days=7), 8, [50] * 20) for h in before])["v85_kmh"]
    assert (same.difference, same.clear) == (0.0, False)


@pytest.mark.parametrize(("days", "each"), [(2, 100), (1, 100), (10, 2)])
def test_few_days_or_vehicles_have_no_range(days: int, each: int) -> None:
    few = [used(MONDAY + timedelta(weeks=at), 8, [50] * each) for at in range(days)]
    many = [used(MONDAY + timedelta(weeks=at + 20), 8, [48] * 100) for at in range(9)]
    for before, after in ((few, many), (many, few)):
        change = compared(before, after)["mean_kmh"]
        assert change.difference is not None
        assert (change.low, change.high, change.clear) == (None, None, False)


def test_where_most_draws_have_no_vehicle_there_is_no_range() -> None:
    before = [used(MONDAY + timedelta(weeks=at), 8, [50] * 40 if at == 0 else []) for at in range(6)]
    after = [used(MONDAY + timedelta(weeks=at + 6), 8, [48] * 40) for at in range(6)]
    change = compared(before, after)["v85_kmh"]
    assert change.difference == -2.0
    assert change.low is None


def test_a_side_that_does_not_vary_gives_the_other_ones_degrees() -> None:
    still = [used(MONDAY + timedelta(weeks=at), 8, [50] * 20) for at in range(6)]
    moving = [used(MONDAY + timedelta(weeks=at), 8, [45 + at] * 20) for at in range(6)]
    weeks = [mean_week(side, slots_of(side)) for side in (still, moving)]
    spreads = [spread_of([week], [ROAD], 2000, random.Random(1)) for week in weeks]
    half = half_ranges(spreads[0], spreads[1])[MEAN]
    spread = spreads[1].variances[MEAN]
    assert spread is not None
    assert half == pytest.approx(t_95(5) * math.sqrt(spread))
