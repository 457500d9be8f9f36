"""Runs of a vehicle of known speed: factor, offset, verdict, and how many more runs."""

from __future__ import annotations

from math import inf, nan
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.calibration.drive_by import DriveBy, Run, Verdict, drive_by, tolerance_kmh

SPEEDS = (30.0, 40.0, 50.0, 60.0, 70.0)


def runs(
    factor: float = 1.0,
    offset: float = 0.0,
    *,
    noise_kmh: float = 0.3,
    speeds: tuple[float, ...] = SPEEDS * 2,
    seed: int = 1,
) -> list[Run]:
    random = Random(seed)
    return [Run(speed, factor * speed + offset + random.gauss(0.0, noise_kmh)) for speed in speeds]


def test_factor_and_offset_are_those_of_least_squares() -> None:
    given_ = runs(0.97, 1.2, seed=3)
    found = drive_by(given_)
    x, y = (np.array(column) for column in zip(*given_, strict=True))
    (through_zero,) = np.linalg.lstsq(x[:, None], y, rcond=None)[0]
    slope, start = np.polyfit(x, y, 1)
    assert found.factor.value == pytest.approx(through_zero)
    assert found.factor_with_offset is not None
    assert found.factor_with_offset.value == pytest.approx(slope)
    assert found.offset_kmh is not None
    assert found.offset_kmh.value == pytest.approx(start)
    assert found.residuals_kmh == pytest.approx(tuple(y - through_zero * x))


@pytest.mark.parametrize("reference_sd_kmh", [0.0, 0.5])
def test_the_injected_factor_lies_in_its_interval_as_often_as_promised(reference_sd_kmh: float) -> None:
    random, held, held_line, n = Random(5), 0, 0, 600
    for seed in range(n):
        factor = random.uniform(0.94, 1.06)
        shift = random.gauss(0.0, reference_sd_kmh)
        noisy = [Run(run.reference_kmh + shift, run.measured_kmh) for run in runs(factor, seed=seed)]
        found = drive_by(noisy, reference_sd_kmh)
        held += found.factor.holds(factor)
        assert found.factor_with_offset is not None
        held_line += found.factor_with_offset.holds(factor)
    assert 0.93 <= held / n <= 1.0
    assert 0.93 <= held_line / n <= 0.98


@settings(max_examples=60)
@given(st.floats(0.8, 1.2), st.floats(-3.0, 3.0))
def test_runs_without_noise_tell_exactly(factor: float, offset: float) -> None:
    found = drive_by(runs(factor, offset, noise_kmh=0.0))
    assert found.factor_with_offset is not None
    assert found.offset_kmh is not None
    assert found.factor_with_offset.value == pytest.approx(factor)
    assert found.offset_kmh.value == pytest.approx(offset, abs=1e-9)
    assert found.outliers == ()


def test_a_right_sign_is_within() -> None:
    found = drive_by(runs(1.002))
    assert found.verdict is Verdict.WITHIN
    assert found.more_runs == 0
    assert found.at_kmh in SPEEDS
    assert found.tolerance_kmh == tolerance_kmh(found.at_kmh)


def test_a_wrong_angle_is_outside() -> None:
    """20 degrees that nobody corrected."""
    found = drive_by(runs(0.94))
    assert found.verdict is Verdict.OUTSIDE
    assert found.mean_error_kmh.high < -found.tolerance_kmh
    assert found.more_runs == 0


def test_three_runs_that_scatter_are_not_enough_and_more_are() -> None:
    few = drive_by(runs(0.995, noise_kmh=0.9, speeds=(50.0,) * 3, seed=2))
    assert few.verdict is Verdict.NOT_YET_KNOWN
    assert few.more_runs is not None
    assert 1 <= few.more_runs <= 30
    more = drive_by(runs(0.995, noise_kmh=0.9, speeds=(50.0,) * (3 + 2 * few.more_runs), seed=2))
    assert more.verdict is Verdict.WITHIN


def test_at_the_very_edge_no_number_of_runs_helps() -> None:
    """A mean error of exactly the tolerance is neither inside nor outside."""
    found = drive_by([Run(50.0, 51.0 + off) for off in (-0.4, 0.4, -0.2, 0.2)])
    assert found.verdict is Verdict.NOT_YET_KNOWN
    assert found.more_runs is None


def test_a_poor_reference_cannot_be_averaged_away() -> None:
    many = drive_by(runs(1.0, speeds=SPEEDS * 20), reference_sd_kmh=0.8)
    assert many.verdict is Verdict.NOT_YET_KNOWN
    assert many.more_runs is None
    assert drive_by(runs(1.0, speeds=SPEEDS * 20)).verdict is Verdict.WITHIN


def test_an_offset_that_is_clearly_there_decides() -> None:
    """A factor through zero would average it away: too fast when slow, too slow when fast."""
    found = drive_by(runs(0.95, 2.5, noise_kmh=0.1))
    assert found.offset_kmh is not None
    assert not found.offset_kmh.holds(0.0)
    assert found.factor.value == pytest.approx(0.995, abs=0.01)
    assert found.verdict is Verdict.NOT_YET_KNOWN or found.verdict is Verdict.OUTSIDE
    assert abs(found.mean_error_kmh.value - (2.5 - 0.05 * found.at_kmh)) < 0.3


def test_equal_speeds_tell_no_offset() -> None:
    found = drive_by(runs(speeds=(50.0, 51.0, 49.5, 50.5, 50.0)))
    assert found.offset_kmh is None
    assert found.factor_with_offset is None


def test_a_run_that_fits_badly_is_flagged_and_counted() -> None:
    given_ = runs(seed=4)
    given_[3] = Run(given_[3].reference_kmh, given_[3].measured_kmh + 6.0)
    found = drive_by(given_)
    assert found.outliers == (3,)
    assert len(found.residuals_kmh) == len(given_)
    assert found.residual_sd_kmh > 1.0


def test_few_runs_are_called_outliers_by_chance() -> None:
    flagged = sum(bool(drive_by(runs(seed=seed)).outliers) for seed in range(400))
    assert flagged <= 40


def test_runs_that_agree_perfectly_are_not_believed_to_the_last_digit() -> None:
    found = drive_by([Run(50.0, 50.0)] * 3)
    assert found.factor.high - found.factor.low > 0.002


@pytest.mark.parametrize(("kmh", "allowed"), [(10, 1.0), (50, 1.0), (50.1, 1.002), (100, 2.0)])
def test_the_tolerance(kmh: float, allowed: float) -> None:
    assert tolerance_kmh(kmh) == pytest.approx(allowed)


@pytest.mark.parametrize("bad", [nan, inf, 0.0, -50.0])
def test_impossible_speeds_are_refused(bad: float) -> None:
    for run in (Run(bad, 50.0), Run(50.0, bad)):
        with pytest.raises(ValueError, match="numbers above 0"):
            drive_by([*runs(), run])


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_runs_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"{n} runs are too few"):
        drive_by(runs()[:n])


@pytest.mark.parametrize("bad", [nan, -0.1, inf])
def test_an_impossible_reference_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="reference"):
        drive_by(runs(), bad)


@given(st.lists(st.tuples(st.floats(5, 200), st.floats(5, 200)), min_size=3, max_size=20))
def test_whatever_the_runs_the_verdict_agrees_with_its_interval(pairs: list[tuple[float, float]]) -> None:
    found: DriveBy = drive_by([Run(*pair) for pair in pairs])
    inside = abs(found.mean_error_kmh.low) <= found.tolerance_kmh >= abs(found.mean_error_kmh.high)
    assert (found.verdict is Verdict.WITHIN) == inside
    assert found.mean_error_kmh.low <= found.mean_error_kmh.value <= found.mean_error_kmh.high
