"""The codes of a panel's font, by the single-byte encoding that it follows (iso8859-13, cp1257, …)."""

from __future__ import annotations

from collections.abc import Mapping

from speedsign.errors import DriverError

# An encoding of more than one byte a character shows it with one of these.
_TELLING = "ĀČĒĢĪĶĻŅŠŪŽĄĘĖĮŲÄÖÕÜßÉЯΩ€あ中\U0001f600"


def codes_of(encoding: str, glyphs: str, fill: int) -> Mapping[str, int]:
    """The code of each glyph; raises DriverError when the encoding has none, or is no such encoding.

    `fill` is the code of a dark cell, which no glyph may have.
    """
    codes = _table(encoding)
    unprintable = [glyph for glyph in glyphs if not glyph.isprintable()]
    if unprintable:
        raise DriverError(f"[display.registers]: glyphs has {unprintable[0]!r}, which cannot be seen")
    missing = "".join(dict.fromkeys(glyph for glyph in glyphs if glyph not in codes))
    if missing:
        raise DriverError(f"[display.registers]: the encoding {encoding!r} has no {' '.join(missing)}")
    for glyph in glyphs:
        if codes[glyph] == fill:
            raise DriverError(
                f"[display.registers]: fill {fill} is {glyph!r} in {encoding!r}, not a dark cell"
            )
    return {glyph: codes[glyph] for glyph in glyphs}


def _table(encoding: str) -> dict[str, int]:
    """Every character of a single-byte encoding, and its code."""
    found: dict[str, int] = {}
    try:
        longest = max(len(character.encode(encoding, "ignore")) for character in _TELLING)
        for code in range(256):
            character = bytes([code]).decode(encoding, "ignore")
            if len(character) == 1:
                found[character] = code
    except (LookupError, ValueError):
        found, longest = {}, 0
    if not found or longest > 1:
        raise DriverError(
            f"[display.registers]: {encoding!r} is no encoding of one byte a character; "
            "ascii, iso8859-13 and cp1257 are"
        )
    return found
