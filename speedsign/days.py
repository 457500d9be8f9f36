"""Days and hours as a config writes them, and which days are holidays or school days.

dates   "11-18"  "09-01..12-20" each year, also across new year  "2027-03-14"  "2027-03-01..2027-03-14"
hours   "07:30", and "24:00" for the end of a day
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

_YEARLY = re.compile(r"([0-9]{2})-([0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HOURS = re.compile(r"([0-9]{2}):([0-9]{2})")
_LEAP_YEAR = 2024  # every day that a year can have is in it
DAY_MINUTES = 24 * 60


# --------------------------------------------------------------------------- dates


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both included; of every year where `yearly`, else of those years."""

    first: date
    last: date
    yearly: bool

    def holds(self, day: date) -> bool:
        if not self.yearly:
            return self.first <= day <= self.last
        first, last = _in_year(self.first), _in_year(self.last)
        at = _in_year(day)
        return first <= at <= last if first <= last else at >= first or at <= last

    def days(self) -> Iterator[date]:
        """Every day of it; of a yearly one those of a leap year."""
        if self.yearly:
            begin, end = date(_LEAP_YEAR, 1, 1), date(_LEAP_YEAR, 12, 31)
        else:
            begin, end = self.first, self.last
        for n in range((end - begin).days + 1):
            day = begin + timedelta(days=n)
            if self.holds(day):
                yield day


def parse_span(text: str) -> Span:
    """One entry of a list of dates; raises ValueError with what is wrong as the end of a sentence."""
    first_text, dots, last_text = text.partition("..")
    first = _parse_day(first_text, text)
    last = _parse_day(last_text, text) if dots else first
    if first[1] != last[1]:
        raise ValueError("has a year on one side only; write it on both or on neither")
    if not first[1] and last[0] < first[0]:
        raise ValueError("ends before it begins")
    return Span(first[0], last[0], yearly=first[1])


def _parse_day(text: str, whole: str) -> tuple[date, bool]:
    """The day, and whether it is meant for each year."""
    wrong = 'is no date; write "11-18", "09-01..12-20", "2027-03-14" or "2027-03-01..2027-03-14"'
    try:
        if yearly := _YEARLY.fullmatch(text):
            return date(_LEAP_YEAR, int(yearly[1]), int(yearly[2])), True
        if _DAY.fullmatch(text):
            return date.fromisoformat(text), False
    except ValueError:
        wrong = (
            f"names a day that no calendar has: {text}" if whole != text else "is a day that no calendar has"
        )
    raise ValueError(wrong)


def _in_year(day: date) -> tuple[int, int]:
    return day.month, day.day


def any_common(one: Sequence[Span], other: Sequence[Span]) -> bool:
    """Whether there is a day that both lists hold; an empty list holds every day."""
    if not one or not other:
        return True
    return any(_meet(a, b) for a in one for b in other)


def _meet(a: Span, b: Span) -> bool:
    if not a.yearly and not b.yearly:
        return a.first <= b.last and b.first <= a.last
    bound, free = (b, a) if a.yearly else (a, b)  # `bound` has years, unless both are yearly
    if (bound.last - bound.first).days > 366 and not bound.yearly:
        return True
    return any(free.holds(day) for day in bound.days())


# --------------------------------------------------------------------------- hours


def parse_minutes(text: str) -> int:
    """Minutes since midnight, 0 to 1440; raises ValueError with what is wrong as the end of a sentence."""
    found = _HOURS.fullmatch(text)
    if found:
        hours, minutes = int(found[1]), int(found[2])
        if minutes < 60 and hours * 60 + minutes <= DAY_MINUTES:
            return hours * 60 + minutes
    raise ValueError('is no time of day; write "07:30", or "24:00" for the end of the day')


# --------------------------------------------------------------------------- what kind of day


class Calendar:
    """Public holidays and school days of the place where the sign stands.

    `country`: a name that the library `holidays` knows, or None. The library is loaded with the first
    question: a sign without such windows never has it.
    """

    def __init__(self, country: str | None, holidays: Sequence[Span], school_terms: Sequence[Span]) -> None:
        self._country, self._more, self._terms = country, tuple(holidays), tuple(school_terms)
        self._library: Any = None

    def is_holiday(self, day: date) -> bool:
        if any(span.holds(day) for span in self._more):
            return True
        if self._country is None:
            return False
        if self._library is None:
            import holidays

            self._library = holidays.country_holidays(self._country)
        return day in self._library

    def is_school_day(self, day: date) -> bool:
        """Monday to Friday, in a term, no public holiday."""
        in_term = day.weekday() < 5 and any(span.holds(day) for span in self._terms)
        return in_term and not self.is_holiday(day)
