"""Single vehicles as one message: columns instead of rows, since zlib packs what is alike side by side.

A column is a list with a value for each vehicle, or one value that holds for all of them. Speeds are whole
tenths of km/h, times whole ms. `entry`, `exit`, `max`, `radial` and `along` are told as their difference
from `speed`. Words are told by their first letters, one text for each column.

Where the sign's clock was not synchronised while they passed, a message has vehicles of one start of the
machine only: `boot` names it, and `up` says when each was first seen, in ms of boot time. Once the sign
knows the time, or has a better guess, it tells the same vehicles again with those times: what has the same
installation, `boot`, `up`, `seen` and `dir` is the same vehicle. One whose `clk` is corrected stays,
whichever of them comes first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_letters
from typing import Any, TypeVar

from speedsign.model import ClockQuality, Direction, DisplayState, Vehicle, VehicleRecord
from telemetry.message.json_text import boot_of, has, listed, number, shown, text, whole
from telemetry.rows import SHORT_BOOT, from_ms, to_ms

VEHICLES_AT_MOST = 100  # in one message
_MS_AT_MOST = 253_402_300_799_999  # the end of the year 9999
_SEEN_AT_MOST = 86_400_000  # a day in ms
_TENTHS_AT_MOST = 9_999
_NONE = "-"
_SETS = ascii_letters  # name the sets of flags: there are never so many
_FACES = {_NONE: "", "w": "within", "o": "over", "t": "too_fast"}
_FLAGS = re.compile(r"[a-z_]{1,20}\??( [a-z_]{1,20}\??){0,9}", re.ASCII)
_DIFFERENCES = ("entry", "exit", "max")
_SOMETIMES = ("radial", "along")

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Batch:
    """Vehicles of one installation. Where `boot` is not told, nor is boot time: `t_first_mono_s` is 0."""

    installation_id: int
    records: tuple[VehicleRecord, ...]


# --------------------------------------------------------------------------- from the sign


def vehicles(installation_id: int, records: Sequence[VehicleRecord]) -> dict[str, object]:
    """1 to 100 vehicles of one installation, without the message's name.

    `boot` is told where all are of one that did not know the time when they passed (`told_boot`).
    Rounded: speeds to 0.1 km/h, never into another class of 1 km/h; lengths to 0.1 m; strengths to two
    digits.
    """
    if not 1 <= len(records) <= VEHICLES_AT_MOST:
        raise ValueError(f"{len(records)} vehicles, where 1 to {VEHICLES_AT_MOST} go into a message")
    seen = [record.vehicle for record in records]
    first_ms = [to_ms(record.first_utc) for record in records]
    speeds = [tenths(vehicle.speed_kmh) for vehicle in seen]
    message: dict[str, object] = {
        "installation": installation_id,
        "n": len(records),
        "t0": first_ms[0],
        "dt": _column([ms - before for ms, before in zip(first_ms, [first_ms[0], *first_ms], strict=False)]),
        "seen": _column([_seen_ms(record, ms) for record, ms in zip(records, first_ms, strict=True)]),
        "speed": _column(speeds),
        "entry": _less(speeds, [vehicle.entry_kmh for vehicle in seen]),
        "exit": _less(speeds, [vehicle.exit_kmh for vehicle in seen]),
        "max": _less(speeds, [vehicle.max_kmh for vehicle in seen]),
        "readings": _column([vehicle.readings for vehicle in seen]),
        "clk": _letters(record.clock.value for record in records),
        "dir": _letters(vehicle.direction.value for vehicle in seen),
        "display": _letters(record.display.value for record in records),
        "tracker": _column([record.tracker for record in records]),
    }
    if boot := told_boot(records[0]):
        if any(told_boot(record) != boot for record in records):
            raise ValueError("vehicles of several starts of the machine in a message that names one")
        message |= {"boot": boot, "up": _column([round(vehicle.t_first_mono_s * 1000) for vehicle in seen])}
    return message | _where_known(
        radial=_less(speeds, [vehicle.radial_kmh for vehicle in seen]),
        along=_less(speeds, [vehicle.along_kmh for vehicle in seen]),
        strength=_column([_two_digits(vehicle.strength) for vehicle in seen]),
        length=_column([None if one.length_m is None else round(one.length_m * 10) for one in seen]),
        face=_letters(record.face or _NONE for record in records),
        **_flags(seen),
    )


def told_boot(record: VehicleRecord) -> str:
    """Which start of the machine a message names for it; empty: none, its time was known at once."""
    return "" if record.clock is ClockQuality.OK else record.boot[:SHORT_BOOT]


def tenths(speed_kmh: float) -> int:
    """A speed in whole tenths of km/h; rounded, but never up over the edge of a class of 1 km/h.

    >>> tenths(50.44), tenths(50.46), tenths(50.5), tenths(50.98)
    (504, 504, 505, 509)
    """
    ten = 10 * speed_kmh
    near = math.floor(ten + 0.5)
    if near % 5 == 0 and near > ten:  # edges are at whole and at half km/h
        near -= 1
    return min(max(near, 0), _TENTHS_AT_MOST)


def _seen_ms(record: VehicleRecord, first_ms: int) -> int:
    return min(max(to_ms(record.last_utc) - first_ms, 0), _SEEN_AT_MOST)


def _where_known(**columns: object) -> dict[str, object]:
    """Columns that say something."""
    return {name: column for name, column in columns.items() if column not in (None, _NONE)}


def _column(values: list[Any]) -> object:
    """One value where all are the same."""
    return values[0] if all(value == values[0] for value in values) else values


def _less(speeds: list[int], others_kmh: Sequence[float | None]) -> object:
    return _column(
        [None if kmh is None else tenths(kmh) - speed for speed, kmh in zip(speeds, others_kmh, strict=True)]
    )


def _letters(words: Iterable[str]) -> str:
    letters = "".join([word[0] for word in words])
    return letters[0] if len(set(letters)) == 1 else letters


def _two_digits(strength: float | None) -> float | int | None:
    if strength is None:
        return None
    short = float(f"{strength:.2g}")
    return int(short) if short.is_integer() else short


def _flags(seen: Sequence[Vehicle]) -> dict[str, object]:
    """The sets of flags there are, and for each vehicle the letter of its set."""
    sets = list(dict.fromkeys(" ".join(vehicle.flags) for vehicle in seen if vehicle.flags))[: len(_SETS)]
    letter = dict(zip(sets, _SETS, strict=False))
    if not sets:
        return {}
    return {"flags": sets, "flag": _letters(letter.get(" ".join(vehicle.flags), _NONE) for vehicle in seen)}


# --------------------------------------------------------------------------- at the hub


def parse_vehicles(body: Mapping[str, Any]) -> Batch:
    """The vehicles of a message; ValueError for anything that is not one."""
    n = whole(has(body, "n"), "n", 1, VEHICLES_AT_MOST)
    read = _Columns(body, n)
    first_ms = _times(
        whole(has(body, "t0"), "t0", 0, _MS_AT_MOST), read.wholes("dt", -_MS_AT_MOST, _MS_AT_MOST)
    )
    seen_ms = read.wholes("seen", 0, _SEEN_AT_MOST)
    boot = boot_of(body)
    if bool(boot) != ("up" in body):
        raise ValueError("boot without up, or up without boot")
    up_ms = read.wholes("up", 0, _MS_AT_MOST) if boot else [0] * n
    made = zip(
        read.seen(seen_ms, up_ms),
        first_ms,
        seen_ms,
        read.words("clk", ClockQuality),
        read.words("display", DisplayState),
        read.texts("tracker"),
        read.faces(),
        strict=True,
    )
    return Batch(
        whole(has(body, "installation"), "installation", 1),
        tuple(
            VehicleRecord(vehicle, from_ms(ms), from_ms(ms + seen), clock, display, tracker, face, boot)
            for vehicle, ms, seen, clock, display, tracker, face in made
        ),
    )


def _times(t0: int, steps: list[int]) -> list[int]:
    found, ms = [], t0
    for step in steps:
        ms += step
        found.append(whole(ms, "dt", 0, _MS_AT_MOST - _SEEN_AT_MOST))
    return found


class _Columns:
    """The columns of a message of `n` vehicles, each read as a list of n."""

    def __init__(self, body: Mapping[str, Any], n: int) -> None:
        self._body = body
        self._n = n

    def seen(self, seen_ms: list[int], up_ms: list[int]) -> list[Vehicle]:
        speeds = self.wholes("speed", 0, _TENTHS_AT_MOST)
        entry, leaving, fastest = (self._beside(name, speeds) for name in _DIFFERENCES)
        radial, along = (self._beside(name, speeds, some=True) for name in _SOMETIMES)
        directions, readings, flags = (
            self.words("dir", Direction),
            self.wholes("readings", 0, 10**6),
            self._flags(),
        )
        strength, length = self._strength(), self._length()
        return [
            Vehicle(
                track_id=0,
                direction=directions[place],
                t_first_mono_s=up_ms[place] / 1000,
                t_last_mono_s=(up_ms[place] + seen_ms[place]) / 1000,
                speed_kmh=speeds[place] / 10,
                entry_kmh=entry[place],  # type: ignore[arg-type]  # there, unlike the next two
                exit_kmh=leaving[place],  # type: ignore[arg-type]
                max_kmh=fastest[place],  # type: ignore[arg-type]
                readings=readings[place],
                strength=strength[place],
                length_m=length[place],
                flags=flags[place],
                radial_kmh=radial[place],
                along_kmh=along[place],
            )
            for place in range(self._n)
        ]

    def _values(self, name: str) -> list[Any]:
        value = has(self._body, name)
        if not isinstance(value, list):
            return [value] * self._n
        if len(value) != self._n:
            raise ValueError(f"{name} has {len(value)} values for {self._n} vehicles")
        return value

    def _some(self, name: str) -> list[Any]:
        """A column that may be missing, and that may have null."""
        return self._values(name) if name in self._body else [None] * self._n

    def wholes(self, name: str, low: int, high: int) -> list[int]:
        return [whole(value, name, low, high) for value in self._values(name)]

    def texts(self, name: str) -> list[str]:
        return [text(value, name, 40) for value in self._values(name)]

    def words(self, name: str, kind: type[Word]) -> list[Word]:
        known = {word.value[0]: word for word in kind}
        return [known[letter] for letter in self._letters(has(self._body, name), name, known)]

    def faces(self) -> list[str]:
        letters = self._letters(self._body.get("face", _NONE), "face", _FACES)
        return [_FACES[letter] for letter in letters]

    def _letters(self, value: object, name: str, known: Mapping[str, object]) -> str:
        if not isinstance(value, str) or len(value) not in (1, self._n) or not set(value) <= known.keys():
            raise ValueError(f"{name} {shown(value)} is not 1 or {self._n} of {' '.join(known)}")
        return value * self._n if len(value) == 1 else value

    def _beside(self, name: str, speeds: list[int], *, some: bool = False) -> list[float | None]:
        """Speeds that are told as their difference; km/h."""
        found: list[float | None] = []
        for less, speed in zip(self._some(name) if some else self._values(name), speeds, strict=True):
            if less is None and some:
                found.append(None)
                continue
            whole(less, name, -_TENTHS_AT_MOST, _TENTHS_AT_MOST)
            found.append(whole(speed + less, name, 0, _TENTHS_AT_MOST) / 10)
        return found

    def _strength(self) -> list[float | None]:
        return [
            None if value is None else float(number(value, "strength", 0, 1e12))
            for value in self._some("strength")
        ]

    def _length(self) -> list[float | None]:
        return [
            None if value is None else whole(value, "length", 0, 10_000) / 10
            for value in self._some("length")
        ]

    def _flags(self) -> list[tuple[str, ...]]:
        sets: dict[str, tuple[str, ...]] = {_NONE: ()}
        for letter, words in zip(
            _SETS, listed(self._body.get("flags", []), "flags", len(_SETS)), strict=False
        ):
            if not isinstance(words, str) or not _FLAGS.fullmatch(words):
                raise ValueError(f"flags {shown(words)} are not words with spaces between")
            sets[letter] = tuple(words.split(" "))
        return [sets[letter] for letter in self._letters(self._body.get("flag", _NONE), "flag", sets)]
