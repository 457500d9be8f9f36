"""What may be changed from afar, and what the sign then does: pure, from the config and what was set.

Three things: the limit within the config's bounds, one of the config's profiles, tables of the schedule on
or off. All words, numbers and pages that can come of it stand in the config; a command only chooses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from speedsign.config.schema import Config, RemoteProfileConfig

_EMPTY: Mapping[str, bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command asks to be set; what it does not name stays."""

    limit_kmh: int | None = None
    profile: str | None = None  # "": none
    schedule: Mapping[str, bool] = field(default_factory=lambda: _EMPTY)  # a table's name: whether it counts

    def as_dict(self) -> dict[str, Any]:
        """As a command writes it; without what it does not name."""
        found: dict[str, Any] = {}
        if self.limit_kmh is not None:
            found["limit_kmh"] = self.limit_kmh
        if self.profile is not None:
            found["profile"] = self.profile
        if self.schedule:
            found["schedule"] = dict(self.schedule)
        return found


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """What was set from afar, beside the config; by default nothing."""

    limit_kmh: int | None = None
    profile: str = ""
    off: tuple[str, ...] = ()  # tables of the schedule that do not count, in the order of the alphabet

    def as_text(self) -> str:
        return json.dumps({"limit_kmh": self.limit_kmh, "profile": self.profile, "off": list(self.off)})

    @classmethod
    def of_text(cls, text: str) -> RemoteSettings:
        """Back from `as_text`; ValueError for anything else."""
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("no settings")  # noqa: TRY004  a ValueError like all that is said of a text
        limit_kmh, profile, off = found.get("limit_kmh"), found.get("profile"), found.get("off")
        good_limit = limit_kmh is None or type(limit_kmh) is int
        if not good_limit or not isinstance(profile, str) or not isinstance(off, list):
            raise ValueError("no settings")
        return cls(limit_kmh, profile, tuple(sorted({str(name) for name in off})))


NOTHING_SET = RemoteSettings()


# --------------------------------------------------------------------------- what it comes to


def changed(config: Config, settings: RemoteSettings, wish: Wish) -> RemoteSettings:
    """The settings once the wish is granted; ValueError with the reason why it is not."""
    new = replace(
        settings,
        limit_kmh=settings.limit_kmh if wish.limit_kmh is None else wish.limit_kmh,
        profile=settings.profile if wish.profile is None else wish.profile,
        off=tuple(sorted((set(settings.off) | _named(wish, on=False)) - _named(wish, on=True))),
    )
    for problem in (*_unknown_tables(config, wish.schedule), *problems(config, new)):
        raise ValueError(problem)
    return new


def _named(wish: Wish, *, on: bool) -> set[str]:
    return {name for name, counts in wish.schedule.items() if counts is on}


def problems(config: Config, settings: RemoteSettings) -> Iterator[str]:
    """Why these settings cannot be in force with this config; empty when they can."""
    found = list(_out_of_bounds(config, settings))
    yield from found
    if not found:
        yield from misfits(effective(config, settings), beside=config)


def _out_of_bounds(config: Config, settings: RemoteSettings) -> Iterator[str]:
    remote, limit_kmh = config.remote, settings.limit_kmh
    if limit_kmh is not None:
        low, high = remote.limit_min_kmh, remote.limit_max_kmh
        if low is None or high is None:
            yield "the limit of this sign cannot be changed from afar"
        elif not low <= limit_kmh <= high:
            yield f"the limit can be from {low} to {high} km/h, and {limit_kmh} was asked for"
    profiles = [one.name for one in remote.profile]
    if settings.profile and settings.profile not in profiles:
        yield _unknown(settings.profile, profiles, "profile")
    yield from _unknown_tables(config, settings.off)


def _unknown_tables(config: Config, names: Iterable[str]) -> Iterator[str]:
    known = [window.name for window in config.rules.schedule]
    yield from (_unknown(name, known, "table of the schedule") for name in names if name not in known)


def _unknown(name: str, known: list[str], what: str) -> str:
    return f"there is no {what} {name!r}; there are: {', '.join(known) or 'none'}"


def misfits(config: Config, beside: Config | None = None) -> list[str]:
    """What does not fit together in what this config shows, but for what does not fit `beside` it either."""
    from speedsign.config.panel_relations import panel_problems
    from speedsign.config.rules_relations import rules_problems

    known = set(misfits(beside)) if beside else set()
    found = [str(problem) for check in (rules_problems, panel_problems) for problem in check(config)]
    return [problem for problem in found if problem not in known]


def effective(config: Config, settings: RemoteSettings) -> Config:
    """The config as if its owner had written it so; what the settings name must be in it."""
    rules = config.rules
    if settings.profile:
        (profile,) = (one for one in config.remote.profile if one.name == settings.profile)
        rules = replace(rules, **_given(profile))
    schedule = tuple(window for window in rules.schedule if window.name not in settings.off)
    limit_kmh = config.sign.limit_kmh if settings.limit_kmh is None else settings.limit_kmh
    return replace(
        config, sign=replace(config.sign, limit_kmh=limit_kmh), rules=replace(rules, schedule=schedule)
    )


def _given(profile: RemoteProfileConfig) -> dict[str, Any]:
    """The keys of [rules] that a profile sets."""
    values = {one.name: getattr(profile, one.name) for one in fields(profile) if one.name != "name"}
    return {key: value for key, value in values.items() if value is not None}


def usable(config: Config, settings: RemoteSettings) -> tuple[RemoteSettings, list[str]]:
    """What of the settings still fits this config, and what had to be dropped, in sentences."""
    whole = next(problems(config, settings), None)
    if whole is None:
        return settings, []
    dropped: list[str] = []
    for part in ("limit_kmh", "profile", "off"):
        alone = replace(NOTHING_SET, **{part: getattr(settings, part)})
        if why := next(problems(config, alone), None):
            dropped.append(why)
            settings = replace(settings, **{part: getattr(NOTHING_SET, part)})
    if not dropped or next(problems(config, settings), None):
        return NOTHING_SET, dropped or [whole]
    return settings, dropped


# --------------------------------------------------------------------------- in words


def difference(before: Config, after: Config) -> list[str]:
    """What is shown otherwise, a line each: `limit_kmh: 50 -> 30`; empty when nothing is."""
    lines = []
    if before.sign.limit_kmh != after.sign.limit_kmh:
        lines.append(f"limit_kmh: {before.sign.limit_kmh} -> {after.sign.limit_kmh}")
    for one in fields(before.rules):
        old, new = getattr(before.rules, one.name), getattr(after.rules, one.name)
        if one.name != "schedule" and old != new:
            lines.append(f"{one.name}: {_in_words(old)} -> {_in_words(new)}")
    names = [[window.name for window in config.rules.schedule] for config in (before, after)]
    lines += [f'schedule "{name}": on -> off' for name in names[0] if name not in names[1]]
    lines += [f'schedule "{name}": off -> on' for name in names[1] if name not in names[0]]
    return lines


def _in_words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "as the limit says" if value is None else str(value)


def in_words(settings: RemoteSettings) -> list[str]:
    """What is in force from afar, a line each; empty: the config alone."""
    lines = []
    if settings.limit_kmh is not None:
        lines.append(f"limit {settings.limit_kmh} km/h")
    if settings.profile:
        lines.append(f"profile {settings.profile}")
    return lines + [f'without the schedule "{name}"' for name in settings.off]
