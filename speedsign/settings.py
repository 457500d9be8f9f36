"""What holds when some tables of the schedule are in force: [rules], then one table after the other.

Each table sets the keys that it names, the rest stays as it was before it. The defaults of `too_fast_kmh`
and `ceiling_kmh` follow the limit of the moment, unless they are named: by [rules] or by any table in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from speedsign.config.schema import Config, WindowConfig

TOO_FAST_OVER_KMH = 20  # over the limit, where nothing else is said
HIGHEST_CEILING_KMH = 250
BASE = "[rules]"
FACES = ("within", "over", "too_fast")
_KEYS = ("limit_kmh", "minimum_kmh", "too_fast_kmh", "ceiling_kmh", *FACES, "blink", "beacon", "dark")


@dataclass(frozen=True, slots=True)
class Settings:
    """All keys that a schedule can change, and who has set each; pages are as the config writes them."""

    limit_kmh: int
    minimum_kmh: int
    too_fast_kmh: int  # above the ceiling: nothing is too fast
    ceiling_kmh: int
    within: tuple[str, ...]
    over: tuple[str, ...]
    too_fast: tuple[str, ...]
    blink: tuple[str, ...]
    beacon: tuple[str, ...]
    dark: bool
    sources: Mapping[str, str]  # key -> "[rules]", '[[rules.schedule]] "school"', or a default in words

    def is_default(self, key: str) -> bool:
        """Whether a threshold follows from the limit."""
        return self.sources[key] in _DEFAULTS.values()


_DEFAULTS = {"too_fast_kmh": f"the limit and {TOO_FAST_OVER_KMH}", "ceiling_kmh": "twice the limit"}


def settle(config: Config, windows: Iterable[WindowConfig] = ()) -> Settings:
    """What holds while these tables are in force, in the order of the config."""
    values = _base(config)
    sources = dict.fromkeys(values, BASE) | {"limit_kmh": "[sign]"}
    for window in windows:
        for key in _KEYS:
            value = getattr(window, key)
            if value is not None:
                values[key], sources[key] = value, f'[[rules.schedule]] "{window.name}"'
    for key, default in _defaults(values["limit_kmh"], values["ceiling_kmh"]).items():
        if values[key] is None:
            values[key], sources[key] = default, _DEFAULTS[key]
    return Settings(**values, sources=sources)


def default_ceiling_kmh(limit_kmh: int) -> int:
    return min(2 * limit_kmh, HIGHEST_CEILING_KMH)


def lowest_ceiling_kmh(config: Config) -> int:
    """Below or at every ceiling that can be in force, whatever tables are."""
    return min(_ceilings(config))


def highest_ceiling_kmh(config: Config) -> int:
    """Above or at every ceiling that can be in force, whatever tables are."""
    return max(_ceilings(config))


def highest_minimum_kmh(config: Config) -> int:
    """Above or at every minimum that can be in force, whatever tables are."""
    minimums = [window.minimum_kmh for window in config.rules.schedule if window.minimum_kmh is not None]
    return max([config.rules.minimum_kmh, *minimums])


def _ceilings(config: Config) -> list[int]:
    """Every ceiling that [rules] or a table alone can bring; what follows from a limit lies between them."""
    rules = config.rules
    ceilings = [window.ceiling_kmh for window in rules.schedule if window.ceiling_kmh is not None]
    if rules.ceiling_kmh is not None:
        return [rules.ceiling_kmh, *ceilings]
    limits = [window.limit_kmh for window in rules.schedule if window.limit_kmh is not None]
    return [default_ceiling_kmh(limit) for limit in (config.sign.limit_kmh, *limits)] + ceilings


def _base(config: Config) -> dict[str, Any]:
    rules = config.rules
    values: dict[str, Any] = {key: getattr(rules, key) for key in _KEYS if hasattr(rules, key)}
    return values | {"limit_kmh": config.sign.limit_kmh}


def _defaults(limit_kmh: int, ceiling_kmh: int | None) -> dict[str, int]:
    ceiling = default_ceiling_kmh(limit_kmh) if ceiling_kmh is None else ceiling_kmh
    return {"ceiling_kmh": ceiling, "too_fast_kmh": min(limit_kmh + TOO_FAST_OVER_KMH, ceiling + 1)}
