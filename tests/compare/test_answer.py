"""The whole comparison on made-up roads: known changes, no change, what must not be compared."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import pytest

from speedsign.errors import StoreError
from telemetry.compare.answer import Claim, Comparison, compare
from telemetry.compare.hours import hour_counts
from telemetry.compare.measures import Road
from telemetry.compare.passing import Passage, add_up, drop_change
from telemetry.compare.sides import Draws
from telemetry.compare.split import Split, UsedHour, by_display
from tests.compare.roads import MONDAY, period, random_side, study, used

ROAD = Road(50)
DRAWS = Draws(300)
WEEK = tuple(range(7))


def split(before: Sequence[UsedHour], after: Sequence[UsedHour], *, baseline: bool = True) -> Split:
    return Split(baseline, True, before, after, (1.0, 1.0))


def answered(before: Sequence[UsedHour], after: Sequence[UsedHour], *, baseline: bool = True) -> Comparison:
    return compare(split(before, after, baseline=baseline), ROAD, DRAWS)


def driving(seed: int, lit_kmh: float, day_sd_kmh: float = 0.6) -> Callable[[datetime, bool], list[int]]:
    """Day hours busy, nights quiet and fast; each day has its own mean."""
    shifts: dict[date, float] = {}

    def speeds(local: datetime, lit: bool) -> list[int]:
        rng = random.Random(f"{seed} {local.isoformat()}")
        shift = shifts.setdefault(local.date(), random.Random(f"{seed} {local.date()}").gauss(0, day_sd_kmh))
        mean = 50 + shift + (4 if local.hour < 6 else 0) + (lit_kmh if lit else 0)
        n = rng.randint(0, 1) if local.hour < 6 else rng.randint(2, 6)
        return [max(round(rng.gauss(mean, 7)), 5) for _ in range(n)]

    return speeds


def studied(dark: Sequence[int], days: int, lit_kmh: float, *, seed: int = 1) -> Comparison:
    hours = hour_counts([period(days, study(dark, driving(seed, lit_kmh)))], "approaching")
    return compare(by_display(hours), ROAD, DRAWS)


# --------------------------------------------------------------------------- what is found


def test_a_known_change_is_found() -> None:
    found = studied(tuple(range(14)), 28, -3.0)
    assert found.claim is Claim.LOWER
    for measure in ("mean_kmh", "v50_kmh", "v85_kmh"):
        change = found.change(measure)
        assert change.low is not None
        assert change.high is not None
        assert change.low < -3.0 < change.high < 0
    assert found.slots == 168
    assert (found.before.days, found.after.days) == (14, 14)
    assert found.before.hours + found.after.hours + sum(found.left_out.values()) == 28 * 24


def test_a_rise_is_called_a_rise() -> None:
    assert studied(tuple(range(14)), 28, 3.0).claim is Claim.HIGHER


def test_without_a_change_nothing_is_claimed() -> None:
    assert studied(tuple(range(14)), 28, 0.0).claim is Claim.UNCLEAR


def test_days_that_differ_much_hide_a_small_change() -> None:
    """Tens of thousands of vehicles, but seven days: by vehicles alone this would be called certain."""
    before = random_side(1, 7, day_sd_kmh=3.0, a_day=3000)
    after = random_side(2, 7, start=7, mean_kmh=49.5, day_sd_kmh=3.0, a_day=3000)
    assert answered(before, after).claim is Claim.UNCLEAR


def test_weekends_before_and_workdays_after_share_no_hour_of_the_week() -> None:
    weekend = [used(MONDAY + timedelta(days=at), 8, [60] * 50) for at in (5, 6, 12, 13)]
    work = [used(MONDAY + timedelta(days=at), 8, [50] * 50) for at in range(14, 19)]
    with pytest.raises(StoreError, match="no hour of the week in common"):
        answered(weekend, work)


def test_only_nights_before_and_only_days_after_are_refused() -> None:
    nights = [used(MONDAY + timedelta(days=at), 2, [60] * 50) for at in range(7)]
    days = [used(MONDAY + timedelta(days=at), 14, [50] * 50) for at in range(7, 14)]
    with pytest.raises(StoreError, match="no hour of the week in common"):
        answered(nights, days)


def test_another_mix_of_hours_is_no_change() -> None:
    """Fast nights measured before, slow days after, and one common hour that stayed as it was."""
    same = [used(MONDAY + timedelta(days=at), 10, [45, 50, 55] * 10) for at in range(14)]
    nights = [used(MONDAY + timedelta(days=at), 2, [70] * 90) for at in range(7)]
    noons = [used(MONDAY + timedelta(days=at), 12, [30] * 90) for at in range(7, 14)]
    found = answered([*same[:7], *nights], [*same[7:], *noons])
    assert found.change("mean_kmh").difference == pytest.approx(0.0)
    assert found.claim is Claim.UNCLEAR
    assert found.left_out == {"not_in_both": 14}


@pytest.mark.parametrize("which", ["before", "after"])
def test_a_side_without_a_vehicle_is_refused(which: str) -> None:
    empty = [used(MONDAY + timedelta(days=at), 8, []) for at in range(7)]
    full = [used(MONDAY + timedelta(days=at + 7), 8, [50]) for at in range(7)]
    with pytest.raises(StoreError, match=f"no vehicle was counted {which}"):
        answered(*((empty, full) if which == "before" else (full, empty)))


def test_one_day_a_side_gives_numbers_and_no_claim() -> None:
    before = random_side(1, 1)
    after = random_side(2, 1, start=7, mean_kmh=40)
    found = answered(before, after)
    assert found.change("v85_kmh").difference is not None
    assert found.claim is Claim.TOO_FEW


def test_without_a_baseline_there_is_one_claim_alone() -> None:
    found = answered(
        random_side(1, 14), random_side(2, 14, start=14, mean_kmh=40, day_sd_kmh=0.1), baseline=False
    )
    assert found.change("v85_kmh").clear
    assert found.claim is Claim.NO_BASELINE
    assert (found.phases, found.weeks) == ((), ())


@pytest.mark.parametrize("first", [date(2026, 3, 16), date(2026, 10, 12)], ids=["spring", "autumn"])
def test_weeks_of_a_time_change(first: date) -> None:
    """Two dark weeks, the second of which has a day of 23 or 25 hours, and one lit week."""
    dark = [first + timedelta(days=at) for at in range(14)]

    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        dark_now = local.date() in dark
        return [("approaching", "dark" if dark_now else "shown", [55, 50] if dark_now else [50, 45])]

    hours = hour_counts([period(21, traffic, first=first)], "approaching")
    found = compare(by_display(hours), ROAD, DRAWS)
    assert found.before.hours == 14 * 24 + (-1 if first.month == 3 else 1)
    assert found.change("mean_kmh").difference == pytest.approx(-5.0)
    assert found.change("vehicles_per_hour").difference == pytest.approx(0.0)


# --------------------------------------------------------------------------- phases and weeks


def test_dark_before_lit_and_dark_after_are_told_apart() -> None:
    found = studied((*WEEK, *range(14, 21)), 21, -3.0)
    assert [(side.key, side.days) for side in found.phases] == [
        ("dark_before", 7),
        ("lit", 7),
        ("dark_after", 7),
    ]
    before, lit, after = (side.numbers[0] for side in found.phases if side.numbers is not None)
    assert before - lit == pytest.approx(3.0, abs=0.8)
    assert after == pytest.approx(before, abs=0.8)
    assert found.before.days == 14


def test_one_dark_phase_has_no_parts() -> None:
    assert studied(WEEK, 14, -3.0).phases == ()


def test_a_change_that_fades_is_seen_week_by_week() -> None:
    sides = [
        random_side(week, 7, start=7 * week, mean_kmh=mean, day_sd_kmh=0.2, a_day=600)
        for week, mean in enumerate((50.0, 46.0, 48.0, 50.0))
    ]
    found = answered(sides[0], [hour for side in sides[1:] for hour in side])
    assert [week.week for week in found.weeks] == [1, 2, 3]
    means = [week.changes[0].difference for week in found.weeks]
    assert means == pytest.approx([-4.0, -2.0, 0.0], abs=0.6)
    assert [week.changes[0].clear for week in found.weeks] == [True, True, False]
    assert found.weeks[1].first == MONDAY + timedelta(days=14)


def test_a_single_week_has_no_course() -> None:
    assert answered(random_side(1, 7), random_side(2, 7, start=7)).weeks == ()


def test_weeks_are_counted_from_when_it_was_lit_after_the_dark() -> None:
    """It was lit long before the study: that is no first week."""
    found = studied(tuple(range(14, 21)), 35, -2.0)
    assert [week.first for week in found.weeks] == [MONDAY + timedelta(days=21), MONDAY + timedelta(days=28)]


def test_a_week_with_missing_hours_is_compared_in_the_hours_it_has() -> None:
    """Mornings are slow: a week of mornings alone against all hours would be a fall of 20 km/h."""
    before = [
        used(MONDAY + timedelta(days=at), hour, [30 + hour] * 30) for at in range(7) for hour in (8, 20)
    ]
    second = [
        used(MONDAY + timedelta(days=at), hour, [30 + hour] * 30) for at in range(7, 14) for hour in (8, 20)
    ]
    third = [used(MONDAY + timedelta(days=at), 8, [38] * 30) for at in range(14, 21)]
    found = answered(before, [*second, *third])
    assert [week.changes[0].difference for week in found.weeks] == pytest.approx([0.0, 0.0])


# --------------------------------------------------------------------------- entry against exit


def passages(side: Sequence[UsedHour], display: str, drop_kmh: float, each: int = 5) -> list[Passage]:
    return [
        Passage(hour.start_utc + timedelta(minutes=1 + at), display, drop_kmh + at / 10)
        for hour in side
        for at in range(each)
    ]


def test_slowing_down_while_passing_is_compared() -> None:
    before, after = random_side(1, 7), random_side(2, 7, start=7)
    kept = [*passages(before, "dark", 0.5), *passages(after, "shown", 2.5)]
    found = compare(split(before, after), ROAD, DRAWS, passages=kept).passing
    assert found is not None
    assert found.difference_kmh == pytest.approx(2.0)
    assert [found.low_kmh, found.high_kmh] == pytest.approx([2.0, 2.0])
    assert (found.before.n, found.after.n, len(found.before.dates)) == (7 * 3 * 5, 7 * 3 * 5, 7)
    assert found.before.mean_kmh == pytest.approx(0.7)


def test_only_vehicles_of_the_hours_and_of_the_display_state_count() -> None:
    before, after = [used(MONDAY, 8, [50])], [used(MONDAY + timedelta(days=7), 8, [50])]
    start = before[0].start_utc
    kept = [
        Passage(start, "dark", 1.0),
        Passage(start + timedelta(hours=1), "dark", 50.0),  # the next hour
        Passage(start - timedelta(seconds=1), "dark", 50.0),
        Passage(start, "shown", 50.0),
        Passage(after[0].start_utc, "blank", 3.0),
    ]
    found = compare(split(before, after), ROAD, DRAWS, passages=kept).passing
    assert found is not None
    assert (found.before.n, found.before.mean_kmh, found.after.n) == (1, 1.0, 1)
    assert (found.difference_kmh, found.low_kmh) == (2.0, None)


def test_without_kept_vehicles_on_both_sides_nothing_is_known() -> None:
    before, after = random_side(1, 7), random_side(2, 7, start=7)
    kept = passages(after, "shown", 2.0)
    assert compare(split(before, after), ROAD, DRAWS, passages=kept).passing is None
    assert drop_change(add_up([], (before, after), (None, None)), DRAWS) is None
