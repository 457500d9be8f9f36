"""The facts of a report for programs: the same numbers, none of them hidden; each says of how many it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from telemetry.report.calibrated import proofs_json
from telemetry.report.facts import HOURS_OF_WEEK, Facts, Side, Slot
from telemetry.report.spans import Span
from telemetry.report.tables import bands_of
from telemetry.statistics import method
from telemetry.summary import between_json

Object = dict[str, Any]
DIGITS = 6


def facts_json(facts: Facts) -> Object:
    """Speeds km/h, shares 0 to 1, times ISO 8601 with offset, weekdays 0 (Monday) to 6."""
    standing, quality = facts.standing, facts.quality
    return {
        "site": standing.facts.site,
        "sign": standing.sign,
        "installation": standing.id,
        "from": facts.from_local.isoformat(),
        "to": facts.to_local.isoformat(),
        "timezone": standing.facts.timezone,
        "limit_kmh": facts.limit_kmh,
        "focus": facts.focus,
        "directions": [_side(side, facts) for side in facts.sides],
        "by_hour": [_slot(slot) for slot in facts.by_hour],
        "by_hour_of_week": [_slot(facts.by_hour_of_week[key]) for key in HOURS_OF_WEEK],
        "patrols": [_slot(slot) for slot in facts.patrols],
        "unit": facts.unit.value,
        "spans": [_span(span) for span in facts.spans],
        "coverage": _tidy(quality.coverage),
        "coverage_assumed": quality.assumed,
        "measured_s": quality.measured_s,
        "hours": quality.hours,
        "hours_left_out": quality.hours_left_out,
        "hours_undated": quality.hours_undated,
        "days": quality.days,
        "complete_days": quality.complete_days,
        "gaps": [
            {
                "from": _local(gap.from_utc, facts),
                "to": _local(gap.to_utc, facts),
                "measured_s": gap.measured_s,
            }
            for gap in quality.gaps
        ],
        "undated": quality.undated,
        "undated_between": between_json(quality.between, facts.zone),
        "corrected": quality.corrected,
        "hours_corrected": quality.hours_corrected,
        "stepped": quality.stepped,
        "suspects": quality.suspect,
        "scaled": quality.scaled,
        "no_direction": quality.no_direction,
        "fault": quality.fault,
        "others": [
            {
                "installation": one.id,
                "site": one.facts.site,
                "limit_kmh": one.facts.limit_kmh,
                "from": _local(one.from_utc, facts),
                "to": one.to_utc and _local(one.to_utc, facts),
            }
            for one in facts.others
        ],
        "calibrations": None if facts.calibration is None else proofs_json(facts.calibration),
        "method": method(rounds=standing.facts.rounds),
    }


def _side(side: Side, facts: Facts) -> Object:
    found, volume = side.statistics, side.volume
    busiest = volume.busiest
    return {
        "direction": side.direction,
        "name": {
            "approaching": facts.standing.facts.approaching_name,
            "receding": facts.standing.facts.receding_name,
        }.get(side.direction, ""),
        "n": found.n,
        "sample": found.sample.value,
        "mean_kmh": _tidy(found.mean_kmh),
        "mean_low_kmh": _tidy(found.mean_low_kmh),
        "mean_high_kmh": _tidy(found.mean_high_kmh),
        "sd_kmh": _tidy(found.sd_kmh),
        **{f"v{percent:g}_kmh": _tidy(speed) for percent, speed in found.percentiles_kmh.items()},
        "v85_low_kmh": _tidy(side.v85_range_kmh[0]),
        "v85_high_kmh": _tidy(side.v85_range_kmh[1]),
        "max_kmh": found.max_kmh,
        "pace_low_kmh": side.pace_kmh[0],
        "pace_high_kmh": side.pace_kmh[1],
        "pace_share": _tidy(found.pace_share),
        "within_limit_share": _tidy(found.within_limit_share),
        "over_limit_share": _tidy(found.over_limit_share),
        "over_limit_10_share": _tidy(found.over_limit_10_share),
        "over_limit_20_share": _tidy(found.over_limit_20_share),
        "bands": [
            {"band": b.name, "from_kmh": b.from_kmh, "to_kmh": b.to_kmh, "n": b.n, "share": _tidy(b.share)}
            for b in bands_of(side, facts)
        ],
        "counts": {str(speed): n for speed, n in side.counts.items()},
        "adt": _tidy(volume.adt),
        "complete_days": volume.complete_days,
        "weekday_adt": _tidy(volume.weekday_mean),
        "weekend_adt": _tidy(volume.weekend_mean),
        "peak_hour": volume.peak_hour,
        "busiest_hour": busiest and busiest.start.isoformat(),
        "busiest_hour_n": busiest and busiest.n,
        "phf": _tidy(busiest.phf if busiest else None),
    }


def _slot(slot: Slot) -> Object:
    return {
        **({} if slot.weekday is None else {"weekday": slot.weekday}),
        "hour": slot.hour,
        "hours": slot.hours,
        "left_out": slot.left_out,
        "n": slot.n,
        "mean": _tidy(slot.mean),
        "over_limit_share": _tidy(slot.over_share),
        "over_limit_10_share": _tidy(slot.over_10_share),
        "over_limit_an_hour": _tidy(slot.over_an_hour),
        "over_limit_10_an_hour": _tidy(slot.over_10_an_hour),
        "sure": slot.sure,
        **({"v85_kmh": _tidy(slot.v85_kmh)} if slot.weekday is None else {}),
    }


def _span(span: Span) -> Object:
    return {
        "first": span.first.isoformat(),
        "last": span.last.isoformat(),
        "days": span.days,
        "complete_days": span.complete_days,
        "complete": span.complete,
        "coverage": _tidy(span.coverage),
        "n": span.n,
        "mean_kmh": _tidy(span.mean_kmh),
        "v85_kmh": _tidy(span.v85_kmh),
        "over_limit_share": _tidy(span.over_share),
        "over_limit_10_share": _tidy(span.over_10_share),
    }


def _local(moment: datetime, facts: Facts) -> str:
    return moment.astimezone(facts.zone).isoformat()


def _tidy(value: float | None) -> float | None:
    """Without the noise of floating point."""
    return None if value is None else round(value, DIGITS)
