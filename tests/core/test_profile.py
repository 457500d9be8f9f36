"""The display profile: changes with what a driver can notice, and with nothing else."""

from __future__ import annotations

from datetime import date

import pytest

from speedsign.config.schema import (
    Config,
    DisplayConfig,
    RadarConfig,
    RulesConfig,
    SignConfig,
    StudyConfig,
    WindowConfig,
)
from speedsign.profile import display_profile

PANEL = DisplayConfig(driver="dm56a04", port="/dev/null")


def config(rules: RulesConfig | None = None, panel: DisplayConfig | None = PANEL, **more: object) -> Config:
    return Config(
        sign=SignConfig(id="sign", limit_kmh=50),
        radar=RadarConfig(driver="ops243", port="/dev/null"),
        rules=rules or RulesConfig(),
        display=panel,
        **more,  # type: ignore[arg-type]
    )


def test_says_in_short_what_is_shown_to_whom() -> None:
    shown = display_profile(config(RulesConfig(within=(), over=("speed", "LĒNĀK"), minimum_kmh=15)))
    assert shown.startswith("approaching 15-100: dark / speed+LĒNĀK / speed #")


def test_a_sign_without_a_panel_shows_nothing() -> None:
    assert display_profile(config(panel=None)) == "none"


@pytest.mark.parametrize(
    "rules",
    [
        RulesConfig(show="both"),
        RulesConfig(ceiling_kmh=90),
        RulesConfig(blink=("over",)),
        RulesConfig(schedule=(WindowConfig(name="school", limit_kmh=30),)),
    ],
)
def test_what_drivers_notice_is_another_profile(rules: RulesConfig) -> None:
    assert display_profile(config(rules)) != display_profile(config())


@pytest.mark.parametrize("rules", [RulesConfig(hold_s=2.0), RulesConfig(hysteresis_kmh=2)])
def test_what_they_hardly_do_is_not(rules: RulesConfig) -> None:
    assert display_profile(config(rules)) == display_profile(config())


def test_a_study_is_no_other_profile() -> None:
    """Its dark and lit phases are there to be compared."""
    study = StudyConfig(name="dark", first=date(2026, 5, 4), last=date(2026, 5, 17), display="dark")
    assert display_profile(config(study=(study,))) == display_profile(config())
