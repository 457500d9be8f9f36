"""docs/brightness.md has the tables and figures of the code."""

from __future__ import annotations

import re

import pytest

from drivers.light_sensor import SensorSettings
from speedsign import light
from speedsign.brightness import Stepper
from speedsign.config.schema import BrightnessConfig
from tests.docs.brightness import PAGE, above_minimum, page_with_tables

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


def test_under_clouds_the_sun_makes_it_as_much_too_bright_as_the_page_says() -> None:
    degrees = [tenth / 10 for tenth in range(900)]
    too_bright = [deg for deg in degrees if above_minimum(deg) > 5]
    assert (round(too_bright[0]), round(too_bright[-1])) == (4, 33)
    assert "between 4° and 33° high, up to nearly ten times" in re.sub(r"\s+", " ", TEXT)
    assert 9.5 < max(map(above_minimum, degrees)) < 10


@pytest.mark.parametrize(("hysteresis", "percent"), [(DEFAULTS.hysteresis, 9), (0.0, 6)])
def test_between_two_steps_it_is_as_much_below_the_minimum(hysteresis: float, percent: int) -> None:
    """Of 8 even steps the dimmest is an eighth of the brightest."""
    stepper = Stepper(0.1, hysteresis)
    worst = 0.0
    for t_s in range(1, 1001):
        level = t_s / 1000
        shown = (1 + stepper.towards(level * 7, float(t_s))) / 8
        worst = max(worst, 1 - shown / level)
    assert round(100 * worst) == percent


def test_a_minute_of_the_opposite() -> None:
    assert light.TRUST_S == 60.0
