"""Seconds that the sign says it measured, beside those in which its radar could have been heard."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from tests.year import read_plainly
from tests.year.books import PROOF_S, RADAR_BACK_S, SIGN_BACK_S
from tests.year.breaking import Breaker
from tests.year.stand import Stand
from tests.year.timeline import BEGIN, DAY_S

QUARTER_S = 900
CUT_S = 61.0  # what a power cut may cost: docs/reliability.md
NEAR_S = 60.0
SURELY_OFF = {"unplug", "silence"}
SLACK_S = 2.5  # a second of a quarter may be taken for one of the next, as far as ticks are apart


class CoverageError(AssertionError):
    """More was measured than could be, or much less."""


@dataclass(slots=True)
class CoverageBook:
    """`settle` at the end of each day."""

    stand: Stand
    breaker: Breaker
    counts: Counter[str] = field(default_factory=Counter)

    def settle(self, day: int) -> None:
        """Judge each dated quarter of an hour of the day before: it is closed by now, if somebody was there.

        One that was closed before may be open again; and where nobody is there to close it, what was measured
        is in the open one. There may be a closed one beside it: of another place, made by a clock that lied.
        """
        first_s = (day - 1) * DAY_S - QUARTER_S
        from_s = int(BEGIN.timestamp() + first_s)
        stand = self.stand
        with read_plainly.opened(stand.sign_card.files(), stand.path.name) as db:
            rows = read_plainly.closed_intervals(db, from_s)
            rows += (read_plainly.reopened_intervals if stand.sign else read_plainly.open_intervals)(
                db, from_s
            )
        measured: dict[int, float] = {}
        doubtful = set()
        for row in rows:
            at = int(row.start_s - BEGIN.timestamp())
            if row.clock == "unknown":
                doubtful.add(at)
            else:
                measured[at] = measured.get(at, 0.0) + row.measured_s
        for at in range(int(first_s), int(first_s + DAY_S), QUARTER_S):
            if at >= 0:
                self._judge(at, measured.get(at), mixed=at in doubtful)

    def _judge(self, at: int, dated_s: float | None, *, mixed: bool) -> None:
        """`dated_s`: what was measured by a known time; None: there is no such interval."""
        most_s, seconds = self._most_s(at), dated_s or 0.0
        if not self.stand.knew_the_time(at - NEAR_S, at + QUARTER_S + NEAR_S):
            self.counts["quarters without a date"] += 1
            return
        if seconds > most_s + SLACK_S:
            raise CoverageError(
                f"{seconds:.1f} s measured in the quarter at {at} s; {most_s:.1f} were possible"
            )
        if self._file_was_lost(at):
            self.counts["quarters in a file that was damaged"] += 1
            return
        least_s = self._least_s(at)
        # It is made when somebody is there who knows the time.
        unknown_since = not self._was_known_after(self._back_s(at + QUARTER_S))
        if dated_s is None and (self.stand.sign is None or unknown_since) and least_s <= SLACK_S:
            self.counts["quarters that nobody was there for"] += 1
            return
        if dated_s is None:
            raise CoverageError(f"the quarter at {at} s is missing, though the time was known")
        if not mixed and seconds < least_s - SLACK_S:
            raise CoverageError(f"{seconds:.1f} s measured in the quarter at {at} s; {least_s:.1f} had to be")
        self.counts["quarters measured"] += 1

    def _back_s(self, at_s: float) -> float:
        """When the program ran again that did not run at a moment; else that moment."""
        return max([at_s, *(away.until_s for away in self.stand.downs if away.from_s <= at_s < away.until_s)])

    def _was_known_after(self, from_s: float) -> bool:
        """Whether a clock has been right, and said so, at any moment since."""
        times = [*self.stand.times[1:], (float("inf"), True)]
        spans = zip(self.stand.times, times, strict=True)
        return any(good and until_s > from_s for (_, good), (until_s, _) in spans)

    def _most_s(self, at: int) -> float:
        """Less what was surely not measured, by the quarter's own seconds."""
        off_s = sum(max(_common_s(at, away.from_s, away.until_s), 0.0) for away in self.stand.downs) + sum(
            max(_common_s(at, trouble.from_s + PROOF_S, trouble.until_s), 0.0)
            for trouble in self.breaker.troubles
            if trouble.fault.part == "radar" and trouble.fault.what in SURELY_OFF
        )
        return max(QUARTER_S - off_s, QUARTER_S if self._overlap() else 0.0)

    def _overlap(self) -> bool:
        """Whether two of these were at the same time: their seconds must not be taken off twice."""
        spans = sorted(
            [(away.from_s, away.until_s) for away in self.stand.downs]
            + [(t.from_s, t.until_s) for t in self.breaker.troubles if t.fault.part == "radar"]
        )
        return any(low < before for (_, before), (low, _) in pairwise(spans))

    def _least_s(self, at: int) -> float:
        lost_s = PROOF_S if at == 0 else 0.0
        for away in self.stand.downs:
            back_s = RADAR_BACK_S if away.power else SIGN_BACK_S + PROOF_S
            lost_s += max(_common_s(at, away.from_s - CUT_S - PROOF_S, away.until_s + back_s), 0.0)
        for trouble in self.breaker.troubles:
            if trouble.fault.part == "radar":
                lost_s += max(_common_s(at, trouble.from_s - PROOF_S, trouble.until_s + RADAR_BACK_S), 0.0)
        if at == 0:
            lost_s += RADAR_BACK_S
        return QUARTER_S - lost_s

    def _file_was_lost(self, at: int) -> bool:
        """What was measured before is in the file that was set aside."""
        damaged = (one for one in self.breaker.troubles if str(one.fault) == "card damaged")
        return any(at < one.until_s + NEAR_S for one in damaged)


def _common_s(at: int, from_s: float, until_s: float) -> float:
    return min(at + QUARTER_S, until_s) - max(at, from_s)
