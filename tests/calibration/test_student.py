"""Student's t against the tables of any textbook."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.calibration.student import quantile, within

TABLE = [
    (1, 0.95, 12.706), (2, 0.95, 4.303), (3, 0.95, 3.182), (4, 0.95, 2.776), (5, 0.95, 2.571),
    (9, 0.95, 2.262), (10, 0.99, 3.169), (29, 0.95, 2.045), (30, 0.90, 1.697), (120, 0.95, 1.980),
]  # fmt: skip


@pytest.mark.parametrize(("freedom", "confidence", "t"), TABLE)
def test_quantiles_of_the_tables(freedom: int, confidence: float, t: float) -> None:
    assert quantile(freedom, confidence) == pytest.approx(t, abs=6e-4)


@given(st.integers(1, 200), st.floats(0.01, 0.999))
def test_the_quantile_is_the_inverse(freedom: int, confidence: float) -> None:
    assert within(quantile(freedom, confidence), freedom) == pytest.approx(confidence, abs=1e-6)


def test_many_values_are_as_good_as_normal() -> None:
    assert quantile(5000) == pytest.approx(1.96, abs=0.002)


@pytest.mark.parametrize(("t", "freedom"), [(1.0, 0), (-1.0, 3), (float("nan"), 3), (float("inf"), 3)])
def test_impossible_questions(t: float, freedom: int) -> None:
    with pytest.raises(ValueError, match=r"degree|number"):
        within(t, freedom)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, float("nan")])
def test_impossible_confidence(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(5, confidence)
