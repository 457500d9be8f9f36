"""JSON changed as JSON: bytes that are changed anywhere mostly end at the parser, and never get behind it."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1.0, 15, 59, 60, 200, 201, 260, 899.999, 900, 901, 65_536,
    2**31, 2**53, 2**62, 2**62 + 1, 2**63, 2**64, 10**30, 1e308, 5e-324, 253_402_300_799, 253_402_300_800,
    "", "on", "ok", "unknown", "x" * 300, "\u202e", "\x00", "\x1b[2J", "\ud800", "Europe/Riga", "../etc",
    "2027-05-04", "9999-12-31", [], {}, [[]], [{}], [0], {"": 0}, [1, 1], [0] * 300, ["pass"],
    "approaching", "0123456789abcdef",
)  # fmt: skip


def changed_json(data: bytes, random: Random) -> bytes:
    """One or a few places of a JSON text changed; as it was where it is none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return data
    for _ in range(random.choice((1, 1, 2, 4))):
        found = _changed(found, random)
    try:
        return json.dumps(found, ensure_ascii=random.random() < 0.5, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )
    except (ValueError, RecursionError):
        return data


def changed_between(data: bytes, between: bytes, head: int, random: Random) -> bytes:
    """The same of one of several texts, each with so many bytes before it; or texts put elsewhere."""
    parts = data.split(between)
    at = random.randrange(len(parts))
    how = random.randrange(8)
    if how == 0:
        random.shuffle(parts)
    elif how == 1:
        parts.insert(at, random.choice(parts))
    else:
        parts[at] = parts[at][:head] + changed_json(parts[at][head:], random)
    return between.join(parts)


def _changed(found: Any, random: Random) -> Any:
    """Down to a random place, and there something else."""
    keys = (
        list(found) if isinstance(found, dict) else list(range(len(found))) if isinstance(found, list) else []
    )
    if not keys or random.random() < 0.1:
        return _other(found, random)
    key = random.choice(keys)
    how = random.random()
    if how < 0.08:
        del found[key]
    elif how < 0.16:
        _put(found, key, random)
    else:
        found[key] = _changed(found[key], random)
    return found


def _put(found: Any, key: Any, random: Random) -> None:
    """A value once more, under a key of its own or beside itself."""
    if isinstance(found, dict):
        found[random.choice([*found, "x", ""])] = deepcopy(found[key])
    else:
        found[key:key] = [deepcopy(found[key]) for _ in range(random.choice((1, 1, 40)))]


def _other(found: Any, random: Random) -> Any:
    if type(found) in (int, float) and abs(found) < 1e300 and random.random() < 0.5:
        return found + random.choice((1, -1, 0.5, 900, -900, 10**6))
    if isinstance(found, str) and found and random.random() < 0.3:
        return found[: random.randrange(len(found))] + random.choice(("", "\u0000", "é", "\ud83d", found))
    return deepcopy(random.choice(ODD))
