"""The numbers behind a report: hours, days, weeks, ranks; days of 23 and 25 hours; what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from telemetry.report.facts import Slot, gather, ranked
from telemetry.report.spans import Unit, unit_for
from tests.report.signs import BAUSKA, busy, fill, local, nothing, once, period, sign, street

RIGA = ZoneInfo("Europe/Riga")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


def slot(weekday: int, hour: int, over_10: float, over: float = 0.0) -> Slot:
    return Slot(weekday, hour, 4, 0, 100, 25.0, 0.5, 0.1, over, over_10, None)


def test_hours_are_those_that_an_independent_count_finds(path: Path) -> None:
    street(path, "2026-05-04", "2026-05-17")
    facts = gather(period(path, local("2026-05-04"), local("2026-05-18")))
    vehicles: Counter[tuple[int, int]] = Counter()
    fast: Counter[tuple[int, int]] = Counter()
    at = local("2026-05-04")
    while at < local("2026-05-18"):
        here = at.astimezone(RIGA)
        for counts in busy(here).values():
            for speed, n in counts.items():
                vehicles[here.weekday(), here.hour] += n
                fast[here.weekday(), here.hour] += n if speed > 60 else 0
        at += timedelta(minutes=15)
    for key, found in facts.by_hour_of_week.items():
        assert (found.n, found.hours) == (vehicles[key], 2)
        assert found.mean == vehicles[key] / 2
        assert found.over_10_an_hour == fast[key] / 2
    assert facts.main.statistics.n == sum(vehicles.values())
    worst = max(fast.values()) / 2
    assert facts.patrols[0].over_10_an_hour == worst
    for found in facts.by_hour:
        assert found.n == sum(vehicles[day, found.hour] for day in range(7))
        assert found.hours == 14


def test_the_worst_hour_is_the_one_with_most_fast_vehicles_not_with_the_highest_share() -> None:
    night, rush, nobody = slot(2, 3, 0.5, 0.6), slot(4, 16, 9.0, 30.0), slot(1, 12, 0.0, 20.0)
    same, earlier = slot(5, 9, 3.0, 8.0), slot(3, 9, 3.0, 8.0)
    more_over = slot(6, 23, 3.0, 9.0)
    found = ranked([night, nobody, same, rush, more_over, earlier])
    assert found == (rush, more_over, earlier, same, night)
    assert ranked([rush, night], most=1) == (rush,)


def test_an_hour_measured_too_little_is_in_the_total_and_in_no_mean(path: Path) -> None:
    sign(path)
    fill(path, local("2026-05-04"), local("2026-05-05"), lambda at: {"approaching": {65: 1}})
    fill(
        path,
        local("2026-05-05T08:00"),
        local("2026-05-05T09:00"),
        lambda at: {"approaching": {65: 50}},
        measured_s=300,
    )
    facts = gather(period(path, local("2026-05-04"), local("2026-05-06")))
    assert facts.main.statistics.n == 96 + 200
    tuesday = facts.by_hour_of_week[1, 8]
    assert (tuesday.hours, tuesday.left_out, tuesday.n, tuesday.mean) == (0, 1, 0, None)
    assert facts.by_hour[8].n == 4
    assert all(found.weekday == 0 for found in facts.patrols)
    monday, other = facts.spans
    assert (monday.n, monday.complete, monday.coverage) == (96, True, 1.0)
    assert (other.n, other.complete) == (200, False)
    assert facts.main.volume.adt == 96


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_on_which_the_clocks_change_is_whole_and_said(path: Path, day: str, hours: int) -> None:
    start = local(day)
    end = local(str(date.fromisoformat(day) + timedelta(days=1)))
    fill(sign(path), start, end, lambda at: {"approaching": {50: 1}})
    facts = gather(period(path, start, end))
    (found,) = facts.spans
    assert (found.hours_of_day, found.n, found.complete, found.coverage) == (hours, 4 * hours, True, 1.0)
    assert facts.main.volume.adt == 4 * hours
    assert facts.by_hour[3].hours == hours - 24 + 1  # none in spring, two in autumn
    assert facts.days == 1


def test_vehicles_without_a_time_are_in_totals_and_in_no_hour_or_day(path: Path) -> None:
    street(path, "2026-05-04", "2026-05-04", nothing)
    fill(
        path,
        local("2026-05-05"),
        local("2026-05-05T00:15"),
        lambda at: {"approaching": {70: 9}},
        clock="unknown",
    )
    facts = gather(period(path, local("2026-05-04"), local("2026-05-05T00:15")))
    assert facts.main.statistics.n == 9
    assert sum(span.n for span in facts.spans) == 0
    assert not any(found.n for found in facts.by_hour)
    assert facts.quality.undated == 9


def test_one_direction_is_what_hours_days_and_ranks_are_of(path: Path) -> None:
    def quarter(at: datetime) -> Mapping[str, Mapping[int, int]]:
        return {"approaching": {45: 2}, "receding": {75: 1}}

    street(path, "2026-05-04", "2026-05-04", quarter)
    found = period(path, local("2026-05-04"), local("2026-05-05"))
    facts = gather(found, focus="approaching")
    assert [side.direction for side in facts.sides] == ["approaching", "receding", "both"]
    assert facts.main.statistics.n == 192
    assert facts.spans[0].n == 192
    assert facts.patrols == ()
    assert gather(found, focus="receding").patrols[0].over_10_an_hour == 4
    assert gather(found).spans[0].n == 288


def test_a_direction_that_is_not_known_has_its_own_line(path: Path) -> None:
    street(path, "2026-05-04", "2026-05-04", once({"unknown": {44: 3}}))
    facts = gather(period(path, local("2026-05-04"), local("2026-05-05")))
    assert [side.direction for side in facts.sides] == ["approaching", "receding", "unknown", "both"]
    assert facts.side("unknown").statistics.n == facts.main.statistics.n == 3


# --------------------------------------------------------------------------- days, weeks, months


@pytest.mark.parametrize(
    ("days", "expected"),
    [(1, Unit.DAY), (62, Unit.DAY), (63, Unit.WEEK), (182, Unit.WEEK), (183, Unit.MONTH)],
)
def test_the_longer_the_period_the_larger_its_parts(days: int, expected: Unit) -> None:
    assert unit_for(days) is expected


def test_weeks_begin_on_monday_and_those_cut_off_are_not_complete(path: Path) -> None:
    """From Wednesday 1 April to Tuesday 30 June: 91 days, 14 weeks of which the first and last are cut."""
    street(path, "2026-04-01", "2026-06-30", lambda at: {"receding": {40: 1}})
    facts = gather(period(path, local("2026-04-01"), local("2026-07-01")))
    assert facts.unit is Unit.WEEK
    assert len(facts.spans) == 14
    first, second, last = facts.spans[0], facts.spans[1], facts.spans[-1]
    assert (first.first, first.last, first.days, first.complete) == (
        date(2026, 4, 1),
        date(2026, 4, 5),
        5,
        False,
    )
    assert (second.first.weekday(), second.days, second.complete, second.n) == (0, 7, True, 7 * 96)
    assert (last.last, last.complete) == (date(2026, 6, 30), False)
    assert sum(span.n for span in facts.spans) == 91 * 96


def test_a_year_is_told_by_month(path: Path) -> None:
    street(path, "2026-01-01", "2026-12-31", lambda at: {"receding": {40: 1}} if at.minute == 0 else {})
    facts = gather(period(path, local("2026-01-01"), local("2027-01-01")))
    assert facts.unit is Unit.MONTH
    assert [span.days for span in facts.spans] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert all(span.complete for span in facts.spans)
    assert facts.spans[2].n == 31 * 24 - 1  # March: the night of 23 hours
    assert facts.spans[9].n == 31 * 24 + 1


def test_where_some_hours_were_asked_for_days_are_complete_by_those(path: Path) -> None:
    street(path, "2026-05-04", "2026-05-05")
    found = period(path, local("2026-05-04"), local("2026-05-06")).only(
        lambda hour: hour.local.hour in (7, 8)
    )
    facts = gather(found)
    assert facts.chosen == frozenset((day, hour) for day in (0, 1) for hour in (7, 8))
    assert all(span.complete for span in facts.spans)
    assert facts.main.volume.adt is None


def test_nothing_measured_is_no_error(path: Path) -> None:
    sign(path)
    facts = gather(period(path, local("2026-05-04"), local("2026-05-06")))
    assert facts.main.statistics.n == 0
    assert facts.patrols == ()
    assert [span.coverage for span in facts.spans] == [0.0, 0.0]
    assert facts.standing.facts == BAUSKA
    empty = gather(period(path, local("2026-05-04"), local("2026-05-04")))
    assert (empty.spans, empty.days) == ((), 0)
