"""What the numbers of a report are of, by keys that never change with the language: for programs.

A table that is copied out of its file is worth nothing without site, period, limit and rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from telemetry.report import calibrated
from telemetry.report.document import Plain
from telemetry.report.facts import Facts
from telemetry.statistics import method

Fact = tuple[str, Plain]
DIGITS = 6


def about(facts: Facts) -> tuple[Fact, ...]:
    """Times are ISO 8601 with offset, coverage is 0 to 1. No count of vehicles: residents may have it."""
    standing = facts.standing
    return (
        ("site", standing.facts.site),
        ("sign", standing.sign),
        ("installation", standing.id),
        ("from", facts.from_local.isoformat()),
        ("to", facts.to_local.isoformat()),
        ("timezone", standing.facts.timezone),
        ("limit_kmh", facts.limit_kmh),
        *_own_limit(facts),
        ("direction", facts.focus),
        *_directions(facts),
        *_chosen(facts),
        ("coverage", round(facts.quality.coverage, DIGITS)),
        ("coverage_assumed", facts.quality.assumed),
        ("class_edges_kmh", "[k-0.5, k+0.5)" if standing.facts.rounds else "[k, k+1)"),
        ("method", method(rounds=standing.facts.rounds)),
        *_calibration(facts),
        ("other_installations", " ".join(str(one.id) for one in facts.others)),
    )


def _own_limit(facts: Facts) -> Iterator[Fact]:
    """The installation's, where another was asked for."""
    if facts.own_limit_kmh is not None:
        yield "installation_limit_kmh", facts.own_limit_kmh


def _directions(facts: Facts) -> Iterator[Fact]:
    for name in ("approaching", "receding"):
        yield f"{name}_name", getattr(facts.standing.facts, f"{name}_name")


def _calibration(facts: Facts) -> Iterator[Fact]:
    """Checks of the sign that the speeds rest on, or "none"; not of numbers that were imported."""
    if facts.calibration is not None:
        yield "calibration", calibrated.short(facts.calibration, facts.zone)


def _chosen(facts: Facts) -> Iterator[Fact]:
    """Days of the week (0 Monday) and hours, where not all of them were asked for."""
    if facts.chosen is not None:
        yield "weekdays", " ".join(str(day) for day in sorted({day for day, _ in facts.chosen}))
        yield "hours", " ".join(str(hour) for hour in sorted({hour for _, hour in facts.chosen}))
