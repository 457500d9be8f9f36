"""Brightness and the light sensor in a config: what does not fit, with its line."""

from __future__ import annotations

import pytest

from speedsign.config.load import parse_config
from speedsign.config.schema import Config
from speedsign.errors import ConfigError

SIGN = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n'
PLACE = "latitude = 56.2\nlongitude = 24.76\n"
RADAR = '[radar]\ndriver = "ops243"\nport = "/dev/radar"\n'
PANEL = '[display]\ndriver = "dm56a04"\nport = "/dev/panel"\nunit = 1\n'
SENSOR = "[brightness.sensor]\nunit = 3\naddress = 0\n"
PLACED = SIGN + PLACE + RADAR + PANEL


def parsed(text: str) -> Config:
    return parse_config(text, "sign.toml")


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parsed(text)
    return caught.value.problems


def line_of(text: str, key: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), start=1) if line.startswith(key))


@pytest.mark.parametrize(
    "text",
    [
        PLACED,
        PLACED + '[brightness]\nby = "sun"\n',
        SIGN + RADAR + PANEL + SENSOR,
        PLACED + '[brightness]\nby = "sensor"\n' + SENSOR,
        PLACED + SENSOR + "words = 2\ninput = true\nlux_per_count = 0.01\n",
        PLACED + SENSOR + 'port = "/dev/light"\n',
        PLACED.replace("unit = 1", "unit = 3") + SENSOR + 'port = "/dev/light"\n',
        PLACED + "[brightness]\ncurve = [[4, 0], [40000, 1]]\n",
        PLACED + "[brightness]\nlowest = 0.5\nhighest = 0.5\n",
        SIGN + RADAR,
        SIGN + PLACE + RADAR,
    ],
)
def test_what_fits(text: str) -> None:
    parsed(text)


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (SIGN + RADAR + PANEL + '[brightness]\nby = "sun"\n', "by", "set [sign] latitude and longitude"),
        (PLACED + '[brightness]\nby = "sensor"\n', "by", "needs the table [brightness.sensor]"),
        (PLACED + "[brightness]\nlowest = 0.6\nhighest = 0.5\n", "lowest", "at most highest, which is 0.5"),
        (PLACED + "[brightness]\ncurve = [[4, 0.1]]\n", "curve", "two points"),
        (PLACED + "[brightness]\ncurve = [[40, 0], [40, 1]]\n", "curve", "must rise in lux"),
        (PLACED + "[brightness]\ncurve = [[400, 0], [40, 1]]\n", "curve", "40 lx comes after 400 lx"),
        (PLACED + "[brightness]\ncurve = [[4, 0.5], [40, 0.2]]\n", "curve", "must not fall"),
        (PLACED + SENSOR.replace("3", "1"), "[brightness.sensor]", "is the panel's unit on the same line"),
        (PLACED + SENSOR + 'port = "/dev/radar"\n', "[brightness.sensor]", "is the radar's port too"),
        (PLACED + SENSOR + 'port = "http://host"\n', "[brightness.sensor]", "rtu+tcp://host:4001"),
        (PLACED + SENSOR.replace("0", "65535") + "words = 2\n", "[brightness.sensor]", "last register"),
        (SIGN + RADAR + SENSOR, "[brightness.sensor]", "nothing to dim"),
        (SIGN + PLACE + RADAR + '[brightness]\nby = "sun"\n', "by", "nothing to dim"),
    ],
)
def test_what_does_not_fit_is_one_sentence_with_its_line(text: str, key: str, said: str) -> None:
    (problem,) = problems(text)
    assert said in problem
    line = int(problem.split(":")[1])
    first = line_of(text, key)
    assert line == first or (key.startswith("[") and line > first)


def test_a_panel_whose_brightness_cannot_be_set() -> None:
    fema = PLACED.replace("dm56a04", "fema") + "accept_zero = true\n"
    parsed(fema)
    for more in ('[brightness]\nby = "sun"\n', SENSOR):
        (problem,) = problems(fema + more)
        assert "does nothing" in problem
        assert "fema" in problem


def test_a_mirror_has_a_unit_of_its_own_too() -> None:
    text = PLACED + "mirror_units = [3]\n" + SENSOR
    assert "[brightness.sensor] unit = 3" in problems(text)[0]


def test_a_panel_that_only_the_config_describes_may_have_a_sensor_of_its_own() -> None:
    registers = '[display.registers]\nkind = "text"\naddress = 0\nbrightness_address = 9\n'
    text = PLACED.replace("dm56a04", "registers") + registers + SENSOR.replace("3", "1")
    assert parsed(text).brightness.sensor is not None


def test_a_beacon_is_not_on_the_radars_port() -> None:
    beacon = '[beacon]\ncoil = 0\nunit = 11\nport = "/dev/radar"\n'
    assert "is the radar's port too" in problems(PLACED + beacon)[0]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = SIGN + RADAR + PANEL
    text += '[brightness]\nby = "sun"\nlowest = 0.9\nhighest = 0.1\ncurve = [[9, 1], [8, 0]]\n'
    text += SENSOR.replace("3", "1")
    assert len(problems(text)) == 5
