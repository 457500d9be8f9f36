"""Seven-segment digits as lines of text, for the terminal."""

from __future__ import annotations

_SEGMENTS = {  # which of a … g are lit, clockwise from the top, g in the middle
    "0": "abcdef", "1": "bc", "2": "abdeg", "3": "abcdg", "4": "bcfg",
    "5": "acdfg", "6": "acdefg", "7": "abc", "8": "abcdefg", "9": "abcdfg",
    "A": "abcefg", "B": "cdefg", "C": "adef", "D": "bcdeg", "E": "adefg", "F": "aefg", "G": "acdef",
    "H": "bcefg", "I": "ef", "J": "bcde", "L": "def", "N": "ceg", "O": "cdeg", "P": "abefg", "R": "eg",
    "S": "acdfg", "T": "defg", "U": "bcdef", "Y": "bcdfg", "-": "g", "_": "d", " ": "",
}  # fmt: skip
_READ_AS = {frozenset(on): glyph for glyph, on in reversed(_SEGMENTS.items())}  # an S is read as 5
_UNKNOWN = "adg"  # three bars: what a panel shows for a code it does not know is not documented


def read(bits: int) -> str:
    """What a person reads from segments that are lit, bit 0 for a to bit 6 for g; '?' where nothing is.

    >>> read(0x66) + read(0x07) + read(0)
    '47 '
    """
    return _READ_AS.get(frozenset("abcdefg"[bit] for bit in range(7) if bits >> bit & 1), "?")


def draw(lit: str) -> list[str]:
    """Five lines of text, all of the same width, 5 columns a digit and one between, where a point may be.

    >>> draw("7.")
    [' ━━━  ', '    ┃ ', '      ', '    ┃ ', '     .']
    """
    rows: list[list[str]] = [[], [], [], [], []]
    for character, pointed in _cells(lit):
        on = _SEGMENTS.get(character.upper(), _UNKNOWN)
        for row, places in zip(rows, (" a ", "f b", " g ", "e c", " d "), strict=True):
            left, middle, right = list(places)
            point = "." if pointed and middle == "d" else " "
            row.append(_bar(left, on, "┃") + _bar(middle, on, "━") * 3 + _bar(right, on, "┃") + point)
    drawn = ["".join(row) for row in rows]
    return drawn if lit.endswith(".") else [line[:-1] for line in drawn]


def _cells(lit: str) -> list[tuple[str, bool]]:
    """Each character, and whether a point follows it; the point takes no cell of its own."""
    followers = (lit + " ")[1:]
    return [(one, after == ".") for one, after in zip(lit, followers, strict=True) if one != "."]


def _bar(segment: str, on: str, ink: str) -> str:
    return ink if segment in on else " "
