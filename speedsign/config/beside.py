"""What does not fit together beside keys that are wrong by themselves: nobody wants to be told in two rounds.

The wrong keys are left out. Where a table needs them, a value stands in, and nothing is said about that.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from speedsign.config.problem import Problem
from speedsign.config.relations import problems_of
from speedsign.config.schema import Config

Path = tuple[str, ...]

_STAND_INS: dict[Path, dict[str, Any]] = {
    ("sign",): {"id": "stand-in", "limit_kmh": 50},
    ("radar",): {"driver": "ops243", "port": "stand-in"},
    ("display",): {"driver": "dm56a04", "port": "stand-in"},
    ("display", "registers"): {"kind": "integer", "address": 0},
    ("beacon",): {"coil": 0, "unit": 247},
    ("supply",): {"coil": 0, "unit": 247},
    ("brightness", "sensor"): {"unit": 247, "address": 0},
    ("mqtt",): {"host": "localhost"},
}


def _key_stand_in(number: int) -> dict[str, Any]:
    public = base64.b64encode(number.to_bytes(32)).decode()
    return {"id": f"stand-in-{number}", "public": f"ed25519:{public}", "roles": ["read"]}


_ENTRIES: dict[Path, Callable[[int], dict[str, Any]]] = {
    ("rules", "schedule"): lambda number: {"name": f"stand-in {number}"},
    ("remote", "key"): _key_stand_in,
    ("remote", "profile"): lambda number: {"name": f"stand-in-{number}"},
}


def relations_beside(
    raw: dict[str, Any], wrong: set[Path], validate: Callable[[dict[str, Any]], Config]
) -> list[Problem]:
    """The relations among the keys that are right by themselves.

    `wrong` has the paths of those that are not; `validate` raises ValidationError.
    """
    said = frozenset(wrong)
    lost = set(wrong)  # and what is left out with them
    good = _without(raw, (), lost)
    if any(path[0] == "study" for path in said):
        good.pop("study", None)  # its phases only mean something together
    lost |= _stand_in(good)
    config, dropped = _validated(good, validate)
    if config is None:
        return []
    return [problem for problem in problems_of(config) if not _touches(problem, said | dropped, lost)]


def _validated(
    good: dict[str, Any], validate: Callable[[dict[str, Any]], Config]
) -> tuple[Config | None, frozenset[Path]]:
    """The config, and the tables that it had to do without."""
    dropped: set[Path] = set()
    for _ in range(len(good) + 1):
        try:
            return validate(good), frozenset(dropped)
        except ValidationError as error:
            failing = {(str(detail["loc"][0]),) for detail in error.errors() if detail["loc"]} - dropped
        if not failing:
            break
        for (table,) in failing:
            good.pop(table, None)
        dropped |= failing
        _stand_in(good)
    return None, frozenset(dropped)


def _stand_in(good: dict[str, Any]) -> set[Path]:
    """Fill in what the tables that are there need; the keys that were missing."""
    filled: set[Path] = set()
    good.setdefault("sign", {})
    good.setdefault("radar", {})
    for path, keys in _STAND_INS.items():
        table: Any = good
        for part in path:
            table = table.get(part) if isinstance(table, dict) else None
        if isinstance(table, dict):
            missing = {key: value for key, value in keys.items() if key not in table}
            table.update(missing)
            filled |= {(*path, key) for key in missing}
    for path, keys_of in _ENTRIES.items():
        filled |= _filled_entries(good, path, keys_of)
    return filled


def _filled_entries(good: dict[str, Any], path: Path, keys_of: Callable[[int], dict[str, Any]]) -> set[Path]:
    """The same for the tables of an array, each by its number."""
    table: Any = good.get(path[0])
    entries = table.get(path[1]) if isinstance(table, dict) else None
    filled: set[Path] = set()
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            missing = {key: value for key, value in keys_of(number).items() if key not in entry}
            entry.update(missing)
            filled |= {(*path, str(number), key) for key in missing}
    return filled


def _without(table: dict[str, Any], path: Path, wrong: set[Path]) -> dict[str, Any]:
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


def _touches(problem: Problem, said: frozenset[Path], lost: set[Path]) -> bool:
    """Whether it is about a key that is wrong, or about a whole table that is."""
    if lost.intersection(problem.paths):
        return True
    if any(path[:length] in said for path in problem.paths for length in range(1, len(path))):
        return True
    return any(one[: len(path)] == path for path in problem.against for one in lost)
