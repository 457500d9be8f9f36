"""Vehicles by speed."""

from __future__ import annotations

from collections.abc import Mapping

from speedsign.language import Language


def histogram_svg(
    counts: Mapping[int, int],
    *,
    limit_kmh: int,
    v85_kmh: float | None,
    rounds: bool,
    words: Language,
    key: str,
    title: str,
    description: str,
) -> str:
    """Bars of 1 km/h, or wider so that there are at most 60; the limit and V85 as lines with their names.

    `counts` is {integer km/h: vehicles}; `rounds` tells which speeds an integer stands for. Few vehicles far
    from all others (less than one in a thousand) are counted in a note instead of being drawn.
    """
    raise NotImplementedError
