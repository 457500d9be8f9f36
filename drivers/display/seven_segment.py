"""What seven segments can show that a person reads without being told: digits, '-' and these letters.

K, M, Q, V, W, X, Z and everything with a mark above or below are left out: there is no form of them that is
read for what it is. A letter has one form, so it may be written large or small.
"""

from __future__ import annotations

from collections.abc import Mapping

# Which of a (the top) … f are lit, clockwise, and g (the middle); I and O are kept apart from 1 and 0.
_FORMS = {
    "0": "abcdef", "1": "bc", "2": "abdeg", "3": "abcdg", "4": "bcfg",
    "5": "acdfg", "6": "acdefg", "7": "abc", "8": "abcdefg", "9": "abcdfg", "-": "g", " ": "",
    "A": "abcefg", "B": "cdefg", "C": "adef", "D": "bcdeg", "E": "adefg", "F": "aefg", "G": "acdef",
    "H": "bcefg", "I": "ef", "J": "bcde", "L": "def", "N": "ceg", "O": "cdeg", "P": "abefg", "R": "eg",
    "S": "acdfg", "T": "defg", "U": "bcdef", "Y": "bcdfg",
}  # fmt: skip


def _segments(form: str) -> int:
    return sum(1 << "abcdefg".index(segment) for segment in form)


_UPPER = {glyph: _segments(form) for glyph, form in _FORMS.items()}

# Bit 0 is segment a, bit 6 is g; 0 is dark.
SEGMENTS: Mapping[str, int] = _UPPER | {glyph.lower(): bits for glyph, bits in _UPPER.items()}
GLYPHS = frozenset(SEGMENTS)
