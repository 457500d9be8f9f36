"""check: every error of a config at once, in words or as JSON; nothing is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from speedsign.registry import radar_names
from tests.cli.command import as_json, speedsign

GOOD = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/ttyACM0"\n'
TWELVE = """top = 3
[sign]
id = "X"
limit_kmh = 500
timezone = "Europe/Rga"
latitude = 91
[radar]
driver = "sonar"
port = ""
baud = 9600.5
mounting_angle_deg = nan
[display]
driver = "nixie"
port = "/dev/x"
unit = 0
[store]
path = "/var/lib/speedsign/speedsign.db"
keep_vehicles_days = 0
[mqtt]
prot = 1883
"""
EXPECTED = [
    (1, "[top]: unknown key"),
    (3, "[sign] id = 'X': must be 3 to 40 of the characters a-z, 0-9 and -"),
    (4, "[sign] limit_kmh = 500: must be at most 130"),
    (5, "[sign] timezone = 'Europe/Rga': is not a time zone"),
    (6, "[sign] latitude = 91: must be at most 90"),
    (8, f"[radar] driver = 'sonar': there is no such radar; known are {', '.join(radar_names())}"),
    (9, "[radar] port = '': must not be empty"),
    (10, "[radar] baud = 9600.5: must be a whole number"),
    (11, "[radar] mounting_angle_deg = nan: must be a finite number"),
    (13, "[display] driver = 'nixie': there is no such panel; known are dm56a04"),
    (15, "[display] unit = 0: must be at least 1"),
    (18, "[store] keep_vehicles_days = 0: must be at least 1"),
    (19, "[mqtt] host: is missing"),
    (20, "[mqtt] prot: unknown key"),
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "sign.toml"


def test_every_error_at_once_with_file_line_key_value_and_bound(config: Path) -> None:
    config.write_text(TWELVE)
    result = speedsign("check", "--config", config)
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == len(EXPECTED)
    for line, (number, text) in zip(lines, EXPECTED, strict=True):
        assert line.startswith(f"speedsign check: {config}:{number}: {text}")


def test_the_same_as_json(config: Path) -> None:
    config.write_text(TWELVE)
    result = speedsign("check", "--json", "--config", config)
    assert result.exit_code == 2
    answer = as_json(result)
    assert list(answer) == ["ok", "config", "problems"]
    assert (answer["ok"], answer["config"]) == (False, str(config))
    assert len(answer["problems"]) == len(EXPECTED)
    assert all(problem.startswith(f"{config}:") for problem in answer["problems"])
    assert result.stderr == ""


def test_a_good_config_is_read_back_in_words(config: Path) -> None:
    config.write_text(
        GOOD
        + 'invert_direction = true\n[display]\ndriver = "dm56a04"\nport = "/dev/ttyUSB1"\nunit = 7\n'
        + '[mqtt]\nhost = "localhost"\n'
    )
    result = speedsign("check", "--config", config)
    assert result.exit_code == 0
    assert result.stderr == ""
    for said in (
        f"{config}: good",
        "test-sign, limit 50 km/h, Europe/Riga",
        "ops243 on /dev/ttyACM0",
        "dm56a04 on /dev/ttyUSB1, device 7",
        "approaching, 10 to 100 km/h",
        "/var/lib/speedsign/speedsign.db",
        "localhost:1883",
        "directions are inverted",
    ):
        assert said in result.stdout
    assert as_json(speedsign("check", "--json", "--config", config)) == {
        "ok": True,
        "config": str(config),
        "problems": [],
    }


def test_a_sign_without_display_and_broker_is_told_so(config: Path) -> None:
    config.write_text(GOOD)
    result = speedsign("check", "--config", config)
    assert "display  none" in result.stdout
    assert "nothing is sent" in result.stdout


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ('[display]\ndriver = "dm56a04"\nport = "/dev/ttyACM0"', "is the radar's port too"),
        (
            '[display]\ndriver = "dm56a04"\nport = "modbus://x"',
            "must be /dev/…, tcp://host:502 or rtu+tcp://",
        ),
        ('[display]\ndriver = "dm56a04"\nport = "tcp://"', "must be /dev/…, tcp://host:502 or rtu+tcp://"),
        ('[display]\ndriver = "dm56a04"\nport = "tcp://host:99999"', "must be /dev/…"),
        ('[store]\npath = ""', "[store] path: must name a file"),
        ("[[tracking]]\ngap_s = 1", "[tracking]: must be a table of keys"),
        ('[mqtt]\nhost = "localhost"\npassword = "x"', "[mqtt] password: unknown key"),
        ("[rules]\nminimum_kmh = 1979-05-27", "minimum_kmh = '1979-05-27'"),
    ],
)
def test_what_could_never_work_is_found_before_the_sign_is_on_its_pole(
    config: Path, extra: str, expected: str
) -> None:
    config.write_text(f"{GOOD}{extra}\n")
    result = speedsign("check", "--config", config)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert expected in result.stderr


@pytest.mark.parametrize(
    ("radar", "display"),
    [
        ("tcp://127.0.0.1:4001", "tcp://127.0.0.1:502"),
        ("tcp://[::1]:4001", "rtu+tcp://gateway:4001"),
        ("tcp://127.0.0.1:4001", "tcp://127.0.0.1"),
        ("ttyUSB0", "/dev/serial/by-id/usb-FTDI"),
    ],
)
def test_addresses_that_drivers_take(config: Path, radar: str, display: str) -> None:
    text = GOOD.replace("/dev/ttyACM0", radar)
    config.write_text(f'{text}[display]\ndriver = "dm56a04"\nport = "{display}"\n')
    assert speedsign("check", "--config", config).exit_code == 0


def test_a_radar_address_without_its_port_is_no_address(config: Path) -> None:
    config.write_text(GOOD.replace("/dev/ttyACM0", "tcp://gateway"))
    assert "[radar] port = 'tcp://gateway': must be" in speedsign("check", "--config", config).stderr


PLANNED = """
[sign]
id = "abc"
limit_kmh = 50
language = "lt"
timezone = "Europe/Vilnius"
[radar]
driver = "ops243"
port = "/dev/r"
[display]
driver = "registers"
port = "/dev/p"
[display.registers]
kind = "integer"
address = 7
[rules]
[[rules.schedule]]
name = "night"
start = "23:00"
end = "05:00"
dark = true
[[study]]
name = "baseline"
first = 2027-03-01
last = 2027-03-14
display = "dark"
"""


def test_what_changes_with_the_hour_is_read_back_and_what_the_panel_cannot(tmp_path: Path) -> None:
    config = tmp_path / "sign.toml"
    config.write_text(PLANNED)
    refused = speedsign("check", "--config", config)
    assert refused.exit_code == 2
    assert "accept_zero" in refused.stderr
    config.write_text(PLANNED.replace('port = "/dev/p"', 'port = "/dev/p"\naccept_zero = true'))
    said = speedsign("check", "--config", config).stdout
    assert "schedule night: speedsign rules week" in said
    assert "study    baseline: dark 2027-03-01 to 2027-03-14" in said
    assert "this panel shows 0 where others are dark" in said
    assert "keeps its last number if its wire is cut" in said
    config.write_text(
        PLANNED.replace('port = "/dev/p"', 'port = "/dev/p"\naccept_zero = true')
        + "[supply]\nunit = 11\ncoil = 0\n"
    )
    assert "keeps its last number" not in speedsign("check", "--config", config).stdout


@pytest.mark.parametrize(
    ("mqtt", "noted"),
    [
        ("port = 1883\ntls = true", "1883 is usually the plain port"),
        ("port = 1883\nca_file = '/nowhere/ca.pem'", "1883 is usually the plain port"),
        ("port = 8883", "8883 is usually the port with TLS"),
        ("port = 1883", None),
        ("port = 8883\ntls = true", None),
        ("tls = true", None),
    ],
)
def test_a_port_that_is_usually_the_other_one_is_noted(config: Path, mqtt: str, noted: str | None) -> None:
    config.write_text(f'{GOOD}[mqtt]\nhost = "localhost"\n{mqtt}\n')
    result = speedsign("check", "--config", config)
    assert result.exit_code == 0
    assert (f"note     {noted}" in result.stdout) if noted else (" is usually " not in result.stdout)
