"""What goes wrong when: drawn from a seed, each kind at least once a week.

Pure: the same seed gives the same faults. The last two hours of each day are quiet, so that what was held
back can arrive and be compared; only what is drawn as lasting for days goes on then.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.year.timeline import DAY_S

WEEK_DAYS = 7
FIRST_S, LAST_S = 1200.0, 21.5 * 3600.0  # of a day
MINUTE_S, HOUR_S = 60.0, 3600.0
TRIES = 1000  # for one of them; a day without power does not fit into each week


@dataclass(frozen=True, slots=True)
class Kind:
    """How often in a week, and for how long each time."""

    times: tuple[int, int]
    lasts_s: tuple[float, float] = (0.0, 0.0)
    days: tuple[int, int] = (0, 0)  # it goes on over so many midnights


@dataclass(frozen=True, slots=True)
class Fault:
    """One of them; `part` and `what` say which, `draw` decides what is left open, 0 to 1."""

    at_s: float
    part: str
    what: str
    lasts_s: float
    draw: float

    @property
    def until_s(self) -> float:
        return self.at_s + self.lasts_s

    def __str__(self) -> str:
        return f"{self.part} {self.what}"


KINDS: Mapping[str, Kind] = {
    "radar unplug": Kind((1, 2), (5, 30 * MINUTE_S)),
    "radar silence": Kind((1, 2), (5, 20 * MINUTE_S)),
    "radar garbage": Kind((1, 1), (20, 10 * MINUTE_S)),
    "radar bad_bytes": Kind((1, 1), (60, 20 * MINUTE_S)),
    "radar cut": Kind((1, 1), (60, 20 * MINUTE_S)),
    "radar mute": Kind((1, 1), (60, 30 * MINUTE_S)),
    "radar restart": Kind((2, 3)),
    "panel dead": Kind((1, 2), (2, 20 * MINUTE_S)),
    "panel mute": Kind((1, 1), (2, 10 * MINUTE_S)),
    "panel slow": Kind((1, 1), (2, 10 * MINUTE_S)),
    "panel refuses": Kind((1, 1), (2, 10 * MINUTE_S)),
    "panel lying": Kind((1, 1), (2, 10 * MINUTE_S)),
    "panel stuck": Kind((1, 1), (2, 10 * MINUTE_S)),
    "panel noise": Kind((1, 1), (60, 60 * MINUTE_S)),
    "panel gone": Kind((1, 1), (1, 20 * MINUTE_S)),
    "panel off": Kind((1, 2), (1, 20 * MINUTE_S)),
    "panel dip": Kind((2, 3), (0.05, 0.4)),
    "broker stop": Kind((1, 1), (5, 3 * HOUR_S)),
    "broker forgets": Kind((1, 2), (5, 60 * MINUTE_S)),
    "network gone": Kind((2, 3), (5, 4 * HOUR_S)),
    "network swallows": Kind((1, 2), (60, 2 * HOUR_S)),
    "network away": Kind((0, 1), (0, 0), days=(1, 2)),
    "hub stop": Kind((1, 1), (5, 4 * HOUR_S)),
    "hub forgotten": Kind((1, 1), (1800, 4 * HOUR_S)),
    "hub kill": Kind((1, 2), (5, 60 * MINUTE_S)),
    "hub unheard": Kind((1, 1), (5, 10 * MINUTE_S)),
    "hub cut": Kind((1, 1), (5, 60 * MINUTE_S)),
    "hub cut_in_commit": Kind((1, 1), (5, 60 * MINUTE_S)),
    "sign restart": Kind((1, 2), (1, 10)),
    "sign kill": Kind((1, 2), (2, 20)),
    "sign kill_in_commit": Kind((1, 1), (2, 20)),
    "sign cut": Kind((2, 3), (2, 2 * HOUR_S)),
    "sign cut_in_commit": Kind((2, 2), (2, 20 * MINUTE_S)),
    "sign dark": Kind((0, 1), (0, 0), days=(1, 1)),
    "card slow": Kind((1, 1), (60, 30 * MINUTE_S)),
    "card full": Kind((1, 1), (60, 30 * MINUTE_S)),
    "card broken": Kind((1, 1), (60, 20 * MINUTE_S)),
    "card damaged": Kind((1, 1), (2, 20)),
    "clock seconds": Kind((1, 1), (5 * MINUTE_S, 60 * MINUTE_S)),
    "clock hours": Kind((1, 1), (5 * MINUTE_S, 60 * MINUTE_S)),
    "clock days": Kind((1, 1), (5 * MINUTE_S, 60 * MINUTE_S)),
    "clock years": Kind((1, 1), (5 * MINUTE_S, 60 * MINUTE_S)),
    "config limit": Kind((1, 1)),
    "config schedule": Kind((1, 1)),
    "idle zeros": Kind((1, 2), (5 * MINUTE_S, 2 * HOUR_S)),  # excuses nothing
}


def faults(seed: int, without: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Week after week without end, in order of time; those of one part never overlap.

    None at all where everything is left out.
    """
    week = 0
    while without < KINDS.keys():
        chance = random.Random(f"{seed}/faults/{week}")
        while (found := _week(chance, week, without)) is None:
            pass  # the short ones left no room for a long one: another week, of the same chance
        yield from sorted(found, key=lambda fault: fault.at_s)
        week += 1


def _week(chance: random.Random, week: int, without: frozenset[str]) -> list[Fault] | None:
    """None: they do not fit."""
    found: list[Fault] = []
    for name, kind in KINDS.items():
        for _ in range(chance.randint(*kind.times)):
            drawn = (_drawn(chance, name, kind, week) for _ in range(TRIES))
            fault = next((one for one in drawn if not _overlaps(one, found)), None)
            if fault is None:
                return None
            if name not in without:
                found.append(fault)
    return found


def _drawn(chance: random.Random, name: str, kind: Kind, week: int) -> Fault:
    part, what = name.split()
    day = week * WEEK_DAYS + chance.randrange(WEEK_DAYS - (1 if kind.days[1] else 0))
    low, high = kind.lasts_s
    lasts_s = low * (high / low) ** chance.random() if low else 0.0  # short ones are as many as long ones
    at_s = chance.uniform(FIRST_S, LAST_S - lasts_s)
    if kind.days[1]:
        lasts_s = chance.randint(*kind.days) * DAY_S
        at_s = chance.uniform(FIRST_S, LAST_S)
        day = min(day, (week + 1) * WEEK_DAYS - 1 - int(lasts_s // DAY_S) - 1)
    return Fault(day * DAY_S + at_s, part, what, lasts_s, chance.random())


def _overlaps(fault: Fault, others: list[Fault]) -> bool:
    """Two of one part at once could not be ended one by one; the card has no say while the sign is off."""
    parts = (
        {"sign", "card", "clock", "config"}
        if fault.part in ("sign", "card", "clock", "config")
        else {fault.part}
    )
    gap_s = 600.0
    return any(
        one.part in parts and fault.at_s < one.until_s + gap_s and one.at_s < fault.until_s + gap_s
        for one in others
    )
