"""What has been answered and measured so far, in a file beside the config: a lost connection loses nothing.

It holds the keys that change and not a config, so that a config which somebody changes meanwhile keeps what
they changed.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from speedsign.config.writing import as_toml, put_file
from speedsign.errors import UsageError

_MODE = 0o600
_HEAD = (
    "# What speedsign commission knows so far. The sign does not read it; commission --fresh forgets it.\n"
)


@dataclass(slots=True)
class Draft:
    """`values` by dotted key, None where a key goes; `records`: calibrations to keep, a line of JSON each."""

    values: dict[str, Any] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)  # steps
    records: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.values or self.done or self.records)


def path_of(config: Path) -> Path:
    return config.with_name(f"{config.name}.draft")


def read_draft(config: Path) -> Draft:
    """An empty one where there is none; raises UsageError for one that cannot be read."""
    path = path_of(config)
    if not path.exists():
        return Draft()
    try:
        return _parsed(tomllib.loads(path.read_text(encoding="utf-8")))
    except KeyError as error:
        raise UsageError(f"{path}: {error} is missing; begin anew with --fresh") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; try again with sudo") from None
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path}: {error}; begin anew with --fresh") from None


def write_draft(config: Path, draft: Draft) -> None:
    """Raises SpeedsignError."""
    document = {
        "done": draft.done,
        "records": draft.records,
        "out": sorted(key for key, value in draft.values.items() if value is None),
        "values": {key: value for key, value in draft.values.items() if value is not None},
    }
    put_file(path_of(config), _HEAD + as_toml(document), _MODE)


def forget_draft(config: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path_of(config).unlink()


def _parsed(facts: Mapping[str, Any]) -> Draft:
    values, out, done, records = (facts[name] for name in ("values", "out", "done", "records"))
    if not isinstance(values, dict) or not all(isinstance(one, list) for one in (out, done, records)):
        raise ValueError("is no draft of speedsign commission")
    if not all(isinstance(one, str) for one in (*out, *done, *records)):
        raise ValueError("is no draft of speedsign commission")
    return Draft({**values, **dict.fromkeys(out)}, done, records)
