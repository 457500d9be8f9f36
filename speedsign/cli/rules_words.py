"""Rules in words, for the commands that explain them."""

from __future__ import annotations

from typing import Any

from speedsign.rules import LIT, Rules, Zone
from speedsign.schedule import NO_CLOCK, Active

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
THRESHOLDS = {
    "limit_kmh": "limit",
    "minimum_kmh": "minimum",
    "too_fast_kmh": "too fast from",
    "ceiling_kmh": "ceiling",
}


def why_dark(active: Active) -> str:
    """Who has darkened the sign; of an unknown time the study that must not be spoilt."""
    if active.clock_known or not active.study:
        return active.dark_because
    return f'{NO_CLOCK}, and the study "{active.study}" has a dark phase'


def why_zone(number: int, zone: Zone, rules: Rules) -> str:
    """Where a number lies between the thresholds."""
    reasons = {
        Zone.SLOW: f"is below the minimum, {rules.minimum_kmh}",
        Zone.WITHIN: f"is not above the limit, {rules.limit_kmh}",
        Zone.OVER: f"is above the limit, {rules.limit_kmh}",
        Zone.TOO_FAST: f"is too fast: that begins at {rules.too_fast_kmh}",
        Zone.CEILING: f"is above the ceiling, {rules.ceiling_kmh}",
    }
    return f"{number} {reasons[zone]}"


def in_force(active: Active) -> str:
    """The names of what is in force beyond [rules], what goes before the others last."""
    names = [f'"{name}"' for name in active.windows]
    if active.study:
        names.append(f'study "{active.study}", {active.phase}')
    return ", ".join(names)


def settings_json(active: Active) -> dict[str, Any]:
    """Every key that a schedule can change: its value and who has set it."""
    settings = active.settings
    return {
        key: {"value": getattr(settings, key), "set_by": source}
        for key, source in sorted(settings.sources.items())
    }


def rows(active: Active, zone: Zone) -> list[tuple[str, str, str]]:
    """(what, value, who has set it): the thresholds, and the face of a zone."""
    settings, sources = active.settings, active.settings.sources
    found = [(name, str(getattr(settings, key)), sources[key]) for key, name in THRESHOLDS.items()]
    if zone in LIT:
        found.append((zone.value, ", ".join(getattr(settings, zone.value)), sources[zone.value]))
        lamps = [lamp for lamp in ("blink", "beacon") if zone.value in getattr(settings, lamp)]
        found += [(lamp, "on", sources[lamp]) for lamp in lamps]
    return found
