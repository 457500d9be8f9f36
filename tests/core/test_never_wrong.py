"""Ten thousand random (config, time, speed, direction): what must never be on the panel is never on it.

What holds at a moment is worked out here a second time, as plainly as can be.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from speedsign.config.rules_relations import rules_problems
from speedsign.config.schema import (
    BeaconConfig,
    CalendarConfig,
    Config,
    Day,
    RadarConfig,
    RulesConfig,
    SignConfig,
    StoreConfig,
    StudyConfig,
    WindowConfig,
)
from speedsign.model import BLANK, Direction, Target
from speedsign.rules import DARK, HARD_LIMIT_S, Shown, step
from speedsign.schedule import Schedule

SEED = 20_261_122
CASES = 10_000
STEPS = 25  # of one config
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PAGES = (("speed",), ("speed",), ("dark",), ("thanks",), ("speed", "slower"), ("=50", "speed", "=STOP"))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


# --------------------------------------------------------------------------- configs by chance


def some(chance: random.Random, *values: Any) -> Any:
    """One of the values, or None."""
    return chance.choice([None, *values])


def a_window(chance: random.Random, number: int) -> WindowConfig:
    start, end = chance.sample(range(0, 1440, 30), 2)
    limit = some(chance, 20, 30, 40, 70, 90)
    values = {
        "limit_kmh": limit,
        "minimum_kmh": some(chance, 5, 15, 25),
        "ceiling_kmh": some(chance, 45, 60, 95, 120),
        "too_fast_kmh": some(chance, 55, 75),
        "dark": some(chance, None, True, False),
        "within": some(chance, *PAGES),
        "over": some(chance, *PAGES),
        "too_fast": some(chance, *PAGES),
        "beacon": some(chance, ("over",), ("too_fast", "within"), ()),
    }
    return WindowConfig(
        name=f"window {number}",
        days=tuple(chance.sample(DAYS, chance.randint(0, 5))),
        start=f"{start // 60:02}:{start % 60:02}",
        end=f"{end // 60:02}:{end % 60:02}",
        dates=chance.choice([(), (), ("11-01..03-31",), ("2026-06-01..2026-08-31", "05-04")]),
        holidays=chance.choice(["any", "any", "only", "except"]),
        school=chance.choice(["any", "any", "only", "except"]),
        **values,
    )


def a_config(chance: random.Random) -> Config:
    """One that the config check lets through."""
    while True:
        first = date(2026, 1, 1) + timedelta(days=chance.randint(0, 300))
        study = StudyConfig(
            name="study", first=first, last=first + timedelta(days=30), display=chance.choice(["dark", "lit"])
        )
        config = Config(
            sign=SignConfig(id="test-sign", limit_kmh=chance.choice([30, 50, 70, 90]), language="lv"),
            radar=RadarConfig(driver="ops243", port="/dev/x"),
            rules=RulesConfig(
                show=chance.choice(["approaching", "receding", "both"]),
                minimum_kmh=chance.choice([0, 10, 15, 30]),
                ceiling_kmh=some(chance, 70, 90, 110),
                too_fast_kmh=some(chance, 60, 80),
                hysteresis_kmh=chance.randint(0, 5),
                within=chance.choice(PAGES),
                over=chance.choice(PAGES),
                too_fast=chance.choice(PAGES),
                page_s=chance.uniform(0.5, 2),
                beacon=chance.choice([(), ("over", "too_fast")]),
                hold_s=chance.choice([0.0, 0.5, 1.5, 4.0]),
                min_change_interval_s=chance.choice([0.0, 0.25, 0.5]),
                schedule=tuple(a_window(chance, n) for n in range(chance.randint(0, 4))),
            ),
            calendar=CalendarConfig(school_terms=("2026-01-05..2026-05-29", "2026-09-01..2026-12-22")),
            study=chance.choice([(), (study,)]),
            beacon=BeaconConfig(coil=0, unit=9, port="/dev/y"),
            store=StoreConfig(path=Path("x.db")),
        )
        if not any(rules_problems(config)):
            return config
        chance.random()


# --------------------------------------------------------------------------- what holds, worked out plainly

LATVIAN = {  # of 2026, by hand; those that only move a working day included
    *("01-01", "01-02", "04-03", "04-05", "04-06", "05-01", "05-04", "05-10", "05-24", "06-22", "06-23"),
    *("06-24", "11-18", "12-24", "12-25", "12-26", "12-31"),
}


@dataclass
class Holds:
    minimum_kmh: int
    ceiling_kmh: int
    dark: bool
    words: bool


def in_force(window: WindowConfig, wall: datetime) -> bool:
    clock = f"{wall:%H:%M}"
    begun = wall.date()
    if window.start < window.end:
        if not window.start <= clock < window.end:
            return False
    elif clock < window.end:
        begun -= timedelta(days=1)
    elif clock < window.start:
        return False
    off = f"{begun:%m-%d}" in LATVIAN
    term = (
        "2026-01-05" <= begun.isoformat() <= "2026-05-29" or "2026-09-01" <= begun.isoformat() <= "2026-12-22"
    )
    school = term and begun.isoweekday() <= 5 and not off
    if window.days and DAYS[begun.weekday()] not in window.days:
        return False
    if window.dates == ("11-01..03-31",) and 4 <= begun.month <= 10:
        return False
    if "05-04" in window.dates and not (6 <= begun.month <= 8 or f"{begun:%m-%d}" == "05-04"):
        return False
    return (window.holidays, off) not in {("only", False), ("except", True)} and (
        (window.school, school) not in {("only", False), ("except", True)}
    )


def what_holds(config: Config, wall: datetime | None) -> Holds:
    rules = config.rules
    if wall is None:
        every = [what_holds_with(config, [window]).ceiling_kmh for window in rules.schedule]
        lowest = min([what_holds_with(config, []).ceiling_kmh, *every])
        dark = any(one.display == "dark" for one in config.study)
        return Holds(rules.minimum_kmh, lowest, dark, words=False)
    found = what_holds_with(config, [window for window in rules.schedule if in_force(window, wall)])
    if any(one.display == "dark" and one.first <= wall.date() <= one.last for one in config.study):
        found.dark = True
    return found


def what_holds_with(config: Config, windows: list[WindowConfig]) -> Holds:
    limit, minimum = config.sign.limit_kmh, config.rules.minimum_kmh
    ceiling, dark = config.rules.ceiling_kmh, False
    for window in windows:
        limit = limit if window.limit_kmh is None else window.limit_kmh
        minimum = minimum if window.minimum_kmh is None else window.minimum_kmh
        ceiling = ceiling if window.ceiling_kmh is None else window.ceiling_kmh
        dark = dark if window.dark is None else window.dark
    return Holds(minimum, min(2 * limit, 250) if ceiling is None else ceiling, dark, words=True)


# --------------------------------------------------------------------------- the road by chance


@dataclass
class Road:
    """A sign that lives through one config: small steps, long jumps, a clock that comes and goes."""

    config: Config
    chance: random.Random

    def run(self) -> int:
        """How many of the steps showed something."""
        plan, chance, rules = Schedule.of(self.config), self.chance, self.config.rules
        zone = ZoneInfo("Europe/Riga")
        shown, now_s, lit = DARK, 1000.0, 0
        moment = BEGIN + timedelta(minutes=chance.uniform(0, 360 * 1440))
        known, said = True, {}
        for _ in range(STEPS):
            dt_s = chance.choice([0.05, 0.1, 0.3, 1.0, 3.0])
            now_s, moment = now_s + dt_s, moment + timedelta(seconds=dt_s)
            if chance.random() < 0.1:  # the same second at another hour: what is held must obey it
                moment = BEGIN + timedelta(minutes=chance.uniform(0, 360 * 1440))
            if chance.random() < 0.1:
                known = not known
            holds = what_holds(self.config, moment.astimezone(zone) if known else None)
            target = self.target(now_s, holds)
            if target and target.direction in rules.directions():
                said[math.floor(target.speed_kmh + 0.5)] = target.t_last_mono_s
            shown = step(shown, target, now_s, plan.at(moment if known else None).rules)
            self.check(shown, holds, said, now_s)
            lit += shown.face != BLANK
        return lit

    def target(self, now_s: float, holds: Holds) -> Target | None:
        chance = self.chance
        if chance.random() < 0.25:
            return None
        edge = chance.choice([holds.minimum_kmh, holds.ceiling_kmh, self.config.sign.limit_kmh])
        speed_kmh = chance.choice([chance.uniform(0, 260), max(edge + chance.uniform(-3, 3), 0.0)])
        age_s = chance.choice([0.0, 0.0, 0.05, 0.5, 5.0])
        return Target(chance.randint(1, 3), speed_kmh, chance.choice(list(Direction)), now_s - age_s, 5)

    def check(self, shown: Shown, holds: Holds, said: dict[int, float], now_s: float) -> None:
        face, rules = shown.face, self.config.rules
        if holds.dark:
            assert face == BLANK
        if not holds.words:
            assert not face.word
            assert not face.beacon
        if face == BLANK:
            return
        assert now_s - shown.seen_mono_s <= min(rules.hold_s, HARD_LIMIT_S)
        assert shown.number is not None
        for number in (shown.number, shown.number if face.number is None else face.number):
            assert holds.minimum_kmh <= number <= holds.ceiling_kmh
            assert now_s - said[number] <= HARD_LIMIT_S + rules.min_change_interval_s, (
                "of an allowed direction"
            )


def test_never_above_the_ceiling_below_the_minimum_of_the_wrong_direction_or_while_dark() -> None:
    chance = random.Random(SEED)
    lit = sum(Road(a_config(chance), chance).run() for _ in range(CASES // STEPS))
    assert lit > CASES / 10, "else this shows nothing"
