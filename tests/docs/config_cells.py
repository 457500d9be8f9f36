"""What docs/config.md must say about each key: read from the dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, Len, MinLen

from speedsign.config.schema import Config

_WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    date: "date",
}


def tables() -> dict[str, type]:
    """The tables of a config by their headings, in the order of the schema; an inner one after its outer."""
    return dict(_tables(Config, ""))


def _tables(outer: type, prefix: str) -> Iterator[tuple[str, type]]:
    hints = get_type_hints(outer, include_extras=True)
    for field in dataclasses.fields(outer):
        kind = _bare(hints[field.name])[0]
        repeated = get_origin(kind) is tuple and dataclasses.is_dataclass(get_args(kind)[0])
        inner = get_args(kind)[0] if repeated else kind
        if dataclasses.is_dataclass(inner):
            name = f"{prefix}{field.name}"
            yield f"[[{name}]]" if repeated else f"[{name}]", inner  # type: ignore[misc]  # a class, not an object
            yield from _tables(inner, f"{name}.")  # type: ignore[arg-type]  # as above


def rows(table: type) -> Iterator[tuple[str, str, str]]:
    """(key, type with its bound, default) as the page writes them; inner tables have their own heading.

    A table's own keys come first, then those that it shares with another one.
    """
    hints = get_type_hints(table, include_extras=True)
    inner = dict(_tables(table, ""))
    for field in sorted(dataclasses.fields(table), key=lambda one: one.name not in table.__annotations__):
        if f"[{field.name}]" in inner or f"[[{field.name}]]" in inner:
            continue
        kind, bound = _bare(hints[field.name])
        yield f"`{field.name}`", ", ".join(filter(None, (_word(kind), bound))), _default(field)


def _bare(hint: Any) -> tuple[Any, str]:
    """A type without None and its bound in words."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (arg for arg in args if arg is not NoneType)
        return _bare(inner)
    if origin is Annotated:
        many = "entries" if get_origin(args[0]) is tuple else "characters"
        return args[0], _bound(args[1:], many)
    return hint, ""


def _bound(marks: tuple[Any, ...], many: str) -> str:
    low = next((mark.ge for mark in marks if isinstance(mark, Ge)), None)
    high = next((mark.le for mark in marks if isinstance(mark, Le)), None)
    if low is not None:
        return f"{low:g} to {high:g}" if high is not None else f"at least {low:g}"
    lengths = [mark for mark in marks if isinstance(mark, Len)]
    if lengths:
        return f"at most {lengths[0].max_length} {many}"
    return "not empty" if any(isinstance(mark, MinLen) for mark in marks) else ""


def _word(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) is tuple:
        return _list(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f"`{member.value}`" for member in kind)
    return _WORDS[kind]


def _list(of: tuple[Any, ...]) -> str:
    """A list of one kind of thing, or a pair."""
    if of[-1] is Ellipsis:
        kind, bound = _bare(of[0])
        return ", ".join(filter(None, (f"list of {_word(kind)}", bound)))
    return " and ".join(", ".join(filter(None, (_word(kind), bound))) for kind, bound in map(_bare, of))


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "required"
    if field.default is None:
        return "none"
    value = field.default.value if isinstance(field.default, Enum) else field.default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in value) + "]`" if value else "empty"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{text}`" if text else "empty"
