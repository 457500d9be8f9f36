"""The day: vehicles, share over the limit and V85 by hour, one panel each."""

from __future__ import annotations

from collections.abc import Sequence

from speedsign.language import Language
from telemetry.report.charts.points import HourPoint


def hour_profile_svg(
    rows: Sequence[HourPoint],
    *,
    limit_kmh: int | None = None,
    words: Language,
    key: str,
    title: str,
    description: str,
) -> str:
    """Panels one below the other; V85's is left out where no hour has one, the limit is a line in it."""
    raise NotImplementedError
