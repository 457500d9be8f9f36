"""From a row of a vehicles' CSV file to what the database keeps of a vehicle.

The contract's columns are `time,direction,speed_kmh` and optionally `length_m`; our own export has more
(docs/exchange.md), which are read where they are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from speedsign.model import SUSPECT, ClockQuality, Direction, DisplayState
from telemetry.exchange.csv_file import CsvFile, RowError, shown
from telemetry.exchange.said import ORIGIN, ROUNDS, Said
from telemetry.exchange.times import Times
from telemetry.rows import FASTEST_KMH

REQUIRED = ("time", "direction", "speed_kmh")
# In the order of `More`, after the length and the display.
OPTIONAL = (
    "length_m", "display", "seen_s", "clock", "entry_kmh", "exit_kmh", "max_kmh", "readings", "strength",
    "flags", "tracker", "face", "radial_kmh", "along_kmh", "boot", ROUNDS, ORIGIN,
)  # fmt: skip
# What our export says beside them; it is known from elsewhere.
SAID_BESIDE = ("installation", "site")
# Where the file does not name the tracker:
TRACKER = "import"  # nothing but the one speed is known: entry, exit and max repeat it
OTHER_TRACKER = "file"  # entry or exit is known
LONGEST_M = 100.0
LONGEST_SEEN_S = 3600.0
_DIRECTIONS = frozenset(direction.value for direction in Direction)
_FACES = ("", "within", "over", "too_fast")
_FLAG = re.compile(r"[a-z_]{1,20}\??")
_BOOT = re.compile(r"[0-9a-f]{16}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]*)?|\.[0-9]+", re.ASCII)
_KEPT = 50_000  # different texts of one column that are remembered

Text = TypeVar("Text", str, tuple[str, ...])
Value = TypeVar("Value")


class More(NamedTuple):
    """What only a sign of ours tells about a vehicle, as the database has it."""

    first_ms: int
    clock: str
    entry_kmh: float
    exit_kmh: float
    max_kmh: float
    readings: int  # 0: not known
    strength: float | None
    flags: str  # a JSON list
    tracker: str
    face: str
    radial_kmh: float | None
    along_kmh: float | None
    boot: str  # the start of the machine, of one that had no trusted time when it passed

    @property
    def undated(self) -> bool:
        return self.clock == ClockQuality.UNKNOWN

    @property
    def suspect(self) -> bool:
        return self.flags != "[]" and not SUSPECT.isdisjoint(json.loads(self.flags))


class VehicleRow(NamedTuple):
    """A vehicle; speeds km/h, times ms since 1970 UTC."""

    last_ms: int
    direction: str
    speed_kmh: float
    length_m: float | None
    display: str
    more: More | None  # None: the file has no such column


class VehicleReader:
    """Fields of a line -> VehicleRow. `words`: what this file calls the directions, in lower case.

    A row costs a few microseconds, since what a column says is looked at once for each different text.
    """

    def __init__(
        self,
        file: CsvFile,
        times: Times,
        words: Mapping[str, str],
        display: DisplayState,
        said: Said,
    ) -> None:
        places = file.places(REQUIRED, OPTIONAL)
        self._time, direction, speed = (places.pop(column) for column in REQUIRED)
        self._needed = max(self._time, direction, speed) + 1
        self._width = len(file.columns)
        self._times = times
        self._display = display.value
        comma = file.separator != ","
        self._direction, self._direction_of = direction, Remembered(partial(_direction, words))
        self._speed, self._speed_of = speed, Remembered(partial(_speed, "speed_kmh", comma))
        self._length, self._length_of = places.get("length_m"), Remembered(partial(_length, comma))
        absent = self._width  # a field that is put behind the others, and is empty
        readers = _readers(comma, display.value) | {ROUNDS: said.read_rounds, ORIGIN: said.read_origin}
        self._clock = places.get("clock", absent)
        self._more = [(places.get(column, absent), Remembered(readers[column])) for column in OPTIONAL[1:]]
        self.has_more = bool(places.keys() - {"length_m"})
        self._displays = self._more[0][1] if "display" in places else {"": self._display}

    @property
    def display_known(self) -> bool:
        """Whether it was said of every vehicle so far what the panel did: by the file, or for all of it."""
        unsaid = any(not text.strip() for text in self._displays)
        return not unsaid or self._display != DisplayState.FAULT.value

    def row(self, fields: list[str]) -> VehicleRow:
        """RowError with the reason when it is none."""
        width = self._width
        if len(fields) != width:
            if len(fields) < self._needed or any(fields[width:]):
                raise RowError(f"has {len(fields)} fields where the first line names {width}")
            fields = [*fields[:width], *[""] * (width - len(fields))]
        fields.append("")
        undated = fields[self._clock].strip().lower() == ClockQuality.UNKNOWN
        ms = self._times.ms(fields[self._time].strip(), believed=not undated)
        length = None if self._length is None else self._length_of[fields[self._length]]
        direction = self._direction_of[fields[self._direction]]
        speed = self._speed_of[fields[self._speed]]
        if not self.has_more:
            return VehicleRow(ms, direction, speed, length, self._display, None)
        display, seen_ms, clock, entry, leaving, fastest, *rest = [
            values[fields[place]] for place, values in self._more
        ]
        readings, strength, flags, tracker, face, radial, along, boot, *_ = rest
        if not tracker:
            tracker = TRACKER if entry is None and leaving is None else OTHER_TRACKER
        more = More(
            ms - seen_ms, clock, speed if entry is None else entry, speed if leaving is None else leaving,
            speed if fastest is None else fastest, readings, strength, flags, tracker, face, radial, along,
            boot,
        )  # fmt: skip
        return VehicleRow(ms, direction, speed, length, display, more)


class Remembered(dict[Text, Value], Generic[Text, Value]):
    """Text -> value: a file says the same few words and speeds again and again."""

    def __init__(self, read: Callable[[Text], Value]) -> None:
        super().__init__()
        self._read: Callable[[Text], Value] = read

    def __missing__(self, text: Text) -> Value:
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


def _readers(comma: bool, display: str) -> dict[str, Callable[[str], Any]]:
    """Of each optional column: text -> value; empty where the file does not say."""
    some_speed = {
        column: partial(_some_speed, column, comma)
        for column in ("entry_kmh", "exit_kmh", "max_kmh", "radial_kmh", "along_kmh")
    }
    return some_speed | {
        "display": partial(_one_of, "display", [state.value for state in DisplayState], display),
        "seen_s": lambda text: round(1000 * (_amount("seen_s", LONGEST_SEEN_S, comma, text) or 0)),
        "clock": partial(_one_of, "clock", [quality.value for quality in ClockQuality], "ok"),
        "readings": lambda text: int(_amount("readings", 1e6, comma, text) or 0),
        "strength": partial(_amount, "strength", 1e9, comma),
        "flags": _flags,
        "tracker": lambda text: text.strip()[:40],
        "face": partial(_one_of, "face", _FACES, ""),
        "boot": boot_of,
    }


def _speed(column: str, comma: bool, text: str) -> float:
    value = number(text, comma=comma)
    if value is None or not 0 < value <= FASTEST_KMH:
        raise RowError(f"{column} {shown(text)} is no speed above 0 and up to {FASTEST_KMH} km/h")
    return value


def _some_speed(column: str, comma: bool, text: str) -> float | None:
    return _speed(column, comma, text) if text.strip() else None


def _amount(column: str, most: float, comma: bool, text: str) -> float | None:
    if not text.strip():
        return None
    value = number(text, comma=comma)
    if value is None or value > most:
        raise RowError(f"{column} {shown(text)} is no number of 0 to {most:g}")
    return value


def _length(comma: bool, text: str) -> float | None:
    return _amount("length_m", LONGEST_M, comma, text) or None  # some write 0 where they do not know


def _direction(words: Mapping[str, str], text: str) -> str:
    word = text.strip().lower()
    found = words.get(word, word or Direction.UNKNOWN.value)
    if found not in _DIRECTIONS:
        raise RowError(
            f"direction {shown(text)} is none of approaching, receding, unknown; "
            "name it with --approaching-is or --receding-is"
        )
    return found


def boot_of(text: str) -> str:
    """Which start of the machine, as 16 hexadecimal digits; empty where the file does not say."""
    found = text.strip().lower()
    if found and not _BOOT.fullmatch(found):
        raise RowError(f"boot {shown(text)} is not 16 hexadecimal digits")
    return found


def _one_of(column: str, words: Sequence[str], otherwise: str, text: str) -> str:
    found = text.strip().lower()
    if not found:
        return otherwise
    if found not in words:
        raise RowError(f"{column} {shown(text)} is none of {', '.join(filter(None, words))}")
    return found


def _flags(text: str) -> str:
    flags = text.split()
    if len(flags) > 10 or not all(_FLAG.fullmatch(flag) for flag in flags):
        raise RowError(f"flags {shown(text)} are not words with spaces between")
    return json.dumps(flags)
