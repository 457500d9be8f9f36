"""When a table of the schedule holds: weekdays, hours, dates, holidays and school days, all of them together.

Hours are those of the clock on the wall. An hour that autumn repeats holds twice, one that spring leaves
out does not come. A window that ends before it starts belongs to the day it starts on: a Friday night from
22:00 to 06:00 holds on Saturday morning, and on no Friday morning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from speedsign.config.schema import WindowConfig
from speedsign.days import DAY_MINUTES, Calendar, Span, any_common, parse_minutes, parse_span

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK_MINUTES = 7 * DAY_MINUTES
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """One table, ready to be asked; minutes are counted from midnight."""

    name: str
    days: frozenset[int]  # 0 is Monday
    start: int
    end: int  # not after `start`: on the next day
    dates: tuple[Span, ...]  # none: every day
    holidays: str
    school: str

    @classmethod
    def of(cls, config: WindowConfig) -> Window:
        """From its table; raises ValueError for hours or dates that the config check refuses."""
        days = config.days or WEEKDAYS
        return cls(
            name=config.name,
            days=frozenset(WEEKDAYS.index(day) for day in days),
            start=parse_minutes(config.start),
            end=parse_minutes(config.end),
            dates=tuple(parse_span(text) for text in config.dates),
            holidays=config.holidays,
            school=config.school,
        )

    @property
    def over_midnight(self) -> bool:
        return self.end < self.start

    def holds(self, wall: datetime, calendar: Calendar) -> bool:
        """Whether it is in force at a local time; the time's zone is not looked at."""
        minute = wall.hour * 60 + wall.minute
        day = wall.date()
        if not self.over_midnight:
            return self.start <= minute < self.end and self.starts_on(day, calendar)
        if minute >= self.start:
            return self.starts_on(day, calendar)
        return minute < self.end and self.starts_on(day - _ONE_DAY, calendar)

    def starts_on(self, day: date, calendar: Calendar) -> bool:
        """Whether it begins on a day; what costs least is asked first."""
        if day.weekday() not in self.days:
            return False
        if self.dates and not any(span.holds(day) for span in self.dates):
            return False
        return _fits(self.holidays, day, calendar.is_holiday) and _fits(
            self.school, day, calendar.is_school_day
        )

    def may_meet(self, other: Window) -> bool:
        """Whether both can be in force at one moment; True where that is not certain to be impossible."""
        if not _minutes_meet(self, other):
            return False
        if self.over_midnight or other.over_midnight:
            return True  # they may have started on different days
        opposite = {"only", "except"}
        if {self.holidays, other.holidays} == opposite or {self.school, other.school} == opposite:
            return False
        return any_common(self.dates, other.dates)


def _fits(wanted: str, day: date, is_one: Callable[[date], bool]) -> bool:
    return wanted == "any" or is_one(day) == (wanted == "only")


def _minutes_meet(a: Window, b: Window) -> bool:
    return any(
        (start_b - start_a) % _WEEK_MINUTES < length_a or (start_a - start_b) % _WEEK_MINUTES < length_b
        for start_a, length_a in _in_week(a)
        for start_b, length_b in _in_week(b)
    )


def _in_week(window: Window) -> list[tuple[int, int]]:
    """(minute of the week, length) of each time that it holds."""
    length = (window.end - window.start) % DAY_MINUTES or DAY_MINUTES
    return [(day * DAY_MINUTES + window.start, length) for day in window.days]
