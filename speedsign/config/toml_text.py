"""TOML text as plain values; whatever a text can do to the parser, it is one sentence."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from speedsign.errors import ConfigError

TOO_DEEP = "nested too deeply; no key of a config has more than a list of pairs"
TOO_LONG = "has a number with too many digits for any key"


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
