"""What an officer's command needs of a config, read without the validator.

`speedsign check` and the daemon read the whole file; loading their validator takes longer than the statistics
of a year. Here only these keys are looked at, so a config of which another part is broken is still good
enough for a report. The defaults are those of `speedsign.config.schema`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from speedsign.config.toml_text import read_text, read_toml
from speedsign.errors import ConfigError

LANGUAGES = ("lv", "lt", "en")
_KINDS = {str: "a text", int: "a whole number", float: "a number", dict: "a table of keys"}
_LARGEST = 10**15  # more digits are no number that any key takes, and in the end no float

Value = TypeVar("Value", bound=str | int | float)


@dataclass(frozen=True, slots=True)
class OfficerKeys:
    """Who and where the sign is, and where its database lies; without a config, the defaults."""

    store_path: Path = Path("/var/lib/speedsign/speedsign.db")
    sign_id: str = ""  # empty: not given
    site: str = ""  # [sign] site, or its name
    limit_kmh: int | None = None  # None: not given
    timezone: str = "Europe/Riga"
    language: str = "en"
    country: str | None = None  # None: by the time zone
    approaching_name: str = ""
    receding_name: str = ""
    latitude: float | None = None  # both or none
    longitude: float | None = None
    clock_always: bool = False  # [clock] trust = "always": nobody but the config vouches for the time


def officer_keys(path: Path) -> OfficerKeys:
    """These keys of the config at `path`; ConfigError with a sentence that names file and key."""
    raw = read_toml(read_text(path), str(path))
    sign, store, clock = (_table(raw, name, path) for name in ("sign", "store", "clock"))
    text = partial(_value, sign, "sign", path=path, kind=str)
    defaults = OfficerKeys()
    store_path = _value(store, "store", "path", path=path, kind=str)
    return OfficerKeys(
        store_path=defaults.store_path if store_path is None else Path(store_path),
        sign_id=text("id") or "",
        site=text("site") or text("name") or "",
        limit_kmh=_within(_value(sign, "sign", "limit_kmh", path=path, kind=int), "limit_kmh", 5, 130, path),
        timezone=_timezone(text("timezone") or defaults.timezone, path),
        language=_language(text("language") or defaults.language, path),
        country=text("country"),
        approaching_name=text("approaching_name") or "",
        receding_name=text("receding_name") or "",
        clock_always=_value(clock, "clock", "trust", path=path, kind=str) == "always",
        **_coordinates(sign, path),
    )


def _table(raw: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    found: object = raw.get(name, {})
    if not isinstance(found, dict):  # a key where the table is expected
        raise ConfigError([f"{path}: [{name}]: must be {_KINDS[dict]}"])
    return found


def _value(table: dict[str, Any], name: str, key: str, *, path: Path, kind: type[Value]) -> Value | None:
    """The key as that kind, None when it is not there; a whole number is a number, `true` is none."""
    value: Any = table.get(key)
    if value is None:
        return None
    kinds: tuple[type, ...] = (int, float) if issubclass(kind, float) else (kind,)
    fits = isinstance(value, kinds) and not isinstance(value, bool)
    too_long = isinstance(value, int) and abs(value) > _LARGEST
    if not fits or too_long or (isinstance(value, str) and "\0" in value):
        raise ConfigError([f"{path}: [{name}] {key} = {str(value)[:100]!r}: must be {_KINDS[kind]}"])
    return kind(value)


def _within(value: Value | None, key: str, low: float, high: float, path: Path) -> Value | None:
    if value is not None and not low <= float(value) <= high:  # NaN fails here too
        raise ConfigError([f"{path}: [sign] {key} = {value}: must be {low:g} to {high:g}"])
    return value


def _timezone(name: str, path: Path) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown; a path upwards; a folder
        raise ConfigError([f"{path}: [sign] timezone = {name!r}: no such time zone"]) from None
    return name


def _language(code: str, path: Path) -> str:
    if code not in LANGUAGES:
        raise ConfigError([f"{path}: [sign] language = {code!r}: must be one of {', '.join(LANGUAGES)}"])
    return code


def _coordinates(sign: dict[str, Any], path: Path) -> dict[str, float | None]:
    """Both coordinates, or none where one is missing."""
    found = {}
    for key, bound in (("latitude", 90.0), ("longitude", 180.0)):
        value = _value(sign, "sign", key, path=path, kind=float)
        found[key] = _within(value, key, -bound, bound, path)
    return {} if None in found.values() else found
