"""Capture files: what a radar said, chunk by chunk, so that it can be said again.

JSON Lines. The first line is a header, {"speedsign_capture": 1, "radar": "ops243", …}; then one line a
chunk, {"t": seconds since the start, "hex": "…"}, in the order of arrival.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from speedsign.errors import CaptureError

VERSION = 1
_LONGEST_S = 1e11  # what is beyond is no time, not even one of a wall clock
MAX_LINE = 256 * 1024  # characters; a chunk from a serial port is a few kilobytes at most


@dataclass(frozen=True, slots=True)
class CaptureHeader:
    """What is known of a recording; `extra` keeps every further key (device, site, notes, …)."""

    radar: str
    baud: int | None = None
    started: str | None = None
    unit: str | None = None  # what the radar was set to, where that is known
    mounting_angle_deg: float = 0.0
    profile: str | None = None  # the dialect, of a radar driver that has several
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        known = {
            "profile": self.profile,
            "baud": self.baud,
            "started": self.started,
            "unit": self.unit,
            "mounting_angle_deg": self.mounting_angle_deg or None,
        }
        given = {key: value for key, value in known.items() if value is not None}
        return json.dumps({"speedsign_capture": VERSION, "radar": self.radar, **given, **self.extra})


class CaptureReader:
    """Iterates over (seconds since the start, bytes). Raises CaptureError that names file and line.

    A last line without its end is what a power cut leaves; it is left out, and `cut_short` says so.
    """

    def __init__(self, lines: IO[str], name: str) -> None:
        self._lines, self._name = lines, name
        self.cut_short = False
        self.header = self._header()

    def __iter__(self) -> Iterator[tuple[float, bytes]]:
        number, before = 1, -math.inf
        while line := self._readline(number + 1):
            number += 1
            if not line.strip():
                continue
            try:
                t_s, data = _chunk(line)
            except ValueError as error:
                if not line.endswith("\n"):
                    self.cut_short = True
                    return
                raise self._error(number, str(error)) from None
            if t_s < before:
                raise self._error(
                    number, f"t goes back from {before:g} to {t_s:g}; the lines are not in order"
                )
            before = t_s
            yield t_s, data

    def _header(self) -> CaptureHeader:
        line = self._readline(1)
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise self._error(1, "this is not a capture file: the first line is no JSON header") from None
        if not isinstance(found, dict) or "speedsign_capture" not in found:
            raise self._error(1, 'this is not a capture file: the header has no "speedsign_capture"')
        if found.pop("speedsign_capture") != VERSION:
            raise self._error(1, f"this capture is of another version; this program reads version {VERSION}")
        return self._checked(found)

    def _checked(self, found: dict[str, Any]) -> CaptureHeader:
        radar, baud = found.pop("radar", None), found.pop("baud", None)
        unit, started = found.pop("unit", None), found.pop("started", None)
        angle = found.pop("mounting_angle_deg", 0.0) or 0.0
        if not isinstance(radar, str) or not radar:
            raise self._error(1, 'the header does not name the radar ("radar": "ops243")')
        profile = found.pop("profile", None)
        if profile is not None and (not isinstance(profile, str) or not profile):
            raise self._error(1, f'"profile" must be the name of a dialect, not {_shown(profile)}')
        if baud is not None and (not isinstance(baud, int) or isinstance(baud, bool) or baud <= 0):
            raise self._error(1, f'"baud" must be a whole number, not {_shown(baud)}')
        if isinstance(angle, bool) or not isinstance(angle, int | float) or not 0 <= angle <= 60:
            raise self._error(1, f'"mounting_angle_deg" must be a number from 0 to 60, not {_shown(angle)}')
        return CaptureHeader(
            radar, baud, started and str(started), unit and str(unit), float(angle), profile, extra=found
        )

    def _readline(self, number: int) -> str:
        try:
            line = self._lines.readline(MAX_LINE)
        except UnicodeDecodeError:
            raise self._error(number, "this is not text; is it a capture file?") from None
        if len(line) == MAX_LINE:
            raise self._error(number, f"the line is longer than {MAX_LINE} characters")
        return line

    def _error(self, number: int, text: str) -> CaptureError:
        return CaptureError(f"{self._name}:{number}: {text}")


def _shown(value: object) -> str:
    """What a file says, short, and so that it cannot steer a terminal."""
    return ascii(value)[:40]


def _chunk(line: str) -> tuple[float, bytes]:
    """One line of the body; raises ValueError with a reason."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(found, dict) or "t" not in found or "hex" not in found:
        raise ValueError('expected {"t": seconds, "hex": "bytes"}')
    t_s = found["t"]
    if isinstance(t_s, bool) or not isinstance(t_s, int | float) or not -_LONGEST_S < t_s < _LONGEST_S:
        raise ValueError(f"t must be seconds, not {_shown(t_s)}")
    try:
        return float(t_s), bytes.fromhex(found["hex"])
    except (TypeError, ValueError):
        raise ValueError("hex is not pairs of hexadecimal digits") from None


class CaptureWriter:
    """Writes a capture, one flushed line a chunk, so that a power cut costs the last chunk at most."""

    def __init__(self, out: IO[str], header: CaptureHeader, start_mono_s: float) -> None:
        self._out, self._start_s = out, start_mono_s
        self._line(header.to_json())

    def add(self, data: bytes, t_mono_s: float) -> None:
        self._line(json.dumps({"t": round(t_mono_s - self._start_s, 4), "hex": data.hex()}))

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def open_capture(path: Path) -> IO[str]:
    """The file, to be closed by the caller; raises CaptureError with a sentence."""
    try:
        return path.open(encoding="utf-8-sig", newline="")  # editors on Windows begin with a mark
    except FileNotFoundError:
        raise CaptureError(f"{path}: no such file") from None
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read: {error.strerror}") from None
