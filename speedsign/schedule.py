"""What the rules are at a moment: [rules], the schedule, studies, and whether the clock is known.

    schedule = Schedule.of(config)
    active = schedule.at(now_utc if the clock is trusted else None)
    shown = step(shown, target, t_mono_s, active.rules)

Pure but for the table of words and the library of holidays. Only what is shown depends on it: vehicles are
measured and counted the same at every hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from speedsign.config.schema import Config, StudyConfig
from speedsign.countries import country_of
from speedsign.days import Calendar, parse_span
from speedsign.faces import pages_of, words_in
from speedsign.rules import Rules
from speedsign.settings import FACES, Settings, highest_minimum_kmh, lowest_ceiling_kmh, settle
from speedsign.windows import Window

NO_CLOCK = "the time is not known"


@dataclass(frozen=True, slots=True)
class Active:
    """What holds at a moment, and why. The same object as long as nothing changes."""

    rules: Rules
    settings: Settings  # as the config writes it, with the source of every key
    windows: tuple[str, ...]  # names of the tables in force, the one that goes before all others last
    study: str  # name of the study whose phase it is, or empty
    phase: str  # "dark", "lit", or empty
    clock_known: bool

    @property
    def dark(self) -> bool:
        """By plan: nothing is shown to anybody."""
        return self.rules.dark

    @property
    def dark_because(self) -> str:
        """The table that darkens the sign, or empty."""
        return self.settings.sources["dark"] if self.dark else ""

    @property
    def limit_kmh(self) -> int:
        return self.rules.limit_kmh


class Schedule:
    """The plan of one sign. Cheap to ask once a second: it thinks once a minute, and remembers each case."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.zone = ZoneInfo(config.sign.timezone)
        self._windows = tuple(Window.of(window) for window in config.rules.schedule)
        self.calendar = calendar_of(config)
        self._words = words_in(config.sign.language)
        self._cases: dict[tuple[tuple[int, ...], int | None], Active] = {}
        self._without_clock = self._unknown_time()
        self._minute: int | None = None
        self._active = self._without_clock

    @classmethod
    def of(cls, config: Config) -> Schedule:
        """From a checked config; raises ValueError or ConfigError for what the check refuses."""
        return cls(config)

    def at(self, moment: datetime | None) -> Active:
        """What holds at an aware time; None: the time is not known."""
        if moment is None:
            return self._without_clock
        minute = int(moment.timestamp() // 60)
        if minute != self._minute:
            self._active, self._minute = self._find(moment.astimezone(self.zone)), minute
        return self._active

    def kind_of_day(self, day: date) -> str:
        """ "public holiday", "school day", or empty; asked only where a table depends on it."""
        if not any((window.holidays, window.school) != ("any", "any") for window in self._windows):
            return ""
        if self.calendar.is_holiday(day):
            return "public holiday"
        return "school day" if self.calendar.is_school_day(day) else ""

    def _find(self, wall: datetime) -> Active:
        in_force = tuple(
            number for number, window in enumerate(self._windows) if window.holds(wall, self.calendar)
        )
        day = wall.date()
        study = next(
            (number for number, one in enumerate(self._config.study) if one.first <= day <= one.last), None
        )
        case = in_force, study
        if case not in self._cases:
            self._cases[case] = self._case(in_force, None if study is None else self._config.study[study])
        return self._cases[case]

    def _case(self, in_force: tuple[int, ...], study: StudyConfig | None) -> Active:
        windows = [self._config.rules.schedule[number] for number in in_force]
        settings = settle(self._config, windows)
        if study and study.display == "dark":
            settings = _changed(settings, f'[[study]] "{study.name}"', dark=True)
        return Active(
            rules=self._rules(settings),
            settings=settings,
            windows=tuple(window.name for window in windows),
            study=study.name if study else "",
            phase=study.display if study else "",
            clock_known=True,
        )

    def _unknown_time(self) -> Active:
        """Nothing that would be wrong at another hour: numbers alone, from highest minimum to lowest ceiling.

        A word praises or warns against a limit that may not hold now. A number above a ceiling invites to
        race. And one lit hour spoils a dark week, which nobody can measure again. Scheduled darkness is
        left out: else a sign without a network would be dark for good because of its nights.
        """
        speed = ("speed",)
        ceiling_kmh = lowest_ceiling_kmh(self._config)
        dark_study = next((study for study in self._config.study if study.display == "dark"), None)
        dark = {"dark": True} if dark_study else {}
        settings = _changed(
            settle(self._config),
            NO_CLOCK,
            minimum_kmh=highest_minimum_kmh(self._config),
            too_fast_kmh=ceiling_kmh + 1,
            ceiling_kmh=ceiling_kmh,
            within=speed,
            over=speed,
            too_fast=speed,
            blink=(),
            beacon=(),
            **dark,
        )
        study = dark_study.name if dark_study else ""
        return Active(self._rules(settings), settings, (), study, "dark" if study else "", clock_known=False)

    def _rules(self, settings: Settings) -> Rules:
        rules = self._config.rules
        within, over, too_fast = (pages_of(getattr(settings, face), self._words) for face in FACES)
        return Rules(
            limit_kmh=settings.limit_kmh,
            minimum_kmh=settings.minimum_kmh,
            too_fast_kmh=settings.too_fast_kmh,
            ceiling_kmh=settings.ceiling_kmh,
            hysteresis_kmh=rules.hysteresis_kmh,
            directions=rules.directions(),
            within=within,
            over=over,
            too_fast=too_fast,
            page_s=rules.page_s,
            blink=frozenset(settings.blink),
            beacon=frozenset(settings.beacon),
            hold_s=rules.hold_s,
            min_change_interval_s=rules.min_change_interval_s,
            dark=settings.dark,
        )


def calendar_of(config: Config) -> Calendar:
    """The holidays of the sign's country and those of the config, and the school terms."""
    country = country_of(config.sign.country, config.sign.timezone)
    return Calendar(
        country.holidays,
        [parse_span(text) for text in config.calendar.holidays],
        [parse_span(text) for text in config.calendar.school_terms],
    )


def _changed(settings: Settings, source: str, **values: Any) -> Settings:
    """With these keys set by `source`."""
    sources: Mapping[str, str] = {**settings.sources, **dict.fromkeys(values, source)}
    return replace(settings, **values, sources=sources)
