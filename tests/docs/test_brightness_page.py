"""docs/brightness.md has the tables and figures of the code."""

from __future__ import annotations

import re

import pytest

from drivers.light_sensor import SensorSettings
from speedsign import light
from speedsign.config.schema import BrightnessConfig
from tests.docs.brightness import PAGE, page_with_tables

TEXT = PAGE.read_text(encoding="utf-8")
READ = SensorSettings(unit=1, address=0)
DEFAULTS = BrightnessConfig()


def test_the_tables_are_up_to_date() -> None:
    assert page_with_tables(TEXT) == TEXT, "run: python -m tests.docs.brightness"


@pytest.mark.parametrize(
    "sentence",
    [
        f"`unknown` ({DEFAULTS.unknown:g})",
        f"`hysteresis` ({DEFAULTS.hysteresis:g} of a step)",
        f"`ramp_s` ({DEFAULTS.ramp_s:g} s)",
        f"read every {READ.every_s:g} s, and its values of {light.WINDOW_S:g} s",
        f"every {READ.retry_s[0]:g} s and then every {READ.retry_s[1]:g} s",
        f"older than {READ.stale_s:g} s counts as none",
        f"below 1 lx for {light.DOUBT_S / 60:g} minutes while the sun is above 10°",
    ],
)
def test_the_figures_are_the_codes(sentence: str) -> None:
    assert sentence in re.sub(r"\s+", " ", TEXT)


def test_a_minute_of_the_opposite() -> None:
    assert light.TRUST_S == 60.0
