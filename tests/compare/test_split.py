"""Which hours are before and after: display states, given days, what is left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from telemetry.compare.hours import HourCount, hour_counts, shown_directions
from telemetry.compare.split import Split, UsedHour, by_dates, by_display
from tests.compare.roads import MONDAY, RIGA, coming, period, study

WEEK = tuple(range(7))


def days(used: Sequence[UsedHour]) -> set[int]:
    return {(hour.date - MONDAY).days for hour in used}


def hours_of(n_days: int, traffic: object, direction: str = "approaching", **more: object) -> list[HourCount]:
    return hour_counts([period(n_days, traffic, **more)], direction)  # type: ignore[arg-type]


def three(local: datetime, lit: bool) -> list[int]:
    return [48, 50, 55]


# --------------------------------------------------------------------------- by display


def test_dark_days_are_before_and_lit_days_are_after() -> None:
    found = by_display(hours_of(21, study(WEEK, three)))
    assert (found.baseline, found.by_display) == (True, True)
    assert days(found.before) == set(WEEK)
    assert days(found.after) == set(range(7, 21))
    assert len(found.before) == 7 * 24
    assert found.left_out == {}
    assert (found.dark_share, found.lit_share) == ((1.0, 0.0), (0.0, 1.0))


def test_dark_again_afterwards_belongs_to_the_baseline() -> None:
    found = by_display(hours_of(21, study((*WEEK, *range(14, 21)), three)))
    assert days(found.before) == {*WEEK, *range(14, 21)}
    assert days(found.after) == set(range(7, 14))


def test_vehicles_that_a_working_panel_showed_nothing_are_lit_time() -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        if local.date() == MONDAY:
            return coming("dark", 50)
        return [("approaching", "shown", [60]), ("approaching", "blank", [12]), ("approaching", "word", [45])]

    found = by_display(hours_of(2, traffic))
    assert sum(hour.n for hour in found.after) == 3 * 96


def test_dark_nights_of_a_schedule_are_no_baseline() -> None:
    """Neither alone, nor where the winter's dark hours are lit in summer."""

    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        begins = 22 if (local.date() - MONDAY).days < 7 else 23
        return coming("dark" if local.hour >= begins or local.hour < 5 else "shown", 50)

    found = by_display(hours_of(14, traffic))
    assert not found.before
    assert found.left_out == {"dark_on_a_lit_day": 7 * 7 + 7 * 6}


def at_night(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
    """Lit until 22 in the first week and until 23 in the second: a schedule, and no study."""
    ends = 22 if (local.date() - MONDAY).days < 7 else 23
    return coming("dark" if local.hour >= ends else "shown", 50)


def test_a_day_is_judged_by_all_of_its_hours_when_some_are_asked_for() -> None:
    hours = hour_counts([period(14, at_night)], "approaching", lambda hour: hour.local.hour == 22)
    found = by_display(hours)
    assert not found.before
    assert sum(hour.asked for hour in hours) == 14
    assert {hour.slot[1] for hour in found.after} == {22}
    assert found.left_out == {"dark_on_a_lit_day": 7}
    week = timedelta(days=6)
    later = MONDAY + timedelta(days=7)
    given = by_dates(hours, [(MONDAY, MONDAY + week)], [(later, later + week)])
    assert not given.baseline
    assert (len(given.before), len(given.after), given.coverage) == (7, 7, (1.0, 1.0))


def test_dark_nights_of_lit_weeks_are_left_out_of_a_study() -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        lit = (local.date() - MONDAY).days >= 7 and 5 <= local.hour < 23
        return coming("shown" if lit else "dark", 50)

    found = by_display(hours_of(14, traffic))
    assert len(found.before) == 168
    assert {hour.slot[1] for hour in found.after} == set(range(5, 23))
    assert found.left_out == {"dark_on_a_lit_day": 7 * 6}


def test_an_hour_in_which_it_was_switched_is_left_out() -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        lit = local.date() > MONDAY and (local.hour, local.minute) != (12, 0)
        return coming("shown" if lit else "dark", 50)

    found = by_display(hours_of(3, traffic))
    assert found.left_out == {"dark_and_lit": 2}
    assert 12 not in {hour.slot[1] for hour in found.after}


def test_intervals_with_a_fault_are_left_out_and_an_hour_with_many_of_them() -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        if local.date() == MONDAY:
            return coming("dark", 50)
        faulty = (local.hour == 8 and local.minute == 0) or (local.hour == 9 and local.minute < 30)
        return coming("fault" if faulty else "shown", 50)

    found = by_display(hours_of(2, traffic))
    assert found.left_out == {"display_not_known": 1}
    assert (found.unsure_intervals, found.unsure_vehicles) == (1, 1)
    assert [hour.n for hour in found.after if hour.slot[1] == 8] == [3]


@pytest.mark.parametrize("seconds", [900.0, 899.9, 898.0])
def test_one_interval_of_each_hour_under_a_fault_loses_no_hour(seconds: float) -> None:
    """Whatever it took the radar to start: and the others give the traffic of the hour."""

    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        if local.date() == MONDAY:
            return coming("dark", 50, 50)
        return coming("fault" if local.minute == 0 else "shown", 50, 50)

    found = by_display(hours_of(2, traffic, measured=lambda local: seconds))
    assert found.left_out == {}
    assert [hour.n for hour in found.after] == [6] * 24
    assert [hour.part for hour in found.after] == pytest.approx([0.75] * 24, abs=1e-3)
    assert {hour.part for hour in found.before} == {1.0}


@pytest.mark.parametrize("quiet", [(), (15, 30), (15, 30, 45)])
def test_what_is_lost_to_a_fault_does_not_depend_on_the_traffic(quiet: Sequence[int]) -> None:
    """A fault from two to four at night: its intervals without a vehicle lie between others."""

    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        if local.date() == MONDAY:
            return coming("dark", 50)
        if 2 <= local.hour < 4:
            return coming("fault", 50) if local.hour == 3 or local.minute not in quiet else []
        return coming("shown", 50)

    found = by_display(hours_of(2, traffic))
    assert found.left_out == {"display_not_known": 2}
    assert {hour.slot[1] for hour in found.after} == set(range(24)) - {2, 3}


def test_who_drives_the_other_way_tells_of_a_fault() -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        if local.date() == MONDAY:
            return coming("dark", 50)
        return [("receding", "fault", [50])] if local.hour == 3 else coming("shown", 50)

    assert by_display(hours_of(2, traffic)).left_out == {"display_not_known": 1}


def test_dark_and_lit_in_one_interval_is_not_known() -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        if local.date() == MONDAY:
            return coming("dark", 50)
        both = coming("shown", 50)
        return [*both, *coming("dark", 70)] if (local.hour, local.minute) == (8, 0) else both

    found = by_display(hours_of(2, traffic))
    assert found.unsure_vehicles == 2
    assert sum(hour.n for hour in found.after) == 95


def test_hours_without_a_vehicle_are_what_the_hours_around_them_are() -> None:
    def speeds(local: datetime, lit: bool) -> list[int]:
        return [] if local.hour in (2, 3) else [50]

    found = by_display(hours_of(14, study(WEEK, speeds)))
    assert len(found.before) == len(found.after) == 168
    assert [hour.n for hour in found.after if hour.slot[1] == 2] == [0] * 7


def test_an_empty_hour_between_lit_and_dark_is_not_known() -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        if local.date() == MONDAY:
            return coming("dark", 50)
        if local.hour == 22:
            return []
        return coming("dark" if local.hour == 23 else "shown", 50)

    found = by_display(hours_of(2, traffic))
    assert found.left_out == {"no_vehicle_and_display_not_known": 1, "dark_on_a_lit_day": 1}


def test_an_hour_that_was_measured_too_little_is_left_out() -> None:
    def measured(local: datetime) -> float:
        return 0.0 if local.hour == 7 and local.minute >= 15 else 900.0

    found = by_display(hours_of(14, study(WEEK, three), measured=measured))
    assert found.left_out == {"measured_too_little": 14}
    assert found.coverage == pytest.approx((1 - 0.75 / 24, 1 - 0.75 / 24))


def test_only_the_direction_that_is_shown_decides() -> None:
    """Who drives away is blank while the sign is lit; and a receding dark one is no sign of anything here."""

    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        lit = local.date() > MONDAY
        way = [("receding", "dark", [99])]
        return [*coming("shown" if lit else "dark", 50), *way]

    one = by_display(hours_of(2, traffic))
    assert sum(hour.n for hour in [*one.before, *one.after]) == 192
    both = by_display(hours_of(2, traffic, "both"))
    assert both.unsure_vehicles == 0
    assert not both.after  # every interval of the lit day holds both


def test_the_directions_that_were_shown_something() -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        return [("approaching", "blank", [50]), ("receding", "word", [50])]

    assert shown_directions([period(1, traffic)]) == ["receding"]


@pytest.mark.parametrize(
    ("first", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)], ids=["spring", "autumn"]
)
def test_days_on_which_the_clocks_change(first: date, hours: int) -> None:
    found = hours_of(1, lambda local: coming("dark", 50), first=first)
    assert len(found) == hours
    third = [hour for hour in found if hour.slot[1] == 3]
    assert len(third) == hours - 23
    assert len({hour.start_utc for hour in found}) == hours


def test_an_hour_that_two_installations_share_is_one() -> None:
    at = datetime(2026, 5, 4, 8, 30, tzinfo=RIGA)
    halves = [
        period(
            1, lambda local: coming("dark", 50) if local < at else [], measured=lambda t: 900.0 * (t < at)
        ),
        period(
            1, lambda local: coming("dark", 60) if local >= at else [], measured=lambda t: 900.0 * (t >= at)
        ),
    ]
    found = hour_counts(halves, "approaching")
    assert len(found) == 24
    assert all(hour.measured() and len(hour.dark) == 4 for hour in found)


# --------------------------------------------------------------------------- by dates


def given_weeks(traffic: object, n_days: int = 14) -> Split:
    week = timedelta(days=6)
    ranges = (MONDAY, MONDAY + week), (MONDAY + timedelta(days=7), MONDAY + timedelta(days=13))
    return by_dates(hours_of(n_days, traffic), ranges[:1], ranges[1:])


def test_given_days_that_were_dark_and_then_lit_are_a_baseline() -> None:
    found = given_weeks(study(WEEK, three))
    assert (found.baseline, found.by_display) == (True, False)
    assert (len(found.before), len(found.after)) == (168, 168)


@pytest.mark.parametrize("first", ["shown", "blank", "word", "fault"])
def test_given_days_that_were_not_dark_are_none(first: str) -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        return coming(first if (local.date() - MONDAY).days < 7 else "shown", 50)

    found = given_weeks(traffic)
    assert not found.baseline
    assert sum(hour.n for hour in found.before) == 7 * 96  # a fault changes no speed that is only looked at


@pytest.mark.parametrize(("of_100", "baseline"), [(94, False), (95, True), (100, True)])
def test_nearly_all_vehicles_must_have_passed_a_dark_sign(of_100: int, baseline: bool) -> None:
    # 96 quarters a day, and four more vehicles in the first one.
    def more(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        extra = (
            coming("dark", *[50] * 4) if local.hour == local.minute == 0 and local.date() == MONDAY else []
        )
        share = coming("dark" if local.hour * 4 + local.minute // 15 < of_100 - 4 else "shown", 50)
        return [*extra, *(share if local.date() == MONDAY else coming("shown", 50))]

    tuesday = MONDAY + timedelta(days=1)
    found = by_dates(hours_of(2, more), [(MONDAY, MONDAY)], [(tuesday, tuesday)])
    assert found.dark_share[0] == of_100 / 100
    assert found.baseline is baseline


def test_lit_first_and_dark_afterwards_is_told() -> None:
    found = given_weeks(study(tuple(range(7, 14)), three))
    assert not found.baseline
    assert found.lit_then_dark


def test_days_of_which_nothing_is_known() -> None:
    found = by_dates(
        hours_of(1, lambda local: []), [(date(2020, 1, 1), date(2020, 1, 2))], [(MONDAY, MONDAY)]
    )
    assert not found.baseline
    assert (list(found.before), found.coverage[0]) == ([], 0.0)
    assert [hour.n for hour in found.after] == [0] * 24


@pytest.mark.parametrize(
    ("first", "second", "not_known"),
    [
        ("fault", "fault", True),
        ("dark", "fault", True),
        ("fault", "shown", True),
        ("shown", "fault", False),  # it was lit first, whatever came then
        ("fault", "dark", False),
        ("shown", "shown", False),
        ("dark", "shown", False),  # a baseline
    ],
)
def test_whether_anybody_knows_what_the_sign_showed(first: str, second: str, not_known: bool) -> None:
    def traffic(local: datetime) -> list[tuple[str, str, Sequence[int]]]:
        return coming(first if (local.date() - MONDAY).days < 7 else second, 50)

    assert given_weeks(traffic).not_known is not_known
