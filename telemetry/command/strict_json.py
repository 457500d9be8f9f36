"""JSON from a stranger, of which nothing is taken on trust: ValueError for all that is not exactly as agreed.

Stricter than what other messages are read with: two readers must never understand a command differently,
so a key that stands twice, a key that nobody knows and a number that is not whole are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

BRACKETS = 16  # objects and lists in one text, and so the deepest that one can stand in another
_DIGITS = 18


def parse(text: bytes, longest: int) -> dict[str, Any]:
    """The object that at most `longest` bytes of UTF-8 are."""
    if len(text) > longest:
        raise ValueError(f"{len(text)} bytes, where {longest} are the most")
    if text.count(b"{") + text.count(b"[") > BRACKETS:
        raise ValueError("too many objects in one another")
    found = json.loads(
        text.decode("utf-8"),
        object_pairs_hook=_once,
        parse_int=_int,
        parse_float=_no_number,
        parse_constant=_no_number,
    )
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004  a ValueError like all that is said of a text
    return found


def encode(found: dict[str, Any]) -> bytes:
    """The one way to write it: keys in order, no spaces, UTF-8."""
    return json.dumps(
        found, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _int(digits: str) -> int:
    if len(digits) > _DIGITS or digits == "-0":
        raise ValueError("a number that is too long")
    return int(digits)


def _no_number(_text: str) -> NoReturn:
    raise ValueError("a number that is not whole")


def only(found: dict[str, Any], needed: Iterable[str], may: Iterable[str] = ()) -> None:
    """All needed keys and no other than those that may be there too."""
    for key in needed:
        if key not in found:
            raise ValueError(f"{key} is missing")
    if not found.keys() <= {*needed, *may}:
        raise ValueError("a key that is not known")


def whole(value: object, name: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}")
    return value


def truth(value: object, name: str) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{name} must be true or false")
    return value


def word(value: object, name: str, pattern: re.Pattern[str]) -> str:
    """A text that the whole of a pattern describes."""
    if type(value) is not str or not pattern.fullmatch(value):
        raise ValueError(f"{name} must be {pattern.pattern}")
    return value


def line(value: object, name: str, longest: int) -> str:
    """One line of text that can be printed."""
    if type(value) is not str or not 0 < len(value) <= longest or not value.isprintable():
        raise ValueError(f"{name} must be 1 to {longest} characters that can be printed")
    return value


def table(value: object, name: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise ValueError(f"{name} must be an object")
    return value
