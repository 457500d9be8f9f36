"""From a row of our own interval export (docs/exchange.md) to a part of an interval.

One line a speed, direction and display state; an interval without a vehicle has one line with n = 0. The
lines of an interval stand together and agree about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from speedsign.model import ClockQuality, Direction, DisplayState
from telemetry.exchange.csv_file import CsvFile, RowError, shown
from telemetry.exchange.times import Times
from telemetry.exchange.vehicle_rows import number
from telemetry.rows import FASTEST_KMH

REQUIRED = ("start", "duration_s", "measured_s", "clock", "direction", "display", "speed_kmh", "n")
OPTIONAL = ("suspects", "scaled")
SAID_BESIDE = ("end", "coverage", "installation", "site")
DURATIONS_S = (60, 300, 900, 3600)  # those of telemetry.store, which is slow to load
MOST_VEHICLES = 100_000  # in one line: an hour has 3600 s


class Head(NamedTuple):
    """What holds for a whole interval."""

    start_s: int  # since 1970, UTC
    duration_s: int
    measured_s: float
    clock: str
    scaled: int


class IntervalRow(NamedTuple):
    """Vehicles of one interval, direction, display state and speed; n = 0: it had none at all."""

    head: Head
    direction: str
    display: str
    speed_kmh: int
    n: int
    suspects: int


class IntervalReader:
    """Fields of a line -> IntervalRow."""

    def __init__(self, file: CsvFile, times: Times) -> None:
        self._places = file.places(REQUIRED, OPTIONAL)
        self._needed = max(self._places[column] for column in REQUIRED) + 1
        self._times = times
        self._comma = file.separator != ","
        self._started: set[int] = set()
        self._head: Head | None = None
        self._seen: set[tuple[str, str, int]] = set()

    def row(self, fields: Sequence[str]) -> IntervalRow:
        """RowError with the reason when it is none."""
        if len(fields) < self._needed:
            raise RowError(f"has {len(fields)} fields where at least {self._needed} are needed")
        text = {
            column: fields[place].strip() for column, place in self._places.items() if place < len(fields)
        }
        head = self._head_of(text)
        n = self._whole("n", text, MOST_VEHICLES)
        suspects = self._whole("suspects", text, n) if text.get("suspects") else 0
        speed = self._whole("speed_kmh", text, FASTEST_KMH) if n or text["speed_kmh"] else 0
        direction = _word("direction", text, Direction) if n else ""
        display = _word("display", text, DisplayState) if n else ""
        self._place(head, (direction, display, speed))
        return IntervalRow(head, direction, display, speed, n, suspects)

    def _head_of(self, text: dict[str, str]) -> Head:
        start_ms = self._times.ms(text["start"])
        duration_s = self._whole("duration_s", text, max(DURATIONS_S))
        if duration_s not in DURATIONS_S:
            raise RowError(f"duration_s {duration_s} is none of {', '.join(map(str, DURATIONS_S))}")
        if start_ms % (1000 * duration_s):
            raise RowError(f"start {shown(text['start'])} is not on a multiple of {duration_s} s")
        measured_s = number(text["measured_s"], comma=self._comma)
        if measured_s is None or measured_s > duration_s:
            raise RowError(f"measured_s {shown(text['measured_s'])} is no number of 0 to {duration_s}")
        clock = _word("clock", text, ClockQuality)
        scaled = self._whole("scaled", text, 1) if text.get("scaled") else 0
        return Head(start_ms // 1000, duration_s, measured_s, clock, scaled)

    def _place(self, head: Head, cell: tuple[str, str, int]) -> None:
        """Check the line against the ones before."""
        if self._head is None or head.start_s != self._head.start_s:
            if head.start_s in self._started:
                raise RowError("its interval stands in another place of the file, too")
            self._started.add(head.start_s)
            self._head = head
            self._seen.clear()
        elif head != self._head:
            raise RowError("says otherwise about its interval than the line before")
        if cell in self._seen:
            raise RowError("comes twice")
        self._seen.add(cell)

    def _whole(self, column: str, text: dict[str, str], most: int) -> int:
        found = text.get(column, "")
        if not found.isascii() or not found.isdecimal() or len(found) > 9 or int(found) > most:
            raise RowError(f"{column} {shown(found)} is no whole number of 0 to {most}")
        return int(found)


def _word(column: str, text: dict[str, str], words: type[Direction | DisplayState | ClockQuality]) -> str:
    found = text[column].lower()
    known = [word.value for word in words]
    if found not in known:
        raise RowError(f"{column} {shown(found)} is none of {', '.join(known)}")
    return found
