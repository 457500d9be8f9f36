"""The object that `speedsign stats --json` prints for a direction."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from telemetry.percentiles import Counts
from telemetry.statistics import Statistics, compute, method


def summarise(
    direction: str,
    counts: Counts,
    *,
    from_utc: datetime,
    to_utc: datetime,
    timezone: str,
    limit_kmh: int,
    measured_s: float,
    rounds: bool = True,
) -> dict[str, object]:
    """One direction (or "both") over a period; speeds km/h, shares and coverage 0 to 1, times ISO 8601 local.

    `measured_s` is the time for which the radar was proved to be measuring inside the period.
    """
    zone = ZoneInfo(timezone)
    found = compute(counts, limit_kmh, rounds=rounds)
    return {
        "direction": direction,
        "from": from_utc.astimezone(zone).isoformat(),
        "to": to_utc.astimezone(zone).isoformat(),
        "timezone": timezone,
        "limit_kmh": limit_kmh,
        **_numbers(found),
        "bands": [
            {"band": b.name, "from_kmh": b.from_kmh, "to_kmh": b.to_kmh, "n": b.n, "share": _tidy(b.share)}
            for b in found.bands
        ],
        "coverage": coverage(measured_s, from_utc, to_utc),
        "method": method(rounds=rounds),
    }


def _numbers(found: Statistics) -> dict[str, object]:
    return {
        "n": found.n,
        "mean_kmh": _tidy(found.mean_kmh),
        "sd_kmh": _tidy(found.sd_kmh),
        **{f"v{percent:g}_kmh": _tidy(speed) for percent, speed in found.percentiles_kmh.items()},
        "max_kmh": found.max_kmh,
        "pace_low_kmh": found.pace.low_kmh if found.pace else None,
        "pace_high_kmh": found.pace.high_kmh if found.pace else None,
        "pace_share": _tidy(found.pace_share),
        "over_limit_share": _tidy(found.over_limit_share),
        "over_limit_10_share": _tidy(found.over_limit_10_share),
        "over_limit_20_share": _tidy(found.over_limit_20_share),
    }


def coverage(measured_s: float, from_utc: datetime, to_utc: datetime) -> float | None:
    """Measured seconds over the seconds of the period, 0 to 1; None for a period without a second."""
    period_s = (to_utc - from_utc).total_seconds()
    if period_s <= 0:
        return None
    return round(min(max(measured_s / period_s, 0.0), 1.0), 6)


def _tidy(value: float | None) -> float | None:
    """Six decimals: the digits after them are the machine's, not the road's."""
    return None if value is None else round(value, 6)
