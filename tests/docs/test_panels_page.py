"""docs/panels.md is what the drivers say, its configs are good ones, and the twins agree."""

from __future__ import annotations

import pytest

from simulator.panels.catalogue import EXAMPLE_MAP, make_panel
from speedsign.config.load import parse_config
from speedsign.registry import DISPLAYS, REGISTERS
from tests.docs import pages
from tests.docs.panels import PAGE, generated, load, page_with, profiles_of

TEXT = PAGE.read_text(encoding="utf-8")
CONFIGS = [body for kind, body in pages.FENCE.findall(TEXT) if kind == "toml"]
HEAD = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/ttyACM0"\n'


def test_the_page_is_up_to_date() -> None:
    assert page_with(TEXT, generated()) == TEXT, "run: python -m tests.docs.panels"


@pytest.mark.parametrize("config", CONFIGS)
def test_every_config_is_a_good_one(config: str) -> None:
    display = parse_config(HEAD + config, "panels.md").display
    assert display is not None


def test_every_driver_has_a_config() -> None:
    displays = [parse_config(HEAD + config, "panels.md").display for config in CONFIGS]
    assert {display.driver for display in displays if display} == set(DISPLAYS)


def test_the_described_panel_is_the_one_that_is_simulated() -> None:
    maps = [parse_config(HEAD + config, "panels.md").display for config in CONFIGS if "glyphs" in config]
    assert [display.registers for display in maps if display] == [EXAMPLE_MAP]


@pytest.mark.parametrize("name", DISPLAYS)
def test_what_is_said_of_power_is_what_the_twin_lights(name: str) -> None:
    said = load(name).facts.power_up
    for profile in profiles_of(name):
        twin = make_panel(name, profile)
        lit = twin.lit().strip()
        assert lit, "each lights something"
        assert lit in said or "anything" in said or "not stated" in said


@pytest.mark.parametrize("name", DISPLAYS)
def test_what_gives_up_says_so(name: str) -> None:
    driver = load(name)
    own_s = driver.capabilities.own_timeout_s
    expected = (
        f"after {own_s:g} s" if own_s else ("as `own_timeout_s` says" if name == REGISTERS else "it keeps")
    )
    assert driver.facts.own_timeout.startswith(expected)
    assert all(quirk.endswith(".") for quirk in driver.facts.quirks)
