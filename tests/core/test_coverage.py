"""Measured seconds, put into the intervals they were measured in; none is lost or made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.coverage import CoverageMeter, interval_start
from speedsign.dating import Span
from speedsign.model import ClockQuality, Coverage

T0 = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)


KNOWN = Span(0.0, T0 - timedelta(seconds=1000), known=True)


def taken(meter: CoverageMeter) -> dict[datetime, float]:
    return {part.at_utc: part.measured_s for part in meter.take(KNOWN)}


def test_intervals_are_aligned_to_utc() -> None:
    assert interval_start(T0 + timedelta(seconds=899.9)) == T0
    assert interval_start(T0 + timedelta(seconds=900)) == T0 + timedelta(minutes=15)
    assert interval_start(T0 + timedelta(seconds=61), 60) == T0 + timedelta(minutes=1)


def test_what_was_measured_across_a_boundary_is_divided_there() -> None:
    meter = CoverageMeter()
    meter.update(10.0, 1004.0)
    assert taken(meter) == {T0 - timedelta(minutes=15): 6.0, T0: 4.0}
    assert meter.is_empty


def test_a_total_that_stands_still_or_falls_adds_nothing() -> None:
    meter = CoverageMeter()
    meter.update(10.0, 1010.0)
    meter.update(10.0, 1020.0)
    meter.update(3.0, 1030.0)
    assert taken(meter) == {T0: 10.0}


def test_without_a_time_stretches_keep_their_boot_time() -> None:
    meter = CoverageMeter()
    for now_s, total_s in ((1001.0, 1.0), (1002.0, 2.0), (1003.0, 2.0), (1004.0, 3.0), (1005.0, 4.5)):
        meter.update(total_s, now_s)
    unknown = Span(0.0, T0 - timedelta(seconds=1000), known=False)
    assert meter.take(unknown, "b" * 32) == [
        Coverage(T0, 2.0, ClockQuality.UNKNOWN, "b" * 32, 1000.0),
        Coverage(T0 + timedelta(seconds=2.5), 2.5, ClockQuality.UNKNOWN, "b" * 32, 1002.5),
    ]


@given(st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 5000)), max_size=20))
def test_the_sum_is_what_was_measured(steps: list[tuple[float, float]]) -> None:
    meter, total_s, now_s = CoverageMeter(), 0.0, 1000.0
    for measured_s, waited_s in steps:
        total_s, now_s = total_s + measured_s, now_s + waited_s
        meter.update(total_s, now_s)
    assert sum(taken(meter).values()) == pytest.approx(total_s, abs=1e-3)
