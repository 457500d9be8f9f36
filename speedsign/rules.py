"""From a live target to what the driver sees.

Pure: (what was shown, live target, time, rules) -> what is shown.

    number     below minimum | minimum to limit | over the limit | from too fast to ceiling | above
    zone       slow          | within           | over           | too_fast                 | ceiling
    is shown   nothing       | the pages that the rules have for the zone                   | nothing
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from speedsign.faces import SPEED, Pages
from speedsign.model import BLANK, Direction, Face, Target

# No number outlives the last reading of its vehicle by 5 s, whatever is configured: decided so early that a
# panel which misses the first request is dark by then.
HARD_LIMIT_S = 4.0
# A panel that went dark for a vehicle stays so for that long: who drives at the ceiling is no flash light.
RELIGHT_S = 1.0


class Zone(StrEnum):
    """Where a number lies between the thresholds; the value is what records and configs call it."""

    NONE = ""  # there is no vehicle, or the sign is dark by plan
    SLOW = "slow"
    WITHIN = "within"
    OVER = "over"
    TOO_FAST = "too_fast"
    CEILING = "ceiling"


_RANK = {zone: rank for rank, zone in enumerate(Zone)}  # a higher one is stricter
_SLOW, _WITHIN, _OVER, _TOO_FAST, _CEILING = list(Zone)[1:]
LIT = (Zone.WITHIN, Zone.OVER, Zone.TOO_FAST)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds at a moment. Speeds in whole km/h, compared with the number that would be shown.

    The minimum, the limit and the ceiling are the last numbers of their zone; `too_fast_kmh` is the first
    of its. One above the ceiling means: nothing is ever too fast.
    """

    limit_kmh: int = 50
    minimum_kmh: int = 10
    too_fast_kmh: int = 70
    ceiling_kmh: int = 100  # above it: dark, so that nobody races the sign; still recorded
    hysteresis_kmh: int = 1
    directions: frozenset[Direction] = frozenset({Direction.APPROACHING})
    within: Pages = (SPEED,)
    over: Pages = (SPEED,)
    too_fast: Pages = (SPEED,)
    page_s: float = 1.0
    blink: frozenset[str] = frozenset()  # zones
    beacon: frozenset[str] = frozenset()  # zones
    hold_s: float = 1.5
    min_change_interval_s: float = 0.25
    dark: bool = False  # by plan: nothing at all is shown, and no lamp is lit

    def pages(self, zone: Zone) -> Pages:
        """What is shown in turn in a zone; nothing where there is no face."""
        by_zone = {Zone.WITHIN: self.within, Zone.OVER: self.over, Zone.TOO_FAST: self.too_fast}
        return by_zone.get(zone, ())

    def look(self, zone: Zone) -> tuple[Pages, bool, bool]:
        """All that tells one zone from another: pages, blinking, beacon."""
        return self.pages(zone), zone in self.blink, zone in self.beacon


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown, since when, for which vehicle, and when that vehicle was last seen."""

    face: Face = BLANK
    since_mono_s: float = -math.inf
    track_id: int | None = None
    seen_mono_s: float = -math.inf
    zone: Zone = Zone.NONE
    number: int | None = None  # of that vehicle; not all that is judged is shown
    zone_since_mono_s: float = -math.inf  # the pages are counted from here
    due_mono_s: float = math.inf  # when `step` may decide otherwise by itself
    memory: tuple[int | None, Zone] = (None, Zone.NONE)  # the vehicle judged last: its hysteresis


DARK = Shown()


def rounded(speed_kmh: float) -> int:
    """The number shown for a speed: half up, so that 49.5 and 50.4 both read 50."""
    return math.floor(speed_kmh + 0.5)


def zone_of(number: int, rules: Rules, before: Zone = Zone.NONE) -> Zone:
    """The zone of a number, `before` being that of the same vehicle a moment ago.

    Hysteresis errs to the careful side: into the dark or a stricter zone at once, back only when the
    number is `hysteresis_kmh` inside the calmer one.
    """
    back = rules.hysteresis_kmh
    if number < rules.minimum_kmh + (back if before is _SLOW else 0):
        return _SLOW
    if number > rules.ceiling_kmh - (back if before is _CEILING else 0):
        return _CEILING
    if number >= rules.too_fast_kmh - (back if before in (_TOO_FAST, _CEILING) else 0):
        return _TOO_FAST
    if number > rules.limit_kmh - (back if before in (_OVER, _TOO_FAST, _CEILING) else 0):
        return _OVER
    return _WITHIN


def step(before: Shown, target: Target | None, t_mono_s: float, rules: Rules) -> Shown:
    """What is shown at `t_mono_s`."""
    if rules.dark:
        return _nothing(before, t_mono_s)
    if target is None or target.direction not in rules.directions:
        return _held(before, t_mono_s, rules)
    if t_mono_s - target.t_last_mono_s > _hold_s(rules):
        return _nothing(before, t_mono_s)
    return _judged(before, rounded(target.speed_kmh), target.track_id, target.t_last_mono_s, t_mono_s, rules)


def next_check_s(shown: Shown, rules: Rules) -> float | None:
    """When `step` may decide otherwise though nothing new was seen; None: never."""
    if shown.face == BLANK:
        return shown.due_mono_s if shown.due_mono_s < math.inf else None
    return min(shown.due_mono_s, shown.seen_mono_s + _hold_s(rules))


def _held(before: Shown, t_mono_s: float, rules: Rules) -> Shown:
    """Nobody is to be shown: the number stays for a while, as far as the rules of now allow it."""
    if t_mono_s - before.seen_mono_s >= _hold_s(rules):
        return _nothing(before, t_mono_s)
    if before.face == BLANK or before.number is None:
        return before
    return _judged(before, before.number, before.track_id, before.seen_mono_s, t_mono_s, rules)


def _judged(
    before: Shown, number: int, track_id: int | None, seen_s: float, t_mono_s: float, rules: Rules
) -> Shown:
    """What the vehicle with this number gets to see."""
    known, last_zone = before.memory
    same = known == track_id
    zone = zone_of(number, rules, last_zone if same else Zone.NONE)
    goes_on = same and before.zone is zone
    zone_since_s = before.zone_since_mono_s if goes_on else t_mono_s
    face, due_s = _face(zone, number, t_mono_s, zone_since_s, rules)
    since_s, allowed_s = t_mono_s, before.since_mono_s + rules.min_change_interval_s
    if face == before.face:
        since_s = before.since_mono_s
    elif same and before.face.is_blank and zone in LIT and t_mono_s < before.since_mono_s + RELIGHT_S:
        face, since_s, due_s = BLANK, before.since_mono_s, before.since_mono_s + RELIGHT_S
    elif t_mono_s < allowed_s and same and _may_stay(before, zone, rules):
        face, since_s, due_s = before.face, before.since_mono_s, min(due_s, allowed_s)
    return Shown(face, since_s, track_id, seen_s, zone, number, zone_since_s, due_s, (track_id, zone))


def _may_stay(before: Shown, zone: Zone, rules: Rules) -> bool:
    """Whether the face before is good for a moment longer: lit, one of the rules of now, not too kind."""
    if before.face.is_blank or zone not in LIT:
        return False
    number = before.face.number
    if number is not None and not rules.minimum_kmh <= number <= rules.ceiling_kmh:
        return False
    pages, blink, beacon = rules.look(before.zone)
    if before.face not in [page.face(number or 0, blink=blink, beacon=beacon) for page in pages]:
        return False
    return _RANK[zone] <= _RANK[before.zone] or rules.look(zone) == rules.look(before.zone)


def _face(zone: Zone, number: int, t_mono_s: float, zone_since_s: float, rules: Rules) -> tuple[Face, float]:
    """The page whose turn it is, and when the next one's comes."""
    pages = rules.pages(zone)
    if not pages:
        return BLANK, math.inf
    turn = math.floor((t_mono_s - zone_since_s) / rules.page_s)
    face = pages[turn % len(pages)].face(number, blink=zone in rules.blink, beacon=zone in rules.beacon)
    return face, math.inf if len(pages) == 1 else zone_since_s + (turn + 1) * rules.page_s


def _nothing(before: Shown, t_mono_s: float) -> Shown:
    """Dark, for nobody; what the last vehicle did is remembered, should it come back."""
    since_s = before.since_mono_s if before.face == BLANK else t_mono_s
    return Shown(since_mono_s=since_s, memory=before.memory)


def _hold_s(rules: Rules) -> float:
    return min(rules.hold_s, HARD_LIMIT_S)
