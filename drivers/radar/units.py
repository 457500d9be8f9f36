"""The words that radars use for units, and what each is worth.

Source: OmniPreSense AN-010 tables of the `U` commands and of the `OU` field; both spellings occur.
"""

from __future__ import annotations

from speedsign.model import Unit

KMH_PER_UNIT_WORD: dict[str, float] = {
    "km/h": Unit.KMH.kmh,
    "kmph": Unit.KMH.kmh,
    "kmh": Unit.KMH.kmh,
    "kph": Unit.KMH.kmh,
    "km-per-hr": Unit.KMH.kmh,
    "mph": Unit.MPH.kmh,
    "m/s": Unit.MPS.kmh,
    "mps": Unit.MPS.kmh,
    "m-per-sec": Unit.MPS.kmh,
    "cm/s": 0.036,
    "cmps": 0.036,
    "cm-per-sec": 0.036,
    "ft/s": 1.09728,
    "ftps": 1.09728,
    "fps": 1.09728,
    "ft-per-sec": 1.09728,
}

# The FMCW models report ranges in the same form as speeds; only the word tells them apart.
RANGE_WORDS = frozenset({"m", "cm", "ft", "yd", "in"})
