"""An <svg> element in the making: basic shapes with presentation attributes, everything escaped.

All charts are 480 units wide, text is 12 to 14 of them: that is legible at 320 px, and 12 to 14 points on A4.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable

from telemetry.report.charts.colours import GREY, INK, PAPER

WIDTH = 480.0
TEXT = 14.0  # size of what names things
SMALL = 12.0  # of numbers at axes
# The last is what a PDF made by typst has; a browser has taken one of the others by then.
FONTS = "Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif, 'Libertinus Serif'"
_WIDE = frozenset("mwMW%@—→")
_FRAME = 1.2
_WIDEST = "36rem"  # on a wide page: the text of a chart is then as large as the page's
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def finite(value: float | None) -> float | None:
    """The value, or None for what no chart can show."""
    return value if value is not None and math.isfinite(value) else None


def escaped(text: str) -> str:
    """For an element or an attribute; without the characters that XML cannot hold."""
    return html.escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text))


def number(value: float) -> str:
    """A coordinate: two decimals, none too many."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_width(text: str, size: float = TEXT) -> float:
    """About as wide as the widest of the fonts will set it: nothing here knows the font."""
    return size * sum(0.92 if sign in _WIDE else 0.6 for sign in text)


def wrapped(text: str, width: float, size: float = TEXT) -> list[str]:
    """Lines of whole words, none wider than `width` as long as no single word is."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


class Drawing:
    """Shapes in the order of painting. `height` may grow until `svg` is called."""

    def __init__(self, key: str, title: str, description: str) -> None:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} cannot be a chart's key: a letter, then letters, digits, - or _")
        self.key = key
        self.height = 0.0
        self._title, self._description = title, description
        self._shapes: list[str] = []
        self._patterns: dict[str, str] = {}

    def rect(
        self, x: float, y: float, width: float, height: float, *, fill: str, frame: str = "", says: str = ""
    ) -> None:
        """A rectangle; a frame lies inside it, and what is too small for one is all frame."""
        place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
        self._add("rect", f'{place} fill="{frame or fill}"', says)
        if frame and min(width, height) > 2 * _FRAME:
            inside = f'x="{number(x + _FRAME)}" y="{number(y + _FRAME)}"'
            size = f'width="{number(width - 2 * _FRAME)}" height="{number(height - 2 * _FRAME)}"'
            self._add("rect", f'{inside} {size} fill="{fill}" pointer-events="none"')

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """An outline alone."""
        place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
        self._add("rect", f'{place} fill="none" stroke="{GREY}"')

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        stroke: str = INK,
        width: float = 1.0,
        dash: str = "",
    ) -> None:
        (x1, y1), (x2, y2) = start, end
        ends = f'x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"'
        pattern = f' stroke-dasharray="{dash}"' if dash else ""
        self._add("line", f'{ends} stroke="{stroke}" stroke-width="{number(width)}"{pattern}')

    def polyline(self, points: list[tuple[float, float]], *, stroke: str, width: float = 2.0) -> None:
        places = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        joins = 'stroke-linejoin="round" stroke-linecap="round"'
        paint = f'fill="none" stroke="{stroke}" stroke-width="{number(width)}"'
        self._add("polyline", f'points="{places}" {paint} {joins}')

    def dot(self, x: float, y: float, radius: float, *, fill: str, stroke: str, says: str = "") -> None:
        place = f'cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"'
        self._add("circle", f'{place} fill="{fill}" stroke="{stroke}" stroke-width="1.5"', says)

    def text(
        self, x: float, y: float, text: str, *, size: float = TEXT, anchor: str = "start", fill: str = INK
    ) -> None:
        """`y` is the base line; `anchor` start, middle or end."""
        where = f'x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
        side = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._shapes.append(f'<text {where}{side} fill="{fill}">{escaped(text)}</text>')

    def texts(self, places: Iterable[tuple[float, float, str]], *, size: float, fill: str) -> None:
        """Many of one kind, each set in the middle of its place."""
        inner = "".join(
            f'<text x="{number(x)}" y="{number(y)}">{escaped(text)}</text>' for x, y, text in places
        )
        if inner:
            look = f'font-size="{number(size)}" text-anchor="middle" fill="{fill}" pointer-events="none"'
            self._shapes.append(f"<g {look}>{inner}</g>")

    def hatch(self, name: str, paper: str, ink: str, *, step: float = 5.0, width: float = 1.5) -> str:
        """A fill of slanting lines: url(#...), defined once a drawing."""
        identity = f"{self.key}-{name}"
        lines = f'<rect width="{number(step)}" height="{number(step)}" fill="{paper}"/>'
        lines += f'<rect width="{number(width)}" height="{number(step)}" fill="{ink}"/>'
        self._patterns[name] = (
            f'<pattern id="{identity}" width="{number(step)}" height="{number(step)}"'
            f' patternUnits="userSpaceOnUse" patternTransform="rotate(45)">{lines}</pattern>'
        )
        return f"url(#{identity})"

    def _add(self, name: str, attributes: str, says: str = "") -> None:
        inner = f"><title>{escaped(says)}</title></{name}>" if says else "/>"
        self._shapes.append(f"<{name} {attributes}{inner}")

    def svg(self) -> str:
        """The whole element."""
        key, high = self.key, number(self.height)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(WIDTH)} {high}" width="100%"'
            f' style="max-width:{_WIDEST}"'
            f' role="img" aria-labelledby="{key}-title {key}-desc" font-family="{escaped(FONTS)}">'
            f'<title id="{key}-title">{escaped(self._title)}</title>'
            f'<desc id="{key}-desc">{escaped(self._description)}</desc>'
        )
        patterns = f"<defs>{''.join(self._patterns.values())}</defs>" if self._patterns else ""
        # Its own paper: whoever turned the page's colours round still sees the ink.
        paper = f'<rect width="{number(WIDTH)}" height="{high}" fill="{PAPER}"/>'
        return f"{head}{patterns}{paper}{''.join(self._shapes)}</svg>"
