"""Packed speeds: the same counts come out that went in, for every speed there is."""

from __future__ import annotations

import sqlite3
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.rows import FASTEST_KMH, packed, packed_with, speed_class, unpacked

speeds = st.lists(st.integers(0, FASTEST_KMH), max_size=60)


@given(speeds)
def test_counts_come_back(passed: list[int]) -> None:
    counts = dict(sorted(Counter(passed).items()))
    assert unpacked(packed(counts)) == counts
    one_by_one = ""
    for speed in passed:
        one_by_one = packed_with(one_by_one, speed)
    assert one_by_one == packed(counts)  # sorted: nobody can tell in which order they passed


@given(speeds, speeds)
def test_joined_texts_are_added_counts(some: list[int], more: list[int]) -> None:
    assert unpacked(packed(Counter(some)) + packed(Counter(more))) == dict(Counter(some) + Counter(more))


def test_the_database_counts_characters_as_we_do() -> None:
    """length() and group_concat() are used on them: no NUL, and every speed is one character."""
    with sqlite3.connect(":memory:") as db:
        every = packed(dict.fromkeys(range(FASTEST_KMH + 1), 1))
        assert db.execute("SELECT length(?)", (every,)).fetchone() == (FASTEST_KMH + 1,)
    db.close()


@pytest.mark.parametrize(
    ("speed", "rounds", "expected"),
    [(49.5, True, 50), (49.49, True, 49), (49.99, False, 49), (0.0, True, 0), (999.7, True, 999)],
)
def test_classes(speed: float, rounds: bool, expected: int) -> None:
    assert speed_class(speed, rounds=rounds) == expected


@pytest.mark.parametrize("speed", [-0.1, 1000.0, float("nan"), float("inf")])
def test_what_is_no_speed_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="not a speed"):
        speed_class(speed, rounds=True)
