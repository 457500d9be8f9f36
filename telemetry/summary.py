"""The objects that `speedsign stats --json` prints: one a direction, and one for both.

The first keys, up to `method`, are a contract with other programs: their names, order and meaning stay.
Speeds are km/h, shares and coverage 0 to 1, times ISO 8601 with the offset of the sign's own time zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from telemetry.local_time import iso_local
from telemetry.percentiles import Rule
from telemetry.period import Period
from telemetry.quality import Quality, quality
from telemetry.query import BOTH
from telemetry.rows import unpacked
from telemetry.statistics import PERCENTILES, Statistics, compute, merge, method
from telemetry.undated import Between
from telemetry.volume import Volume, volumes

if TYPE_CHECKING:  # seldom asked for, and every start counts
    from telemetry.headways import Headways

Row = dict[str, object]


def summaries(
    period: Period,
    *,
    percents: Sequence[float] = PERCENTILES,
    rule: Rule | str = Rule.GROUPED,
    class_width: int = 1,
    headways: Mapping[str, Headways] | None = None,
) -> list[Row]:
    """One object for each direction of a period, and one for both, which is the last."""
    facts = period.standing.facts
    believed = quality(period)
    names = period.directions()
    counts = {name: period.counts(name) for name in names}
    flagged = [part for part in period.parts() if part.suspects]
    suspects = {
        name: unpacked("".join([part.suspects for part in flagged if part.direction == name]))
        for name in names
    }
    counts[BOTH], suspects[BOTH] = merge(counts.values()), merge(suspects.values())
    every = dict.fromkeys((*PERCENTILES, *percents))
    volume_of = volumes(period, counts)
    rows = []
    for name, counted in counts.items():
        found = compute(
            counted,
            facts.limit_kmh,
            rounds=facts.rounds,
            percents=tuple(every),
            suspects=suspects[name],
            rule=rule,
            class_width=class_width,
        )
        rows.append(
            {
                **_contract(name, period, found),
                **_ranges(found),
                **_volume(volume_of[name], period),
                **_quality(believed, period, name),
                **({} if headways is None else _headways(headways[name], period)),
            }
        )
    return rows


def _contract(direction: str, period: Period, found: Statistics) -> Row:
    facts = period.standing.facts
    return {
        "direction": direction,
        "from": iso_local(period.from_utc, period.zone),
        "to": iso_local(period.to_utc, period.zone),
        "timezone": facts.timezone,
        "limit_kmh": facts.limit_kmh,
        "n": found.n,
        "mean_kmh": _tidy(found.mean_kmh),
        "sd_kmh": _tidy(found.sd_kmh),
        **{f"v{percent}_kmh": _tidy(found.percentiles_kmh[percent]) for percent in PERCENTILES},
        "max_kmh": found.max_kmh,
        "pace_low_kmh": found.pace.low_kmh if found.pace else None,
        "pace_high_kmh": found.pace.high_kmh if found.pace else None,
        "pace_share": _tidy(found.pace_share),
        "over_limit_share": _tidy(found.over_limit_share),
        "over_limit_10_share": _tidy(found.over_limit_10_share),
        "over_limit_20_share": _tidy(found.over_limit_20_share),
        "bands": [
            {"band": b.name, "from_kmh": b.from_kmh, "to_kmh": b.to_kmh, "n": b.n, "share": _tidy(b.share)}
            for b in found.bands
        ],
        "coverage": _tidy(period.coverage) if period.hours else None,
        "method": method(rounds=facts.rounds, rule=found.rule, class_width=found.class_width),
    }


def _ranges(found: Statistics) -> Row:
    """Further percentiles, standard errors and 95 % ranges."""
    return {
        "rule": found.rule.value,
        "class_width_kmh": found.class_width,
        "sample": found.sample.value,
        "mean_se_kmh": _tidy(found.mean_se_kmh),
        "mean_low_kmh": _tidy(found.mean_low_kmh),
        "mean_high_kmh": _tidy(found.mean_high_kmh),
        **dict(_percentiles(found)),
        "skewness_index": _tidy(found.skewness),
        "within_limit_share": _tidy(found.within_limit_share),
        "suspects": found.suspects,
    }


def _percentiles(found: Statistics) -> Iterator[tuple[str, float | None]]:
    for percent, speed_kmh in found.percentiles_kmh.items():
        name = f"v{percent:g}"
        low_kmh, high_kmh = found.percentile_ranges_kmh[percent]
        if percent not in PERCENTILES:
            yield f"{name}_kmh", _tidy(speed_kmh)
        yield f"{name}_se_kmh", _tidy(found.percentile_ses_kmh[percent])
        yield f"{name}_low_kmh", _tidy(low_kmh)
        yield f"{name}_high_kmh", _tidy(high_kmh)


def _volume(found: Volume, period: Period) -> Row:
    busiest = found.busiest
    return {
        "adt": _tidy(found.adt),
        "complete_days": found.complete_days,
        "weekday_adt": _tidy(found.weekday_mean),
        "weekdays": found.weekdays,
        "weekend_adt": _tidy(found.weekend_mean),
        "weekend_days": found.weekend_days,
        "peak_hour": found.peak_hour,
        "busiest_hour": iso_local(busiest.start, period.zone) if busiest else None,
        "busiest_hour_n": busiest.n if busiest else None,
        "phf": _tidy(busiest.phf) if busiest else None,
    }


def _quality(found: Quality, period: Period, direction: str) -> Row:
    """Of the whole period, but for `undated`."""
    standing = period.standing
    undated = [part for part in period.undated if direction in (BOTH, part.direction)]
    return {
        "undated": sum(len(part.speeds) for part in undated),
        "hours": found.hours,
        "hours_left_out": found.hours_left_out,
        "hours_undated": found.hours_undated,
        "gaps": len(found.gaps),
        "scaled": found.scaled,
        "fault": found.fault,
        "corrected": found.corrected,
        "hours_corrected": found.hours_corrected,
        "stepped": found.stepped,
        "undated_between": between_json(found.between, period.zone),
        "coverage_assumed": found.assumed,
        "site": standing.facts.site,
        "sign": standing.sign,
        "installation": standing.id,
    }


def between_json(found: Sequence[Between], zone: ZoneInfo) -> list[Row]:
    """Known times that undated vehicles lie between, of all directions; null: none is known on that side."""
    return [
        {
            "after": None if one.after_utc is None else iso_local(one.after_utc, zone),
            "before": None if one.before_utc is None else iso_local(one.before_utc, zone),
            "n": one.n,
        }
        for one in found
    ]


def _headways(found: Headways, period: Period) -> Row:
    """Of the vehicles that are still kept, which may be fewer than were counted."""
    return {
        "headways_from": iso_local(found.from_utc, period.zone) if found.from_utc else None,
        "headways_to": iso_local(found.to_utc, period.zone) if found.to_utc else None,
        "headways_vehicles": found.vehicles,
        "headways_n": found.n,
        "headway_median_s": _tidy(found.median_s),
        "free_flow_s": found.free_flow_s,
        "free_flow_n": found.free_n,
        "free_flow_share": _tidy(found.free_share),
        "free_flow_v85_kmh": _tidy(found.free_v85_kmh),
    }


def _tidy(value: float | None) -> float | None:
    """Six decimals: the digits after them are the machine's, not the road's."""
    return None if value is None else round(value, 6)
