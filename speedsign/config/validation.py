"""What the validator finds wrong, in our words: a sentence with file, line, key, value and bound."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from speedsign.config.lines import line_of
from speedsign.config.problem import Problem
from speedsign.config.toml_text import TOO_DEEP, TOO_LONG
from speedsign.errors import ConfigError


def problems_in(error: ValidationError, name: str) -> list[Problem]:
    """What it says; raises ConfigError where the validator's own parser gave up."""
    details = error.errors(include_url=False)
    if not details[0]["loc"]:
        deep = "recursion" in details[0]["msg"]
        raise ConfigError([f"{name}: {TOO_DEEP if deep else TOO_LONG}"])
    return [_problem(detail) for detail in details if not _is_echo(detail, details)]


def _is_echo(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """A list is counted without its wrong entries, so that it can be too short because of them alone."""
    path = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(path) and other["loc"][: len(path)] == path for other in details
    )


def sentences(problems: Iterable[Problem], lines: dict[tuple[str, ...], int], name: str) -> list[str]:
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
    "too_long": "has too many entries: at most {max_length}",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be a text, in quotes",
    "path_type": "must be a text, in quotes",
}
_TABLES = {("study",), ("rules", "schedule"), ("remote", "key"), ("remote", "profile")}  # arrays of them


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
    if kind in ("too_short", "string_too_short") and context["min_length"] == 1:
        return Problem(path, "must not be empty", _plain(detail["input"]))
    if kind == "tuple_type":
        return Problem(path, _no_list(path, detail["input"]), _plain(detail["input"]))
    text = str(detail["msg"])
    return Problem(path, text[0].lower() + text[1:], _plain(detail["input"]))


def _no_list(path: tuple[str, ...], value: Any) -> str:
    """How the list is written that should stand there."""
    if path in _TABLES:
        return f"there can be several: write [[{'.'.join(path)}]]"
    example = f": [{json.dumps(value, ensure_ascii=False)}]" if isinstance(value, str | int | float) else ""
    return f"must be a list{example}"


def _plain(value: Any) -> Any:
    """A value that is worth printing; tables are not."""
    return None if isinstance(value, dict | list) else value
