"""Ports and devices that share a line: one name, one rate, and nobody in another's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from speedsign.config.load import parse_config
from speedsign.errors import ConfigError

RADAR = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "{radar}"\n'
HEAD = RADAR.format(radar="/dev/radar")
PANEL = '[display]\ndriver = "dm56a04"\nport = "/dev/panel"\n'
BEACON, SUPPLY = "[beacon]\ncoil = 0\nunit = 9\n", "[supply]\ncoil = 0\nunit = 9\n"
SENSOR = "[brightness.sensor]\nunit = 9\naddress = 0\n"


def problems(text: str) -> list[str]:
    try:
        parse_config(text, "sign.toml")
    except ConfigError as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    "text",
    [
        PANEL + BEACON + SUPPLY.replace("coil = 0", "coil = 1"),
        PANEL + BEACON + SUPPLY.replace("unit = 9", "unit = 8"),
        PANEL + BEACON + SUPPLY + 'port = "/dev/relays"\n',
        PANEL + SUPPLY + SENSOR + 'port = "/dev/light"\n',
        PANEL + SUPPLY.replace("coil = 0", 'coil = 511\nhold = "pulse"'),
        PANEL + SUPPLY.replace("coil = 0", "coil = 512"),
        PANEL + "baud = 19200\n" + SUPPLY + 'port = "/dev/panel"\nbaud = 19200\n',
        PANEL + SUPPLY + "baud = 9600\n",
        PANEL + SUPPLY + 'port = "/dev/relays"\nbaud = 1200\n',
        PANEL.replace("/dev/panel", "tcp://gate:502") + SUPPLY + 'port = "tcp://gate:503"\n',
        PANEL.replace("/dev/panel", "tcp://gate:502") + SUPPLY + 'port = "tcp://gate:502"\nbaud = 1200\n',
    ],
)
def test_what_fits(text: str) -> None:
    assert problems(HEAD + text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PANEL + BEACON + SUPPLY, "[supply] coil = 0: is the relay of [beacon] too, coil 0 of unit 9"),
        (PANEL + BEACON + SUPPLY + 'port = "/dev/panel"\n', "is the relay of [beacon] too"),
        (PANEL + SUPPLY + SENSOR, "[brightness.sensor] unit = 9: is the unit of [supply] on the same line"),
        (PANEL + BEACON + SENSOR, "is the unit of [beacon] on the same line"),
        (PANEL + SUPPLY.replace("0", '512\nhold = "pulse"'), "[supply] coil = 512: must be at most 511 with"),
        (PANEL + SUPPLY.replace("0", '65535\nhold = "pulse"'), "must be at most 511"),
        (
            PANEL + SUPPLY + 'port = "/dev/panel"\nbaud = 19200\n',
            "[supply] baud = 19200: one line has one rate",
        ),
        (PANEL + SUPPLY + "baud = 19200\n", "[display] on the same has 9600"),
        (PANEL + "baud = 1200\n" + BEACON + "baud = 9600\n", "[display] on the same has 1200"),
        (
            PANEL
            + BEACON
            + 'port = "/dev/x"\n'
            + SENSOR.replace("9", "8")
            + 'port = "/dev/x"\nbaud = 1200\n',
            "[beacon] on the same has 9600",
        ),
        (
            PANEL.replace("/dev/panel", "tcp://gate:4001") + SUPPLY + 'port = "rtu+tcp://GATE:4001"\n',
            "[supply] port = 'rtu+tcp://GATE:4001': is the same as [display] port, 'tcp://gate:4001'",
        ),
        (
            PANEL.replace("/dev/panel", "tcp://gate") + SUPPLY + 'port = "tcp://gate:502"\n',
            "is the same as [display] port, 'tcp://gate'",
        ),
    ],
)
def test_refused(text: str, said: str) -> None:
    (found,) = problems(HEAD + text)
    assert said in found


def test_the_radars_line_by_another_address() -> None:
    text = RADAR.format(radar="tcp://gate:4001") + PANEL.replace("/dev/panel", "rtu+tcp://gate:4001")
    (found,) = problems(text)
    assert "[display] port = 'rtu+tcp://gate:4001': is the same as [radar] port, 'tcp://gate:4001'" in found


@pytest.mark.parametrize("first", ["radar", "display", "beacon", "supply", "brightness.sensor"])
@pytest.mark.parametrize("second", ["radar", "display", "beacon", "supply", "brightness.sensor"])
def test_one_device_under_two_names(first: str, second: str, tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyUSB0")
    order = ["radar", "display", "beacon", "supply", "brightness.sensor"]
    if order.index(first) >= order.index(second):
        return
    ports = {name: f"/dev/{number}" for number, name in enumerate(order)}
    ports |= {first: str(tmp_path / "ttyUSB0"), second: str(tmp_path / "by-id")}
    tables = [RADAR.format(radar=ports["radar"]), PANEL.replace("/dev/panel", ports["display"])]
    for table, unit in ((BEACON, 7), (SUPPLY, 8), (SENSOR, 9)):
        name = table[1 : table.index("]")]
        tables.append(table.replace("unit = 9", f"unit = {unit}") + f'port = "{ports[name]}"\n')
    (found,) = problems("".join(tables))
    assert f"[{second}] port = " in found
    assert f"is the same as [{first}] port" in found


INTEGER = (
    '[display]\ndriver = "registers"\nport = "/dev/p"\n[display.registers]\nkind = "integer"\naddress = 0\n'
)
AT_NIGHT = '[[rules.schedule]]\nname = "night"\n'


@pytest.mark.parametrize(
    ("blank_value", "rest", "highest"),
    [
        (47, "", 100),
        (100, "", 100),
        (101, "", None),
        (0, "", None),
        (65535, "", None),
        (101, AT_NIGHT + "limit_kmh = 60\n", 120),
        (101, AT_NIGHT + "ceiling_kmh = 101\n", 101),
        (101, "[rules]\nceiling_kmh = 90\n" + AT_NIGHT + "limit_kmh = 60\n", None),
    ],
)
def test_what_darkens_an_integer_panel_is_no_speed(blank_value: int, rest: str, highest: int | None) -> None:
    found = problems(HEAD + INTEGER + f"blank_value = {blank_value}\n" + rest)
    expected = f"[display.registers] blank_value = {blank_value}: is a number that the panel shows"
    assert [expected in one and f"above {highest} none is" in one for one in found] == [True] * bool(highest)
