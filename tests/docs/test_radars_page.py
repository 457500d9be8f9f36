"""docs/radars.md is what the drivers and the captures say, and the two do not contradict each other."""

from __future__ import annotations

import pytest

from speedsign.model import Direction
from speedsign.registry import RADARS, load_radar
from tests.docs.radars import PAGE, generated, page_with, seen_in_captures

SEEN = seen_in_captures()


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page_with(text, generated()) == text, "run: python -m tests.docs.radars"


@pytest.mark.parametrize("name", RADARS)
def test_every_radar_has_a_capture(name: str) -> None:
    assert SEEN[name].captures >= 1
    assert SEEN[name].readings > 50


@pytest.mark.parametrize("name", RADARS)
def test_what_was_captured_is_what_the_driver_says(name: str) -> None:
    driver, seen = load_radar(name), SEEN[name]
    facts = driver.facts
    assert facts.strength == (seen.strength > 0)
    assert facts.gives_range == (seen.range_m > 0)
    assert seen.targets <= facts.targets
    assert seen.fastest_kmh <= driver.max_speed_kmh
    tells = seen.directions[Direction.APPROACHING] + seen.directions[Direction.RECEDING] > 0
    assert tells == (facts.direction != "not at all")


@pytest.mark.parametrize("name", RADARS)
def test_only_who_reports_an_empty_road_is_judged_by_its_silence(name: str) -> None:
    driver = load_radar(name)
    if driver.streams_when_idle:
        assert SEEN[name].idle > 0
