"""What is done to a sign in a soak, and when: drawn from a seed, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count


class Kind(StrEnum):
    """What goes wrong, or happens to it."""

    RADAR_UNPLUGGED = "radar unplugged"
    RADAR_GARBAGE = "radar garbage"
    PANEL_SILENT = "panel silent"
    PANEL_SLOW = "panel slow"
    BROKER_KILLED = "broker killed"
    NETWORK_CUT = "network cut"  # the broker stands still: nothing comes, nothing is refused
    HUB_KILLED = "hub killed"
    WATCHED = "looked at"  # several come by the live socket, one does not read, all go
    CARD_FULL = "card full"


# How long each lasts, in s: from, to.
_LASTS_S = {
    Kind.RADAR_UNPLUGGED: (5.0, 30.0),
    Kind.RADAR_GARBAGE: (5.0, 20.0),
    Kind.PANEL_SILENT: (5.0, 30.0),
    Kind.PANEL_SLOW: (5.0, 30.0),
    Kind.BROKER_KILLED: (1.0, 20.0),
    Kind.NETWORK_CUT: (10.0, 90.0),
    Kind.HUB_KILLED: (1.0, 20.0),
    Kind.WATCHED: (5.0, 20.0),
    Kind.CARD_FULL: (10.0, 30.0),
}
_SHORT_S = 3.0  # in a run of a few minutes no fault lasts longer
HUB_KILLED_UNTIL = 0.25  # of the run: a hub that is started again and again has no trend


@dataclass(frozen=True, slots=True)
class Plan:
    """How a soak goes."""

    seed: int = 1
    minutes: float = 60.0
    per_hour: float = 400.0  # vehicles; 5,000 a day are 208
    sample_s: float = 10.0
    warm_up: float = 0.2  # of the run, before memory counts
    pause_s: tuple[float, float] = (15.0, 40.0)  # without a fault between two
    over_within_s: float = 330.0  # a broker that was away is asked for every five minutes at the least
    interval_s: int = 900
    entry: str = "speedsign run --config {config}"  # the sign: what stands behind python -m

    @property
    def seconds(self) -> float:
        return self.minutes * 60

    @property
    def is_short(self) -> bool:
        return self.minutes < 5

    @property
    def allowed_mb_per_h(self) -> float:
        """More than this is a leak: 1 MB an hour, and in a short run 0.75 MB in all of it."""
        return max(1.0, 0.75 / (self.minutes / 60 * (1 - self.warm_up)))


@dataclass(frozen=True, slots=True)
class Event:
    kind: Kind
    pause_s: float  # before it
    lasts_s: float


def events(plan: Plan, kinds: set[Kind]) -> Iterator[Event]:
    """All kinds in ever another order, without end; in a short run once.

    A broker that is killed again and again within a minute is waited for ever longer.
    """
    rng = random.Random(plan.seed)
    ordered = [kind for kind in Kind if kind in kinds]
    for _ in range(1) if plan.is_short else count():
        for kind in rng.sample(ordered, len(ordered)):
            low, high = _LASTS_S[kind]
            lasts_s = rng.uniform(low, high)
            pause_s = rng.uniform(*plan.pause_s)
            yield Event(kind, pause_s, min(lasts_s, _SHORT_S) if plan.is_short else lasts_s)
