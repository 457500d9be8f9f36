"""Published tables through the whole computation; tests/cli/test_stats_published.py asks the command."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from speedsign.model import Installation
from telemetry.percentiles import SpeedClass, counted_rank, grouped_percentile
from telemetry.statistics import compute
from telemetry.volume import volume
from tests.telemetry import published
from tests.telemetry.filled import add_interval, in_memory, period_of


def test_uthm_grouped_by_five() -> None:
    found = compute(published.UTHM, 59, class_width=5)
    assert found.n == 130
    assert found.mean_kmh == pytest.approx(69.9, abs=0.05)  # as published
    assert found.percentiles_kmh[50] == pytest.approx(68.1, abs=0.05)
    assert found.percentiles_kmh[85] == pytest.approx(88, abs=0.5)
    assert found.over_limit_share == pytest.approx(0.731, abs=0.0005)
    assert found.mean_kmh == pytest.approx(69.8846, abs=0.00005)  # recomputed
    assert found.sd_kmh == pytest.approx(16.517, abs=0.0005)
    assert found.percentiles_kmh == pytest.approx(
        {15: 52.208, 50: 68.0714, 85: 87.625, 95: 102.0}, abs=0.0005
    )
    assert found.percentiles_kmh[50] == pytest.approx(64.5 + (130 / 2 - 50) / 21 * 5)


def test_uthm_is_the_same_wherever_in_its_class_a_vehicle_is() -> None:
    low_ends = {middle - 2: n for middle, n in published.UTHM.items()}
    high_ends = {middle + 2: n for middle, n in published.UTHM.items()}
    expected = compute(published.UTHM, 59, class_width=5)
    for counts in (low_ends, high_ends):
        found = compute(counts, 59, class_width=5)
        assert (found.mean_kmh, found.percentiles_kmh) == (expected.mean_kmh, expected.percentiles_kmh)


def test_uthm_by_a_radar_that_truncates_is_half_a_kmh_up() -> None:
    found = compute(published.UTHM, 59, class_width=5, rounds=False)
    assert found.percentiles_kmh[85] == pytest.approx(87.625 + 0.5)
    assert found.mean_kmh == pytest.approx(69.8846 + 0.5, abs=0.00005)


def test_iowa_value_plotted() -> None:
    found = compute(published.IOWA, 30, rule="value")
    assert found.percentiles_kmh[50] == pytest.approx(29.4)
    assert found.percentiles_kmh[85] == pytest.approx(35.786, abs=0.0005)
    assert found.mean_kmh == pytest.approx(30.93)
    assert found.sd_kmh == pytest.approx(6.377, abs=0.0005)


def test_fifteen_single_speeds() -> None:
    assert compute(published.DEMO, 30, rule="value").percentiles_kmh[85] == pytest.approx(46.75)


def test_garber_mean_and_deviation() -> None:
    found = compute(published.GARBER, 30)
    assert found.n == 30
    assert found.mean_kmh == pytest.approx(34.9)
    assert found.sd_kmh == pytest.approx((350.7 / 29) ** 0.5)


def test_engineers_forum() -> None:
    found = compute(published.FORUM, 30, rule="value")
    assert found.percentiles_kmh[85] == pytest.approx(42.385, abs=0.0005)


def test_texas_counts_to_the_106th_car() -> None:
    assert counted_rank(125, 85) == 106
    assert compute(published.TEXAS, 40, rule="counted").percentiles_kmh[85] == 48


def test_normal_speeds_give_the_textbook_v85_and_its_errors() -> None:
    """FHWA-HRT-05-042, appendix F: mean 50, sd 3: V85 53.11; of 200, ± 0.416 for the mean, 0.325 for V85."""
    normal = statistics.NormalDist(50, 3)
    edges = [35 + step / 10 for step in range(300)]
    fine = [SpeedClass(low, 0.1, round(1e7 * (normal.cdf(low + 0.1) - normal.cdf(low)))) for low in edges]
    assert grouped_percentile(fine, 85) == pytest.approx(53.11, abs=0.005)
    million = 1_000_000
    counts = {
        speed: round(million * (normal.cdf(speed + 0.5) - normal.cdf(speed - 0.5))) for speed in range(100)
    }
    found = compute(counts, 50)
    scale = (found.n / 200) ** 0.5  # as if there were 200
    assert found.percentiles_kmh[85] == pytest.approx(53.11, abs=0.05)  # classes of a whole km/h
    assert 1.96 * (found.mean_se_kmh or 0) * scale == pytest.approx(0.416, abs=0.003)
    assert (found.percentile_ses_kmh[85] or 0) * scale == pytest.approx(0.325, abs=0.02)


def test_flachslanden_vehicles_a_day() -> None:
    """14 local days, the clocks' change of 26 October 2014 among them."""
    zone = ZoneInfo("Europe/Berlin")
    begin, end = datetime(2014, 10, 23, tzinfo=zone), datetime(2014, 11, 6, tzinfo=zone)
    db = in_memory(Installation("Flachslanden", 50, 0.0, "other", "Europe/Berlin"))
    at, quarters = begin.astimezone(UTC), 0
    while at < end:
        n = published.FLACHSLANDEN_N // 1348 + (quarters < published.FLACHSLANDEN_N % 1348)
        add_interval(db, at, {("approaching", "shown"): {43: n}})
        at, quarters = at + timedelta(minutes=15), quarters + 1
    found = volume(period_of(db, begin.astimezone(UTC), end.astimezone(UTC)))
    db.close()
    assert quarters == 1348  # 14 days and an hour
    assert found.complete_days == published.FLACHSLANDEN_DAYS
    assert found.adt == pytest.approx(656.6, abs=0.05)
    assert round(found.adt or 0) == 657  # as published
