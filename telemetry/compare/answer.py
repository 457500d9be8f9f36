"""The whole comparison, from hours to the claim that the data allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from speedsign.errors import StoreError
from telemetry.compare.controls import Controlled, ControlSite, controlled
from telemetry.compare.hours import DARK, LIT
from telemetry.compare.measures import HEADLINE, MEASURES, Road
from telemetry.compare.passing import DropChange, Passage, add_up, drop_change
from telemetry.compare.phases import WeekChange, phases, weekly
from telemetry.compare.sides import Change, Draws, Side, changes_of, side_of, sides_of
from telemetry.compare.split import UNMATCHED, Split, UsedHour
from telemetry.compare.week import slots_of


class Claim(StrEnum):
    """What may be said; never more."""

    NO_BASELINE = "no_baseline"  # two times differ or not: nothing about the sign
    TOO_FEW = "too_few"  # days or vehicles on a side
    UNCLEAR = "unclear"  # the range holds zero
    LOWER = "lower"  # and no control site: other causes are possible
    HIGHER = "higher"
    CONTROL_UNCLEAR = "control_unclear"
    CONTROL_LOWER = "control_lower"
    CONTROL_HIGHER = "control_higher"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is told; the same numbers stand in the text, the JSON and every file."""

    road: Road
    draws: Draws
    baseline: bool
    by_display: bool
    lit_then_dark: bool
    before: Side
    after: Side
    changes: tuple[Change, ...]  # in the order of MEASURES
    slots: int  # hours of the week that were compared
    left_out: Mapping[str, int]  # reason (telemetry.compare.split): hours
    unsure_intervals: int
    unsure_vehicles: int
    phases: tuple[Side, ...] = ()
    controls: Controlled | None = None
    passing: DropChange | None = None
    weeks: tuple[WeekChange, ...] = ()
    one_speed: bool = False  # vehicles of both times are kept, but without entry and exit speed
    shown_unknown: bool = False  # it may have been dark and then lit; of too many vehicles nobody knows
    undated: int = 0  # vehicles that are in no hour, because nobody vouches for the time
    notes: Sequence[str] = field(default_factory=tuple)

    def change(self, measure: str) -> Change:
        return self.changes[MEASURES.index(measure)]

    @property
    def headline(self) -> Change:
        """What the claim is about: with controls, what is left beyond them."""
        if self.controls is not None and self.baseline:
            return next(change for change in self.controls.beyond if change.measure == HEADLINE)
        return self.change(HEADLINE)

    @property
    def claim(self) -> Claim:
        if not self.baseline:
            return Claim.NO_BASELINE
        change = self.headline
        if change.low is None or change.high is None:
            return Claim.TOO_FEW
        if self.controls is None:
            return Claim.LOWER if change.falls else Claim.HIGHER if change.rises else Claim.UNCLEAR
        if change.falls:
            return Claim.CONTROL_LOWER
        return Claim.CONTROL_HIGHER if change.rises else Claim.CONTROL_UNCLEAR


def compare(
    split: Split,
    road: Road,
    draws: Draws,
    *,
    sites: Sequence[ControlSite] = (),
    passages: Iterable[Passage] = (),
) -> Comparison:
    """Raises StoreError where the two times share no hour of the week, or one has no vehicle."""
    before, after, slots = _common(split)
    weeks = sides_of(before, after, slots)
    sides = (
        side_of("before", weeks[0], road, split.coverage[0]),
        side_of("after", weeks[1], road, split.coverage[1]),
    )
    if sides[0].numbers is None or sides[1].numbers is None:
        which = "before" if sides[0].numbers is None else "after"
        raise StoreError(f"no vehicle was counted {which} in the hours of the week that both times have")
    left_out = Counter(split.left_out)
    left_out[UNMATCHED] += len(split.before) + len(split.after) - len(before) - len(after)
    shown: tuple[Collection[str] | None, Collection[str] | None]
    shown = (DARK, LIT) if split.baseline else (None, None)
    passed = add_up(passages, (before, after), shown)
    return Comparison(
        road,
        draws,
        split.baseline,
        split.by_display,
        split.lit_then_dark,
        *sides,
        changes_of(sides, ([weeks[0]], [weeks[1]]), [road], draws),
        len(slots),
        +left_out,
        split.unsure_intervals,
        split.unsure_vehicles,
        phases=phases(before, after, road) if split.baseline else (),
        controls=controlled(before, after, road, sites, draws) if sites else None,
        passing=drop_change(passed, draws),
        weeks=weekly(before, after, road, draws) if split.baseline else (),
        one_speed=passed.not_known,
        shown_unknown=split.not_known,
    )


def _common(split: Split) -> tuple[list[UsedHour], list[UsedHour], frozenset[tuple[int, int]]]:
    """The hours of both sides that fall into an hour of the week of both."""
    slots = slots_of(split.before) & slots_of(split.after)
    if not slots:
        raise StoreError(
            "the two times have no hour of the week in common that was measured enough; "
            "give periods with the same weekdays and hours"
        )
    before, after = ([hour for hour in side if hour.slot in slots] for side in (split.before, split.after))
    return before, after, slots
