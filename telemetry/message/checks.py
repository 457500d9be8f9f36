"""Checks of parts of a message, to be put together: each gives the value, or ValueError for another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from telemetry.message.json_text import listed, mapped, number, text, whole

Check = Callable[[object, str], object]


def between(low: float, high: float) -> Check:
    return lambda value, name: number(value, name, low, high)


def word(value: object, name: str) -> str:
    return text(value, name, 40)


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
