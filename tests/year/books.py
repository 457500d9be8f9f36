"""What the sign has kept beside what was true: each vehicle once, no second that was not measured.

Settled at midnight, when nobody drives, and each time that the sign's program has ended.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.year import read_plainly
from tests.year.breaking import Breaker
from tests.year.read_plainly import VehicleRow
from tests.year.stand import Given, Stand
from tests.year.street import Passed
from tests.year.timeline import BEGIN, DAY_S

ENOUGH = 5  # readings: with fewer nobody has to find it
RADAR_BACK_S = 110.0  # until a radar that is there again is used: the port's pause, the set-up's
SIGN_BACK_S = 25.0  # the same of a program that starts beside a radar that works
UNHEARD_S = 0.6  # what changes meanwhile, a tracker can take for somebody else
FEW, SPLIT_SHARE = 2, 0.005  # vehicles that a tracker takes for two; docs/accuracy.md has it of all traffic
IN_VIEW_S = 8.0  # a vehicle that has left this long before the end of a program is in its store
TWO_S = 2.0  # how far a dated row may be off
KEEP_S = 30 * DAY_S
PROOF_S = 20.0  # from one proof of life to the next
_KMH, _SHARE = 4.0, 0.08


class BooksError(AssertionError):
    """What is kept is not what was."""


class Kept(NamedTuple):
    """What is remembered for a month of somebody who is in the store: nothing that is the product's own."""

    first_s: float
    last_s: float


@dataclass(slots=True)
class Books:
    """`expected` is what the present file has to hold, by key; `counts` says what was judged and excused."""

    stand: Stand
    breaker: Breaker
    expected: dict[tuple[float, float, float], Kept] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    epoch: str = ""
    _unmatched: list[Given] = field(default_factory=list)

    # ------------------------------------------------------------------ the file

    def look(self) -> None:
        """The file holds what was confirmed, and nothing else."""
        stand = self.stand
        with read_plainly.opened(stand.sign_card.files(), stand.path.name) as db:
            read_plainly.check(db)
            epoch, rows = read_plainly.epoch(db), read_plainly.vehicles(db)
        if epoch != self.epoch:
            self._another_file(epoch, {row.key for row in rows})
        for given in stand.kept:
            self._confirmed(given)
        stand.kept.clear()
        known = {row.key: row for row in rows}
        if len(known) != len(rows):
            twice = [key for key, n in Counter(row.key for row in rows).items() if n > 1]
            raise BooksError(f"stored twice: {twice[:3]}")
        for given in stand.maybe:
            if _key(given) in known:
                self.counts["kept without having said so"] += 1
                self._confirmed(given)
            else:
                self.counts["missed: not confirmed when the program ended"] += 1
        if any(_key(given) not in known for given in stand.maybe):
            self._note_lost([given for given in stand.maybe if _key(given) not in known])
        stand.maybe.clear()
        self._compare(known)

    def _confirmed(self, given: Given) -> None:
        self.expected[_key(given)] = Kept(given.first_s, given.last_s)
        self._unmatched.append(given)

    def _another_file(self, epoch: str, there: set[tuple[float, float, float]]) -> None:
        """A new epoch: after damage, or at the very beginning."""
        self.stand.say("the store is another one")
        if self.epoch and not self.breaker.counts.get("card damaged"):
            raise BooksError("a new store was begun, and nothing had been damaged")
        self.epoch = epoch
        self.expected = {key: given for key, given in self.expected.items() if key in there}
        gone = [given for given in self.stand.kept if _key(given) not in there]
        self.counts["missed: in a file that was damaged"] += len(gone)
        self._unmatched += gone  # they were kept once
        self.stand.kept = [given for given in self.stand.kept if _key(given) in there]

    def _compare(self, known: dict[tuple[float, float, float], VehicleRow]) -> None:
        now_s = self.stand.loop.time()
        for key in [key for key in self.expected if key not in known]:
            gone = self.expected.pop(key)
            if gone.last_s > now_s - KEEP_S + 2 * DAY_S:
                raise BooksError(f"a vehicle that was confirmed at {gone.last_s:.1f} s is not there: {key}")
            self.counts["forgotten in time"] += 1
        for key, row in known.items():
            if key not in self.expected:
                raise BooksError(f"a vehicle is there that was never given: {row}")
            self._check_date(self.expected[key], row)

    def _check_date(self, given: Kept, row: VehicleRow) -> None:
        if row.clock == "unknown":
            self.counts["undated rows seen"] += 1
            return
        if self._was_lied_to(given):
            self.counts["rows dated by a clock that lied"] += 1
            return
        off_s = row.last_ms / 1000 - BEGIN.timestamp() - given.last_s
        if abs(off_s) > TWO_S:
            raise BooksError(f"a row is dated ({row.clock}) {off_s:+.1f} s from the truth: {row}")

    def _was_lied_to(self, given: Kept) -> bool:
        """Whether somebody vouched for a wrong time while it passed, or was dated."""
        return any(
            lie.from_s < given.last_s + 60 and given.first_s < lie.until_s + 60 for lie in self.stand.lies
        )

    # ------------------------------------------------------------------ vehicles

    def settle(self) -> None:
        """Each vehicle of the day has its record, or there is a reason; each record has its vehicle."""
        passed, self.stand.street.passed = self.stand.street.passed, []
        records, self._unmatched = self._unmatched, []
        found: Counter[int] = Counter()
        for given in records:
            number = _best(given, passed)
            if number is None:
                raise BooksError(
                    f"a vehicle is kept that never was: {given.first_s:.1f} to {given.last_s:.1f} s {given}"
                )
            found[number] += 1
        for number, one in enumerate(passed):
            self._judge(one, found[number])

    def _judge(self, one: Passed, n: int) -> None:
        reason = self._reason(one)
        if not one.alone:
            self.counts["two at once"] += 1
            if n > 2:
                raise BooksError(f"kept {n} times, though there were two: {one}")
        elif n == 1:
            self.counts["kept once"] += 1
            if reason is None:
                self.counts["kept once, and nothing was wrong"] += 1
        elif n == 2 and not self._cut_in_two(one):
            self._split(one)
        elif n > 2 and not self._cut_in_two(one):
            raise BooksError(f"kept {n} times: {one}")
        elif reason is None and n == 0:
            raise BooksError(f"missed without a reason: {one}")
        else:
            self.counts[f"missed: {reason}" if n == 0 else "cut in two by a start"] += 1

    def _split(self, one: Passed) -> None:
        """Now and then a tracker takes one for two; how often is bounded."""
        self.counts["taken for two"] += 1
        if self.counts["taken for two"] > FEW + SPLIT_SHARE * self.counts["kept once"]:
            raise BooksError(f"kept twice, and too many were before: {one}")

    def _reason(self, one: Passed) -> str | None:
        """Out of a closed list; None: it had to be kept."""
        if one.heard < ENOUGH:
            return "too few readings"
        if one.longest_unheard_s > UNHEARD_S:
            return "not heard for longer than a vehicle is waited for"
        for trouble in self.breaker.troubles:
            if (
                trouble.fault.part == "radar"
                and trouble.from_s - 1 < one.t_exit_s
                and (one.t_enter_s < trouble.until_s + RADAR_BACK_S)
            ):
                return f"radar {trouble.fault.what}"
        for away in self.stand.downs:
            back_s = away.until_s + (RADAR_BACK_S if away.power else SIGN_BACK_S)
            if away.from_s - IN_VIEW_S < one.t_exit_s and one.t_enter_s < back_s:
                return "the program was not running"
        return None

    def _cut_in_two(self, one: Passed) -> bool:
        """A program ended or began, or was told of another place, while it was in view."""
        moments = [at_s for away in self.stand.downs for at_s in (away.from_s, away.until_s)]
        moments += [
            trouble.from_s for trouble in self.breaker.troubles if trouble.fault.part in ("config", "radar")
        ]
        moments += [trouble.until_s for trouble in self.breaker.troubles if trouble.fault.part == "radar"]
        if one.longest_unheard_s > UNHEARD_S:
            return True
        return any(one.t_enter_s - 2 < at_s < one.t_exit_s + 5 for at_s in moments) or (
            (self._reason(one) or "").startswith("radar")
        )

    def _note_lost(self, lost: list[Given]) -> None:
        self.stand.say(f"{len(lost)} not confirmed, and not there")


def _key(given: Given) -> tuple[float, float, float]:
    vehicle = given.record.vehicle
    return vehicle.t_first_mono_s, vehicle.t_last_mono_s, vehicle.speed_kmh


def _best(given: Given, passed: list[Passed]) -> int | None:
    """Whom it is of: somebody of that direction and about that speed who was there then."""
    best, overlap_s = None, -2.0
    vehicle = given.record.vehicle
    for number, one in enumerate(passed):
        common_s = min(one.t_exit_s, given.last_s) - max(one.t_enter_s, given.first_s)
        slack = _KMH + _SHARE * one.fastest_kmh
        if (
            common_s > overlap_s
            and vehicle.direction is one.direction
            and one.slowest_kmh - slack <= vehicle.speed_kmh <= one.fastest_kmh + slack
        ):
            best, overlap_s = number, common_s
    return best
