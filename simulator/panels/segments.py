"""Seven-segment digits as lines of text, for the terminal."""

from __future__ import annotations

_SEGMENTS = {  # which of a … g are lit, clockwise from the top, g in the middle
    "0": "abcdef", "1": "bc", "2": "abdeg", "3": "abcdg", "4": "bcfg",
    "5": "acdfg", "6": "acdefg", "7": "abc", "8": "abcdefg", "9": "abcdfg",
    "A": "abcefg", "B": "cdefg", "C": "adef", "D": "bcdeg", "E": "adefg", "F": "aefg",
    "H": "bcefg", "L": "def", "O": "cdeg", "P": "abefg", "U": "bcdef", "-": "g", "_": "d", " ": "",
}  # fmt: skip
_UNKNOWN = "adg"  # three bars: what a panel shows for a code it does not know is not documented


def draw(lit: str) -> list[str]:
    """Five lines of text, all of the same width, 5 columns a digit and one between.

    >>> draw("7")
    [' ━━━ ', '    ┃', '     ', '    ┃', '     ']
    """
    rows: list[list[str]] = [[], [], [], [], []]
    for character in lit:
        on = _SEGMENTS.get(character.upper(), _UNKNOWN)
        for row, places in zip(rows, (" a ", "f b", " g ", "e c", " d "), strict=True):
            left, middle, right = list(places)
            row.append(_bar(left, on, "┃") + _bar(middle, on, "━") * 3 + _bar(right, on, "┃"))
    return [" ".join(row) for row in rows]


def _bar(segment: str, on: str, ink: str) -> str:
    return ink if segment in on else " "
