"""JSON from outside, looked at before anything is made of it: ValueError for all that is not as agreed.

Whoever sends may be broken or hostile: sizes are bounded before parsing, numbers before use, texts before
they reach a terminal or a database.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

SEQ_AT_MOST = 2**62  # fits a database's integer with room to add
_EPOCH = re.compile(r"[0-9a-f]{16}", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,30}(/[A-Za-z0-9_+-]{1,30}){0,2}", re.ASCII)


def encode(message: Mapping[str, object]) -> bytes:
    """Compact JSON, UTF-8; NaN and infinity are refused (ValueError)."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    found = float(digits)
    if not math.isfinite(found):  # 1e400
        raise ValueError(f"{shown(digits)} is more than a number can be")
    return found


_DECODER = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite)
_STEERING = ("Cc", "Cf", "Zl", "Zp")  # control, writing direction and zero width, ends of lines


def decoded(payload: bytes, longest: int) -> dict[str, Any]:
    """The object that a payload of at most `longest` bytes is."""
    if len(payload) > longest:
        raise ValueError(f"{len(payload)} bytes, where {longest} are the most")
    try:
        message = _DECODER.decode(payload.decode())
        if b"\\u" in payload:  # half a character could be among them, which no database takes
            json.dumps(message, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None
    return mapped(message, "the message")


def inflated(payload: bytes, longest: int) -> bytes:
    """What zlib packed, if it is no more than `longest` bytes; no more than that is ever unpacked."""
    packed = zlib.decompressobj()
    try:
        plain = packed.decompress(payload, longest + 1)
    except zlib.error as error:
        raise ValueError(f"not zlib: {error}") from None
    if len(plain) > longest:
        raise ValueError(f"unpacks to more than {longest} bytes")
    if not packed.eof or packed.unused_data:
        raise ValueError("zlib data that does not end where the message does")
    return plain


def has(message: Mapping[str, Any], key: str) -> Any:
    """A field that must be there."""
    if key not in message:
        raise ValueError(f"{key} is missing")
    return message[key]


def whole(value: object, name: str, low: int = 0, high: int = SEQ_AT_MOST) -> int:
    """A whole number in [low, high]; 1.0 and true are none."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} {shown(value)} is no whole number from {low} to {high}")
    return value


def number(value: object, name: str, low: float, high: float) -> float:
    """A number in [low, high]."""
    if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]  # a number by then
        raise ValueError(f"{name} {shown(value)} is no number from {low:g} to {high:g}")
    return value  # type: ignore[return-value]


def truth(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"{name} {shown(value)} is neither true nor false")


def listed(value: object, name: str, most: int) -> list[Any]:
    """A list of at most so many."""
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"{name} is no list of at most {most}")
    return value


def mapped(value: object, name: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ValueError(f"{name} is no object")


def text(value: object, name: str, longest: int) -> str:
    """A text of at most so many characters; what would steer a terminal, or is not seen, becomes a space."""
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{name} is no text of at most {longest} characters")
    if value.isascii() and value.isprintable():
        return value
    kinds = [unicodedata.category(sign) for sign in value]
    if "Cs" in kinds:
        raise ValueError(f"{name} has half a character")
    return "".join(" " if kind in _STEERING else sign for sign, kind in zip(value, kinds, strict=True))


def plain(value: object, name: str, depth: int = 8) -> Any:
    """Any JSON of at most so many levels, each text in it as `text` gives it."""
    if isinstance(value, str):
        return text(value, name, len(value))
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        raise ValueError(f"{name} is nested too deep")
    if isinstance(value, list):
        return [plain(one, name, depth - 1) for one in value]
    return {text(key, name, len(key)): plain(one, name, depth - 1) for key, one in value.items()}


def epoch_of(message: Mapping[str, Any]) -> str:
    value = has(message, "epoch")
    if not isinstance(value, str) or not _EPOCH.fullmatch(value):
        raise ValueError(f"epoch {shown(value)} is not 16 hexadecimal digits")
    return value


def boot_of(message: Mapping[str, Any]) -> str:
    """Which start of the sign's machine, where it is told; else empty."""
    if "boot" not in message:
        return ""
    value = message["boot"]
    if not isinstance(value, str) or not _EPOCH.fullmatch(value):
        raise ValueError(f"boot {shown(value)} is not 16 hexadecimal digits")
    return value


def zone(value: object, name: str) -> str:
    """A time zone that is known here: statistics by local time need it."""
    if not isinstance(value, str) or not _ZONE.fullmatch(value) or not _is_zone(value):
        raise ValueError(f"{name} {shown(value)} is no time zone that is known here")
    return value


@lru_cache(1000)
def _is_zone(key: str) -> bool:
    try:
        ZoneInfo(key)
    except (KeyError, ValueError, OSError):
        return False
    return True


def shown(value: object) -> str:
    """A foreign value in a sentence of ours: short and harmless."""
    try:
        full = ascii(value)
    except (RecursionError, ValueError):  # an integer of more digits than Python prints
        return "(not shown)"
    return full if len(full) <= 40 else f"{full[:37]}..."
