"""The calendar of patrol hours, read back by a parser of its own: zones, folding, escaping, repetition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from speedsign.language import LANGUAGES, language
from speedsign.model import Installation
from telemetry.report.calendar import WEEKS, begins, next_monday, render_calendar
from telemetry.report.facts import Facts, gather
from tests.report.signs import BAUSKA, fill, local, once, period, sign

NOW = datetime(2026, 6, 1, 5, 0, tzinfo=UTC)


@dataclass
class Component:
    """BEGIN to END: properties by name with parameters, and what is inside."""

    name: str
    properties: dict[str, tuple[dict[str, str], str]] = field(default_factory=dict)
    inside: list[Component] = field(default_factory=list)

    def value(self, name: str) -> str:
        return self.properties[name][1]

    def all(self, name: str) -> list[Component]:
        return [one for one in self.inside if one.name == name]


def parsed(text: str) -> Component:
    """RFC 5545, 3.1: lines end in CRLF, are at most 75 octets, and go on where a space begins them."""
    assert text.endswith("\r\n")
    lines = text.split("\r\n")[:-1]
    assert all(len(line.encode()) <= 75 for line in lines)
    assert not any("\r" in line or "\n" in line for line in lines)
    stack = [Component("")]
    for line in unfolded(lines):
        head, value = re.match(r'((?:[^":]|"[^"]*")*):(.*)', line, re.DOTALL).groups()  # type: ignore[union-attr]
        name, *parameters = head.split(";")
        if name == "BEGIN":
            stack.append(Component(value))
        elif name == "END":
            done = stack.pop()
            assert done.name == value
            stack[-1].inside.append(done)
        else:
            assert name not in stack[-1].properties
            stack[-1].properties[name] = (dict(one.split("=", 1) for one in parameters), value)
    (root,) = stack
    (calendar,) = root.inside
    return calendar


def unfolded(lines: list[str]) -> Iterator[str]:
    whole = ""
    for line in lines:
        if line.startswith(" "):
            whole += line[1:]
        else:
            if whole:
                yield whole
            whole = line
    yield whole


def plain_text(escaped: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], escaped)


def facts_of(path: Path, facts: Installation = BAUSKA) -> Facts:
    """Most on Friday at 17, then Tuesday at 8, then Sunday at 23."""

    def quarter(at: datetime) -> Mapping[str, Mapping[int, int]]:
        n = {(4, 17): 5, (1, 8): 3, (6, 23): 1}.get((at.weekday(), at.hour), 0)
        return {"approaching": {70: n, 45: 2}}

    zone = facts.timezone
    fill(sign(path, facts), local("2026-05-04", zone), local("2026-05-11", zone), quarter)
    return gather(period(path, local("2026-05-04", zone), local("2026-05-11", zone)))


def calendar_of(facts: Facts, first: date = date(2026, 5, 11), code: str = "en") -> Component:
    return parsed(render_calendar(facts, language(code), first=first, now_utc=NOW))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


def test_the_worst_hours_are_weekly_events_in_their_order(path: Path) -> None:
    calendar = calendar_of(facts_of(path))
    assert (calendar.name, calendar.value("VERSION")) == ("VCALENDAR", "2.0")
    assert calendar.value("PRODID")
    events = calendar.all("VEVENT")
    assert [event.properties["DTSTART"] for event in events] == [
        ({"TZID": "Europe/Riga"}, "20260515T170000"),
        ({"TZID": "Europe/Riga"}, "20260512T080000"),
        ({"TZID": "Europe/Riga"}, "20260517T230000"),
    ]
    for event in events:
        assert event.value("RRULE") == f"FREQ=WEEKLY;COUNT={WEEKS}"
        assert event.value("DURATION") == "PT1H"
        assert event.value("DTSTAMP") == "20260601T050000Z"
    assert plain_text(events[0].value("SUMMARY")) == "Speed check: Bauska, Rīgas iela"
    assert plain_text(events[0].value("DESCRIPTION")).startswith("Rank 1: 20.0 vehicles an hour more than 10")


def test_an_event_keeps_its_identity_and_no_two_share_one(path: Path) -> None:
    facts = facts_of(path)
    again = [event.value("UID") for event in calendar_of(facts, code="lv").all("VEVENT")]
    assert [event.value("UID") for event in calendar_of(facts).all("VEVENT")] == again
    assert len(set(again)) == 3
    later = calendar_of(facts, date(2026, 6, 8)).all("VEVENT")
    assert set(again).isdisjoint(event.value("UID") for event in later)
    assert all(re.fullmatch(r"[0-9a-f]{32}@speedsign", uid) for uid in again)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (date(2026, 3, 16), [("20260322T030000", 1), ("20260405T030000", 2)]),
        (date(2026, 3, 23), [("20260405T030000", 3)]),
        (date(2026, 10, 12), [("20261018T030000", 4)]),
    ],
)
def test_an_hour_that_spring_leaves_out_is_no_event(
    path: Path, first: date, expected: list[tuple[str, int]]
) -> None:
    """Sunday, 03:00: on 29 March there is none, on 25 October there are two, and a check lasts an hour."""

    def quarter(at: datetime) -> Mapping[str, Mapping[int, int]]:
        return {"approaching": {70: 9}} if (at.weekday(), at.hour) == (6, 3) else {}

    fill(sign(path), local("2026-05-04"), local("2026-05-18"), quarter)
    calendar = calendar_of(gather(period(path, local("2026-05-04"), local("2026-05-18"))), first)
    events = calendar.all("VEVENT")
    found = [(event.value("DTSTART"), int(event.value("RRULE").split("=")[-1])) for event in events]
    assert found == expected
    assert len({event.value("UID") for event in events}) == len(events)
    zone = ZoneInfo("Europe/Riga")
    for start, weeks in found:
        for week in range(weeks):
            at = datetime.strptime(start, "%Y%m%dT%H%M%S") + timedelta(days=7 * week)  # noqa: DTZ007
            there = at.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
            assert there.replace(tzinfo=None) == at
    assert {event.value("DURATION") for event in events} == {"PT1H"}
    assert all("DTEND" not in event.properties for event in events)


def seconds(text: str) -> timedelta:
    sign_, hours, minutes = text[0], int(text[1:3]), int(text[3:5])
    return timedelta(hours=hours, minutes=minutes) * (-1 if sign_ == "-" else 1)


def offset_by_file(zone: Component, local_time: datetime) -> timedelta:
    """RFC 5545, 3.6.5: the observance with the latest onset that is not after that local time."""
    begun = [
        one
        for one in zone.inside
        if datetime.strptime(one.value("DTSTART"), "%Y%m%dT%H%M%S") <= local_time  # noqa: DTZ007
    ]
    return seconds(max(begun, key=lambda one: one.value("DTSTART")).value("TZOFFSETTO"))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Europe/Riga", date(2026, 10, 12)),  # the clocks go back on the 25th
        ("Europe/Vilnius", date(2026, 3, 16)),  # and forward on 29 March
        ("Europe/Riga", date(2026, 6, 1)),
        ("America/St_Johns", date(2026, 3, 2)),
        ("Asia/Kolkata", date(2026, 3, 2)),
    ],
)
def test_each_event_is_at_the_hour_of_the_sign_by_the_file_alone(path: Path, name: str, first: date) -> None:
    facts = facts_of(path, replace(BAUSKA, timezone=name))
    calendar = calendar_of(facts, first)
    (zone,) = calendar.all("VTIMEZONE")
    assert zone.value("TZID") == name
    for event in calendar.all("VEVENT"):
        start = datetime.strptime(event.value("DTSTART"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
        assert first <= start.date() < first + timedelta(days=7)
        for week in range(WEEKS):
            at = start + timedelta(days=7 * week)
            assert offset_by_file(zone, at) == at.replace(tzinfo=ZoneInfo(name)).utcoffset()


def test_a_change_of_the_clock_is_told_by_the_time_before_it(path: Path) -> None:
    (zone,) = calendar_of(facts_of(path), date(2026, 10, 12)).all("VTIMEZONE")
    summer, winter = zone.inside
    assert (summer.name, summer.value("TZOFFSETTO")) == ("DAYLIGHT", "+0300")
    assert winter.name == "STANDARD"
    assert [winter.value(name) for name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME")] == [
        *("20261025T040000", "+0300", "+0200", "EET")
    ]


@pytest.mark.parametrize("code", LANGUAGES)
def test_letters_commas_and_long_names_come_back_whole(path: Path, code: str) -> None:
    site = "Ķekava; \\ Ŗ, " + "ļoti garš nosaukums ar āķīšiem " * 9 + "\r\nBEGIN:VALARM"
    calendar = calendar_of(facts_of(path, replace(BAUSKA, site=site)), code=code)
    for event in calendar.all("VEVENT"):
        assert plain_text(event.value("LOCATION")) == site.replace("\r\n", "\n")
        assert event.inside == []


def test_no_hour_to_patrol_is_an_empty_calendar(path: Path) -> None:
    fill(sign(path), local("2026-05-04"), local("2026-05-05"), once({"approaching": {45: 9}}))
    calendar = calendar_of(gather(period(path, local("2026-05-04"), local("2026-05-05"))))
    assert calendar.all("VEVENT") == []
    assert len(calendar.all("VTIMEZONE")) == 1


@pytest.mark.parametrize(
    ("day", "monday"),
    [("2026-05-31", "2026-06-01"), ("2026-06-01", "2026-06-08"), ("2026-06-03", "2026-06-08")],
)
def test_the_week_after_begins_on_monday(day: str, monday: str) -> None:
    assert next_monday(date.fromisoformat(day)) == date.fromisoformat(monday)


@pytest.mark.parametrize(
    ("today", "monday"),
    [
        ("2026-05-20", "2026-06-01"),
        ("2026-06-03", "2026-06-08"),
        ("2026-06-08", "2026-06-15"),
        ("2026-11-22", "2026-11-23"),
    ],
)
def test_nobody_is_sent_out_in_the_past(today: str, monday: str) -> None:
    assert begins(date(2026, 5, 31), date.fromisoformat(today)) == date.fromisoformat(monday)


def test_hours_of_a_single_week_are_called_uncertain(path: Path) -> None:
    """Ranked after those that were met twice with thirty vehicles."""

    def quarter(at: datetime) -> Mapping[str, Mapping[int, int]]:
        if (at.weekday(), at.hour) == (4, 17):
            return {"approaching": {70: 1, 45: 4}}
        return {"approaching": {70: 9}} if (at.day, at.hour) == (9, 12) else {}

    fill(sign(path), local("2026-05-04"), local("2026-05-16"), quarter)
    facts = gather(period(path, local("2026-05-04"), local("2026-05-16")))
    first, *_others = calendar_of(facts).all("VEVENT")
    assert "20260515T17" in first.value("DTSTART")
    assert "Uncertain" not in first.value("DESCRIPTION")
    (week,) = calendar_of(gather(period(path, local("2026-05-09"), local("2026-05-10")))).all("VEVENT")
    assert "Uncertain" in week.value("DESCRIPTION")
