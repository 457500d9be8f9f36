"""speedsign brightness: the day's table, one moment, and signs that the sun cannot dim."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import as_json, speedsign

SIGN = '[sign]\nid = "test-sign"\nlimit_kmh = 50\ntimezone = "Europe/Vilnius"\n'
PLACE = "latitude = 56.2\nlongitude = 24.76\n"
RADAR = '[radar]\ndriver = "ops243"\nport = "/dev/radar"\n'
PANEL = '[display]\ndriver = "dm56a04"\nport = "/dev/panel"\n'
SENSOR = "[brightness.sensor]\nunit = 3\naddress = 0\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sign.toml"
    path.write_text(SIGN + PLACE + RADAR + PANEL)
    return path


def table(config: Path, *args: str) -> dict[str, Any]:
    result = speedsign("brightness", "--config", config, *args, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = as_json(result)
    return found


def test_a_day_goes_up_and_down_once(config: Path) -> None:
    found = table(config, "--day", "2026-05-04")
    steps = [one["step"] for one in found["changes"]]
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8, 7, 6, 5, 4, 3, 2, 1]
    assert (found["by"], found["steps"]) == ("sun", 8)
    times = [datetime.fromisoformat(one["at"]) for one in found["changes"]]
    assert times == sorted(times)
    assert found["changes"][0]["at"] == "2026-05-04T00:00:00+03:00"
    assert {moment.date().isoformat() for moment in times} == {"2026-05-04"}
    noon = datetime.fromisoformat("2026-05-04T13:18:00+03:00")
    assert abs((times[8] - noon) - (noon - times[7])) < timedelta(minutes=30), (
        "as far from noon, but for hysteresis"
    )


def test_a_winter_day_is_shorter_and_full_all_the_same(config: Path) -> None:
    summer, winter = table(config, "--day", "2026-06-21"), table(config, "--day", "2026-12-21")

    def hours_above(found: dict[str, Any], step: int) -> float:
        times = [(datetime.fromisoformat(one["at"]), one["step"]) for one in found["changes"]]
        first = next(at for at, n in times if n > step)
        last = next(at for at, n in reversed(times) if n > step)
        return float((last - first) / timedelta(hours=1))

    assert hours_above(summer, 1) > 15
    assert hours_above(winter, 1) < 7
    assert max(one["step"] for one in winter["changes"]) == 8, "the low sun shines into the sign's face"


@pytest.mark.parametrize(
    ("day", "offsets"), [("2026-03-29", {"+02:00", "+03:00"}), ("2026-10-25", {"+03:00", "+02:00"})]
)
def test_a_day_of_a_clock_change_is_whole(config: Path, day: str, offsets: set[str]) -> None:
    found = table(config, "--day", day)
    assert {one["at"][-6:] for one in found["changes"]} == offsets
    assert {one["at"][:10] for one in found["changes"]} == {day}
    assert found["changes"][-1]["step"] == 1


def test_today_is_the_default(config: Path) -> None:
    days = {one["at"][:10] for one in table(config)["changes"]}
    assert len(days) == 1


@pytest.mark.parametrize(
    ("at", "step"),
    [
        ("2026-06-21T13:20", 8),
        ("2026-06-21T01:20", 1),
        ("2026-12-21T22:00", 1),
        ("2026-06-21T10:20+00:00", 8),
        ("2026-06-20T22:20Z", 1),
    ],
)
def test_one_moment(config: Path, at: str, step: int) -> None:
    (one,) = table(config, "--at", at)["changes"]
    assert one["step"] == step
    assert datetime.fromisoformat(one["at"]).utcoffset() is not None


def test_a_moment_is_as_the_days_table_has_it(config: Path) -> None:
    """Between two steps it depends on the one before which of them holds."""
    changes = table(config, "--day", "2026-05-04")["changes"]
    for one, after in pairwise(changes):
        begin, end = (datetime.fromisoformat(each["at"]) for each in (one, after))
        for at in (begin, end - timedelta(minutes=1), end - timedelta(seconds=1)):
            (found,) = table(config, "--at", at.isoformat())["changes"]
            assert found["step"] == one["step"], at
            assert datetime.fromisoformat(found["at"]) == at


def test_an_hour_that_comes_twice_is_two_moments(config: Path) -> None:
    for at in ("2026-10-25T00:30Z", "2026-10-25T01:30Z"):
        (found,) = table(config, "--at", at)["changes"]
        assert datetime.fromisoformat(found["at"]) == datetime.fromisoformat(at)


def test_now_is_a_moment_too(config: Path) -> None:
    (one,) = table(config, "--at", "now")["changes"]
    assert abs(datetime.fromisoformat(one["at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_text_says_the_same(config: Path) -> None:
    result = speedsign("brightness", "--config", config, "--day", "2026-05-04")
    lines = result.stdout.splitlines()
    assert "brightness goes by the sun" in lines[0]
    assert len(lines) == 2 + 15
    assert lines[2].startswith("2026-05-04 00:00   1 of 8")
    one = speedsign("brightness", "--config", config, "--at", "2026-05-04T07:30")
    assert len(one.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("more", "by", "said"),
    [
        ("", "sun", "goes by the sun"),
        (SENSOR, "sensor", "while that fails"),
        ('[brightness]\nby = "fixed"\n', "fixed", "is fixed"),
    ],
)
def test_it_says_what_the_sign_goes_by(config: Path, more: str, by: str, said: str) -> None:
    config.write_text(config.read_text() + more)
    assert table(config, "--at", "2026-05-04")["by"] == by
    assert said in speedsign("brightness", "--config", config, "--at", "2026-05-04").stdout


def test_the_bounds_and_the_curve_are_the_configs(config: Path) -> None:
    plain = config.read_text()
    config.write_text(plain + "[brightness]\nlowest = 0.3\nhighest = 0.6\n")
    assert {one["step"] for one in table(config, "--day", "2026-05-04")["changes"]} == {3, 4, 5}
    config.write_text(plain + "[brightness]\ncurve = [[4, 0.5], [40, 0.5]]\n")
    assert [one["step"] for one in table(config, "--day", "2026-05-04")["changes"]] == [5]


@pytest.mark.parametrize(
    ("text", "args", "said"),
    [
        (SIGN + RADAR + PANEL, (), "Set [sign] latitude and longitude"),
        (SIGN + PLACE + RADAR, (), "nothing to dim"),
        (
            SIGN + PLACE + RADAR + PANEL.replace("dm56a04", "fema") + "accept_zero = true\n",
            (),
            "cannot be set",
        ),
        (SIGN + PLACE + RADAR + PANEL, ("--day", "soon"), "'soon' is no date"),
        (SIGN + PLACE + RADAR + PANEL, ("--at", "2026-02-30T10:00"), "is no date or time"),
        (SIGN + PLACE + RADAR + PANEL, ("--at", "2026-05-04", "--day", "2026-05-04"), "choose one"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(
    config: Path, text: str, args: tuple[str, ...], said: str
) -> None:
    config.write_text(text)
    result = speedsign("brightness", "--config", config, *args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("speedsign brightness: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(("latitude", "steps"), [("69.65", {1}), ("89.9", {1}), ("-89.9", {8})])
def test_near_the_poles(config: Path, latitude: str, steps: set[int]) -> None:
    config.write_text(config.read_text().replace("56.2", latitude))
    found = table(config, "--day", "2026-12-21")
    assert {one["step"] for one in found["changes"]} == steps
