"""A config for strangers: what is set, without places, people and what nobody knows the meaning of.

Comments go, because anything can stand there; so do keys that are not known, and texts of tables that are
wrong, because a password may have slipped into one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from speedsign.config.schema import Config

REMOVED = "(removed)"
_ID = re.compile(r"[a-z0-9-]{3,40}")
_DIGITS = 1  # of coordinates: about 10 km
# Key -> what stands in its place.
PRIVATE = {
    "sign.name": "(name)",
    "sign.site": "(site)",
    "sign.approaching_name": "(direction)",
    "sign.receding_name": "(direction)",
    "mqtt.host": "(broker)",
    "mqtt.username": "(user)",
    "remote.key.id": "(key)",
    "remote.groups": "(group)",
}
_ROUNDED = ("sign.latitude", "sign.longitude")
_PROBLEM = re.compile(
    r"^(?P<where>.*?\[+(?P<table>[\w.\-]+)\]+(?: #\d+)?(?: (?P<key>[\w\-]+))?)(?P<rest>.*)$", re.DOTALL
)
_QUOTED = re.compile(r"^ = (['\"])(?P<value>.*?)\1?…?: (?P<text>[^'\"]*)$", re.DOTALL)


def redacted(raw: Mapping[str, Any], wrong: frozenset[str]) -> dict[str, Any]:
    """`wrong`: tables whose texts are left out. Keys that the schema does not know are named, not shown."""
    return {str(name): _value(str(name), value, texts=str(name) not in wrong) for name, value in raw.items()}


def _value(path: str, value: Any, *, texts: bool) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _value(f"{path}.{key}", one, texts=texts) for key, one in value.items()}
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return [_value(path, one, texts=texts) for one in value]
    if path not in KNOWN:
        return REMOVED
    if path in PRIVATE:
        return PRIVATE[path]
    if path in _ROUNDED and isinstance(value, int | float) and not isinstance(value, bool):
        return round(value, _DIGITS)
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        return [_value(path, one, texts=texts) for one in value]
    return str(value) if texts else REMOVED


def private_words(raw: Mapping[str, Any]) -> dict[str, str]:
    """Texts of the config that must not stand anywhere else either -> what stands in their place.

    The sign's id stands for itself: every report is about it, whoever else has the same name.
    """
    found: dict[str, str] = {}
    for path, value in _leaves("", raw):
        if path in PRIVATE:
            found[str(value)] = PRIVATE[path]
        elif path in _ROUNDED:
            found[str(value)] = "(coordinate)"
        elif path not in KNOWN:
            found[str(value)] = REMOVED
    table = raw.get("sign")
    sign = table.get("id") if isinstance(table, Mapping) else None
    if isinstance(sign, str) and _ID.fullmatch(sign):
        found[sign] = sign
    return found


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(path, one)
    elif not isinstance(value, bool):
        yield path, value


def wrong_texts(problems: Iterable[str]) -> Iterator[str]:
    """What somebody wrote where it does not belong: it may be anything, and may be told again elsewhere.

    >>> list(wrong_texts(["a.toml:4: [radar] driver = 'hunter2': there is no such radar"]))
    ['hunter2']
    """
    for sentence in problems:
        found = _PROBLEM.match(sentence)
        quoted = _QUOTED.match(found["rest"]) if found else None
        if quoted and quoted["value"]:
            yield quoted["value"]


def safe_problem(sentence: str) -> str:
    """A problem of a config: with a value that is a number, without a text; of a private key only where.

    >>> safe_problem("a.toml:4: [radar] driver = 'hunter2': there is no such radar")
    'a.toml:4: [radar] driver: there is no such radar'
    >>> safe_problem("a.toml:9: [mqtt] password = 'hunter2': unknown key")
    'a.toml:9: [mqtt] password: (removed)'
    """
    found = _PROBLEM.match(sentence)
    if found is None:
        return sentence
    path = f"{found['table']}.{found['key']}" if found["key"] else found["table"]
    if path in KNOWN and path not in PRIVATE and path not in _ROUNDED:
        quoted = _QUOTED.match(found["rest"])
        if quoted:
            return f"{found['where']}: {quoted['text']}"
        if "'" not in found["rest"] and '"' not in found["rest"]:
            return sentence
    return f"{found['where']}: {REMOVED}" if found["rest"].strip(": ") else sentence


def _known(cls: Any, path: str = "") -> Iterator[str]:
    """Every key of the schema, as table.key."""
    hints = get_type_hints(cls)
    for one in fields(cls):
        here = f"{path}.{one.name}" if path else one.name
        inner = _table_in(hints[one.name])
        if inner is None:
            yield here
        else:
            yield from _known(inner, here)


def _table_in(hint: Any) -> Any:
    """The dataclass of a table, or of the tables of an array; None: it is a value."""
    if is_dataclass(hint):
        return hint
    for inner in get_args(hint):
        found = _table_in(inner) if not isinstance(inner, str) else None
        if found is not None:
            return found
    return None


KNOWN = frozenset(_known(Config))
