"""A comparison as plain values for `--json` (docs/cli.md lists the keys); speeds km/h, shares 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence

from speedsign.language import Language
from telemetry.compare import claim, naming
from telemetry.compare.answer import Comparison
from telemetry.compare.controls import Controlled
from telemetry.compare.measures import HEADLINE, MEASURES
from telemetry.compare.passing import Drop, DropChange
from telemetry.compare.sides import Change, Side
from telemetry.query import Standing

_DIGITS = 6


def compare_json(found: Comparison, standing: Standing, direction: str, words: Language) -> dict[str, object]:
    """Every number, few vehicles or not: `n` and `days` say so."""
    return {
        "site": standing.facts.site,
        "sign": standing.sign,
        "direction": direction,
        "timezone": standing.facts.timezone,
        "limit_kmh": found.road.limit_kmh,
        "baseline": found.baseline,
        "found_by": "display" if found.by_display else "dates",
        "claim": found.claim.value,
        "headline": HEADLINE,
        "sentence": claim.sentence(found, words),
        "notes": list(naming.remarks(found, words)),
        "before": _side(found.before),
        "after": _side(found.after),
        "changes": _changes(found.changes),
        "hours_of_week": found.slots,
        "left_out_hours": dict(sorted(found.left_out.items())),
        "unsure_intervals": found.unsure_intervals,
        "unsure_vehicles": found.unsure_vehicles,
        "undated": found.undated,
        "phases": [{"phase": side.key, **_side(side)} for side in found.phases],
        "controls": None if found.controls is None else _controls(found.controls),
        "passing": None if found.passing is None else _passing(found.passing),
        "weeks": [
            {
                "week": week.week,
                "from": week.first.isoformat(),
                "to": week.last.isoformat(),
                "days": week.side.days,
                "n": week.side.n,
                "changes": _changes(week.changes),
            }
            for week in found.weeks
        ],
        "resamples": found.draws.resamples,
        "seed": found.draws.seed,
        "method": naming.method(found, words),
    }


def _tidy(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _side(side: Side) -> dict[str, object]:
    numbers = side.numbers or (None,) * len(MEASURES)
    return {
        "from": side.dates[0].isoformat() if side.dates else None,
        "to": side.dates[-1].isoformat() if side.dates else None,
        "days": side.days,
        "hours": side.hours,
        "n": side.n,
        "coverage": _tidy(side.coverage),
        **{measure: _tidy(value) for measure, value in zip(MEASURES, numbers, strict=True)},
    }


def _changes(changes: Sequence[Change]) -> dict[str, dict[str, float | None]]:
    return {
        change.measure: {
            "before": _tidy(change.before),
            "after": _tidy(change.after),
            "difference": _tidy(change.difference),
            "low": _tidy(change.low),
            "high": _tidy(change.high),
        }
        for change in changes
    }


def _controls(found: Controlled) -> dict[str, object]:
    beyond = _changes(found.beyond)
    for change in beyond.values():
        del change["before"], change["after"]
    return {
        "hours": found.hours,
        "sign": {
            "before": _side(found.before),
            "after": _side(found.after),
            "changes": _changes(found.own),
        },
        "sites": [
            {
                "name": one.name,
                "before": _side(one.before),
                "after": _side(one.after),
                "changes": _changes(one.changes),
            }
            for one in found.controls
        ],
        "beyond": beyond,
    }


def _passing(found: DropChange) -> dict[str, object]:
    return {
        "before": _drop(found.before),
        "after": _drop(found.after),
        "difference_kmh": _tidy(found.difference_kmh),
        "low_kmh": _tidy(found.low_kmh),
        "high_kmh": _tidy(found.high_kmh),
    }


def _drop(drop: Drop) -> dict[str, object]:
    return {
        "from": drop.dates[0].isoformat(),
        "to": drop.dates[-1].isoformat(),
        "days": len(drop.dates),
        "n": drop.n,
        "mean_drop_kmh": _tidy(drop.mean_kmh),
    }
