"""Calibrations that tests share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from speedsign.calibration.record import Calibration, Kind, Verdict
from speedsign.model import ClockQuality
from telemetry.calibration import next_due
from tests.telemetry.samples import BAUSKA, T0

SIGN = "bauska-3"


def record(
    number: int = 1,
    at: datetime = T0,
    *,
    kind: Kind = Kind.DRIVE_BY,
    verdict: Verdict = Verdict.PASS,
    clock: ClockQuality = ClockQuality.OK,
    **more: Any,
) -> Calibration:
    """A drive-by of the sign in Bauska that was passed; `number` makes its key."""
    facts: dict[str, Any] = {
        "by": "Jānis Bērziņš",
        "tool": "speedsign 0.2.0",
        "sign": SIGN,
        "site": BAUSKA.site,
        "driver": BAUSKA.radar,
        "mounting_angle_deg": BAUSKA.mounting_angle_deg,
        "device": {"identity": "OPS243-C", "unit": "km/h"},
        "before": {"radar.mounting_angle_deg": 0.0},
        "after": {"radar.mounting_angle_deg": 12.5},
        "runs": (
            {"reference_kmh": 50.0, "measured_kmh": 49.6},
            {"reference_kmh": 60.0, "measured_kmh": 60.2},
        ),
        "result": {"factor": 0.997, "factor_low": 0.985, "factor_high": 1.009},
        "sentence": "Every run is within the tolerance.",
        "due": next_due(kind, verdict, at, clock, 12),
    }
    return Calibration(
        key=f"{number:032x}", kind=kind, at_utc=at, clock=clock, verdict=verdict, **(facts | more)
    )
