"""What holds when: windows, precedence, holidays, studies, the hours that change, and no clock."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from speedsign.config.load import parse_config
from speedsign.faces import SPEED, Page
from speedsign.model import BLANK, Direction, Face, Target
from speedsign.rules import DARK, Zone, step
from speedsign.schedule import NO_CLOCK, Active, Schedule

RIGA = ZoneInfo("Europe/Riga")
HEAD = """[sign]
id = "test-sign"
limit_kmh = 50
language = "lv"
{sign}
[radar]
driver = "ops243"
port = "/dev/ttyACM0"
{rest}
"""


def schedule(rest: str, sign: str = "") -> Schedule:
    return Schedule.of(parse_config(HEAD.format(sign=sign, rest=rest), "sign.toml"))


def at(plan: Schedule, wall: str, fold: int = 0) -> Active:
    """At a time on the clock in Riga."""
    return plan.at(datetime.fromisoformat(wall).replace(tzinfo=RIGA, fold=fold).astimezone(UTC))


def window(keys: str, name: str = "one") -> str:
    return f'[[rules.schedule]]\nname = "{name}"\nlimit_kmh = 30\n{keys}\n'


def holds(keys: str, wall: str, rest: str = "", fold: int = 0) -> bool:
    return at(schedule(window(keys) + rest), wall, fold).limit_kmh == 30


# --------------------------------------------------------------------------- windows


@pytest.mark.parametrize(
    ("keys", "inside", "outside"),
    [
        ("", ["2026-11-23T00:00", "2026-11-23T23:59:59.9"], []),
        (
            'start = "07:30"\nend = "16:00"',
            ["2026-11-23T07:30", "2026-11-23T15:59:59"],
            ["2026-11-23T07:29:59", "2026-11-23T16:00"],
        ),
        ('days = ["mon", "sun"]', ["2026-11-23T12:00", "2026-11-22T23:59"], ["2026-11-24T00:00"]),
        (
            'days = ["fri"]\nstart = "22:00"\nend = "06:00"',
            ["2026-11-27T22:00", "2026-11-28T00:00", "2026-11-28T05:59"],
            ["2026-11-27T05:59", "2026-11-27T21:59", "2026-11-28T06:00", "2026-11-28T22:00"],
        ),
        (
            'dates = ["12-31"]\nstart = "20:00"\nend = "02:00"',
            ["2026-12-31T20:00", "2027-01-01T01:59"],
            ["2026-12-31T01:00", "2027-01-01T20:00"],
        ),
        (
            'dates = ["11-01..03-31", "2027-07-01"]',
            ["2026-11-01T00:00", "2027-03-31T23:59", "2027-07-01T12:00"],
            ["2026-10-31T23:59", "2027-04-01T00:00", "2026-07-01T12:00"],
        ),
        ('start = "22:00"\nend = "00:00"', ["2026-11-23T23:59"], ["2026-11-24T00:00", "2026-11-23T21:59"]),
        (
            'holidays = "only"',
            ["2026-11-18T12:00", "2026-12-25T00:00"],
            ["2026-11-17T23:59", "2026-11-19T00:00"],
        ),
        ('holidays = "except"\ndays = ["wed"]', ["2026-11-25T12:00"], ["2026-11-18T12:00"]),
        (
            'holidays = "except"\nstart = "22:00"\nend = "06:00"',
            ["2026-11-19T22:00", "2026-11-18T05:59"],  # the night before the holiday starts on no holiday
            ["2026-11-18T22:00", "2026-11-19T05:59"],
        ),
    ],
)  # fmt: skip
def test_windows(keys: str, inside: list[str], outside: list[str]) -> None:
    assert [wall for wall in inside if not holds(keys, wall)] == []
    assert [wall for wall in outside if holds(keys, wall)] == []


SCHOOL = """[calendar]
school_terms = ["2026-09-01..2026-10-23", "2026-11-02..2026-12-22"]
holidays = ["2026-12-01"]
"""


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-11-17", "school day"),
        ("2026-11-18", "public holiday"),
        ("2026-11-21", ""),  # a Saturday
        ("2026-10-26", ""),  # between two terms
        ("2026-12-01", "public holiday"),  # named in the config
        ("2027-09-01", ""),  # a year that nobody has written down
    ],
)
def test_school_days(day: str, kind: str) -> None:
    rest = window('school = "only"') + SCHOOL
    plan = schedule(rest)
    moment = datetime.fromisoformat(f"{day}T12:00")
    assert plan.kind_of_day(moment.date()) == kind
    assert (at(plan, f"{day}T12:00").limit_kmh == 30) is (kind == "school day")
    no_school = schedule(window('school = "except"') + SCHOOL)
    assert (at(no_school, f"{day}T12:00").limit_kmh == 30) is (kind != "school day")


def test_a_day_is_of_no_kind_where_nothing_depends_on_it() -> None:
    assert schedule(window("")).kind_of_day(datetime(2026, 11, 18).date()) == ""  # noqa: DTZ001  a day


def test_the_holidays_are_those_of_the_signs_country() -> None:
    keys = window('holidays = "only"')
    in_lithuania = schedule(keys, 'timezone = "Europe/Vilnius"')
    assert at(in_lithuania, "2026-11-18T12:00").limit_kmh == 50
    assert at(in_lithuania, "2026-11-02T12:00").limit_kmh == 30
    named = schedule(keys, 'timezone = "Europe/Vilnius"\ncountry = "lv"')
    assert at(named, "2026-11-18T12:00").limit_kmh == 30


# --------------------------------------------------------------------------- the hours that change


@pytest.mark.parametrize("fold", [0, 1])
def test_the_hour_that_autumn_repeats_holds_twice(fold: int) -> None:
    """2026-10-25 04:00 summer time is 03:00 winter time."""
    keys = 'start = "03:00"\nend = "04:00"'
    assert holds(keys, "2026-10-25T03:00", fold=fold)
    assert holds(keys, "2026-10-25T03:59", fold=fold)
    assert not holds(keys, "2026-10-25T02:59")
    assert not holds(keys, "2026-10-25T04:00")


def seconds_of(keys: str, first: str, last: str) -> int:
    """How long a window really lasts between two local times, by asking each minute."""
    plan = schedule(window(keys))
    moment, end = (
        datetime.fromisoformat(text).replace(tzinfo=RIGA).astimezone(UTC) for text in (first, last)
    )
    n = 0
    while moment < end:
        n += 60 * (plan.at(moment).limit_kmh == 30)
        moment += timedelta(minutes=1)
    return n


@pytest.mark.parametrize(
    ("keys", "hours"),
    [
        ('start = "22:00"\nend = "06:00"', 9),
        ('start = "03:00"\nend = "04:00"', 2),
        ('start = "03:30"\nend = "05:00"', 2),  # half an hour, and then all of it
        ('days = ["sun"]', 13),  # until noon
    ],
)
def test_how_long_windows_last_when_summer_ends(keys: str, hours: float) -> None:
    assert seconds_of(keys, "2026-10-24T12:00", "2026-10-25T12:00") == hours * 3600


@pytest.mark.parametrize(
    ("keys", "hours"),
    [
        ('start = "22:00"\nend = "06:00"', 7),
        ('start = "03:00"\nend = "04:00"', 0),  # there is no such hour
        ('start = "03:30"\nend = "05:00"', 1),
        ('start = "02:30"\nend = "03:30"', 0.5),
        ('days = ["sun"]', 11),  # until noon
    ],
)
def test_how_long_windows_last_when_summer_begins(keys: str, hours: float) -> None:
    assert seconds_of(keys, "2027-03-27T12:00", "2027-03-28T12:00") == hours * 3600


# --------------------------------------------------------------------------- precedence


PLAN = """[rules]
within = ["thanks"]
[[rules.schedule]]
name = "winter"
dates = ["11-01..03-31"]
limit_kmh = 40
minimum_kmh = 20
[[rules.schedule]]
name = "school"
days = ["mon", "tue", "wed", "thu", "fri"]
start = "07:30"
end = "16:00"
limit_kmh = 30
over = ["speed", "slower"]
[[rules.schedule]]
name = "night"
start = "22:00"
end = "06:00"
dark = true
"""


def test_a_later_table_goes_before_an_earlier_one_key_by_key() -> None:
    active = at(schedule(PLAN), "2026-11-23T08:00")
    assert active.windows == ("winter", "school")
    assert (active.limit_kmh, active.rules.minimum_kmh) == (30, 20)
    assert active.rules.within == (Page(word="PALDIES"),)
    assert active.rules.over == (SPEED, Page(word="LĒNĀK"))
    assert active.settings.sources["limit_kmh"] == '[[rules.schedule]] "school"'
    assert active.settings.sources["minimum_kmh"] == '[[rules.schedule]] "winter"'
    assert active.settings.sources["within"] == "[rules]"
    assert not active.dark


def test_outside_all_tables_the_rules_hold() -> None:
    active = at(schedule(PLAN), "2026-08-01T12:00")
    assert (active.windows, active.limit_kmh, active.dark) == ((), 50, False)
    assert active.settings.sources["limit_kmh"] == "[sign]"


def test_a_dark_window_says_who_it_is() -> None:
    active = at(schedule(PLAN), "2026-11-23T23:00")
    assert active.dark
    assert active.dark_because == '[[rules.schedule]] "night"'


def test_a_later_table_can_light_a_dark_one() -> None:
    plan = schedule(
        PLAN + '[[rules.schedule]]\nname = "new year"\ndates = ["12-31"]\nstart = "22:00"\ndark = false'
    )
    assert not at(plan, "2026-12-31T23:00").dark
    assert at(plan, "2026-12-30T23:00").dark


def test_thresholds_that_nobody_named_follow_the_limit() -> None:
    plan = schedule(PLAN)
    assert [
        (at(plan, wall).rules.too_fast_kmh, at(plan, wall).rules.ceiling_kmh)
        for wall in ("2026-08-01T12:00", "2026-11-22T12:00", "2026-11-23T12:00")
    ] == [(70, 100), (60, 80), (50, 60)]


def test_thresholds_that_are_named_stay() -> None:
    plan = schedule(PLAN.replace("[rules]", "[rules]\nceiling_kmh = 90\ntoo_fast_kmh = 65", 1))
    rules = at(plan, "2026-11-23T12:00").rules
    assert (rules.limit_kmh, rules.too_fast_kmh, rules.ceiling_kmh) == (30, 65, 90)


def test_too_fast_never_begins_beyond_what_is_shown() -> None:
    rules = at(schedule("[rules]\nceiling_kmh = 60"), "2026-08-01T12:00").rules
    assert (rules.too_fast_kmh, rules.ceiling_kmh) == (61, 60)


def test_what_no_table_changes_is_as_the_rules_say() -> None:
    text = '[rules]\nshow = "both"\nhysteresis_kmh = 3\npage_s = 2\nhold_s = 1\nmin_change_interval_s = 0.5'
    rules = at(schedule(text + "\n" + window("")), "2026-08-01T12:00").rules
    assert rules.directions == frozenset(Direction)
    assert (rules.hysteresis_kmh, rules.page_s, rules.hold_s, rules.min_change_interval_s) == (3, 2, 1, 0.5)


# --------------------------------------------------------------------------- studies

STUDY = """
[[study]]
name = "before"
first = 2026-05-04
last = 2026-05-17
display = "dark"
[[study]]
name = "during"
first = 2026-05-18
last = 2026-05-31
display = "lit"
"""


@pytest.mark.parametrize(
    ("wall", "study", "dark"),
    [
        ("2026-05-03T23:59", "", True),  # the night
        ("2026-05-03T12:00", "", False),
        ("2026-05-04T00:00", "before", True),
        ("2026-05-17T23:59", "before", True),
        ("2026-05-18T12:00", "during", False),
        ("2026-05-18T23:00", "during", True),  # lit is as scheduled: the night is dark
        ("2026-06-01T12:00", "", False),
    ],
)
def test_a_study_goes_before_all_tables(wall: str, study: str, dark: bool) -> None:
    plan = schedule(
        PLAN + '[[rules.schedule]]\nname = "lit"\nstart = "10:00"\nend = "14:00"\ndark = false' + STUDY
    )
    active = at(plan, wall)
    assert (active.study, active.dark) == (study, dark)
    assert active.phase == {"": "", "before": "dark", "during": "lit"}[study]
    if study == "before":
        assert active.dark_because == '[[study]] "before"'


# --------------------------------------------------------------------------- without a clock


def test_without_a_clock_numbers_below_the_lowest_ceiling_and_nothing_else() -> None:
    plan = schedule(
        PLAN.replace("[rules]", '[rules]\nblink = ["over"]\nbeacon = ["over"]', 1)
        + "[beacon]\ncoil = 0\nunit = 9\nport = '/dev/x'\n"
    )
    active = plan.at(None)
    rules = active.rules
    assert not active.clock_known
    assert (rules.within, rules.over, rules.too_fast) == ((SPEED,), (SPEED,), (SPEED,))
    assert (rules.blink, rules.beacon, rules.dark) == (frozenset(), frozenset(), False)
    assert rules.ceiling_kmh == 60, "twice the lowest limit, 30"
    assert rules.minimum_kmh == 20, "the highest of all"
    assert active.settings.sources["ceiling_kmh"] == NO_CLOCK
    for speed_kmh, face in ((45.0, Face(45)), (60.0, Face(60)), (61.0, BLANK)):
        shown = step(DARK, Target(1, speed_kmh, Direction.APPROACHING, 1.0, 5), 1.0, rules)
        assert shown.face == face
        assert shown.zone is not Zone.TOO_FAST


@pytest.mark.parametrize(
    ("rest", "ceiling_kmh"),
    [
        ("", 100),
        ("[rules]\nceiling_kmh = 80", 80),
        ("[rules]\nceiling_kmh = 80\n" + window(""), 80),
        (window("ceiling_kmh = 45"), 45),
        (window("ceiling_kmh = 75"), 60),
    ],
)
def test_the_lowest_ceiling_that_can_be_in_force(rest: str, ceiling_kmh: int) -> None:
    assert schedule(rest).at(None).rules.ceiling_kmh == ceiling_kmh


@pytest.mark.parametrize(
    ("rest", "minimum_kmh"),
    [
        ("", 10),
        ("[rules]\nminimum_kmh = 20", 20),
        ("[rules]\nminimum_kmh = 20\n" + window("minimum_kmh = 15"), 20),
        (window("minimum_kmh = 30"), 30),
    ],
)
def test_the_highest_minimum_that_can_be_in_force(rest: str, minimum_kmh: int) -> None:
    active = schedule(rest).at(None)
    assert active.rules.minimum_kmh == minimum_kmh
    assert active.settings.sources["minimum_kmh"] == NO_CLOCK


def test_without_a_clock_a_study_with_a_dark_phase_stays_dark() -> None:
    """One lit hour would spoil the baseline, and nobody could tell which."""
    active = schedule(STUDY).at(None)
    assert (active.dark, active.study, active.phase) == (True, "before", "dark")
    assert active.dark_because == NO_CLOCK
    assert not schedule(STUDY.replace('"dark"', '"lit"')).at(None).dark


# --------------------------------------------------------------------------- cost


def test_the_same_is_the_same_object() -> None:
    plan = schedule(PLAN)
    assert at(plan, "2026-11-23T08:00:01") is at(plan, "2026-11-23T08:00:59")
    assert at(plan, "2026-11-23T08:00") is at(plan, "2026-11-24T15:59")
    assert at(plan, "2026-11-23T08:00") is not at(plan, "2026-11-23T16:00")


def test_asking_again_and_again_costs_next_to_nothing() -> None:
    plan = schedule(PLAN + STUDY)
    moment = datetime(2026, 11, 23, 8, tzinfo=UTC)
    began_s = time.process_time()
    for n in range(86_400):
        plan.at(moment + timedelta(seconds=n))
    assert time.process_time() - began_s < 3.0, "a day of seconds"


def test_the_library_of_holidays_is_not_loaded_without_a_window_that_asks() -> None:
    program = (
        "import sys\nfrom tests.core.test_schedule import *\n"
        "at(schedule(PLAN + STUDY), '2026-11-23T08:00')\nassert 'holidays' not in sys.modules\n"
        "at(schedule(window('holidays = \"only\"')), '2026-11-23T08:00')\nassert 'holidays' in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
