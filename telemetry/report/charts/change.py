"""Before and after: how much each figure changed, with its range and the line of no change."""

from __future__ import annotations

from collections.abc import Sequence

from speedsign.language import Language
from telemetry.report.charts.points import ChangeRow


def before_after_svg(
    rows: Sequence[ChangeRow], *, words: Language, key: str, title: str, description: str
) -> str:
    """A row for each figure, rows of one unit on one scale; filled: the range does not hold zero."""
    raise NotImplementedError
