"""What the practice of a country allows a speed display sign to show, each with its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """Words beside or instead of the number; pages in turn; blinking. `why` ends a refusal's sentence."""

    name: str
    words: bool
    alternation: bool
    blink: bool
    why: str
    holidays: str | None  # its name in the library `holidays`; None: none are known


_FHWA_FLASHING = "FHWA interpretation 2(09)-79(I), 22 October 2013"
_FHWA_SPEED_ONLY = "FHWA 2(09)-166(E), 5 March 2020"
COUNTRIES = {
    "lv": Country("lv", words=True, alternation=True, blink=True, why="", holidays="LV"),
    "lt": Country("lt", words=True, alternation=True, blink=True, why="", holidays="LT"),
    "us": Country(
        "us",
        words=False,
        alternation=False,
        blink=False,
        why=f"a sign there shows the speed alone ({_FHWA_SPEED_ONLY}) and steadily ({_FHWA_FLASHING})",
        holidays="US",
    ),
    "other": Country(
        "other",
        words=True,
        alternation=False,
        blink=False,
        why="no rule of that country is known to this program, so what some forbid is left out; "
        "set sign.country where it is known",
        holidays=None,
    ),
}

_BY_ZONE = {"Europe/Riga": "lv", "Europe/Vilnius": "lt"}
# Not every zone of America is one of the United States; these are, with the older names of some.
_US_PREFIXES = ("US/", "America/Indiana/", "America/North_Dakota/", "America/Kentucky/")
_US_ZONES = {
    *("New_York", "Detroit", "Chicago", "Menominee", "Denver", "Boise", "Phoenix", "Los_Angeles"),
    *("Anchorage", "Juneau", "Sitka", "Metlakatla", "Yakutat", "Nome", "Adak", "Puerto_Rico"),
    *("Indianapolis", "Fort_Wayne", "Louisville", "Knox_IN", "Shiprock", "Atka"),
}


def country_of(country: str | None, timezone: str) -> Country:
    """The profile that is named, else that of the time zone, else the one for countries unknown to us.

    >>> country_of(None, "Europe/Riga").name, country_of(None, "America/Toronto").name
    ('lv', 'other')
    """
    return COUNTRIES[country or _by_zone(timezone)]


def _by_zone(timezone: str) -> str:
    area, _, place = timezone.partition("/")
    american = area == "America" and place in _US_ZONES
    if american or timezone.startswith(_US_PREFIXES) or timezone in ("Pacific/Honolulu", "Navajo"):
        return "us"
    return _BY_ZONE.get(timezone, "other")
