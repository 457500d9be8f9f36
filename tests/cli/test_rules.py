"""speedsign rules: the answers of explain and week are what the sign does."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from speedsign.cli.rules_explain import answer_for
from speedsign.cli.rules_week import stretches
from speedsign.config.load import load_config
from speedsign.model import Direction, Target
from speedsign.rules import DARK, step
from speedsign.schedule import Schedule
from tests.cli.command import as_json, speedsign

CONFIG = """[sign]
id = "test-sign"
limit_kmh = 50
timezone = "Europe/Vilnius"
language = "lt"
[radar]
driver = "ops243"
port = "/dev/ttyACM0"
[rules]
within = ["thanks"]
over = ["speed", "slower"]
too_fast = ["slower"]
beacon = ["too_fast"]
[[rules.schedule]]
name = "school morning"
school = "only"
start = "07:30"
end = "09:00"
limit_kmh = 30
within = ["speed"]
[[rules.schedule]]
name = "night"
start = "23:00"
end = "05:30"
dark = true
[calendar]
school_terms = ["2026-09-01..2026-12-23"]
[[study]]
name = "baseline"
first = 2026-11-27
last = 2026-11-28
display = "dark"
[beacon]
coil = 0
unit = 2
port = "/dev/ttyUSB1"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sign.toml"
    path.write_text(CONFIG)
    return path


def explain(config: Path, at: str, speed: float, *more: str) -> list[str]:
    result = speedsign("rules", "explain", "--at", at, "--speed", str(speed), "--config", config, *more)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_which_rule_wins_and_why(config: Path) -> None:
    assert explain(config, "2026-11-23T08:15", 46.6) == [
        "Monday 2026-11-23T08:15+02:00, school day",
        "47 km/h approaching: 47 in turn with LĖČIAU, 1 s each",
        "because   47 is above the limit, 30",
        'in force  "school morning"',
        '  limit          30             [[rules.schedule]] "school morning"',
        "  minimum        10             [rules]",
        "  too fast from  50             the limit and 20",
        "  ceiling        60             twice the limit",
        "  over           speed, slower  [rules]",
        "note      the config has no [display]: this sign only measures",
    ]


@pytest.mark.parametrize(
    ("at", "speed", "more", "shown", "because"),
    [
        ("2026-11-23T08:15", 9, (), "dark", "9 is below the minimum, 10"),
        ("2026-11-23T08:15", 30, (), "30", "30 is not above the limit, 30"),
        ("2026-11-23T12:00", 30, (), "AČIŪ", "30 is not above the limit, 50"),
        ("2026-11-23T12:00", 70, (), "LĖČIAU, the beacon is lit", "70 is too fast: that begins at 70"),
        ("2026-11-23T12:00", 101, (), "dark", "101 is above the ceiling, 100"),
        ("2026-11-23T12:00", 40, ("--direction", "receding"), "dark", "receding vehicles are not shown"),
        ("2026-11-23T23:00", 40, (), "dark", '[[rules.schedule]] "night"'),
        ("2026-11-27T12:00", 40, (), "dark", '[[study]] "baseline"'),
        ("2026-11-27T12:00", 40, ("--clock-unknown",), "dark", "the time is not known, and the"),
    ],
)  # fmt: skip
def test_what_is_shown(
    at: str, speed: float, more: tuple[str, ...], shown: str, because: str, config: Path
) -> None:
    lines = explain(config, at, speed, *more)
    assert lines[1].endswith(f": {shown}")
    assert lines[2].startswith(f"because   {because}")


def test_without_a_clock_the_numbers_say_who_has_set_them(tmp_path: Path) -> None:
    path = tmp_path / "sign.toml"
    path.write_text(CONFIG.partition("[[study]]")[0] + CONFIG[CONFIG.index("[beacon]") :])
    lines = explain(path, "now", 47, "--clock-unknown")
    assert lines[:2] == ["The time is not known", "47 km/h approaching: 47"]
    assert "  ceiling        60     the time is not known" in lines


def test_an_hour_that_comes_twice_is_told_apart_by_its_offset(config: Path) -> None:
    first = explain(config, "2026-10-25T03:30", 40)
    assert first[0].startswith("Sunday 2026-10-25T03:30+03:00")
    assert first[-1] == "note      this hour comes twice; the second time is 2026-10-25T03:30+02:00"
    second = explain(config, "2026-10-25T03:30+02:00", 40)
    assert second[0].startswith("Sunday 2026-10-25T03:30+02:00")
    assert "twice" not in second[-1]


def test_an_hour_that_does_not_come_is_said(config: Path) -> None:
    lines = explain(config, "2027-03-28T03:30", 40)
    assert lines[0].startswith("Sunday 2027-03-28T04:30+03:00")
    assert lines[-1] == "note      the clocks leave out 03:30 on that day; this is 04:30"


def test_explain_as_json(config: Path) -> None:
    found = as_json(
        speedsign(
            "rules", "explain", "--at", "2026-11-23T06:15Z", "--speed", "47", "--config", config, "--json"
        )
    )
    assert found["at"] == "2026-11-23T08:15:00+02:00"
    assert (found["zone"], found["shown"], found["in_force"]) == (
        "over",
        ["47", "LĖČIAU"],
        ["school morning"],
    )
    assert found["settings"]["limit_kmh"] == {"value": 30, "set_by": '[[rules.schedule]] "school morning"'}
    assert (found["dark"], found["study"], found["day"]) == (False, "", "school day")
    found = as_json(
        speedsign("rules", "explain", "--speed", "47", "--config", config, "--json", "--clock-unknown")
    )
    assert (found["at"], found["dark"], found["phase"]) == (None, True, "dark")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["explain"], "Missing option '--speed'"),
        (["explain", "--speed", "nan"], "'--speed'"),
        (["explain", "--speed", "-1"], "'--speed'"),
        (["explain", "--speed", "50", "--at", "noon"], "'noon' is no date or time"),
        (["explain", "--speed", "50", "--direction", "left"], "'left' is not one of"),
        (["week", "--from", "monday"], "'monday' is no date or time"),
    ],
)
def test_wrong_usage(args: list[str], said: str, config: Path) -> None:
    result = speedsign("rules", *args, "--config", config)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_week(config: Path) -> None:
    result = speedsign("rules", "week", "--from", "2026-11-26", "--config", config)
    assert result.stdout.splitlines()[:10] == [
        "Thursday 2026-11-26  school day",
        '  00:00-05:30  dark: [[rules.schedule]] "night"',
        "  05:30-07:30  limit 50, shown 10 to 100, too fast from 70",
        '  07:30-09:00  limit 30, shown 10 to 60, too fast from 50  "school morning"',
        "  09:00-23:00  limit 50, shown 10 to 100, too fast from 70",
        '  23:00-24:00  dark: [[rules.schedule]] "night"',
        "Friday 2026-11-27  school day",
        '  00:00-24:00  dark: [[study]] "baseline"',
        "Saturday 2026-11-28",
        '  00:00-24:00  dark: [[study]] "baseline"',
    ]


def test_the_week_of_today(config: Path) -> None:
    found = as_json(speedsign("rules", "week", "--config", config, "--json"))
    assert len(found) == 7
    assert all(day["stretches"][0]["from"][11:16] == "00:00" for day in found)


def test_the_week_as_json(config: Path) -> None:
    found = as_json(speedsign("rules", "week", "--from", "2026-11-26", "--config", config, "--json"))
    assert [day["date"] for day in found] == [f"2026-11-{n}" for n in (26, 27, 28, 29, 30)] + [
        "2026-12-01",
        "2026-12-02",
    ]
    morning = found[0]["stretches"][2]
    assert (morning["from"], morning["to"]) == ("2026-11-26T07:30+02:00", "09:00")
    assert morning["in_force"] == ["school morning"]
    assert {stretch["study"] for stretch in found[1]["stretches"]} == {"baseline"}


@pytest.mark.parametrize(("day", "hours"), [("2026-10-25", 25), ("2027-03-28", 23), ("2026-11-23", 24)])
def test_the_stretches_of_a_day_are_the_whole_day(day: str, hours: int, config: Path) -> None:
    schedule = Schedule.of(load_config(config))
    found = list(stretches(schedule, date.fromisoformat(day)))
    begun = [stretch.start.astimezone(UTC) for stretch in found]
    following = next(stretches(schedule, date.fromisoformat(day) + timedelta(days=1)))
    assert following.start.astimezone(UTC) - begun[0] == timedelta(hours=hours)
    assert begun == sorted(begun)
    assert found[-1].end == "24:00"


def test_explain_is_what_the_sign_does(config: Path) -> None:
    schedule, chance = Schedule.of(load_config(config)), random.Random(4)
    begin = datetime(2026, 11, 20, tzinfo=UTC)
    for _ in range(500):
        active = schedule.at(begin + timedelta(minutes=chance.uniform(0, 14 * 1440)))
        speed_kmh, direction = chance.uniform(0, 130), chance.choice(list(Direction))
        shown = step(DARK, Target(3, speed_kmh, direction, 5.0, 9), 5.0, active.rules)
        answer = answer_for(active, speed_kmh, direction)
        assert answer.faces[0] == shown.face
        assert answer.zone is shown.zone
        assert answer.because
