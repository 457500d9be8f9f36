"""What a file says in every row of the whole installation: whether it rounded, and where it came from.

A file of others has no such columns: then it is as the importer was told.
"""

from __future__ import annotations

from telemetry.exchange.csv_file import FileRefused, RowError, shown
from telemetry.query import Standing

ROUNDS, ORIGIN = "rounds", "origin"  # columns
_TRUTH = {"": None, "true": True, "1": True, "false": False, "0": False}
# From worst to best: whether it is known what the panel did, and when was measured (telemetry.schema).
ORIGINS = ("imported", "recorded", "copied", "measured")


def origin_of(standing: Standing) -> str:
    """As the column has it."""
    if not standing.display_known:
        return "imported"
    if standing.assumed:
        return "recorded"
    return "copied" if standing.imported else "measured"


class Said:
    """Of one file; `told`: whether it rounded, for a file without that column."""

    def __init__(self, name: str, *, told: bool) -> None:
        self._name = name
        self._told = told
        self._rounds: set[bool | None] = set()
        self._origins = {ORIGINS[-1]}

    @property
    def rounds(self) -> bool:
        return next((known for known in self._rounds if known is not None), self._told)

    @property
    def origin(self) -> str:
        """The worst of any row; a file that says nothing is as good as what else it says."""
        return min(self._origins, key=ORIGINS.index)

    def read_rounds(self, text: str) -> bool:
        """RowError for a word that is none, or another one than the rows before had."""
        word = text.strip().lower()
        if word not in _TRUTH:
            raise RowError(f"{ROUNDS} {shown(text)} is neither true nor false")
        if self._rounds - {_TRUTH[word]}:
            raise RowError(
                f"{ROUNDS} {shown(text)} is not what the rows before say; a device does one of both"
            )
        if _TRUTH[word] and not self._told:
            raise FileRefused(f"{self._name}: its column {ROUNDS} says true; leave --truncates out")
        self._rounds.add(_TRUTH[word])
        return self.rounds

    def read_origin(self, text: str) -> str:
        word = text.strip().lower() or ORIGINS[-1]
        if word not in ORIGINS:
            raise RowError(f"{ORIGIN} {shown(text)} is none of {', '.join(ORIGINS)}")
        self._origins.add(word)
        return word
