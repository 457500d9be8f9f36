"""Read a config file: all of its problems at once, each a sentence with file, line, key, value and bound."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from speedsign.config.beside import relations_beside
from speedsign.config.lines import key_lines
from speedsign.config.relations import problems_of
from speedsign.config.schema import Config
from speedsign.config.toml_text import as_json, read_text, read_toml
from speedsign.config.validation import problems_in, sentences
from speedsign.errors import ConfigError


@cache
def _validator() -> TypeAdapter[Config]:
    return TypeAdapter(Config)


def load_config(path: Path) -> Config:
    """The checked config; raises ConfigError with every problem found."""
    return parse_config(read_text(path), str(path))


def parse_config(text: str, name: str) -> Config:
    """The checked config from TOML text; `name` stands for the file in the messages."""
    raw = read_toml(text, name)
    lines = key_lines(text)
    try:
        config = _validate(raw, name)
    except ValidationError as error:
        problems = problems_in(error, name)
        wrong = {problem.path for problem in problems}
        problems += relations_beside(raw, wrong, lambda good: _validate(good, name))
        raise ConfigError(sentences(problems, lines, name)) from None
    if problems := list(problems_of(config)):
        raise ConfigError(sentences(problems, lines, name))
    return config


def misfits(text: str, name: str) -> dict[tuple[str, ...], str]:
    """The keys whose value no config can have, whatever the others say: path -> a sentence.

    Raises ConfigError for what is no TOML.
    """
    raw = read_toml(text, name)
    try:
        _validate(raw, name)
    except ValidationError as error:
        lines = key_lines(text)
        return {problem.path: sentences([problem], lines, name)[0] for problem in problems_in(error, name)}
    return {}


def _validate(raw: dict[str, Any], name: str) -> Config:
    """By way of JSON, where strict still lets a text be a path or one of a few words, as TOML has it."""
    return _validator().validate_json(as_json(raw, name), strict=True)
