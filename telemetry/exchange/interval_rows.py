"""From a row of our own interval export (docs/exchange.md) to a part of an interval.

One line a speed, direction and display state; an interval without a vehicle has one line with n = 0. The
lines of an interval stand together and agree about it, and no interval overlaps another; undated ones are
apart from all others, each start of the sign's machine by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from speedsign.model import ClockQuality, Direction, DisplayState
from telemetry.exchange.csv_file import CsvFile, RowError, shown
from telemetry.exchange.said import ORIGIN, ROUNDS, Said
from telemetry.exchange.times import Times
from telemetry.exchange.vehicle_rows import Remembered, boot_of, number
from telemetry.rows import FASTEST_KMH

_OF_INTERVAL = ("start", "duration_s", "measured_s", "clock", "scaled", "boot", "stepped", ROUNDS, ORIGIN)
_OF_CELL = ("direction", "display", "speed_kmh", "n", "suspects")
OPTIONAL = ("suspects", "scaled", "boot", "stepped", ROUNDS, ORIGIN)
REQUIRED = tuple(column for column in (*_OF_INTERVAL, *_OF_CELL) if column not in OPTIONAL)
SAID_BESIDE = ("end", "coverage", "installation", "site")
DURATIONS_S = (60, 300, 900, 3600)  # those of telemetry.store, which is slow to load
MOST_VEHICLES = 100_000  # in one line: an hour has 3600 s

_Cell = tuple[str, str, int, int, int]  # direction, display, km/h, vehicles, suspects


class Head(NamedTuple):
    """What holds for a whole interval."""

    start_s: int  # since 1970, UTC
    duration_s: int
    measured_s: float
    clock: str
    scaled: int
    boot: str = ""  # of an undated one: the start of the machine it belongs to
    stepped: int = 0

    @property
    def place(self) -> tuple[int, str]:
        """What tells it from others."""
        return self.start_s, self.boot


class IntervalRow(NamedTuple):
    """Vehicles of one interval, direction, display state and speed; n = 0: it had none at all."""

    head: Head
    direction: str
    display: str
    speed_kmh: int
    n: int
    suspects: int


class IntervalReader:
    """Fields of a line -> IntervalRow. What lines of an interval, or cells, have in common is read once."""

    def __init__(self, file: CsvFile, times: Times, said: Said) -> None:
        places = file.places(REQUIRED, OPTIONAL)
        self._needed = max(places[column] for column in REQUIRED) + 1
        self._width = absent = len(file.columns)  # a field that is put behind the others, and is empty
        self._head_texts = itemgetter(*(places.get(column, absent) for column in _OF_INTERVAL))
        self._cell_texts = itemgetter(*(places.get(column, absent) for column in _OF_CELL))
        self._cells: Remembered[tuple[str, ...], _Cell] = Remembered(_cell)
        self._times = times
        self._said = said
        self._comma = file.separator != ","
        self._places: dict[str, _Places] = {}
        self._texts: tuple[str, ...] = ()  # of the last head
        self._head: Head | None = None
        self._seen: set[tuple[str, str, int]] = set()

    def row(self, fields: list[str]) -> IntervalRow:
        """RowError with the reason when it is none."""
        if len(fields) != self._width:
            if len(fields) < self._needed or any(fields[self._width :]):
                raise RowError(f"has {len(fields)} fields where the first line names {self._width}")
            fields = [*fields[: self._width], *[""] * (self._width - len(fields))]
        fields.append("")
        texts = self._head_texts(fields)
        head = self._head
        if head is None or texts != self._texts:
            head = self._following(texts)
        cell = self._cells[self._cell_texts(fields)]
        if cell[:3] in self._seen:
            raise RowError("comes twice")
        self._seen.add(cell[:3])
        return IntervalRow(head, *cell)

    def _following(self, texts: tuple[str, ...]) -> Head:
        """Of a line that does not begin as the one before."""
        head = self._head_of([text.strip() for text in texts])
        if self._head is None or head.place != self._head.place:
            self._places.setdefault(head.boot, _Places()).take(head)
            self._seen.clear()
        elif head != self._head:
            raise RowError("says otherwise about its interval than the line before")
        self._texts, self._head = texts, head
        return head

    def _head_of(self, texts: Sequence[str]) -> Head:
        start, duration, measured, clock, scaled, boot, stepped, rounds, origin = texts
        quality = _word("clock", clock, ClockQuality)
        start_ms = self._times.ms(start, believed=quality != ClockQuality.UNKNOWN)
        duration_s = _whole("duration_s", duration, max(DURATIONS_S))
        if duration_s not in DURATIONS_S:
            raise RowError(f"duration_s {duration_s} is none of {', '.join(map(str, DURATIONS_S))}")
        if start_ms % (1000 * duration_s):
            raise RowError(f"start {shown(start)} is not on a multiple of {duration_s} s")
        measured_s = number(measured, comma=self._comma)
        if measured_s is None or measured_s > duration_s:
            raise RowError(f"measured_s {shown(measured)} is no number of 0 to {duration_s}")
        name = boot_of(boot)
        if name and quality != ClockQuality.UNKNOWN:
            raise RowError(f"boot {shown(boot)} where clock is {quality}: of an undated interval alone")
        self._said.read_rounds(rounds)
        self._said.read_origin(origin)
        is_scaled, is_stepped = (
            _whole(column, text, 1) if text else 0
            for column, text in (("scaled", scaled), ("stepped", stepped))
        )
        return Head(start_ms // 1000, duration_s, measured_s, quality, is_scaled, name, is_stepped)


class _Places:
    """Which time is taken. Each duration is a multiple of the shorter ones, and starts are multiples too."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._parted: set[int] = set()  # longer stretches in which something is taken

    def take(self, head: Head) -> None:
        """RowError where the interval overlaps another."""
        start_s, duration_s = head[:2]
        around = {length: _key(start_s, length) for length in DURATIONS_S if length >= duration_s}
        own = around.pop(duration_s)
        if own in self._taken:
            raise RowError("its interval stands in another place of the file, too")
        if own in self._parted or not self._taken.isdisjoint(around.values()):
            raise RowError(f"its {duration_s} s overlap an interval of another length in the file")
        self._taken.add(own)
        self._parted.update(around.values())


def _key(start_s: int, length: int) -> int:
    """Of the stretch of that length around a second: a number, since half a million may be kept."""
    return (start_s - start_s % length) * 10_000 + length


def _cell(texts: tuple[str, ...]) -> _Cell:
    direction, display, speed, n_text, suspects = (text.strip() for text in texts)
    n = _whole("n", n_text, MOST_VEHICLES)
    return (
        _word("direction", direction, Direction) if n else "",
        _word("display", display, DisplayState) if n else "",
        _whole("speed_kmh", speed, FASTEST_KMH) if n or speed else 0,
        n,
        _whole("suspects", suspects, n) if suspects else 0,
    )


def _whole(column: str, text: str, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) > most:
        raise RowError(f"{column} {shown(text)} is no whole number of 0 to {most}")
    return int(text)


def _word(column: str, text: str, words: type[Direction | DisplayState | ClockQuality]) -> str:
    found = text.lower()
    known = [word.value for word in words]
    if found not in known:
        raise RowError(f"{column} {shown(found)} is none of {', '.join(known)}")
    return found
