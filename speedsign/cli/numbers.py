"""Numbers as people type them: 0.25 and 0,25 are the same, and 2,000 may be two or two thousand."""

from __future__ import annotations

import re

_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")


def decimal_of(text: str) -> float:
    """The number; ValueError with a sentence for what is none, or may be two different ones.

    >>> decimal_of("0,25")
    0.25
    """
    plain = text.strip()
    if _THOUSANDS.fullmatch(plain):
        raise ValueError(
            f"{plain} may mean {plain.replace(',', '')} or {plain.replace(',', '.')}: write one of these"
        )
    try:
        return of_point_or_comma(plain)
    except ValueError:
        raise ValueError(f"{plain} is no number") from None


def of_point_or_comma(text: str) -> float:
    """The number, whatever its comma may mean; ValueError for what is none, as 5_0 outside of programs."""
    return float(text.replace("_", "no").replace(",", "."))
