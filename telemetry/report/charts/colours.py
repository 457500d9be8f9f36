"""Colours that the colour-blind tell apart and that differ in grey.

The three kinds of speed stand at least 3:1 apart from each other in luminance, lines and outlines 3:1 from
white (WCAG 2.2, 1.4.11), text 4.5:1 (1.4.3). Blue, vermilion and the ink's neighbours are Okabe and Ito's
(2008); the scales of heat maps run along ColorBrewer's YlGnBu and YlOrRd, darker at every step.
"""

from __future__ import annotations

PAPER = "#ffffff"
INK = "#1a1a1a"
FAINT = "#d0d0d0"  # grid lines: what they say is said by the numbers at the axis
GREY = "#6b6b6b"
MISSING = "#858585"  # hatching where nothing was measured
BLUE = "#0072b2"
PALE = "#dcebf7"  # within the limit, always with a blue outline
VERMILION = "#d55e00"  # over it
DARK = "#4a0d2b"  # more than 10 over it

_BLUES = ("#f7fcd0", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84", "#061a52")
_REDS = ("#fff8c8", "#fee391", "#fec44f", "#fe9929", "#ec7014", "#cc4c02", "#8c2d04", "#521a02")


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0 to 1, as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ink_on(colour: str) -> str:
    """White or black, whichever is easier to read on it."""
    return max((PAPER, "#000000"), key=lambda ink: contrast(ink, colour))


def scale(steps: int, *, warm: bool = False) -> list[str]:
    """That many colours from light to dark; 1 to 12."""
    anchors = _REDS if warm else _BLUES
    if steps == 1:
        return [anchors[3]]
    return [_between(anchors, step * (len(anchors) - 1) / (steps - 1)) for step in range(steps)]


def _between(anchors: tuple[str, ...], place: float) -> str:
    low = min(int(place), len(anchors) - 2)
    part = place - low
    mixed = (
        round(int(anchors[low][at : at + 2], 16) * (1 - part) + int(anchors[low + 1][at : at + 2], 16) * part)
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{value:02x}" for value in mixed)
