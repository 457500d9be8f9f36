"""The week: a cell for each hour of it."""

from __future__ import annotations

from collections.abc import Mapping

from speedsign.language import Language
from telemetry.report.document import Kind


def heat_map_svg(
    values: Mapping[tuple[int, int], float | None],
    *,
    kind: Kind,
    unit: str,
    words: Language,
    key: str,
    title: str,
    description: str,
) -> str:
    """7 rows, Monday first, of 24 hours: the more, the darker; not measured: hatched.

    `values` is {(0 Monday to 6, 0 to 23): value}; `kind` MEAN or COUNT, or SHARE (0 to 1, written in per
    cent); `unit` says in the legend what they are: "vehicles per hour".
    """
    raise NotImplementedError
