"""What is wrong with one key does not hide what does not fit elsewhere, and no text breaks the check."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from speedsign.config.load import parse_config
from speedsign.config.panel_alone import read_panel
from speedsign.errors import ConfigError
from tests.cli.command import speedsign

HEAD = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/radar"\n'
PANEL = '[display]\ndriver = "dm56a04"\nport = "/dev/panel"\n'
MISFIT = "[rules]\nceiling_kmh = 40\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "sign.toml")
    return caught.value.problems


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (PANEL + "[beacon]\nunit = 9\n", "[beacon] coil: is missing"),
        (PANEL + "[supply]\ncoil = 0\n", "[supply] unit: is missing"),
        (PANEL + "[supply]\ncoil = 0\nunit = 'x'\n", "[supply] unit = 'x'"),
        (PANEL + "[brightness.sensor]\nunit = 9\n", "[brightness.sensor] address: is missing"),
        ("[display]\ndriver = 'registers'\nport = '/dev/p'\n[display.registers]\nkind = 'x'\n", "kind = 'x'"),
        ("[display]\ndriver = 'registers'\nport = '/dev/p'\n[display.registers]\nkind = 'text'\n", "address"),
        ("[display]\n[display.registers]\n", "[display] driver: is missing"),
        ("display = 5\n", "[display] = 5: must be a table"),
        ("supply = 5\n", "[supply] = 5: must be a table"),
        ("sign = 5\n", "[sign] = 5"),
    ],
)
def test_a_required_key_that_is_wrong_hides_nothing_else(table: str, said: str) -> None:
    text = HEAD + table + MISFIT if table.startswith("[") else table + HEAD + MISFIT
    if table.startswith("sign"):
        text = table + HEAD[HEAD.index("[radar]") :] + MISFIT + "minimum_kmh = 90\n"
    found = problems(text)
    assert any(said in sentence for sentence in found)
    misfits = [sentence for sentence in found if "[rules] ceiling_kmh = 40" in sentence]
    # Against the limit nothing can be said while [sign] is no table.
    assert len(misfits) == (not table.startswith("sign"))


def test_nothing_is_said_about_what_stands_in() -> None:
    text = (
        HEAD
        + "[display]\ndriver = 'registers'\nport = '/dev/p'\n[display.registers]\nkind = 'x'\naddress = 0\n"
    )
    assert len(problems(text + "blank_value = 7\nglyphs = 'AB'\n[rules]\nover = ['=AB']\n")) == 1
    assert len(problems(HEAD + PANEL + "unit = 247\n[supply]\ncoil = 0\n")) == 1
    assert (
        len(problems("display = 5\n" + HEAD + "[supply]\ncoil = 0\nunit = 9\n[beacon]\ncoil = 0\nunit = 8\n"))
        == 1
    )


DEEP = 3000
TEXTS = {
    "digits": "x = " + "9" * 5000,
    "hexadecimal": "x = 0x" + "f" * 5000,
    "just too long for a number": "[rules]\nhold_s = " + "9" * 4300,
    "lists": "x = " + "[" * DEEP + "]" * DEEP,
    "lists that are parsed": "x = " + "[" * 300 + "]" * 300,
    "tables that are parsed": "x = " + "{a = " * 200 + "1" + "}" * 200,
    "dotted": "x." * DEEP + "x = 1",
    "header": "[" + "x." * DEEP + "x]",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_text_breaks_the_check(text: str, tmp_path: Path) -> None:
    config = tmp_path / "sign.toml"
    config.write_text(text + "\n" + HEAD)
    plain, as_json = (speedsign("check", "--config", config, *more) for more in ((), ("--json",)))
    assert (plain.exit_code, as_json.exit_code) == (2, 2)
    assert json.loads(as_json.stdout)["ok"] is False
    for problem in json.loads(as_json.stdout)["problems"]:
        assert problem.startswith(str(config))
        assert len(problem) < 400
    with suppress(ConfigError):  # the panel alone is read in the worst hour of all
        read_panel(config)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[study]\nname = 'a'\n", "sign.toml:7: [study]: there can be several: write [[study]]"),
        (
            "[rules.schedule]\nname = 'a'\n",
            "sign.toml:7: [rules] schedule: there can be several: write [[rules.s",
        ),
        ("[rules]\nwithin = 'speed'\n", "sign.toml:8: [rules] within = 'speed': must be a list: [\"speed\"]"),
        (PANEL + "mirror_units = 2\n", "sign.toml:10: [display] mirror_units = 2: must be a list: [2]"),
        ("[rules]\nwithin = {a = 1}\n", "[rules] within: must be a list"),
    ],
)
def test_a_list_is_shown_how_it_is_written(text: str, said: str) -> None:
    (found,) = problems(HEAD + text)
    assert said in found


def test_a_table_that_cannot_be_mended_is_left_out_and_nothing_is_said_against_it() -> None:
    text = HEAD + "[rules]\nceiling_kmh = 40\nwithin = [{a = 1}]\n[brightness]\nlowest = 0.9\nhighest = 0.1\n"
    found = problems(text)
    assert "[rules] within, entry 1" in found[0]
    assert "[brightness] lowest = 0.9: must be at most highest" in found[1]
    assert len(found) == 2
