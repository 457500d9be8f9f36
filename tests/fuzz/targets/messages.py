"""Every message of either direction: what a parser takes, the published schema takes; the rest is refused."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from random import Random
from typing import Any

from telemetry.message.json_text import encode
from tests.fuzz.kit import one_sentence
from tests.fuzz.structure import changed_json
from tests.fuzz.words import JSON, KEYS
from tests.messages.made import EPOCH, KINDS, SIGN, packed, plain, read, sent
from tests.messages.test_bad_messages import described

WORDS = (*JSON, *KEYS, EPOCH.encode(), SIGN.encode())


def target(data: bytes) -> None:
    """The first byte is the kind; one that is packed on the wire is packed, or comes as it is."""
    if not data:
        return
    kind, text = KINDS[data[0] % 16 % len(KINDS)], data[1:]
    payload = text if data[0] & 0x10 else packed(kind, text)
    try:
        found = read(kind, payload)
    except ValueError as error:
        one_sentence(error)
        return
    finite(found)
    if not data[0] & 0x10:
        assert described(kind, text), f"{kind}: the parser takes what the schema refuses"


def finite(found: Any) -> None:
    """No infinity, nothing that a database or a terminal does not take, wherever in it."""
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, float):
            assert isfinite(one)
        elif isinstance(one, str):
            one.encode()
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
            encode({str(key): value for key, value in one.items() if isinstance(value, int | str)})
        elif isinstance(one, list | tuple):
            waiting += one
        elif hasattr(one, "__slots__"):
            waiting += [getattr(one, name) for name in one.__slots__]


def change(data: bytes, random: Random) -> bytes:
    return data[:1] + changed_json(data[1:], random)


def seeds() -> Iterator[bytes]:
    for number, kind in enumerate(KINDS):
        yield bytes([number]) + plain(kind, sent(kind))
        yield bytes([number | 0x10]) + sent(kind)
    for file in sorted(Path("tests/messages/v1").glob("*/*.json")):
        if file.stem in KINDS:
            yield bytes([KINDS.index(file.stem)]) + file.read_bytes()
