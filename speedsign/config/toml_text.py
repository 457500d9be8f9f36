"""The text of a config, and TOML text as plain values; whatever is wrong with either is one sentence."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from speedsign.errors import ConfigError

TOO_DEEP = "nested too deeply; no key of a config has more than a list of pairs"
TOO_LONG = "has a number with too many digits for any key"

MAX_BYTES = 256 * 1024  # a config is a page or two; more is another file given by mistake
MAX_LINE = 8192  # characters; tomllib takes the square of a dotted key's length, minutes for one of all that


def read_text(path: Path) -> str:
    """The whole file; raises ConfigError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; name the config with --config FILE"]) from None
    except PermissionError as error:
        who = "look with sudo, or as a user of the group that it belongs to"
        raise ConfigError([f"{path}: cannot be read: {error.strerror}; {who}"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    if len(data) > MAX_BYTES:
        raise ConfigError([f"{path}: {len(data)} bytes is too much for a config; is this the right file?"])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text (byte {error.start})"]) from None
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            raise ConfigError(
                [f"{path}:{number}: longer than {MAX_LINE} characters; is this the right file?"]
            )
    return text


def read_toml(text: str, name: str) -> dict[str, Any]:
    """The tables of a text; `name` stands for the file in ConfigError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = f"not valid TOML: {error}"
    except RecursionError:
        problem = TOO_DEEP
    except ValueError:  # Python turns no text of more than some thousand digits into a number
        problem = TOO_LONG
    raise ConfigError([f"{name}: {problem}"])


def as_json(raw: dict[str, Any], name: str) -> str:
    """The same as JSON; raises ConfigError for what dotted keys and hexadecimal numbers get past TOML."""
    try:
        return json.dumps(raw, default=str)
    except RecursionError:
        problem = TOO_DEEP
    except ValueError:
        problem = TOO_LONG
    raise ConfigError([f"{name}: {problem}"])
