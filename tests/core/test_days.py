"""Dates, hours and kinds of days, as a config writes them."""

from __future__ import annotations

import sys
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.days import Calendar, parse_minutes, parse_span


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("11-18", ["2026-11-18", "2031-11-18"], ["2026-11-17", "2026-11-19"]),
        ("09-01..12-20", ["2026-09-01", "2027-12-20", "2027-10-05"], ["2026-08-31", "2026-12-21"]),
        ("11-01..03-31", ["2026-11-01", "2027-01-01", "2027-03-31"], ["2026-10-31", "2027-04-01"]),
        ("2027-03-14", ["2027-03-14"], ["2026-03-14", "2027-03-15"]),
        ("2026-12-30..2027-01-02", ["2026-12-30", "2027-01-02"], ["2026-12-29", "2027-12-30"]),
        ("02-29", ["2028-02-29"], ["2027-02-28", "2027-03-01"]),
        ("01-01..12-31", ["2026-01-01", "2028-02-29", "2026-12-31"], []),
    ],
)
def test_spans(text: str, inside: list[str], outside: list[str]) -> None:
    span = parse_span(text)
    assert all(span.holds(date.fromisoformat(day)) for day in inside)
    assert not any(span.holds(date.fromisoformat(day)) for day in outside)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no date"),
        ("1-1", "is no date"),
        ("2026-1-1", "is no date"),
        ("20260101..20260201", "is no date"),
        ("2026-W01-1", "is no"),
        ("01-01...02-01", "is no date"),
        ("01-01..", "is no date"),
        ("13-01", "no calendar has"),
        ("2027-02-29", "no calendar has"),
        ("02-01..02-30", "no calendar has: 02-30"),
        ("2026-01-01..02-01", "a year on one side only"),
        ("2026-01-02..2026-01-01", "ends before it begins"),
    ],
)
def test_what_is_no_date_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_span(text)


@given(st.text("0123456789-.W", max_size=24))
def test_any_text_is_a_span_or_a_sentence(text: str) -> None:
    said = ""
    try:
        parse_span(text)
    except ValueError as error:
        said = str(error)
    assert not said or said.split()[0] in ("is", "names", "has", "ends")


DAYS = st.dates(date(2024, 1, 1), date(2024, 12, 31))


@given(DAYS, DAYS)
def test_a_yearly_span_goes_from_day_to_day_round_the_year(first: date, last: date) -> None:
    day, walked = first, {first}
    while day != last:
        day = date(2024, 1, 1) if (day.month, day.day) == (12, 31) else day + timedelta(days=1)
        walked.add(day)
    assert set(parse_span(f"{first:%m-%d}..{last:%m-%d}").days()) == walked


@pytest.mark.parametrize(
    ("text", "minutes"), [("00:00", 0), ("07:30", 450), ("23:59", 1439), ("24:00", 1440)]
)
def test_hours(text: str, minutes: int) -> None:
    assert parse_minutes(text) == minutes


@pytest.mark.parametrize("text", ["", "7:30", "24:01", "12:60", "07:30:00", "-1:00", "٠٧:٣٠x", "noon"])
def test_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(ValueError, match="is no time of day"):
        parse_minutes(text)


# --------------------------------------------------------------------------- kinds of days


@pytest.mark.parametrize(
    ("country", "day", "is_one"),
    [
        ("LV", "2026-11-18", True),  # proclamation of the republic
        ("LT", "2026-11-18", False),
        ("LV", "2026-06-23", True),  # Līgo
        ("LT", "2026-06-23", False),
        ("LT", "2026-06-24", True),  # Joninės
        ("LT", "2026-02-16", True),
        ("LV", "2026-02-16", False),
        ("LT", "2027-11-02", True),  # Vėlinės
        ("LV", "2026-04-06", True),  # Easter Monday
        ("US", "2026-11-26", True),
        (None, "2026-12-25", False),
    ],
)
def test_public_holidays_are_those_of_the_country(country: str | None, day: str, is_one: bool) -> None:
    assert Calendar(country, (), ()).is_holiday(date.fromisoformat(day)) is is_one


def test_more_holidays_can_be_named() -> None:
    calendar = Calendar(None, [parse_span("06-20"), parse_span("2026-05-08")], ())
    assert calendar.is_holiday(date(2029, 6, 20))
    assert calendar.is_holiday(date(2026, 5, 8))
    assert not calendar.is_holiday(date(2027, 5, 8))


def test_school_days_are_weekdays_of_a_term_and_no_holidays() -> None:
    calendar = Calendar("LV", (), [parse_span("2026-09-01..2026-12-22")])
    school = [date(2026, 9, 1) + timedelta(days=n) for n in range(-3, 120)]
    days = [day for day in school if calendar.is_school_day(day)]
    assert days[0] == date(2026, 9, 1)
    assert days[-1] == date(2026, 12, 22)
    assert date(2026, 11, 18) not in days
    assert {day.weekday() for day in days} == {0, 1, 2, 3, 4}


def test_the_library_is_loaded_by_the_first_question_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)  # an import now fails
    calendar = Calendar("LV", [parse_span("05-01")], [parse_span("2026-09-01..2026-12-22")])
    assert calendar.is_holiday(date(2026, 5, 1))
    assert not calendar.is_school_day(date(2026, 9, 5)), "a Saturday needs no library"
    with pytest.raises(ImportError):
        calendar.is_holiday(date(2026, 5, 2))
