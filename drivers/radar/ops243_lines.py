"""One line of an OPS24x -> what it says, without time, state or units of ours.

The radar writes one line a report, in a form that depends on its output settings (OmniPreSense AN-010,
`O` commands). All forms that are known from manuals and recordings are read here:

     1 plain number                 -88.3
     2 OT: time, speed              137.429, 3.6
     3 OT OM: time, magnitude, speed 3689529.139,27.34419,-3.45624
     4 OU: unit, [magnitude,] value "mph",12.3   "kmph",48,-1.3   "m",2.1 (a range)
     5 OH: human time, unit, value  Thu Jul  2 2020 14:56:39.368 GMT,"m",0.6
     6 OJ: JSON, speed as a string  {"speed":"0.06"}
     7 OJ with several reports      {"magnitude":[606.71, 352.58], "speed":[-10.90, -12.26]}
     8 OJ of old firmware           {"speed":0.58, "direction":"inbound", "time":105, "tick":135}
     9 ON: objects and counts       {"DetectedObjectVelocity": ...}   {"TimedSpeedCounts": ...}
    10 OC: a record a vehicle       {"classifier" : "object_outbound", "end_time" : ...}
    11 OB: binary, without framing  see `Ops243Decoder`
    12 alert, not valid JSON        {"ALERT": High Speed inbound 1.7 mps}
    13 banners, replies, echoes     {"Reset" : "Board was reset"}   {"Units":"km-per-hr"}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from drivers.radar.units import RANGE_WORDS
from speedsign.model import Direction

MAX_REPORTS = 16  # AN-010: O=n goes to 16


@dataclass(slots=True)  # not frozen: one is made for every report, and freezing doubles its price
class Speeds:
    """A report: signed values in the line's unit, the strongest first. Empty `unit`: not stated."""

    values: list[float]
    strengths: list[float | None]
    unit: str
    direction: Direction | None  # from a word in the line; beats the sign
    bare: bool  # plain text without a unit: the form of a radar that nobody has set up


class Note(StrEnum):
    """A line that is understood and of no use; the value is the name of its counter."""

    RANGE = "ranges"
    OBJECT = "objects"
    ALERT = "alerts"


@dataclass(frozen=True, slots=True)
class Banner:
    """The radar says that it started."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, an echo or a line of self-description."""

    values: Mapping[str, str]


Line = Speeds | Note | Banner | Answer

_NUMBER = re.compile(r"[+-]?\d{1,6}(?:\.\d{0,9})?").fullmatch
_PLAIN = re.compile(
    r"(?:(?P<time>\d{1,12}(?:\.\d{1,9})?"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]?\d \d{4} [\d:.]{8,15} [A-Z]{3}), ?)?"
    r'(?:"(?P<unit>[^",]{1,12})", ?)?'
    r"(?:(?P<strength>\d{1,6}(?:\.\d{1,9})?), ?)?"
    r"(?P<value>[+-]?\d{1,6}(?:\.\d{0,9})?)"
).fullmatch
_FIELD = r'"(?:speed|magnitude|unit|time)":"[^"\\]*"'
_USUAL = re.compile(
    r'\{(?!.*"(speed|magnitude|unit|time)":.*"\1":)'  # each of them once, in any order
    r'(?=.*"speed":"([+-]?\d{1,6}(?:\.\d{0,9})?)")'
    r'(?=(?:.*"magnitude":"(\d{1,6}(?:\.\d{0,9})?)")?)'
    r'(?=(?:.*"unit":"(mph|kmph|mps)")?)'
    rf"{_FIELD}(?:,{_FIELD}){{0,3}}\}}",
    re.ASCII,
).fullmatch
_COMMA = re.compile(r" ?, ?")  # the manual prints blanks, real lines have none
_BANNER_KEYS = ("Reset", "USB", "ResetReason")
_BANNER = re.compile(r'\{\s*"(?:Reset|USB|ResetReason)"\s*:(.*)', re.DOTALL).match
_OBJECT_KEYS = frozenset(
    {
        "DetectedObjectVelocity",
        "TimedSpeedCounts",
        *("classifier", "start_time", "end_time", "delta_time_msec", "total_frames", "frames"),
        *("max_mph", "max_mps", "max_speed_mph", "max_speed_mps", "max_mag", "max_magnitude"),
        *("avg_mag", "avg_magnitude", "length_m", "length_ft"),
    }
)
_DIRECTION_WORDS = {
    "inbound": Direction.APPROACHING,
    "in": Direction.APPROACHING,
    "outbound": Direction.RECEDING,
    "out": Direction.RECEDING,
}


def parse_text(line: str) -> Line | None:
    """Forms 1 to 5; None: not a line of this radar."""
    match = _PLAIN(_COMMA.sub(",", line))
    if match is None:
        return None
    unit = (match["unit"] or "").lower()
    if unit in RANGE_WORDS:
        return Note.RANGE
    strength = float(match["strength"]) if match["strength"] else None
    return Speeds([float(match["value"])], [strength], unit, None, bare=not unit)


def parse_object(text: str) -> Line | None:
    """The common case: one whole object and nothing else. None: look closer with `parse_objects`."""
    try:
        found, end = _JSON.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return _read_object(found) if end == len(text) else None


def read_at_once(text: str) -> Speeds | None:
    """The line of a radar that we have set up, in one look: a third of the way from byte to digit.

    None: any other line; what it gives is what `parse_object` gives.
    """
    match = _USUAL(text)
    if match is None:
        return None
    _, speed, magnitude, unit = match.groups()
    if unit is None and '"unit"' in text:
        return None  # one that is not known here, a range's for one
    strength = float(magnitude) if magnitude else None
    return Speeds([float(speed)], [strength], unit or "", None, bare=False)


def parse_objects(text: str) -> Iterator[tuple[int, Line | None]]:
    """Every JSON object in the text, however glued, cut or prefixed: (where it ends, what it says).

    None stands for text that is no use. A frame that fails costs only itself: the search goes on
    with the next brace after the one it began with.
    """
    at = text.find("{")
    broken = at != 0 and bool(text[:at].strip())
    while at >= 0:
        try:
            found, end = _JSON.raw_decode(text, at)
        except (ValueError, RecursionError):
            special = _not_json(text[at:])
            if special is not None:
                yield at + 1, special
            else:
                broken = True
            at = text.find("{", at + 1)
            continue
        yield end, _read_object(found)
        at = text.find("{", end)
    if broken:
        yield 0, None


def _not_json(text: str) -> Line | None:
    """Two kinds of line that look like JSON and are not: alerts, and banners that are cut off."""
    if text.startswith('{"ALERT"'):
        return Note.ALERT
    banner = _BANNER(text)
    return Banner(banner[1].strip(' "}')) if banner else None


def _read_object(found: dict[str, Any]) -> Line | None:
    speed = found.get("speed")
    if speed is None:
        return _read_other(found)
    if type(speed) is str:
        values, strengths = [speed], [found.get("magnitude")]
    elif type(speed) is list and 0 < len(speed) <= MAX_REPORTS:
        values, strengths = speed, _padded(found.get("magnitude"), len(speed))
    else:
        return None
    unit = found.get("unit", "")
    if type(unit) is not str:
        return None
    unit = unit.lower()
    if unit in RANGE_WORDS:
        return Note.RANGE
    word = found.get("direction", found.get("dir"))
    direction = _DIRECTION_WORDS.get(word.lower()) if type(word) is str else None
    numbers = []
    for value in values:
        if type(value) is not str or not _NUMBER(value):
            return None
        numbers.append(float(value))
    return Speeds(numbers, [_strength(value) for value in strengths], unit, direction, bare=False)


def _padded(magnitudes: object, n: int) -> list[Any]:
    """As many magnitudes as there are speeds; what does not fit is not known."""
    given = magnitudes if isinstance(magnitudes, list) else [magnitudes]
    return (given + [None] * n)[:n]


def _strength(value: object) -> float | None:
    """A magnitude, or None where the line has none that can be true."""
    if type(value) is str and _NUMBER(value):
        number = float(value)
        return number if number >= 0 else None
    return None


def _read_other(found: dict[str, Any]) -> Line | None:
    for key in _BANNER_KEYS:
        if key in found:
            return Banner(f"{key}: {found[key]}")
    if not _OBJECT_KEYS.isdisjoint(found):
        return Note.OBJECT
    if "range" in found:
        return Note.RANGE
    values = {key: value for key, value in found.items() if type(value) is str}
    return Answer(values) if values else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A line that gives a key twice is two lines run together: neither can be believed."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


# Numbers stay as they are written: a reply shows what the radar said, and a speed is read by one
# rule, quoted or not (newer firmware quotes, older does not), which knows no exponent, NaN or infinity.
_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_float=str, parse_int=str, parse_constant=_refuse)
