"""From a row of a vehicles' CSV file to what the database keeps of a vehicle.

The contract's columns are `time,direction,speed_kmh` and optionally `length_m`; our own export has more
(docs/exchange.md), which are read where they are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from speedsign.model import SUSPECT, ClockQuality, Direction, DisplayState
from telemetry.exchange.csv_file import CsvFile, RowError, shown
from telemetry.exchange.times import Times
from telemetry.rows import FASTEST_KMH

REQUIRED = ("time", "direction", "speed_kmh")
OPTIONAL = (
    "length_m", "entry_kmh", "exit_kmh", "max_kmh", "seen_s", "readings", "strength", "display", "face",
    "flags", "clock", "tracker", "radial_kmh", "along_kmh",
)  # fmt: skip
# What our export says beside them; it is known from elsewhere.
SAID_BESIDE = ("installation", "site")
TRACKER = "import"  # nothing but the one speed is known of these vehicles: entry, exit and max repeat it
LONGEST_M = 100.0
LONGEST_SEEN_S = 3600.0
_DIRECTIONS = frozenset(direction.value for direction in Direction)
_FACES = ("", "within", "over", "too_fast")
_FLAG = re.compile(r"[a-z_]{1,20}\??")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]*)?|\.[0-9]+", re.ASCII)
_KEPT = 50_000  # different texts of one column that are remembered

Value = TypeVar("Value", str, float)


class VehicleRow(NamedTuple):
    """A vehicle as it goes into the database; speeds km/h, times ms since 1970 UTC."""

    first_ms: int
    last_ms: int
    clock: str
    direction: str
    speed_kmh: float
    entry_kmh: float
    exit_kmh: float
    max_kmh: float
    readings: int  # 0: not known
    strength: float | None
    length_m: float | None
    display: str
    flags: str  # a JSON list
    tracker: str
    face: str
    radial_kmh: float | None
    along_kmh: float | None

    @property
    def suspect(self) -> bool:
        return self.flags != "[]" and not SUSPECT.isdisjoint(json.loads(self.flags))


class VehicleReader:
    """Fields of a line -> VehicleRow. `words`: what this file calls the directions, in lower case."""

    def __init__(self, file: CsvFile, times: Times, words: Mapping[str, str], display: DisplayState) -> None:
        places = file.places(REQUIRED, OPTIONAL)
        self._time, self._direction, self._speed = (places.pop(column) for column in REQUIRED)
        self._places = places
        self._needed = max(self._time, self._direction, self._speed) + 1
        self._width = len(file.columns)
        self._times = times
        self._display = display.value
        comma = file.separator != ","
        self._direction_of = _Remembered(lambda text: _direction(text, words))
        self._speed_of = _Remembered(lambda text: _speed("speed_kmh", text, comma=comma))
        self._comma = comma

    def row(self, fields: Sequence[str]) -> VehicleRow:
        """RowError with the reason when it is none."""
        if len(fields) < self._needed or any(fields[self._width :]):
            raise RowError(f"has {len(fields)} fields where the first line names {self._width}")
        ms = self._times.ms(fields[self._time].strip())
        direction = self._direction_of[fields[self._direction]]
        speed = self._speed_of[fields[self._speed]]
        if not self._places:
            return VehicleRow(
                ms, ms, "ok", direction, speed, speed, speed, speed, 0,
                None, None, self._display, "[]", TRACKER, "", None, None,
            )  # fmt: skip
        return self._with_more(fields, ms, direction, speed)

    def _with_more(self, fields: Sequence[str], ms: int, direction: str, speed: float) -> VehicleRow:
        text = {
            column: fields[place].strip() for column, place in self._places.items() if place < len(fields)
        }
        seen_s = self._number("seen_s", text, LONGEST_SEEN_S) or 0.0
        entry, leaving, fastest = (self._kmh(column, text) for column in ("entry_kmh", "exit_kmh", "max_kmh"))
        alone = entry is None and leaving is None
        return VehicleRow(
            first_ms=ms - round(1000 * seen_s),
            last_ms=ms,
            clock=_one_of("clock", text, ClockQuality, "ok"),
            direction=direction,
            speed_kmh=speed,
            entry_kmh=speed if entry is None else entry,
            exit_kmh=speed if leaving is None else leaving,
            max_kmh=speed if fastest is None else fastest,
            readings=int(self._number("readings", text, 1e6) or 0),
            strength=self._number("strength", text, 1e9),
            length_m=self._number("length_m", text, LONGEST_M),
            display=_one_of("display", text, DisplayState, self._display),
            flags=_flags(text.get("flags", "")),
            tracker=TRACKER if alone else text.get("tracker", "")[:40] or TRACKER,
            face=_one_of("face", text, _FACES, ""),
            radial_kmh=self._kmh("radial_kmh", text),
            along_kmh=self._kmh("along_kmh", text),
        )

    def _kmh(self, column: str, text: Mapping[str, str]) -> float | None:
        found = text.get(column, "")
        return _speed(column, found, comma=self._comma) if found else None

    def _number(self, column: str, text: Mapping[str, str], most: float) -> float | None:
        found = text.get(column, "")
        if not found:
            return None
        value = number(found, comma=self._comma)
        if value is None or value > most:
            raise RowError(f"{column} {shown(found)} is no number of 0 to {most:g}")
        return value


class _Remembered(dict[str, Value], Generic[Value]):
    """Text -> value: a file says the same few words and speeds again and again."""

    def __init__(self, read: Callable[[str], Value]) -> None:
        super().__init__()
        self._read: Callable[[str], Value] = read

    def __missing__(self, text: str) -> Value:
        if len(self) > _KEPT:
            self.clear()
        found: Value = self._read(text)
        self[text] = found
        return found


def number(text: str, *, comma: bool) -> float | None:
    """Plain digits with a decimal point, or comma where it is not the separator; None for all else."""
    text = text.strip()
    if comma and "." not in text:
        text = text.replace(",", ".")
    return float(text) if _NUMBER.fullmatch(text) else None


def _speed(column: str, text: str, *, comma: bool) -> float:
    value = number(text, comma=comma)
    if value is None or not 0 < value <= FASTEST_KMH:
        raise RowError(f"{column} {shown(text)} is no speed above 0 and up to {FASTEST_KMH} km/h")
    return value


def _direction(text: str, words: Mapping[str, str]) -> str:
    word = text.strip().lower()
    found = words.get(word, word or Direction.UNKNOWN.value)
    if found not in _DIRECTIONS:
        raise RowError(
            f"direction {shown(text)} is none of approaching, receding, unknown; "
            "name it with --approaching-is or --receding-is"
        )
    return found


def _one_of(column: str, text: Mapping[str, str], words: Iterable[str], otherwise: str) -> str:
    found = text.get(column, "").lower()
    if not found:
        return otherwise
    known = [str(word) for word in words]
    if found not in known:
        raise RowError(f"{column} {shown(found)} is none of {', '.join(filter(None, known))}")
    return found


def _flags(text: str) -> str:
    if not text:
        return "[]"
    flags = text.split()
    if len(flags) > 10 or not all(_FLAG.fullmatch(flag) for flag in flags):
        raise RowError(f"flags {shown(text)} are not words with spaces between")
    return json.dumps(flags)
