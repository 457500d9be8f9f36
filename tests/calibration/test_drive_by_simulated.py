"""A drive-by past a simulated sign that reads wrong by a known factor, through the sign's own tracker."""

from __future__ import annotations

import pytest

from benchmarks.drive_by.passes import measured, site
from benchmarks.drive_by.run import RUNS, outcomes
from speedsign.calibration.drive_by import Run, Verdict, drive_by

SPEEDS_KMH = (42.0, 50.0, 58.0, 45.0, 55.0)


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, Verdict.WITHIN), (0.96, Verdict.OUTSIDE), (1.04, Verdict.OUTSIDE)]
)
@pytest.mark.parametrize("sensor", ["OPS243", "LD2415H", "LD2451"])
def test_the_factor_comes_back_through_the_tracker(sensor: str, factor: float, verdict: Verdict) -> None:
    told = measured(site(sensor, 1, factor), SPEEDS_KMH, 1)
    runs = [Run(kmh, one) for kmh, one in zip(SPEEDS_KMH, told, strict=True) if one is not None]
    assert len(runs) == len(SPEEDS_KMH)
    judged = drive_by(runs)
    assert judged.factor.value == pytest.approx(factor, abs=0.012)
    assert judged.verdict is verdict


def test_the_benchmark_has_every_reference_and_number_of_runs_and_is_repeatable() -> None:
    found = outcomes(3)
    assert {(one.reference, one.runs) for one in found} == {
        (reference, n) for reference in ("GPS", "tachograph, read by eye") for n in RUNS
    }
    assert found == outcomes(3)
