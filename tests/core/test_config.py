"""The config: every error at once, each with file, line, key, value and bound."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from speedsign.config.lines import key_lines, line_of
from speedsign.config.load import load_config, parse_config
from speedsign.config.problem import Problem
from speedsign.config.schema import RadarConfig, TrackingConfig
from speedsign.config.wanted import radar_settings
from speedsign.errors import ConfigError
from speedsign.model import Direction, Unit
from speedsign.registry import load_radar, radar_names

EXAMPLE = files("speedsign.config").joinpath("example.toml").read_text()
MINIMAL = """
[sign]
id = "test-sign"
limit_kmh = 50
[radar]
driver = "ops243"
port = "/dev/ttyACM0"
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "sign.toml")
    return caught.value.problems


def test_the_shipped_example_is_good() -> None:
    config = parse_config(EXAMPLE, "example.toml")
    assert config.sign.id == "birzai-vytauto-12"
    assert config.display is not None
    assert config.ceiling_kmh == 90


def test_the_example_shows_the_defaults_as_they_are() -> None:
    """A line that is commented out must say what holds without it."""
    shown = "\n".join(
        line.removeprefix("# ") if line.startswith("# [") or (line.startswith("# ") and "=" in line) else line
        for line in EXAMPLE.splitlines()
    )
    everything, normal = parse_config(shown, "shown"), parse_config(EXAMPLE, "example")
    assert everything.tracking == replace(normal.tracking, max_speed_kmh=200.0)
    assert everything.sign == replace(normal.sign, country="lt")
    assert everything.display is not None
    assert replace(everything.display, digits=None) == normal.display
    # The tables of a schedule are examples and no defaults; 70 is what 20 over the limit comes to.
    assert len(everything.rules.schedule) == 2
    assert replace(everything.rules, schedule=(), too_fast_kmh=None) == normal.rules
    assert everything.brightness == normal.brightness
    assert everything.clock == normal.clock
    assert everything.store == normal.store


def test_three_tables_suffice() -> None:
    config = parse_config(MINIMAL, "sign.toml")
    assert config.display is None
    assert config.mqtt is None
    assert config.radar.unit is Unit.KMH
    assert config.ceiling_kmh == 100, "twice the limit"
    assert config.rules.directions() == {Direction.APPROACHING}


def test_every_error_at_once_in_the_order_of_the_file() -> None:
    found = problems("""[sign]
id = "Test"
limit_kmh = 500
colour = "red"
[radar]
driver = "ops243"
unit = "kmh"
[rules]
hold_s = 9
show = "sideways"
""")
    assert found == [
        "sign.toml:2: [sign] id = 'Test': must be 3 to 40 of the characters a-z, 0-9 and -",
        "sign.toml:3: [sign] limit_kmh = 500: must be at most 130",
        "sign.toml:4: [sign] colour: unknown key; see docs/config.md for the keys there are",
        "sign.toml:5: [radar] port: is missing and has no default",
        "sign.toml:7: [radar] unit = 'kmh': must be 'km/h', 'mph' or 'm/s'",
        "sign.toml:9: [rules] hold_s = 9: must be at most 4",
        "sign.toml:10: [rules] show = 'sideways': must be 'approaching', 'receding' or 'both'",
    ]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("id", '"Čia"', "must be 3 to 40 of the characters a-z, 0-9 and -"),
        ("id", '"ab"', "must be 3 to 40 of the characters a-z, 0-9 and -"),
        ("timezone", '"Europe/Birzai"', "is not a time zone this machine knows"),
        ("timezone", '"../../etc/passwd"', "is not a time zone this machine knows"),
        ("latitude", "56.2", "give both coordinates or neither"),
        ("limit_kmh", '"50"', "whole number"),
        ("limit_kmh", "49.5", "whole number"),
    ],
)
def test_a_sign_that_cannot_be(key: str, value: str, expected: str) -> None:
    lines = {"id": '"test-sign"', "limit_kmh": "50", key: value}
    sign = "\n".join(f"{name} = {text}" for name, text in lines.items())
    found = problems(f'[sign]\n{sign}\n[radar]\ndriver="ops243"\nport="/dev/x"\n')
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("[rules]\nceiling_kmh = 40", "must be at least the limit, 50"),
        ("[rules]\nminimum_kmh = 95\nceiling_kmh = 90", "must be above minimum_kmh, which is 95"),
        ("[tracking]\nmax_speed_kmh = 299", "what a ops243 can measure"),
        ('[display]\ndriver = "nixie"\nport = "/dev/x"', "there is no such panel; known are dm56a04"),
        ('[mqtt]\nhost = "broker.example"', "broker.example has to know this sign"),
        ('[mqtt]\nhost = "localhost"\nusername = "me"', "password_file: is missing"),
        ("[tracking]\ngap_s = nan", "finite number"),
    ],
)
def test_keys_that_do_not_fit_together(extra: str, expected: str) -> None:
    found = problems(MINIMAL + extra)
    assert len(found) == 1
    assert expected in found[0]


def test_nothing_is_said_against_a_key_that_is_wrong_itself() -> None:
    found = problems(MINIMAL.replace("limit_kmh = 50", "limit_kmh = 500") + "[rules]\nceiling_kmh = 40\n")
    assert found == ["sign.toml:4: [sign] limit_kmh = 500: must be at most 130"]


def test_a_radar_nobody_knows_is_answered_with_those_there_are() -> None:
    (found,) = problems(MINIMAL.replace("ops243", "sonar"))
    assert found.endswith(f"there is no such radar; known are {', '.join(radar_names())}")
    assert {"ld2415h", "ops243"} <= set(radar_names())


@pytest.mark.parametrize(
    ("driver", "extra", "expected"),
    [
        ("ld2415h", "min_strength = 30", "sign.toml:5: [radar]: radar ld2415h: min_strength 30"),
        ("ops243", "[tracking]\nmax_speed_kmh = 224.3", "what a ops243 can measure"),
    ],
)
def test_what_the_radar_cannot_be_set_to_is_a_problem_of_the_config(
    driver: str, extra: str, expected: str
) -> None:
    (found,) = problems(MINIMAL.replace("ops243", driver) + extra)
    assert expected in found


def test_no_radar_is_asked_for_more_than_it_can_measure() -> None:
    """The default holds for every radar: nobody has to know its limit."""
    for name in radar_names():
        driver = load_radar(name)
        wanted = radar_settings(RadarConfig(driver=name, port="x"), TrackingConfig(), driver)
        assert wanted.max_speed_kmh == min(200.0, driver.max_speed_kmh)
        driver.settings(wanted)


def test_what_is_no_toml_says_where() -> None:
    assert problems("[sign\nid = 1") == [
        "sign.toml: not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 6)"
    ]


def test_files_that_are_no_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: no such file; name the config with --config"):
        load_config(tmp_path / "missing.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load_config(tmp_path / "binary")
    (tmp_path / "huge").write_bytes(b"#" * 300_000)
    with pytest.raises(ConfigError, match="too much for a config"):
        load_config(tmp_path / "huge")


def test_lines_of_keys_survive_what_toml_allows() -> None:
    text = 'top = 1\n[a.b]\n"c d" = """\nx = 1\n"""\ne.f = 2 # [not]\n[[list]]\nk = [\n1]\n'
    lines = key_lines(text)
    assert lines[("a", "b", "c d")] == 3
    assert lines[("a", "b", "e", "f")] == 6
    assert lines[("list",)] == 7
    assert lines[("list", "0", "k")] == 8
    assert ("a", "b", "x") not in lines
    assert line_of(("a", "b", "missing"), lines) == 2
    assert line_of(("nowhere",), lines) is None


def test_lines_of_arrays_of_tables_are_counted() -> None:
    text = (
        "[rules]\n[[rules.schedule]]\na = 1\n[[ rules.schedule ]] # two\na = 2\n[rules.schedule.sub]\nb = 3\n"
    )
    lines = key_lines(text + "[[study]]\n[sign]\na = 1")
    assert lines["rules", "schedule", "0", "a"] == 3
    assert lines["rules", "schedule", "1", "a"] == 5
    assert lines["rules", "schedule", "1", "sub", "b"] == 7
    assert lines["study", "0"] == 8
    assert lines["sign", "a"] == 10
    assert line_of(("rules", "schedule", "1", "dates"), lines) == 4
    assert line_of(("rules", "schedule", "0", "a", "7"), lines) == 3


def test_a_table_without_a_header_stands_where_something_below_it_does() -> None:
    lines = key_lines("[a.b.c]\nx = 1\n[d.e]\n[d]\ny.z = 1\n[[f.g]]\n[f.g.h.i]\n[a]\n[f.g.h]\n")
    assert lines["a", "b"] == 1
    assert lines["a",] == 8, "its own header, though later"
    assert lines["d",] == 4
    assert lines["d", "y"] == 5
    assert lines["f",] == 6
    assert lines["f", "g", "0", "h"] == 9
    registers = MINIMAL + "[display.registers]\nkind = 'integer'\naddress = 0\n"
    (found,) = problems(registers + "[display]\ndriver = 'registers'\naccept_zero = true\n")
    assert found.startswith("sign.toml:11: [display] port: is missing")
    found = "".join(problems(registers))
    assert "sign.toml:8: [display] driver: is missing" in found


def test_a_path_is_said_as_people_count() -> None:
    said = {
        ("sign",): "[sign]: x",
        ("sign", "id"): "[sign] id: x",
        ("display", "registers", "kind"): "[display.registers] kind: x",
        ("display", "mirror_units", "0"): "[display] mirror_units, entry 1: x",
        ("brightness", "curve", "1", "0"): "[brightness] curve, entry 2.1: x",
        ("study", "0", "first"): "[[study]] #1 first: x",
        ("rules", "schedule", "1", "days", "0"): "[[rules.schedule]] #2 days, entry 1: x",
    }
    assert {path: str(Problem(path, "x")) for path in said} == said


def test_what_is_wrong_in_one_table_does_not_hide_the_others() -> None:
    found = problems(
        MINIMAL
        + """[rules]
within = ["hello"]
[[rules.schedule]]
name = "one"
days = ["moonday"]
start = "7:30"
[[rules.schedule]]
limit_kmh = 30
end = "24:01"
[[study]]
name = "spring"
first = 2026-05-01T00:00:00
last = 2026-05-14
display = "off"
[tracking]
max_speed_kmh = 299
"""
    )
    assert [sentence.split(": ")[0] for sentence in found] == [
        "sign.toml:9",
        "sign.toml:12",
        "sign.toml:13",
        "sign.toml:14",
        "sign.toml:16",
        "sign.toml:19",
        "sign.toml:21",
        "sign.toml:23",
    ]
    assert "[[rules.schedule]] #1 days, entry 1 = 'moonday': must be 'mon', 'tue'" in found[1]
    assert "[[rules.schedule]] #2 name: is missing" in found[3]
    assert "#1 display = 'off': must be 'dark' or 'lit'" in found[6]


def test_a_profile_that_the_driver_has() -> None:
    config = parse_config(MINIMAL + 'profile = "binary"\n', "sign.toml")
    assert config.radar.profile == "binary"


@pytest.mark.parametrize(
    ("driver", "there_are"), [("ops243", "known are text, binary"), ("ld2415h", "it has none")]
)
def test_an_unknown_profile_names_those_that_there_are(driver: str, there_are: str) -> None:
    (found,) = problems(MINIMAL.replace("ops243", driver) + 'profile = "csv"\n')
    assert found == (
        f"sign.toml:8: [radar] profile = 'csv': the radar driver '{driver}' has no profile 'csv'; {there_are}"
    )


def test_a_profile_of_an_unknown_driver_is_one_problem() -> None:
    (found,) = problems(MINIMAL.replace("ops243", "dvorak") + 'profile = "csv"\n')
    assert "[radar] driver = 'dvorak'" in found
