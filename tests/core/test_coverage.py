"""Measured seconds, put into the intervals they were measured in; none is lost or made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.coverage import CoverageMeter, interval_start
from speedsign.model import ClockQuality

T0 = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)


def taken(meter: CoverageMeter) -> dict[datetime, float]:
    return {part.at_utc: part.measured_s for part in meter.take(ClockQuality.OK)}


def test_intervals_are_aligned_to_utc() -> None:
    assert interval_start(T0 + timedelta(seconds=899.9)) == T0
    assert interval_start(T0 + timedelta(seconds=900)) == T0 + timedelta(minutes=15)
    assert interval_start(T0 + timedelta(seconds=61), 60) == T0 + timedelta(minutes=1)


def test_what_was_measured_across_a_boundary_is_divided_there() -> None:
    meter = CoverageMeter()
    meter.update(10.0, T0 + timedelta(seconds=4))
    assert taken(meter) == {T0 - timedelta(minutes=15): 6.0, T0: 4.0}
    assert meter.is_empty


def test_a_total_that_stands_still_or_falls_adds_nothing() -> None:
    meter = CoverageMeter()
    meter.update(10.0, T0 + timedelta(seconds=10))
    meter.update(10.0, T0 + timedelta(seconds=20))
    meter.update(3.0, T0 + timedelta(seconds=30))
    assert taken(meter) == {T0: 10.0}


@given(st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 5000)), max_size=20))
def test_the_sum_is_what_was_measured(steps: list[tuple[float, float]]) -> None:
    meter, total_s, now = CoverageMeter(), 0.0, T0
    for measured_s, waited_s in steps:
        total_s, now = total_s + measured_s, now + timedelta(seconds=waited_s)
        meter.update(total_s, now)
    assert sum(taken(meter).values()) == pytest.approx(total_s, abs=1e-3)
