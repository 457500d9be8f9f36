"""What the hub has beside what the sign has: after quiet hours the same, each of it once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.year import read_plainly
from tests.year.breaking import Breaker
from tests.year.read_plainly import IntervalRow, VehicleRow
from tests.year.stand import SIGN_ID, Lie, Stand
from tests.year.timeline import BEGIN, DAY_S

QUIET_S = 2 * 3600.0
LOOK_BACK_S = 3 * DAY_S
WEEK_S = 7 * DAY_S
WAIT_S = 5 * 3600.0
SAME_MS, SAME_KMH = 1100, 0.6  # as messages round
QUARTER_S = 900.0
ROUNDED_S = 0.02  # messages carry hundredths


class HubError(AssertionError):
    """Something was lost or doubled between the sign and the hub."""


@dataclass(slots=True)
class HubBook:
    """`compare` at the end of a quiet day."""

    stand: Stand
    breaker: Breaker
    counts: Counter[str] = field(default_factory=Counter)
    _last_whole_s: float = 0.0

    def is_quiet(self) -> bool:
        """All links have been up for so long."""
        now_s = self.stand.loop.time()
        return (
            self.stand.sign is not None
            and self.stand.hub is not None
            and all(
                trouble.until_s < now_s - QUIET_S
                for trouble in self.breaker.troubles
                if trouble.fault.part in ("broker", "network", "hub", "sign", "card")
            )
        )

    def compare(self) -> None:
        """Everything from some days back; once a week everything there is."""
        now_s = self.stand.loop.time()
        if not self.is_quiet():
            self.counts["days that were not quiet"] += 1
            return
        whole = now_s - self._last_whole_s >= WEEK_S
        if whole:
            self._last_whole_s = now_s
        from_s = 0 if whole else int(BEGIN.timestamp() + now_s - LOOK_BACK_S)
        stand = self.stand
        with read_plainly.opened(stand.sign_card.files(), stand.path.name) as db:
            reopened = read_plainly.reopened_intervals(db, from_s)
            own, known = read_plainly.closed_intervals(db, from_s), read_plainly.vehicles(db)
        with read_plainly.opened(stand.hub_card.files(), stand.hub_path.name) as db:
            read_plainly.check(db)
            heard = read_plainly.hub_intervals(db, SIGN_ID, from_s)
            there = read_plainly.hub_vehicles(db, SIGN_ID)
        self._compare(own, reopened, heard)
        self._compare_vehicles(known, there)
        self.counts["days compared"] += 1
        stand.say(f"hub has {len(own)} intervals of the sign, {sum(row.n for row in own)} vehicles")

    def _compare(self, own: list[IntervalRow], reopened: list[IntervalRow], heard: list[IntervalRow]) -> None:
        there: dict[object, list[IntervalRow]] = {}
        for row in heard:
            there.setdefault((row.start_s, row.boot), []).append(row)
        for row in own:
            self._take(row, _is_same, there)
        for row in reopened:  # what was told of it before, to the last revision
            self._take(row, _is_earlier, there)
        self.counts["intervals that were open again"] += len(reopened)
        self._judge_more(sorted(row for rows in there.values() for row in rows), own)

    def _take(
        self,
        row: IntervalRow,
        fits: Callable[[IntervalRow, IntervalRow], bool],
        there: dict[object, list[IntervalRow]],
    ) -> None:
        """What the hub has in the place of a row of the sign is compared, and done with."""
        near = there.get((row.start_s, row.boot), [])
        found = next((one for one in near if fits(one, row)), None)
        if found is None:
            raise HubError(f"an interval of the sign is not at the hub: {row}; there: {near}")
        near.remove(found)

    def _compare_vehicles(self, known: list[VehicleRow], there: list[tuple[int, float]]) -> None:
        """Of the last days the single ones, too: all but the newest, which wait to be sent together."""
        now_ms = (BEGIN.timestamp() + self.stand.loop.time()) * 1000
        low_ms, high_ms = now_ms - 2 * DAY_S * 1000, now_ms - WAIT_S * 1000
        dated = [row for row in known if row.clock != "unknown"]
        own = sorted((row.last_ms, row.speed_kmh) for row in dated if low_ms <= row.last_ms <= high_ms)
        heard = sorted(one for one in there if low_ms - 5000 <= one[0] <= high_ms + 5000)
        for last_ms, kmh in own:
            found = [
                one for one in heard if abs(one[0] - last_ms) <= SAME_MS and abs(one[1] - kmh) <= SAME_KMH
            ]
            if not found:
                like = [row for row in known if row.last_ms == last_ms]
                near = sorted(there, key=lambda one: abs(one[0] - last_ms))[:3]
                alike = [one for one in there if abs(one[1] - kmh) <= SAME_KMH / 6]
                raise HubError(
                    f"a vehicle of the sign is not at the hub: {like}; near: {near}; alike: {alike}"
                )
            heard.remove(found[0])
        self.counts["vehicles compared"] += len(own)
        extra = [one for one in heard if low_ms + 5000 <= one[0] <= high_ms - 5000]
        if extra and not self._damages():
            raise HubError(f"the hub has {len(extra)} vehicles that the sign has not, as {extra[0]}")

    def _damages(self) -> list[float]:
        return [one.from_s for one in self.breaker.troubles if str(one.fault) == "card damaged"]

    def _judge_more(self, more: list[IntervalRow], own: list[IntervalRow]) -> None:
        """What the hub has beside: of files that were damaged since, and nothing else."""
        last_s = max(self._damages(), default=-1.0)
        for row in more:
            if not self._was_lost(row, last_s):
                raise HubError(
                    f"the hub has what the sign has not: {row}; of the sign: "
                    f"{[one for one in own if one.start_s == row.start_s]}"
                )
        self.counts["intervals of damaged files"] = len(more)

    def _was_lost(self, row: IntervalRow, damaged_s: float) -> bool:
        """Whether it can have been in a file that was damaged then."""
        begins_s = row.start_s - BEGIN.timestamp()
        if row.boot:  # its time is a guess
            begun = [at_s for boot, at_s in self.stand.boots.items() if boot.startswith(row.boot)]
            return any(at_s <= damaged_s for at_s in begun)
        return begins_s <= damaged_s or any(
            lie.from_s <= damaged_s and _was_told_ahead(row, begins_s, lie, damaged_s)
            for lie in self.stand.lies
        )


def _was_told_ahead(row: IntervalRow, begins_s: float, lie: Lie, damaged_s: float) -> bool:
    """A clock that lied had empty quarters made up to the time it said, and counted in those that it said."""
    end_s = min(lie.until_s, damaged_s) + lie.error_s
    empty = not row.cells and not row.measured_s
    return begins_s <= end_s and (empty or begins_s > lie.from_s + lie.error_s - QUARTER_S)


def _is_same(heard: IntervalRow, own: IntervalRow) -> bool:
    return heard.identity == own.identity and abs(heard.measured_s - own.measured_s) < ROUNDED_S


def _is_earlier(heard: IntervalRow, own: IntervalRow) -> bool:
    return heard.is_earlier_of(own) and heard.measured_s < own.measured_s + ROUNDED_S
