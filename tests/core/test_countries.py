"""Which country's practice holds: as named, else by the time zone."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from speedsign.countries import COUNTRIES, country_of


@pytest.mark.parametrize(
    ("timezone", "country"),
    [
        ("Europe/Riga", "lv"),
        ("Europe/Vilnius", "lt"),
        ("Europe/Tallinn", "other"),
        ("America/New_York", "us"),
        ("America/Indiana/Knox", "us"),
        ("America/Argentina/Ushuaia", "other"),
        ("America/Toronto", "other"),
        ("America/Mexico_City", "other"),
        ("America/Sao_Paulo", "other"),
        ("US/Pacific", "us"),
        ("Pacific/Honolulu", "us"),
        ("Asia/New_York", "other"),
        ("UTC", "other"),
    ],
)
def test_by_the_time_zone(timezone: str, country: str) -> None:
    assert country_of(None, timezone).name == country


def test_what_is_named_goes_before_the_time_zone() -> None:
    assert country_of("us", "Europe/Riga").name == "us"


def test_every_zone_has_a_profile() -> None:
    found = {country_of(None, zone).name for zone in available_timezones()}
    assert found == set(COUNTRIES)


def test_what_is_forbidden_has_a_reason() -> None:
    for country in COUNTRIES.values():
        assert bool(country.why) == (not (country.words and country.alternation and country.blink))
