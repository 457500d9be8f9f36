"""The tables of a config that are good by themselves, where the whole is not: for whoever looks for trouble.

A sign never runs by this; `speedsign.config.load` is what it goes by.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from speedsign.config.load import load_config
from speedsign.config.schema import (
    BeaconConfig,
    BrightnessConfig,
    CalibrationConfig,
    ClockConfig,
    Config,
    DisplayConfig,
    LiveConfig,
    MqttConfig,
    RadarConfig,
    SignConfig,
    StoreConfig,
    SupplyConfig,
    TrackingConfig,
)
from speedsign.config.toml_text import as_json, read_text
from speedsign.errors import ConfigError

_MOST_LOST = 200  # lines: what has more of them is another file
_AT_LINE = re.compile(r"at line (\d+)")
_TABLES: dict[str, Any] = {
    "sign": SignConfig,
    "radar": RadarConfig,
    "tracking": TrackingConfig,
    "display": DisplayConfig,
    "brightness": BrightnessConfig,
    "beacon": BeaconConfig,
    "supply": SupplyConfig,
    "store": StoreConfig,
    "mqtt": MqttConfig,
    "clock": ClockConfig,
    "calibration": CalibrationConfig,
    "live": LiveConfig,
}


@dataclass(frozen=True, slots=True)
class Tables:
    """None: left out, or in `wrong`. What has defaults has them where its table is wrong, too."""

    sign: SignConfig | None = None
    radar: RadarConfig | None = None
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    display: DisplayConfig | None = None
    brightness: BrightnessConfig = field(default_factory=BrightnessConfig)
    beacon: BeaconConfig | None = None
    supply: SupplyConfig | None = None
    store: StoreConfig = field(default_factory=StoreConfig)
    mqtt: MqttConfig | None = None
    clock: ClockConfig = field(default_factory=ClockConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    live: LiveConfig = field(default_factory=LiveConfig)
    wrong: frozenset[str] = frozenset()  # tables that are there and cannot be used
    whole: Config | None = None  # where all of it is good
    problems: tuple[str, ...] = ()  # where it is not: a sentence each
    readable: bool = True  # False: there is no such file, or it is no TOML

    def knows(self, name: str) -> bool:
        """Whether it is known what this table says, be it that it is left out."""
        return name not in self.wrong and (self.readable or getattr(self, name) is not None)


def good_tables(path: Path) -> Tables:
    """What of a config can be used; never raises ConfigError."""
    try:
        config = load_config(path)
    except ConfigError as error:
        return _salvaged(path, tuple(error.problems))
    return Tables(**{name: getattr(config, name) for name in _TABLES}, whole=config)


@dataclass(frozen=True, slots=True)
class Mended:
    """What can be made of a text that may be no TOML. `lost`: the lines that had to be left out."""

    tables: Mapping[str, Any]
    whole: bool
    lost: tuple[str, ...] = ()


def mended(path: Path) -> Mended:
    """The tables of a config, checked or not, without the lines that are no TOML."""
    try:
        left = read_text(path).splitlines()
    except ConfigError:
        return Mended({}, whole=False)
    lost: list[str] = []
    while len(lost) < _MOST_LOST:
        try:
            tables = tomllib.loads("\n".join(left))
        except tomllib.TOMLDecodeError as error:
            lost.append(_cut(left, str(error)))
        except (ValueError, RecursionError):
            return Mended({}, whole=False, lost=tuple(left))
        else:
            return Mended(tables, not lost, tuple(lost))
    return Mended({}, whole=False, lost=(*lost, *left))


def _cut(left: list[str], why: str) -> str:
    """Take the line out that is wrong: emptied, or dropped where the trouble is at the end of the text."""
    found = _AT_LINE.search(why)
    if found is None or int(found[1]) > len(left):
        return left.pop()
    at = int(found[1]) - 1
    while not left[at] and at:  # the parser points behind what it did not like
        at -= 1
    line, left[at] = left[at], ""
    return line or left.pop()


def _salvaged(path: Path, problems: tuple[str, ...]) -> Tables:
    found = mended(path)
    raw = found.tables
    good: dict[str, Any] = {}
    wrong = set()
    for name in _TABLES:
        if name not in raw:
            continue
        try:
            good[name] = _validator(name).validate_json(_entry(raw[name], path), strict=True)
        except (ValidationError, ConfigError):
            wrong.add(name)
    return Tables(**good, wrong=frozenset(wrong), problems=problems, readable=found.whole)


def _entry(value: Any, path: Path) -> str:
    return as_json({"": value}, str(path)).removeprefix('{"": ').removesuffix("}")


@cache
def _validator(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_TABLES[name])
