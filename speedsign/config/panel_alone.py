"""What a config says about the panel, and nothing else: for darkening it when the sign cannot.

The sign may have ended because of its config. So what is wrong elsewhere does not matter here, and what is
wrong in these tables is left out where there is a default. The validator is not needed, nor its time to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, Len, MinLen

from speedsign.config.schema import BeaconConfig, DisplayConfig, SupplyConfig
from speedsign.config.toml_text import read_text, read_toml
from speedsign.errors import ConfigError

T = TypeVar("T", DisplayConfig, BeaconConfig, SupplyConfig)


@dataclass(frozen=True, slots=True)
class PanelTables:
    """`display` None: the sign has no panel. `doubts`: what was left out, a sentence each."""

    display: DisplayConfig | None
    beacon: BeaconConfig | None = None
    supply: SupplyConfig | None = None
    doubts: tuple[str, ...] = ()


def read_panel(path: Path) -> PanelTables:
    """The tables of the panel; raises ConfigError where the file or [display] cannot be used at all."""
    raw = read_toml(read_text(path), str(path))
    if "display" not in raw:
        return PanelTables(None)
    doubts: list[str] = []
    display = _table(DisplayConfig, "display", raw, doubts)
    if display is None:
        raise ConfigError([f"{path}: {doubts[-1]}"])
    beacon = _table(BeaconConfig, "beacon", raw, doubts) if "beacon" in raw else None
    supply = _table(SupplyConfig, "supply", raw, doubts) if "supply" in raw else None
    return PanelTables(display, beacon, supply, tuple(f"{path}: {text}" for text in doubts))


def _table(cls: type[T], name: str, raw: Mapping[str, Any], doubts: list[str]) -> T | None:
    """What is right in a table; None where a key is missing that has no default."""
    found: T | None = _salvaged(cls, f"[{name}]", raw[name], doubts)
    return found


def _salvaged(cls: type[Any], name: str, given: Any, doubts: list[str]) -> Any:
    if not isinstance(given, Mapping):
        doubts.append(f"{name} is no table of keys")
        return None
    hints = get_type_hints(cls, include_extras=True)
    good: dict[str, Any] = {}
    for field in fields(cls):
        if field.name not in given:
            continue
        value, hint = given[field.name], hints[field.name]
        below = next(
            (one for one in _alternatives(hint) if isinstance(one, type) and is_dataclass(one)), None
        )
        if below is not None:
            good[field.name] = _salvaged(below, f"{name[:-1]}.{field.name}]", value, doubts)
        elif fits(hint, value):
            good[field.name] = tuple(value) if isinstance(value, list) else value
        else:
            doubts.append(f"{name} {field.name} = {value!r} cannot be used")
    needed = [field.name for field in fields(cls) if field.default is MISSING]
    for key in needed:
        if key not in good:
            doubts.append(f"{name} {key} is missing and has no default")
            return None
    return cls(**good)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def fits(hint: Any, value: Any) -> bool:
    """Whether a value of a TOML file is what an annotation of the schema asks for."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(one, value) for one in args)
    if origin is Annotated:
        return fits(args[0], value) and all(_within(bound, value) for bound in args[1:])
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in args)
    if origin is tuple:
        return isinstance(value, list) and all(fits(args[0], one) for one in value)
    if hint is float:
        return type(value) in (int, float)
    return type(value) is hint


def _within(bound: object, value: Any) -> bool:
    match bound:
        case Ge(ge=least):
            return bool(value >= least)
        case Le(le=most):
            return bool(value <= most)
        case MinLen(min_length=least):
            return len(value) >= least
        case Len(min_length=least, max_length=most):
            return least <= len(value) and (most is None or len(value) <= most)
        case _:
            return True
