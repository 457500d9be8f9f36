"""Control sites: a trend that all places share is taken off, and what is no control is refused."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from speedsign.errors import StoreError
from telemetry.compare.answer import Claim, Comparison, compare
from telemetry.compare.controls import ControlSite
from telemetry.compare.hours import HourCount
from telemetry.compare.measures import Road
from telemetry.compare.sides import Draws
from telemetry.compare.split import Split, UsedHour
from tests.compare.roads import MONDAY, random_side, text, used

ROAD = Road(50)
DAYS = 14
SHARED_KMH = 2.0  # how far a day shifts every road


def shifts(seed: int, trend_kmh: float) -> list[float]:
    """Of twice DAYS days; the second half is faster by the trend."""
    rng = random.Random(seed)
    return [rng.gauss(trend_kmh * (at >= DAYS), SHARED_KMH) for at in range(2 * DAYS)]


def road(seed: int, of_days: Sequence[float], own_kmh: float = 0.0, mean_kmh: float = 50.0) -> list[UsedHour]:
    every = [shift + own_kmh * (at >= DAYS) for at, shift in enumerate(of_days)]
    return random_side(seed, 2 * DAYS, shifts=every, mean_kmh=mean_kmh, a_day=600)


def control(name: str, side: Sequence[UsedHour], display: str = "dark") -> ControlSite:
    return ControlSite(name, [_hour(hour, display) for hour in side], ROAD)


def _hour(hour: UsedHour, display: str) -> HourCount:
    from telemetry.compare.lanes import spread

    speeds = text([speed for speed, n in enumerate(spread(hour.lanes)) for _ in range(n)])
    dark, lit = (speeds, "") if display == "dark" else ("", speeds)
    n_dark, n_lit = len(dark), len(lit)
    return HourCount(
        hour.start_utc,
        hour.date,
        hour.slot,
        3600.0,
        3600.0,
        True,
        dark,
        lit,
        "",
        n_dark=n_dark,
        n_lit=n_lit,
    )


def answered(side: Sequence[UsedHour], *sites: ControlSite) -> Comparison:
    middle = MONDAY + timedelta(days=DAYS)
    before, after = [h for h in side if h.date < middle], [h for h in side if h.date >= middle]
    return compare(Split(True, True, before, after, (1.0, 1.0)), ROAD, Draws(300), sites=sites)


def test_a_trend_that_both_roads_have_is_taken_off() -> None:
    """All got 4 km/h faster; the sign's road only 1: by itself that looks like a harmful sign."""
    common = shifts(1, 4.0)
    sign, other = road(10, common, own_kmh=-3.0), road(11, common, mean_kmh=60.0)
    alone = answered(sign)
    assert (alone.change("v85_kmh").difference or 0.0) > 0
    found = answered(sign, control("school", other))
    assert found.claim is Claim.CONTROL_LOWER
    assert found.controls is not None
    change = found.headline
    assert change.low is not None
    assert change.high is not None
    assert change.low < -3.0 < change.high
    (one,) = found.controls.controls
    assert one.name == "school"
    own = {c.measure: c.difference for c in found.controls.own}
    theirs = {c.measure: c.difference for c in one.changes}
    beyond = {c.measure: c.difference for c in found.controls.beyond}
    for measure, left in beyond.items():
        assert left == pytest.approx((own[measure] or 0) - (theirs[measure] or 0))
    assert "vehicles_per_hour" not in beyond


def test_days_that_shift_all_roads_alike_cost_no_precision() -> None:
    """A day is drawn for all sites together: what it does to all does not widen the range."""
    common = shifts(2, 0.0)
    sign, other = road(20, common, own_kmh=-2.0), road(21, common)
    alone, beyond = answered(sign).headline, answered(sign, control("c", other)).headline
    widths = [(change.high or 0) - (change.low or 0) for change in (alone, beyond)]
    assert widths[1] < 0.6 * widths[0]
    independent = road(22, shifts(99, 0.0))
    wide = answered(sign, control("c", independent)).headline
    assert (wide.high or 0) - (wide.low or 0) > widths[0]


def test_no_change_beyond_the_control_is_no_claim() -> None:
    common = shifts(3, -3.0)
    found = answered(road(30, common), control("c", road(31, common)))
    assert found.claim is Claim.CONTROL_UNCLEAR
    assert (answered(road(30, common)).headline.difference or 0) < -2


def test_several_controls_weigh_the_same_however_busy_they_are() -> None:
    common = [0.0] * (2 * DAYS)
    busy = [replace(h, lanes=h.lanes * 50, n=h.n * 50) for h in road(41, common, own_kmh=2.0)]
    found = answered(
        road(40, common), control("busy", busy), control("quiet", road(42, common, own_kmh=-2.0))
    )
    assert found.controls is not None
    assert [one.name for one in found.controls.controls] == ["busy", "quiet"]
    assert found.controls.beyond[0].difference == pytest.approx(0.0, abs=0.5)


def test_only_hours_that_all_measured_are_compared() -> None:
    common = [0.0] * (2 * DAYS)
    sign, other = road(50, common), road(51, common)
    site = control("c", other)
    site = replace(site, hours=[h for h in site.hours if h.slot[1] != 17])
    broken = replace(
        site, hours=[replace(h, measured_s=1000.0) if h.slot[1] == 12 else h for h in site.hours]
    )
    found = answered(sign, broken).controls
    assert found is not None
    assert found.hours == 2 * DAYS
    assert found.before.n == sum(h.n for h in sign if h.slot[1] == 8 and h.date < MONDAY + timedelta(DAYS))


def test_a_control_that_measured_at_another_time_is_refused() -> None:
    site = control("school", [used(MONDAY - timedelta(days=70 - at), 8, [50]) for at in range(20)])
    with pytest.raises(StoreError, match="school: measured no hours that the sign has"):
        answered(road(60, [0.0] * 28), site)


def test_a_control_without_vehicles_is_refused() -> None:
    sign = road(61, [0.0] * 28)
    site = control("field", [replace(hour, lanes=0, n=0) for hour in sign])
    with pytest.raises(StoreError, match="field: counted no vehicle"):
        answered(sign, site)


def test_a_control_that_was_switched_on_itself_is_none() -> None:
    sign = road(62, [0.0] * 28)
    middle = MONDAY + timedelta(days=DAYS)
    hours = [_hour(h, "dark" if h.date < middle else "lit") for h in sign]
    with pytest.raises(
        StoreError, match="dark for 100 % of its vehicles before and for 0 % after, so it is no control"
    ):
        answered(sign, ControlSite("twin", hours, ROAD))
    assert answered(sign, control("lit all along", sign, "lit")).controls is not None


def test_a_control_with_few_vehicles_on_one_side_gives_no_range() -> None:
    sign = road(64, [0.0] * 28, own_kmh=-5.0)
    middle = MONDAY + timedelta(days=DAYS)
    thin = [
        hour if hour.date >= middle else used(hour.date, hour.slot[1], [50] * (hour.slot[1] == 8))
        for hour in road(65, [0.0] * 28)
    ]
    assert answered(sign, control("thin", thin)).claim is Claim.TOO_FEW


def test_a_control_of_three_vehicles_gives_no_range() -> None:
    sign = road(63, [0.0] * 28, own_kmh=-5.0)
    hours = [_hour(replace(h, lanes=0, n=0), "dark") for h in sign]
    first = used(sign[0].date, 8, [50])
    last = used(sign[-1].date, 8, [50])
    few = [_hour(one, "dark") for one in (first, last)]
    places = {h.start_utc: h for h in few}
    site = ControlSite("few", [places.get(h.start_utc, h) for h in hours], ROAD)
    found = answered(sign, site)
    assert found.claim is Claim.TOO_FEW
