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
_NO_DRAFT = "is no draft of speedsign commission"
_HEAD = (
    "# What speedsign commission knows so far. The sign does not read it; commission --fresh forgets it.\n"
)


@dataclass(slots=True)
class Draft:
    """`values` by dotted key, None where a key goes; `records`: calibrations to keep, a line of JSON each.

    `half`: by step, what was answered in one that did not come to its end: proposed when it is done again,
    and never written. `given`: the options that steps were done with. `stopped`: the service to be started.
    """

    values: dict[str, Any] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)  # steps
    records: list[str] = field(default_factory=list)
    half: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    stopped: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to go on with."""
        return not (self.values or self.done or self.records or self.half)


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
    """The file, or none where there is nothing to keep; raises SpeedsignError."""
    if draft.empty and not draft.stopped:
        forget_draft(config)
        return
    document = {
        "done": draft.done,
        "records": draft.records,
        "stopped": draft.stopped,
        **_split(draft.values),
        "given": draft.given,
        "half": {step: _split(values) for step, values in draft.half.items()},
    }
    put_file(path_of(config), _HEAD + as_toml(document), _MODE)


def forgotten(config: Path) -> Draft:
    """Begin anew. What stays is that a service waits to be started. Raises SpeedsignError."""
    try:
        stopped = read_draft(config).stopped
    except UsageError:
        stopped = ""
    draft = Draft(stopped=stopped)
    write_draft(config, draft)
    return draft


def forget_draft(config: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path_of(config).unlink()


def _split(values: Mapping[str, Any]) -> dict[str, Any]:
    """TOML has no word for a key that goes."""
    return {
        "out": sorted(key for key, value in values.items() if value is None),
        "values": {key: value for key, value in values.items() if value is not None},
    }


def _joined(facts: Mapping[str, Any]) -> dict[str, Any]:
    values, out = facts["values"], facts["out"]
    if not isinstance(values, dict) or not _is_texts(out):
        raise ValueError(_NO_DRAFT)
    return {**values, **dict.fromkeys(out)}


def _parsed(facts: Mapping[str, Any]) -> Draft:
    done, records, stopped = facts["done"], facts["records"], facts.get("stopped", "")
    half, given = facts.get("half", {}), facts.get("given", {})
    if not _is_texts(done) or not _is_texts(records) or not isinstance(stopped, str):
        raise ValueError(_NO_DRAFT)
    if not isinstance(given, dict) or not _is_texts([*given.values()]):
        raise ValueError(_NO_DRAFT)
    if not isinstance(half, dict) or not all(isinstance(one, dict) for one in half.values()):
        raise ValueError(_NO_DRAFT)
    steps = {step: _joined(one) for step, one in half.items()}
    return Draft(_joined(facts), done, records, steps, given, stopped)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
