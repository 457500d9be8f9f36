"""Messages that are longer than the broker takes: one of them asks, rarely, and the others wait for it."""

from __future__ import annotations

import random
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from telemetry.outbox.too_long import TooLong

WAIT_S = 1000.0


def some(*sizes: int, seed: int = 0) -> TooLong:
    """Rows 1, 2, … of these sizes, refused at 0 s."""
    aside = TooLong(WAIT_S, random.Random(seed))
    for seq, size in enumerate(sizes, 1):
        aside.refused(seq, size, 0.0)
    return aside


def test_nothing_is_due_where_nothing_was_refused() -> None:
    aside = some()
    assert (aside.rows, aside.shortest_bytes, aside.next_s, aside.release(1e9)) == (0, 0, inf, False)


@given(st.integers(0, 1000))
def test_the_shortest_is_tried_first_and_not_too_soon(seed: int) -> None:
    aside = some(30, 10, 20, seed=seed)
    assert 500 <= aside.next_s <= 1000
    assert not aside.release(aside.next_s - 1)
    assert aside.release(aside.next_s)
    assert set(aside.seqs) == {1, 3}
    assert (aside.rows, aside.shortest_bytes) == (3, 10), "not taken yet"


def test_the_tries_become_rarer_but_do_not_end() -> None:
    aside = some(10, 20)
    at_s, pauses = 0.0, []
    for _ in range(20):
        pauses.append(aside.next_s - at_s)
        at_s = aside.next_s
        assert aside.release(at_s)
        aside.refused(1, 10, at_s)
    assert all(pause <= 4 * WAIT_S for pause in pauses)
    assert all(pause >= 2 * WAIT_S for pause in pauses[2:])


def test_a_single_one_becomes_rarer_too() -> None:
    aside, at_s = some(10), 0.0
    for _ in range(5):
        at_s = aside.next_s
        assert aside.release(at_s)
        aside.refused(1, 10, at_s)
    assert aside.next_s - at_s >= 2 * WAIT_S


def test_when_the_one_that_was_tried_is_taken_all_may_go() -> None:
    aside = some(10, 20, 30)
    assert aside.release(aside.next_s)
    assert not aside.taken(2), "it went another way"
    assert aside.taken(1)
    assert (aside.rows, aside.next_s) == (0, inf)


def test_another_connection_is_another_chance() -> None:
    aside = some(10, 20)
    aside.tried_at_once(5.0)
    assert aside.release(5.0)
    assert not aside.release(5.0), "one of them"


def test_what_the_store_dropped_is_forgotten() -> None:
    aside = some(10, 20, 30)
    assert aside.release(aside.next_s)
    aside.forget(lambda seq: seq <= 2)
    assert (aside.rows, aside.shortest_bytes) == (1, 30)


def test_what_is_remembered_is_bounded() -> None:
    assert some(*range(20_000)).rows == 10_000
