"""Runs of a drive-by that were measured elsewhere: as options, or as a CSV however a spreadsheet wrote it."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Sequence
from math import isfinite
from pathlib import Path

from speedsign.calibration.drive_by import Run
from speedsign.cli.calibrating.runs import Pass
from speedsign.cli.numbers import of_point_or_comma
from speedsign.errors import UsageError
from speedsign.model import Unit

FASTEST_KMH = 300.0
MOST_LINES = 1000
_MOST_BYTES = 1_000_000
_COLUMNS = ("reference", "measured")
_NAMES = {";": "semicolons", "\t": "tabs", ",": "commas"}  # what may stand between columns


def given_runs(texts: Iterable[str], unit: Unit) -> list[Pass]:
    """Of `50=49.6`: the reference, in its unit, and what the sign measured, in km/h. Raises UsageError."""
    found = []
    for text in texts:
        reference, equals, measured = text.partition("=")
        if not equals:
            raise UsageError(f"--run {text!r}: write REFERENCE=MEASURED, 50=49.6 for example")
        try:
            found.append(_run(reference, measured, unit))
        except ValueError as error:
            raise UsageError(f"--run {text!r}: {error}") from None
    return found


def read_runs(path: Path, unit: Unit) -> list[Pass]:
    """A CSV with a header and the columns `reference` and `measured` (km/h).

    Semicolons, tabs or commas stand between the columns, as the header has them; other columns are left
    alone. A line that has more or fewer of them is refused: 50,49,6 would else be 50 and 49. Raises
    UsageError.
    """
    lines = _text(path).splitlines()
    between = _between(lines[0] if lines else "")
    if between is None:
        raise UsageError(
            f"{path}: needs a header line, reference,measured or reference;measured, and a line a run"
        )
    rows = csv.reader(lines, delimiter=between, strict=True)
    found: list[Pass] = []
    try:
        header = next(rows)
        places = [_names(header).index(column) for column in _COLUMNS]
        for row in rows:
            if any(field.strip() for field in row):
                found.append(_of_row(row, len(header), places, unit, between))
                if len(found) > MOST_LINES:
                    raise UsageError(f"{path}: more than {MOST_LINES} runs are too many")
    except (csv.Error, ValueError) as error:
        raise UsageError(f"{path}:{rows.line_num}: {error}") from None
    if not found:
        raise UsageError(f"{path}: has a header and no runs")
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{path}: is longer than {_MOST_BYTES // 1000} kB; {MOST_LINES} runs at most")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # a spreadsheet's "Unicode text"
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8; save it as CSV UTF-8") from None


def _between(header: str) -> str | None:
    """What stands between the columns; None: this is no header of ours, or could be read in two ways."""
    fitting = []
    for delimiter in _NAMES:
        names = _names(next(csv.reader([header], delimiter=delimiter), []))
        if all(names.count(column) == 1 for column in _COLUMNS):
            fitting.append(delimiter)
    return fitting[0] if len(fitting) == 1 else None


def _names(header: Sequence[str]) -> list[str]:
    return [name.strip().casefold() for name in header]


def _of_row(row: Sequence[str], width: int, places: Sequence[int], unit: Unit, between: str) -> Pass:
    if len(row) != width:
        hint = (
            "; where a comma is the decimal sign, write reference;measured and 50,0;49,6"
            if between == ","
            else f"; {_NAMES[between]} stand between them, as in the first line"
        )
        raise ValueError(f"{len(row)} columns, and {width} in the first line{hint}")
    told = [field.strip() for field in row if field.strip()]
    if between == "," and len(told) > len(_COLUMNS) and all(one.isdecimal() for one in told):
        raise ValueError(
            f"{between.join(row)} can be read in two ways; write 50.0 and 49.6, or semicolons: 50,0;49,6"
        )
    return _run(row[places[0]], row[places[1]], unit)


def _run(reference: str, measured: str, unit: Unit) -> Pass:
    return Pass(Run(speed(reference) * unit.kmh, speed(measured)))


def speed(text: str) -> float:
    """A speed as people write it. Raises ValueError with a sentence."""
    plain = text.strip()
    try:
        value = of_point_or_comma(plain)
    except ValueError:
        raise ValueError(f"{plain!r} is no speed") from None
    if not (isfinite(value) and 0.0 < value <= FASTEST_KMH):
        raise ValueError(f"{plain} is no speed of a car; more than 0 and at most {FASTEST_KMH:.0f}")
    return value
