"""Each step of speedsign commission: its questions, what it refuses, and what it makes of the answers."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from speedsign.config.load import load_config
from speedsign.model import Direction
from tests.cli.calibrations import passing
from tests.cli.commissions import PANEL, RADAR, Office, panel_at, radar_on


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    office = Office(tmp_path, monkeypatch)
    office.write()
    return office


# --------------------------------------------------------------------------- questions


def test_every_question_has_help_a_default_and_a_sentence_for_a_wrong_answer(office: Office) -> None:
    typed = ["?", "No!", "", "", "", "500", "fifty", " 30 ", "german", "LT", "Mars", "", "?", "here", "91, 0",
             "56,2 24,7", "56.2,24.7", "", "", "y"]  # fmt: skip
    result = office.run("sign", typed=typed)
    assert result.exit_code == 0, result.output
    for said in (
        "3 to 40 of a-z, 0-9 and -",
        "? help, b back, s skip, q stop",
        "[sign] id = 'No!'",
        "[sign] limit_kmh = 500: must be at most 130",
        "'fifty' is no whole number",
        "answer lv, lt or en",
        "[sign] timezone = 'Mars'",
        "As a phone tells it: 56.2012, 24.7563",
        "write two numbers: 56.2012, 24.7563; or - for none",
        "[sign] latitude = 91.0: must be at most 90",
    ):
        assert said in result.output, said
    sign = load_config(office.config).sign
    assert (sign.id, sign.limit_kmh, sign.language, sign.latitude) == ("old-sign", 30, "lt", 56.2)
    assert sign.site == "Main Street"


def test_an_answer_without_a_default_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = Office(tmp_path, monkeypatch).run("sign", typed=["", " ", "q"])
    assert result.output.count("an answer is needed; ? helps") == 2
    assert result.output.count("Id of the sign: ") == 3


def test_a_dash_takes_a_text_out(office: Office) -> None:
    office.run("sign", typed=["", "-", "", "", "", "", "", "", "", "y"])
    assert load_config(office.config).sign.site == ""


def test_questions_fit_a_phone(office: Office) -> None:
    rules = [""] * 8
    result = office.run(typed=[*[""] * 9, "y", "Anna", "y", "y", "0", *rules, "y", "y"])
    assert result.exit_code == 0, result.output
    parts = re.sub(r"(\]|again|another|record): ", r"\1: \n", result.output).splitlines()
    shown = [line for line in parts if str(office.folder) not in line]
    assert len(shown) > 60
    assert not [line for line in shown if len(line) > 62]
    asked = [line for line in shown if line.endswith(": ")]
    assert len(asked) > 20
    assert not [line for line in asked if len(line) > 50]


# --------------------------------------------------------------------------- radar


def test_the_configs_port_is_enough_and_else_all_are_looked_at(office: Office) -> None:
    office.run("radar", typed=["n"])
    assert office.bench.done[0] == f"look {RADAR}"
    office.bench.done.clear()
    office.bench.radars = {"/dev/ttyACM3": radar_on("/dev/ttyACM3", "ld2415h", 9600)}
    office.bench.others = [RADAR]
    result = office.run("radar", typed=["y"])
    assert office.bench.done[:2] == [f"look {RADAR}", "look /dev/ttyACM3"]
    assert f"look {PANEL}" not in office.bench.done, "the panel's port is not asked whether it is a radar"
    assert "WRONG in the config: driver ops243; it is ld2415h." in result.output
    radar = load_config(office.config).radar
    assert (radar.driver, radar.port, radar.baud) == ("ld2415h", "/dev/ttyACM3", None)


def test_of_several_radars_one_is_chosen(office: Office) -> None:
    two = {name: radar_on(name) for name in ("/dev/ttyUSB5", "/dev/ttyUSB6")}
    office.bench.radars, office.bench.others = two, [RADAR]
    result = office.run("radar", typed=["3", "2", "y"])
    assert "1: ops243" in result.output
    assert "on /dev/ttyUSB5" in result.output
    assert "answer 1 to 2" in result.output
    assert load_config(office.config).radar.port == "/dev/ttyUSB6"


def test_no_radar_another_port_can_be_named(office: Office) -> None:
    office.bench.radars, office.bench.others = {}, [RADAR]
    result = office.run("radar", typed=["?", "maybe", "p", " ", "/dev/ttyS7", "s", "y"])
    assert "No radar was found.\ny look again, p name a port, s skip [y]: " in result.output
    assert "Drive past meanwhile" in result.output
    assert "answer y or p" in result.output
    assert "look /dev/ttyS7" in office.bench.done
    assert "Skipped: radar." in result.output


def test_a_machine_without_ports_is_asked_for_one(office: Office) -> None:
    office.config.unlink()
    office.bench.radars, office.bench.panels = {}, {}
    result = office.run("radar", typed=["/dev/ttyS7", "q"])
    assert "This machine shows no serial port.\nPort of the radar: " in result.output
    assert office.bench.done == ["look /dev/ttyS7"]


def test_a_radar_that_corrects_for_an_angle_is_said(office: Office) -> None:
    office.bench.said = {"InboundSensorAngleDegrees": "20.0", "OutboundSensorAngleDegrees": "0.0"}
    result = office.run("radar", typed=["n"])
    assert "The radar itself corrects for 20 degrees." in result.output
    assert "The sign sets that to 0 at each start" in result.output


# --------------------------------------------------------------------------- panel


def test_a_panel_that_is_not_found_can_be_done_without(office: Office) -> None:
    office.bench.panels, office.bench.others = {}, [PANEL]
    result = office.run("panel", typed=["x", "p", "tcp://", PANEL, "none", "y"])
    assert "answer y, p or none" in result.output
    assert "is no port" in result.output
    assert result.exit_code == 0, result.output
    assert load_config(office.config).display is None
    assert "[display]" not in office.text


def test_a_panel_on_another_port_and_rate_is_found(office: Office) -> None:
    office.bench.panels = {"/dev/ttyUSB9": [panel_at(3, 38_400)]}
    office.bench.others = [PANEL]
    result = office.run("panel", typed=["y", "Anna", "y"])
    assert result.exit_code == 0, result.output
    display = load_config(office.config).display
    assert display is not None
    assert (display.port, display.unit, display.baud) == ("/dev/ttyUSB9", 3, 38_400)
    (record,) = office.records
    assert record["after"]["display.unit"] == 3
    assert record["device"] == {"stood_at_step": 1}


def test_the_number_is_shown_again_until_it_is_seen(office: Office) -> None:
    office.run("panel", typed=["a", "perhaps", "a", "y", "Anna", "n"])
    assert office.bench.done.count("put 47") == 3


# --------------------------------------------------------------------------- brightness


def under_the_sun(office: Office) -> None:
    """A sign that goes by the sun, on a machine whose clock nobody vouches for."""
    place = "latitude = 56.2\nlongitude = 24.7\nlimit_kmh"
    office.config.write_text(office.text.replace("limit_kmh", place).replace("always", "kernel"))


def test_what_is_set_by_eye_becomes_the_fixed_level_or_a_point_of_the_curve(office: Office) -> None:
    result = office.run("brightness", typed=["-", "--", "++++++", "!", "---", "y", "Anna", "y"])
    assert result.exit_code == 0, result.output
    assert "Now the sign would set step 8 of 8 (fixed)." in result.output
    assert "It stands at step 1 of 8." in result.output
    assert "it is at its brightest already" not in result.output
    assert load_config(office.config).display.brightness == pytest.approx(0.571)  # type: ignore[union-attr]
    assert office.records[0]["result"]["step"] == 5
    office.write()
    under_the_sun(office)
    office.monkeypatch.setattr("speedsign.clock.SystemClock.trusted", lambda _self: False)
    result = office.run("brightness", typed=["x", "-1", "20000", "-", "y", "Anna", "y"])
    assert result.exit_code == 0, result.output
    assert "answer d, k, n, or a number of lux" in result.output
    assert "light is 0 to 200000 lux" in result.output
    curve = load_config(office.config).brightness.curve
    assert 20_000.0 in [lux for lux, _ in curve]


def test_a_point_against_the_curve_is_asked_about(office: Office) -> None:
    office.write(more="[brightness]\ncurve = [[100, 0.9], [20000, 1.0]]\n")
    office.config.write_text(
        office.text.replace("limit_kmh", "latitude = 56.2\nlongitude = 24.7\nlimit_kmh").replace(
            "always", "kernel"
        )
    )
    office.monkeypatch.setattr("speedsign.clock.SystemClock.trusted", lambda _self: False)
    result = office.run("brightness", typed=["d", "-----", "y", "n", "Anna"])
    assert "does not go with 0.9 at 100 lx, which was set before" in result.output
    assert "Take that out of the curve? [n]: " in result.output
    assert load_config(office.config).brightness.curve == ((100.0, 0.9), (20000.0, 1.0))


def test_a_config_that_keeps_the_panel_dim_is_said(office: Office) -> None:
    office.write(more="[brightness]\nhighest = 0.2\n")
    assert "DIM in the config: [brightness] highest = 0.2." in office.run("brightness", typed=["q"]).output


# --------------------------------------------------------------------------- direction


def test_the_radars_own_word_is_what_counts_not_the_old_config(office: Office) -> None:
    office.write(radar="invert_direction = true\n")
    result = office.run("direction", typed=["y", "Anna", "y"])
    assert "The radar has it right." in result.output
    assert "WRONG in the config: the direction." in result.output
    assert load_config(office.config).radar.invert_direction is False
    assert f"hear {RADAR} inverted=False" in office.bench.done


def test_no_car_and_a_radar_without_directions(office: Office) -> None:
    office.bench.cars = []
    result = office.run("direction", typed=["n"])
    assert "No car came.\nWait for another? [y]: " in result.output
    office.bench.cars = [passing(40.0, Direction.UNKNOWN)]
    result = office.run("direction")
    assert "The radar tells no direction: nothing to set." in result.output
    assert office.records == []


# --------------------------------------------------------------------------- mounting


def test_the_tape_measure_draws_and_proposes_where_cars_are_read(office: Office) -> None:
    typed = ["x", "m", "four", "60", "4", "3", "30", "1", "4", "3", "30", "12", "", "Anna", "y"]
    result = office.run("mounting", typed=typed)
    assert result.exit_code == 0, result.output
    for said in (
        "answer t, m, or degrees: 12.5",
        "'four' is no number",
        "60 m cannot be; 0 to 50 m",
        "read them farther away",
        "from above",
        "t traffic, m measure, or degrees [21]: ",
    ):
        assert said in result.output, said
    assert load_config(office.config).radar.mounting_angle_deg == 21.0
    (record,) = office.records
    assert record["before"] == {"radar.mounting_angle_deg": 0.0}
    assert record["after"] == {"radar.mounting_angle_deg": 21.0}
    assert record["mounting_angle_deg"] == 21.0
    assert record["runs"] == [{"lateral_m": 4.0, "height_m": 3.0, "aim_m": 30.0, "read_at_m": 12.0}]


def test_the_beams_own_angle_is_never_proposed(office: Office) -> None:
    result = office.run("mounting", typed=["m", "4", "3", "30", "-", "", "Anna"])
    assert "The beam's own angle is not written" in result.output
    assert "t traffic, m measure, or degrees [0]: " in result.output
    assert load_config(office.config).radar.mounting_angle_deg == 0.0


def test_traffic_tells_the_angle_and_says_what_the_tape_gave(office: Office) -> None:
    office.bench.beside_m = 6.0
    result = office.run("mounting", typed=["m", "4", "3", "30", "20", "t", "20", "60", "", "Anna", "y"])
    assert result.exit_code == 0, result.output
    assert "answer 30 to 2000" in result.output
    assert "Cars are read at" in result.output
    assert "The tape measure gave" in result.output
    angle_deg = load_config(office.config).radar.mounting_angle_deg
    assert 4.0 < angle_deg < 22.0
    record = office.records[-1]
    assert record["result"]["method"] == "traffic"
    assert record["result"]["low_deg"] < angle_deg < record["result"]["high_deg"]
    assert len(record["runs"]) >= 60


def test_a_radar_that_corrects_itself_and_is_not_set_up_is_refused_or_set_to_0(office: Office) -> None:
    office.write(radar="setup = false\n")
    office.bench.said = {"InboundSensorAngleDegrees": "20.0", "OutboundSensorAngleDegrees": "0.0"}
    result = office.run("mounting", typed=["12", "n"])
    assert "Both together would be wrong: ours is left at 0.\nmounting_angle_deg = 0\n" in result.output
    assert load_config(office.config).radar.mounting_angle_deg == 0.0
    result = office.run("mounting", typed=["12", "y", "Anna", "y"])
    assert any(one.startswith("set_up") for one in office.bench.done)
    assert load_config(office.config).radar.mounting_angle_deg == 12.0


# --------------------------------------------------------------------------- rules, broker


def test_rules_that_do_not_fit_are_said_at_once(office: Office) -> None:
    typed = [
        "all",
        "b",
        "",
        "1000",
        "15",
        "12",
        "90",
        "hello",
        "",
        "speed, dark",
        "=AHA",
        "30",
        "70",
        "",
        "y",
    ]
    result = office.run("rules", typed=["all", "bo", *typed[2:]])
    assert result.exit_code == 0, result.output
    assert "answer approaching, receding or both" in result.output
    assert "is no page; known are" in result.output
    rules = load_config(office.config).rules
    assert (rules.show, rules.ceiling_kmh, rules.over, rules.too_fast_kmh) == ("both", 90, ("=AHA",), 70)


def test_a_broker_is_tried_edited_and_kept(office: Office) -> None:
    office.bench.broker = ["mqtt x: nobody is there", "mqtt x: nobody is there", ""]
    typed = ["mqtt://x", "broker.example", "", "", "/none", "-", "-", "sign", "-",
             "localhost", "n", "", "-", "a", "e", "", "", "", "", "y"]  # fmt: skip
    result = office.run("broker", typed=typed)
    assert "write the name alone: broker.example" in result.output
    assert "/none: there is no such file" in result.output
    assert "a user name needs a file with its password\nBroker [broker.example]: " in result.output
    assert result.output.count("mqtt x: nobody is there\ne edit, a again, k keep it so [e]: ") == 2
    assert "Connected." in result.output
    assert result.exit_code == 0, result.output
    office.bench.broker = ["mqtt x: nobody is there"]
    result = office.run("broker", typed=["localhost", "", "", "", "k"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("table", "typed", "left"),
    [
        (  # no user name: no password
            'host = "localhost"\nusername = "u"\npassword_file = "FILE"\n',
            ["", "", "", "-"],
            {"host": "localhost"},
        ),
        (  # no certificate: no key
            'host = "localhost"\ncertificate_file = "FILE"\nkey_file = "FILE"\n',
            ["", "y", "", "-", "-", "-"],
            {"host": "localhost", "tls": True},
        ),
        (  # encrypted after all
            'host = "far.example"\ntls = false\nallow_plain = true\nusername = "u"\npassword_file = "FILE"\n',
            ["", "y", "", "", "", "", ""],
            {"host": "far.example", "username": "u", "password_file": "FILE"},
        ),
        (  # not encrypted after all
            'host = "127.0.0.1"\ntls = true\nca_file = "FILE"\n',
            ["", "n", "", ""],
            {"host": "127.0.0.1"},
        ),
        (
            'host = "127.0.0.1"\nport = 8883\nca_file = "FILE"\n',
            ["", "n", "", ""],
            {"host": "127.0.0.1"},
        ),
        (  # from another machine to this one, readable
            'host = "far.example"\ntls = false\nallow_plain = true\n',
            ["localhost", "n", "", ""],
            {"host": "localhost", "tls": False},
        ),
        (  # nothing is changed by Enter alone
            'host = "localhost"\nport = 8883\ntls = true\nca_file = "FILE"\n',
            ["", "", "", "", "", ""],
            {"host": "localhost", "port": 8883, "tls": True, "ca_file": "FILE"},
        ),
    ],
)
def test_an_answer_takes_out_the_keys_that_mean_nothing_then(
    office: Office, table: str, typed: list[str], left: dict[str, object]
) -> None:
    secret = office.folder / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    office.write(more=f"[mqtt]\n{table}".replace("FILE", str(secret)))
    result = office.run("broker", typed=[*typed, "y"])
    assert "Connected." in result.output, result.output
    assert result.exit_code == 0, result.output
    got = tomllib.loads(office.text)["mqtt"]
    assert got == {key: str(secret) if value == "FILE" else value for key, value in left.items()}


@pytest.mark.parametrize(
    ("table", "proposed"),
    [
        ('host = "localhost"\nca_file = "/none"\n', "y"),
        ('host = "localhost"\n', "n"),
        ('host = "localhost"\ntls = true\n', "y"),
        ('host = "far.example"\n', "y"),
        ('host = "far.example"\ntls = false\nallow_plain = true\n', "n"),
    ],
)
def test_what_the_config_does_is_proposed(office: Office, table: str, proposed: str) -> None:
    office.write(more=f"[mqtt]\n{table}")
    assert f"With TLS? [{proposed}]: " in office.run("broker", typed=["", "q"]).output


def test_a_file_for_tls_by_option_means_tls(office: Office) -> None:
    ca = office.folder / "ca.pem"
    ca.write_text("x")
    result = office.run("broker", "--yes", "--broker", "localhost", "--ca-file", ca)
    assert result.exit_code == 0, result.output
    assert tomllib.loads(office.text)["mqtt"] == {"host": "localhost", "ca_file": str(ca)}
    office.write()
    result = office.run("broker", "--yes", "--broker", "localhost", "--password-file", ca)
    assert result.exit_code == 2
    assert "--password-file: means nothing without username" in result.stderr
    result = office.run("broker", "--yes", "--broker", "far.example")
    assert result.exit_code == 2
    assert "[mqtt] certificate_file: is missing: far.example has to know this sign" in result.stderr


def test_a_password_file_and_a_connection_that_stands(office: Office) -> None:
    secret = office.folder / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    typed = ["broker.example", "y", "", "-", "-", "town", secret, "y"]
    result = office.run("broker", typed=[str(one) for one in typed])
    assert "Connected." in result.output
    assert result.exit_code == 0, result.output
    mqtt = load_config(office.config).mqtt
    assert mqtt is not None
    assert (mqtt.host, mqtt.username, mqtt.password_file, mqtt.port) == (
        "broker.example",
        "town",
        secret,
        None,
    )
    assert "s3cret" not in result.output + office.text
    office.run("broker", typed=["none", "y"])
    assert load_config(office.config).mqtt is None


def test_plain_to_another_machine_needs_two_yes(office: Office) -> None:
    result = office.run("broker", typed=["broker.example", "n", "y", "", "-", "y"])
    assert "Then everybody on the way can read and change it." in result.output
    mqtt = load_config(office.config).mqtt
    assert mqtt is not None
    assert (mqtt.tls, mqtt.allow_plain) == (False, True)
