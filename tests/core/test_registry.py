"""Drivers by name: our own, and those that another package brings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from speedsign.config.schema import RegistersConfig
from speedsign.errors import DriverError
from speedsign.registry import (
    DISPLAY_ALIASES,
    DISPLAYS,
    RADARS,
    display_names,
    load_display,
    load_radar,
    radar_names,
)
from tests.cli.command import speedsign


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with a radar and a panel of its own, as pip leaves it."""
    (tmp_path / "theirs.py").write_text(
        "from drivers.radar.ops243 import Ops243\nfrom drivers.display.dm56a04 import Dm56a04\n\n\n"
        "class Sonar(Ops243):\n    name = 'sonar'\n\n\nclass Nixie(Dm56a04):\n    name = 'nixie'\n"
    )
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[speedsign.radars]\nsonar = theirs:Sonar\nops243 = theirs:Sonar\n"
        "[speedsign.displays]\nnixie = theirs:Nixie\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "theirs", raising=False)


@pytest.mark.usefixtures("third_party")
def test_a_driver_of_another_package_is_found_by_its_entry_point(tmp_path: Path) -> None:
    assert radar_names() == sorted({*RADARS, "sonar"})
    assert display_names() == sorted({*DISPLAYS, "nixie"})
    assert load_radar("sonar").name == "sonar"
    assert load_display("nixie").name == "nixie"
    config = tmp_path / "sign.toml"
    config.write_text('[sign]\nid="abc"\nlimit_kmh=50\n[radar]\ndriver="sonar"\nport="/dev/x"\n')
    assert speedsign("check", "--config", config).exit_code == 0


@pytest.mark.usefixtures("third_party")
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (
            "import no_such_module_of_theirs\n",
            "ModuleNotFoundError: No module named 'no_such_module_of_theirs'",
        ),
        ("from speedsign.model import Nothing\n", "ImportError: cannot import name 'Nothing'"),
        ("x = 1\n", "AttributeError: module 'theirs' has no attribute"),
        ("def\n", "SyntaxError: "),
        ("raise RuntimeError\n", "RuntimeError: no reason given"),
    ],
)
def test_a_plug_in_that_cannot_be_loaded_is_one_sentence(broken: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(broken)
    with pytest.raises(DriverError, match="the plug-in 'sonar' of the package theirs") as caught:
        load_radar("sonar")
    assert reason in str(caught.value)
    assert "sonar" in radar_names()
    assert load_radar("ops243").name == "ops243"
    assert load_display("dm56a04").name == "dm56a04"
    config = tmp_path / "sign.toml"
    config.write_text(
        '[sign]\nid="abc"\nlimit_kmh=50\n[radar]\ndriver="sonar"\nport="/dev/x"\n'
        '[display]\ndriver="nixie"\nport="/dev/y"\nprofile="a"\n'
    )
    answer = speedsign("check", "--config", config)
    assert answer.exit_code == 2
    assert f"{config}:5: [radar] driver = 'sonar': the plug-in 'sonar'" in answer.stderr
    assert f"{config}:8: [display] driver = 'nixie': the plug-in 'nixie'" in answer.stderr


@pytest.mark.usefixtures("third_party")
def test_our_own_name_stays_ours() -> None:
    assert load_radar("ops243").name == "ops243"


def test_a_name_that_nobody_has_is_answered_with_those_there_are() -> None:
    with pytest.raises(DriverError, match=r"no driver 'sonar'; known are .*ld2415h, .*ops243"):
        load_radar("sonar")
    with pytest.raises(DriverError, match="no driver 'nixie'; known are dm56a04"):
        load_display("nixie")


def test_digits_that_no_such_panel_has_are_refused() -> None:
    assert load_display("dm56a04", 6).capabilities.digits == 6
    with pytest.raises(DriverError):
        load_display("dm56a04", 7)


@pytest.mark.parametrize("alias", DISPLAY_ALIASES)
def test_a_panel_is_found_by_the_name_that_stands_on_it(alias: str) -> None:
    family, profile, digits = DISPLAY_ALIASES[alias]
    assert family in DISPLAYS
    assert alias not in display_names()
    driver, same = load_display(alias), load_display(family, digits, profile)
    assert driver.name == same.name == family
    assert driver.capabilities == same.capabilities
    assert driver.start() == same.start()
    assert load_display(alias, digits, profile).capabilities == driver.capabilities


def test_a_dm36b06_has_six_digits() -> None:
    assert load_display("dm36b06").capabilities.digits == 6


@pytest.mark.parametrize(
    ("name", "digits", "profile", "text"),
    [
        ("dm36b06", 4, None, "'dm36b06' is the digits 6 of 'dm56a04'; leave out digits 4"),
        ("led485-2014", None, "2024", "'led485-2014' is the profile '2014' of 'led485'; leave out profile"),
        ("led485", None, "2019", "the panel driver 'led485' has no profile '2019'; known are 2014, 2024"),
        ("dm56a04", None, "2014", "the panel driver 'dm56a04' has no profile '2014'; it has none"),
        ("led485", 6, None, r"digits is 6; with the map of 2014: 2, 3, 4"),
        ("led485", 3, "2024", r"digits is 3; with the map of 2024: 2, 4, 6"),
        ("tm1650", 6, None, "digits is 6"),
        ("fema", 5, None, r"4 \(B24, B44\) or 6"),
        ("registers", None, None, r"needs the table \[display.registers\]"),
    ],
)
def test_what_no_panel_is(name: str, digits: int | None, profile: str | None, text: str) -> None:
    with pytest.raises(DriverError, match=text):
        load_display(name, digits, profile)


def test_the_map_of_a_panel_says_how_many_digits_it_has() -> None:
    registers = RegistersConfig(kind="integer", address=0, cells=3)
    assert load_display("registers", registers=registers).capabilities.digits == 3
    with pytest.raises(DriverError, match="leave out digits = 4"):
        load_display("registers", 4, registers=registers)
