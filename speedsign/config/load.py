"""Read a config file: all of its problems at once, each a sentence with file, line, key, value and bound."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from speedsign.config.lines import key_lines, line_of
from speedsign.config.problem import Problem
from speedsign.config.relations import problems_of
from speedsign.config.schema import Config
from speedsign.errors import ConfigError

MAX_BYTES = 256 * 1024  # a config is a page or two; more is another file given by mistake


@cache
def _validator() -> TypeAdapter[Config]:
    return TypeAdapter(Config)


def load_config(path: Path) -> Config:
    """The checked config; raises ConfigError with every problem found."""
    return parse_config(_read(path), str(path))


def parse_config(text: str, name: str) -> Config:
    """The checked config from TOML text; `name` stands for the file in the messages."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{name}: not valid TOML: {error}"]) from None
    lines = key_lines(text)
    try:
        config = _validate(raw)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors(include_url=False)]
        problems += _relations_beside(raw, {problem.path for problem in problems})
        raise ConfigError(_sentences(problems, lines, name)) from None
    if problems := list(problems_of(config)):
        raise ConfigError(_sentences(problems, lines, name))
    return config


def _validate(raw: dict[str, Any]) -> Config:
    """By way of JSON, where strict still lets a text be a path or one of a few words, as TOML has it."""
    return _validator().validate_json(json.dumps(raw, default=str), strict=True)


# Required keys stand in for themselves when they are wrong, so that the rest can still be looked at.
_STAND_INS: dict[str, dict[str, Any]] = {
    "sign": {"id": "stand-in", "limit_kmh": 50},
    "radar": {"driver": "ops243", "port": "stand-in"},
    "display": {"driver": "dm56a04", "port": "stand-in"},
    "mqtt": {"host": "localhost"},
}


def _relations_beside(raw: dict[str, Any], wrong: set[tuple[str, ...]]) -> list[Problem]:
    """What does not fit together among the keys that are right by themselves."""
    good: dict[str, Any] = {"sign": {}, "radar": {}} | _without(raw, (), wrong)
    if any(path[0] == "study" for path in wrong):
        good.pop("study", None)  # its phases only mean something together
    for table, keys in _STAND_INS.items():
        for key, value in keys.items():
            if table in good and key not in good[table]:
                good[table][key] = value
                wrong.add((table, key))
    for number, window in enumerate(good.get("rules", {}).get("schedule", ())):
        window.setdefault("name", f"stand-in {number}")
    try:
        config = _validate(good)
    except ValidationError:
        return []  # too much is wrong to say more
    return [problem for problem in problems_of(config) if not wrong.intersection(problem.paths)]


def _without(table: dict[str, Any], path: tuple[str, ...], wrong: set[tuple[str, ...]]) -> dict[str, Any]:
    """A table without the keys that are wrong; what has lost one or an entry becomes wrong as a whole too."""
    good: dict[str, Any] = {}
    for key, value in table.items():
        at = (*path, key)
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            good[key] = [_without(one, (*at, str(number)), wrong) for number, one in enumerate(value)]
        elif isinstance(value, dict):
            good[key] = _without(value, at, wrong)
        else:
            wrong.update({at} if any(one[: len(at)] == at for one in wrong) else ())
            good[key] = value
        if at in wrong:
            del good[key]
    if path and path[-1].isdecimal() and any(one[: len(path)] == path for one in wrong):
        wrong.add(path)
    return good


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; name the config with --config FILE"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    if len(data) > MAX_BYTES:
        raise ConfigError([f"{path}: {len(data)} bytes is too much for a config; is this the right file?"])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text (byte {error.start})"]) from None


def _sentences(problems: Iterable[Problem], lines: dict[tuple[str, ...], int], name: str) -> list[str]:
    """The problems in the order of the file, as `file:line: [table] key = value: what is wrong`."""
    placed = [(line_of(problem.path, lines), problem) for problem in problems]
    placed.sort(key=lambda pair: (pair[0] is None, pair[0]))
    return [f"{name}{f':{line}' if line else ''}: {problem}" for line, problem in placed]


_BOUNDS = {
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "greater_than": "must be more than {gt:g}",
    "less_than": "must be less than {lt:g}",
    "dataclass_type": "must be a table of keys",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
}


def _problem(detail: ErrorDetails) -> Problem:
    """A pydantic error in our words."""
    path = tuple(str(part) for part in detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "unexpected_keyword_argument":
        return Problem(path, "unknown key; see docs/config.md for the keys there are")
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return Problem(path, "is missing and has no default")
    if kind in _BOUNDS:
        return Problem(path, _BOUNDS[kind].format(**context), _plain(detail["input"]))
    text = str(detail["msg"])
    return Problem(path, text[0].lower() + text[1:], _plain(detail["input"]))


def _plain(value: Any) -> Any:
    """A value that is worth printing; tables are not."""
    return None if isinstance(value, dict | list) else value
