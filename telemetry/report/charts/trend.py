"""Day after day: V85 as a line, vehicles as bars below it."""

from __future__ import annotations

from collections.abc import Sequence

from speedsign.language import Language
from telemetry.report.charts.points import TrendPoint


def trend_svg(
    points: Sequence[TrendPoint],
    *,
    limit_kmh: int | None = None,
    words: Language,
    key: str,
    title: str,
    description: str,
) -> str:
    """Up to 120 points in their order; what was measured in part is hollow, what was not is a gap."""
    raise NotImplementedError
