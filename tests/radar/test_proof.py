"""Measured time: what is proved, and what is not."""

from __future__ import annotations

from drivers.radar.proof import MeasuredTime


def test_time_counts_from_proof_to_proof() -> None:
    measured = MeasuredTime(3.0)
    measured.opened(10.0)
    assert measured.at(11.0) == 0.0
    measured.proof(11.0)
    assert measured.at(12.0) == 0.0
    measured.proof(13.0)
    assert measured.at(13.0) == 2.0
    assert measured.at(99.0) == 2.0


def test_a_gap_longer_than_the_limit_proves_nothing() -> None:
    measured = MeasuredTime(3.0)
    for t_mono_s in (10.0, 13.0, 16.5, 17.0):
        measured.proof(t_mono_s)
    assert measured.at(17.0) == 3.5


def test_an_interruption_is_not_counted() -> None:
    measured = MeasuredTime(3.0)
    measured.proof(10.0)
    measured.proof(11.0)
    measured.interrupted(12.0)
    measured.proof(13.0)
    assert measured.at(13.0) == 1.0


def test_a_moment_before_the_last_proof() -> None:
    """An interval ends between two proofs: its share of the gap is its own."""
    measured = MeasuredTime(3.0)
    measured.proof(10.0)
    measured.proof(12.0)
    assert measured.at(11.5) == 1.5
    assert measured.at(10.0) == 0.0


def test_without_questions_an_open_port_counts() -> None:
    measured = MeasuredTime(None)
    assert measured.at(5.0) == 0.0
    measured.opened(10.0)
    measured.proof(11.0)
    assert measured.at(15.0) == 5.0
    measured.interrupted(20.0)
    assert measured.at(30.0) == 10.0
    measured.proof(40.0)  # usable again
    assert measured.at(41.0) == 11.0
