"""Values that no config can have: of a config which a person has written, or a draft that one has edited."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from speedsign.config.load import misfits
from speedsign.config.writing import set_values
from speedsign.errors import ConfigError


@lru_cache(maxsize=4)
def misfits_of(text: str, name: str) -> Mapping[tuple[str, ...], str]:
    """Path -> a sentence; what is only missing is not among it. Raises ConfigError for what is no TOML."""
    return {path: sentence for path, sentence in misfits(text, name).items() if _stands(text, path)}


def _stands(text: str, path: tuple[str, ...]) -> bool:
    at: Any = tomllib.loads(text)
    for part in path:
        if isinstance(at, list) and part.isdecimal():
            at = at[int(part)] if int(part) < len(at) else None
        else:
            at = at.get(part) if isinstance(at, dict) else None
    return at is not None


def no_value(dotted: str, value: Any) -> str:
    """Why no config can have this key so; empty: one can."""
    path = tuple(dotted.split("."))
    if len(path) == 1 or not all(path):
        return f"{dotted} is no key of a config"
    try:
        text = set_values("", {dotted: value})
    except ConfigError as error:
        return error.problems[0]
    wrong = (one for at, one in misfits(text, "").items() if at[: len(path)] == path or path[: len(at)] == at)
    return next(wrong, "").lstrip(":0123456789 ")
