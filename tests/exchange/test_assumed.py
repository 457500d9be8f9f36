"""When a device is taken to have measured of which only vehicles are known."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from telemetry.exchange.assumed import INTERVAL_S, intervals, left_out, stretches

DAY = 86_400


def test_from_the_first_to_the_last_vehicle() -> None:
    assert stretches([], DAY) == []
    assert stretches([9000], DAY) == [(9000, 9900)]
    assert stretches([0, 45_000], DAY) == [(0, 45_900)]


def test_a_gap_is_left_out_when_it_is_longer_than_allowed() -> None:
    assert stretches([0, 900 + DAY], DAY) == [(0, 1800 + DAY)]
    assert stretches([0, 1800 + DAY], DAY) == [(0, 900), (1800 + DAY, 2700 + DAY)]


def test_the_ends_that_are_stated_count_where_they_are_near_enough() -> None:
    assert stretches([7200], DAY, from_s=0, to_s=DAY) == [(0, DAY)]
    assert stretches([7200], DAY, from_s=7320) == [(7320, 8100)]
    assert stretches([10 * DAY], DAY, from_s=0, to_s=20 * DAY) == [(10 * DAY, 10 * DAY + 900)]


def test_what_was_left_out_is_named_at_the_ends_too() -> None:
    found = stretches([10 * DAY, 20 * DAY], DAY, from_s=0, to_s=20 * DAY + 1800)
    assert list(left_out(found, 0, 20 * DAY + 1800)) == [(0, 10 * DAY), (10 * DAY + 900, 20 * DAY)]
    assert list(left_out(found)) == [(10 * DAY + 900, 20 * DAY)]
    assert list(left_out([(900, 1800)], 0, 5000)) == [(0, 900), (1800, 5000)]
    assert list(left_out([], 0, 5000)) == []


def test_somebody_who_vouches_leaves_nothing_out() -> None:
    assert stretches([10 * DAY, 20 * DAY], math.inf, from_s=0, to_s=30 * DAY) == [(0, 30 * DAY)]


def test_a_quarter_hour_that_is_cut_has_its_part() -> None:
    assert list(intervals([(7320, 9000)])) == [(7200, 780), (8100, 900)]
    assert list(intervals([(60, 120)])) == [(0, 60)]


@given(
    st.lists(st.integers(0, 4000), min_size=1, unique=True),
    st.integers(1, 200),
    st.integers(0, 400),
    st.integers(0, 400),
)
def test_every_vehicle_was_measured_and_nothing_twice(
    quarters: list[int], gap: int, before: int, after: int
) -> None:
    starts = sorted(quarter * INTERVAL_S for quarter in quarters)
    found = stretches(
        starts, gap * INTERVAL_S, starts[0] - before * INTERVAL_S, starts[-1] + (after + 1) * INTERVAL_S
    )
    measured = dict(intervals(found))
    assert len(measured) == len(list(intervals(found)))
    assert all(measured[start] == INTERVAL_S for start in starts)
    assert sum(measured.values()) == sum(end - begin for begin, end in found)
    for (_, end), (begin, _) in pairwise(found):
        assert begin - end > gap * INTERVAL_S
