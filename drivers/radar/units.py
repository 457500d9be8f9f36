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

NOT_CONFIRMED = "unit not confirmed: none is stated, and the radar has not said what it is set to"
SET_OTHERWISE = "unit differs: the radar says that it is set to another one"
LINE_DIFFERS = "unit differs: the line states another one than configured"
UNIT_UNKNOWN = "unit unknown: the line states one that is not a speed's"


class UnitBelief:
    """Which unit the speeds of a radar are in. Scaling by the wrong one is the fault nobody notices.

    `unit` is what the radar is configured to; None (replay): believe each line, else what the radar
    last said, else `unsaid`.
    """

    def __init__(self, unit: Unit | None, factory: Unit, unsaid: Unit = Unit.KMH) -> None:
        self.confirmed = False
        self._unit = unit
        self._factory = factory
        self._unsaid = unsaid
        self._stated_kmh: float | None = None  # what one unit is worth, by the radar's last word

    def learn(self, kmh_per_unit: float) -> None:
        """The radar has said which unit it is set to."""
        self._stated_kmh = kmh_per_unit
        self.confirmed = self._unit is not None and kmh_per_unit == self._unit.kmh

    def forget(self) -> None:
        """The radar has started again: what it said before counts no more."""
        self._stated_kmh, self.confirmed = None, False

    def kmh_per_unit(self, word: str = "") -> float | str:
        """What one unit is worth in km/h, or the reason why a speed must not be used.

        `word` is the unit that the line itself states, if any; it is checked, never applied on top.
        """
        if word:
            of_line = KMH_PER_UNIT_WORD.get(word)
            if of_line is None:
                return UNIT_UNKNOWN
            return of_line if self._unit is None or of_line == self._unit.kmh else LINE_DIFFERS
        if self._unit is None:
            return self._unsaid.kmh if self._stated_kmh is None else self._stated_kmh
        if self.confirmed:
            return self._unit.kmh
        if self._stated_kmh is not None:
            return SET_OTHERWISE
        return self._unit.kmh if self._unit is self._factory else NOT_CONFIRMED


class KeepsUnitBelief:
    """`unit_confirmed` of a `speedsign.ports.Decoder` that keeps its belief in `_unit`."""

    _unit: UnitBelief

    @property
    def unit_confirmed(self) -> bool:
        """Whether the speeds are known to be in the configured unit."""
        return self._unit.confirmed

    @unit_confirmed.setter
    def unit_confirmed(self, confirmed: bool) -> None:
        self._unit.confirmed = confirmed
