"""The numbers that came, against a set of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.hub.spans import Spans

FEW = st.integers(1, 40)
RANGES = st.lists(st.tuples(FEW, FEW).map(lambda pair: (min(pair), max(pair))), max_size=25)


def numbers(spans: Spans) -> set[int]:
    return {seq for seq in range(1, 60) if seq in spans}


class Table:
    """The ranges as a database has them, told by `changed` and `gone` alone."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}

    def update(self, spans: Spans) -> None:
        for first in spans.gone:
            self.rows.pop(first, None)
        for first in spans.changed:
            self.rows[first] = spans.last_of(first)
        spans.settled()


@given(RANGES)
def test_it_is_a_set(ranges: list[tuple[int, int]]) -> None:
    spans, wanted = Spans(), set[int]()
    for first, last in ranges:
        added = set(range(first, last + 1))
        assert spans.add(first, last) == len(added - wanted)
        wanted |= added
        assert numbers(spans) == wanted
    highest = max(wanted, default=0)
    missing = set(range(1, highest)) - wanted
    assert spans.highest == highest
    assert spans.missing == len(missing)
    assert {seq for first, last in spans.gaps() for seq in range(first, last + 1)} == missing
    assert spans.up_to == min(missing, default=highest + 1) - 1


@given(RANGES)
def test_ranges_lie_apart_and_above_the_first_gap(ranges: list[tuple[int, int]]) -> None:
    spans = Spans()
    for one in ranges:
        spans.add(*one)
    end = spans.up_to
    for first, last in spans:
        assert first > end + 1
        assert last >= first
        end = last


@given(RANGES, st.integers(1, 5))
def test_a_table_that_is_told_the_changes_has_them_all(ranges: list[tuple[int, int]], every: int) -> None:
    spans, table = Spans(), Table()
    for place, one in enumerate(ranges):
        spans.add(*one)
        if place % every == 0:
            table.update(spans)
    table.update(spans)
    assert table.rows == dict(spans)
    again = Spans(spans.up_to, sorted(table.rows.items()))
    assert numbers(again) == numbers(spans)


@given(RANGES, st.sets(FEW, max_size=10))
def test_around_holds_what_was_asked_for_and_nothing_that_did_not_come(
    ranges: list[tuple[int, int]], asked: set[int]
) -> None:
    spans = Spans()
    for one in ranges:
        spans.add(*one)
    said = {seq for first, last in spans.around(asked) for seq in range(first, last + 1)}
    assert said <= numbers(spans)
    assert {seq for seq in asked if seq in spans and seq > spans.up_to} <= said


def test_the_newest_are_the_highest() -> None:
    spans = Spans(0, [(3, 4), (7, 7), (9, 12)])
    assert spans.newest(2) == [(7, 7), (9, 12)]
    assert spans.newest(64) == list(spans)
    assert Spans(5).newest(64) == []


@pytest.mark.parametrize("wrong", [(0, 3), (-1, 1), (5, 4)])
def test_what_is_no_range_is_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no range"):
        Spans().add(*wrong)


def test_other_things_are_not_in_it() -> None:
    assert "1" not in Spans(5)
    assert 0 not in Spans(5)


def test_a_backlog_with_the_newest_first_stays_quick() -> None:
    """Two of three numbers are of another kind and come later: a range for each."""
    spans = Spans()
    for seq in range(30_000, 0, -3):
        spans.add(seq)
    assert len(spans) == 10_000
    for seq in range(1, 30_001):
        spans.add(seq)
    assert (spans.up_to, len(spans)) == (30_000, 0)
