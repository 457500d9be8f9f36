"""Whether each part of the sign still goes round: a beat a turn, and a deadline for the next one.

A part beats also while its device is away, its disk full or its broker silent: it tries again, and so goes
round. Only what does not go round is late: stuck in a call, locked for ever, dead. Time is counted by looks,
so that a machine that stood still, or a process that was stopped, makes nobody late.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

# Radar, display: a turn is a connect (5 s at most) or a request with its retries (2 s each at most).
LOOP_DEADLINE_S = 20.0
# The kernel gives up a card's command after ten seconds: an item of several writes may meet that twice.
STORE_DEADLINE_S = 30.0
# A big file is checked, brought forward or moved aside: the display does not wait for that.
OPEN_DEADLINE_S = 3600.0
TELEMETRY_DEADLINE_S = 300.0
COUNTED_S = 2.5  # of the time between two looks, at most


class Beat:
    """What a part calls at each turn; from any thread."""

    __slots__ = ("allowed_s", "deadline_s", "turns")

    def __init__(self, deadline_s: float = math.inf) -> None:
        self.deadline_s = self.allowed_s = deadline_s
        self.turns = 0

    def __call__(self) -> None:
        """It has gone round."""
        self.allowed_s = self.deadline_s
        self.turns += 1

    def busy(self, at_most_s: float) -> None:
        """It has gone round, and the next turn may take so long."""
        self.allowed_s = max(at_most_s, self.deadline_s)
        self.turns += 1


@dataclass(slots=True)
class _Watched:
    beat: Beat
    vital: bool
    turns: int = 0  # as seen at the last look
    silent_s: float = 0.0


class Beats:
    """The beats of all parts, looked at by the supervisor.

    >>> beats = Beats()
    >>> radar = beats.part("radar", 5.0)
    >>> for second in range(4):
    ...     beats.late(2.0 * second)
    []
    []
    []
    ['radar']
    """

    def __init__(self) -> None:
        self._parts: dict[str, _Watched] = {}
        self._looked_s: float | None = None

    def part(self, name: str, deadline_s: float, *, vital: bool = True) -> Beat:
        """A beat for one more part, named once; `vital` False: when it is late that is told, no more."""
        if name in self._parts:
            raise ValueError(f"two parts are named {name}")
        beat = Beat(deadline_s)
        self._parts[name] = _Watched(beat, vital)
        return beat

    def late(self, now_s: float, excused: Collection[str] = ()) -> list[str]:
        """Look at all of them; the vital ones that are late, in the order in which they were named.

        `excused`: are being kept from running, by whoever starts them again. A part's
        second line is excused with it: "display (/dev/ttyUSB1)" with "display".
        """
        passed_s = 0.0 if self._looked_s is None else now_s - self._looked_s
        self._looked_s = now_s
        for name, part in self._parts.items():
            turns = part.beat.turns
            if turns != part.turns or name.partition(" ")[0] in excused:
                part.turns, part.silent_s = turns, 0.0
            else:
                part.silent_s += min(max(passed_s, 0.0), COUNTED_S)
        return [name for name in self._are_late() if self._parts[name].vital]

    def told(self) -> list[str]:
        """Those that are late and not vital, as of the last look."""
        return [name for name in self._are_late() if not self._parts[name].vital]

    def silent_s(self, name: str) -> float:
        """Since when a part has not beaten, as counted by looks."""
        return self._parts[name].silent_s

    def _are_late(self) -> list[str]:
        return [name for name, part in self._parts.items() if part.silent_s > part.beat.allowed_s]
