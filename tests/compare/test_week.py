"""The mean week: against numpy where weeks are uneven, against plain sums where they are even."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.compare.lanes import spread
from telemetry.compare.measures import MEASURES, Road, measure
from telemetry.compare.week import SCALE, MeanWeek, mean_week, slots_of
from tests.compare.roads import MONDAY, random_side, used

ROAD = Road(50)


def numbers(week: MeanWeek) -> dict[str, float]:
    found = week.numbers(ROAD)
    assert found is not None
    return dict(zip(MEASURES, found, strict=True))


@pytest.mark.parametrize("weeks", [1, 2, 3, 7])
def test_whole_weeks_are_the_plain_sum(weeks: int) -> None:
    side = random_side(weeks, 7 * weeks)
    week = mean_week(side, slots_of(side))
    plain = measure(spread(sum(hour.lanes for hour in side)), ROAD, len(side))
    assert plain is not None
    assert week.numbers(ROAD) == pytest.approx(plain, abs=1e-9)
    assert (week.slots, week.hours, week.n) == (21, 21 * weeks, sum(hour.n for hour in side))


def test_three_fast_mondays_against_one_tuesday_do_not_weigh_three_times() -> None:
    side = [used(MONDAY + timedelta(weeks=week), 8, [70, 70]) for week in range(3)]
    side.append(used(MONDAY + timedelta(days=1), 8, [50, 50]))
    found = numbers(mean_week(side, slots_of(side)))
    assert found["mean_kmh"] == pytest.approx(60.0)
    assert found["vehicles_per_hour"] == pytest.approx(2.0)
    assert found["over_limit_share"] == pytest.approx(0.5)


@given(st.integers(0, 10_000))
def test_uneven_weeks_are_weighted_as_numpy_does_it(seed: int) -> None:
    rng = random.Random(seed)
    side = []
    for _ in range(rng.randint(5, 60)):
        day = MONDAY + timedelta(days=rng.randint(0, 40))
        speeds = [rng.randint(20, 90) for _ in range(rng.randint(1, 9))]
        side.append(used(day, rng.choice([7, 8, 17]), speeds, minutes=rng.randint(0, 59)))
    week = mean_week(side, slots_of(side))

    by_slot = defaultdict(list)
    for hour in side:
        by_slot[hour.slot].append(np.pad(spread(hour.lanes), (0, 100 - len(spread(hour.lanes)))))
    wanted = sum(np.mean(hours, axis=0) for hours in by_slot.values())
    assert np.pad(week.counts, (0, 100 - len(week.counts))) == pytest.approx(wanted)
    found = numbers(week)
    assert found["mean_kmh"] == pytest.approx(np.average(np.arange(100), weights=wanted))
    edges, running = np.arange(101) - 0.5, np.concatenate([[0], np.cumsum(wanted)])
    # np.interp takes any point of a flat stretch; the rule takes its lower end.
    reached = int(np.searchsorted(running, 0.85 * running[-1] - 1e-9))
    part = (0.85 * running[-1] - running[reached - 1]) / (running[reached] - running[reached - 1])
    assert found["v85_kmh"] == pytest.approx(edges[reached - 1] + min(part, 1.0))
    assert found["vehicles_per_hour"] == pytest.approx(wanted.sum() / len(by_slot))


@given(st.integers(0, 10_000))
def test_its_days_add_up_to_it(seed: int) -> None:
    side = random_side(seed, random.Random(seed).randint(1, 20), a_day=12)
    week = mean_week(side, slots_of(side))
    added = [n / SCALE for n in spread(sum(week.days.values()))]
    assert added == pytest.approx(list(week.counts), abs=1e-4)
    assert sum(week.vehicles.values()) == week.n
    assert sum(week.day_hours.values()) / SCALE == pytest.approx(week.slots, abs=1e-3)


def test_a_part_of_an_hour_is_a_part_of_a_time() -> None:
    """Three quarters of it with six vehicles are eight an hour, and its speeds weigh as those of eight."""
    partly = [replace(used(MONDAY, 8, [70] * 6), part=0.75), used(MONDAY, 9, [50] * 8)]
    found = numbers(mean_week(partly, slots_of(partly)))
    assert found["vehicles_per_hour"] == pytest.approx(8.0)
    assert found["mean_kmh"] == pytest.approx(60.0)


def test_hours_of_other_slots_are_left_out() -> None:
    side = [used(MONDAY, 8, [50]), used(MONDAY, 9, [90])]
    week = mean_week(side, {(0, 8)})
    assert (week.hours, week.n, week.slots) == (1, 1, 1)


def test_no_hour_at_all() -> None:
    week = mean_week([], set())
    assert week.numbers(ROAD) is None
    assert (week.n, dict(week.days)) == (0, {})
