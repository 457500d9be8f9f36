"""Checks of parts of a message, to be put together: each gives the value, or ValueError for another one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from telemetry.message.json_text import listed, mapped, number, shown, text, whole

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
Check = Callable[[object, str], object]


def between(low: float, high: float) -> Check:
    return lambda value, name: number(value, name, low, high)


def word(value: object, name: str) -> str:
    return text(value, name, 40)


def day(value: object, name: str) -> str:
    """2027-05-04."""
    found = text(value, name, 10)
    if not _DAY.fullmatch(found):
        raise ValueError(f"{name} {shown(value)} is no date")
    try:
        date.fromisoformat(found)
    except ValueError:
        raise ValueError(f"{name} {shown(value)} is no date") from None
    return found


def texts(most: int, longest: int) -> Check:
    """A list of at most `most` texts of at most `longest` characters."""
    return lambda value, name: [text(one, name, longest) for one in listed(value, name, most)]


def counters(*names: str) -> dict[str, Check]:
    return dict.fromkeys(names, whole)


def object_of(**parts: Check) -> Check:
    """An object of which only these are read, each where it is there."""

    def check(value: object, name: str) -> Mapping[str, object]:
        found = mapped(value, name)
        return {key: read(found[key], f"{name}.{key}") for key, read in parts.items() if key in found}

    return check
