"""The measurements on a certificate: a table of runs, and numbers of a record as texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from speedsign.calibration.record import Calibration, Kind
from speedsign.language import Language
from telemetry.report.document import Column, Marked, Table, Value
from telemetry.report.document import Kind as Holds

Estimate = tuple[float, float, float]  # value, and its 95 % interval
_LEFT_OUT = "*"
_LONGEST = 160  # letters of a value: more would leave no room for the runs


def estimate(result: Mapping[str, Any], name: str) -> Estimate | None:
    """A value with its interval: {"value", "low", "high"}, or `name`, `name`_low and `name`_high."""
    told = result.get(name)
    if isinstance(told, Mapping):
        found = [told.get(part) for part in ("value", "low", "high")]
    else:
        stem, unit = (name[: -len("_kmh")], "_kmh") if name.endswith("_kmh") else (name, "")
        found = [told, *(_first(result, stem, part, unit) for part in ("low", "high"))]
    if not all(map(is_number, found)):
        return None
    value, low, high = (float(one) for one in found if one is not None)
    return value, low, high


def is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _first(result: Mapping[str, Any], stem: str, part: str, unit: str) -> Any:
    """mean_low_kmh, or where there is but one interval low_kmh."""
    return result.get(f"{stem}_{part}{unit}", result.get(f"{part}{unit}") if unit else None)


def runs_table(record: Calibration, words: Language, most: int) -> Iterator[Table]:
    """None where nothing can stand in a row."""
    runs = _rows_of(record)
    columns = list(_columns(runs, record, words))
    if not columns:
        return
    shown = runs[:most]
    rows = tuple(
        (
            Marked(number, _LEFT_OUT) if run.get("left_out") else number,
            *(_number(_of_run(run, column.key, record)) for column in columns),
        )
        for number, run in enumerate(shown, 1)
    )
    notes = []
    if any(run.get("left_out") for run in shown):
        notes.append(f"{_LEFT_OUT} {words.say('left out: another vehicle')}")
    if left := len(runs) - len(shown):
        notes.append(words.say_n("and {n} more", "and {n} more", left))
    heads = (Column("run", words.say("Run"), Holds.COUNT), *columns)
    yield Table("runs", words.say("What was measured"), heads, rows, tuple(notes))


def _rows_of(record: Calibration) -> Sequence[Mapping[str, Any]]:
    """The runs; of a fork, which has hundreds of readings and one run, what came of them."""
    return [record.result] if record.kind is Kind.FORK and "hertz" in record.result else record.runs


def _columns(runs: Sequence[Mapping[str, Any]], record: Calibration, words: Language) -> Iterator[Column]:
    """Of what is known to be told of runs, what these tell; else numbers and words by the names they have."""
    names = list(dict.fromkeys(name for run in runs for name in run))
    known = {
        "hertz": (words.say("Fork, Hz"), Holds.MEAN),
        "reference_kmh": (words.say("True speed, km/h"), Holds.SPEED),
        "expected_kmh": (words.say("Expected, km/h"), Holds.SPEED),
        "measured_kmh": (words.say("Measured, km/h"), Holds.SPEED),
        "mean_kmh": (words.say("Mean of the readings"), Holds.SPEED),
        "readings": (words.say("Readings"), Holds.COUNT),
    }
    there = [(name, *known[name]) for name in known if name in names]
    for name, title, holds in there:
        yield Column(name, title, holds)
    if {"reference_kmh", "measured_kmh"} <= set(names):
        yield Column("error_kmh", words.say("Error, km/h"), Holds.CHANGE)
        if estimate(record.result, "factor"):
            yield Column("residual_kmh", words.say("Residual, km/h"), Holds.CHANGE)
    elif not there:
        for name in [name for name in names if not any(_is_many(run.get(name)) for run in runs)][:5]:
            yield Column(name, name, Holds.TEXT)


def _is_many(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _of_run(run: Mapping[str, Any], name: str, record: Calibration) -> Any:
    """What a run tells, or what follows from it: the error, and what is left of it beside the factor."""
    if name in run or name not in ("error_kmh", "residual_kmh"):
        return run.get(name)
    reference, measured = run.get("reference_kmh"), run.get("measured_kmh")
    if not isinstance(reference, int | float) or not isinstance(measured, int | float):
        return None
    if name == "error_kmh":
        return measured - reference
    factor = estimate(record.result, "factor")
    return None if factor is None else measured - factor[0] * reference


def _number(value: Any) -> Value:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return cut(text(value), 24)


def text(value: Any) -> str:
    if isinstance(value, float):
        return f"{round(value, 4):g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {text(one)}" for name, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(text(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "–" if value is None else str(value)


def cut(text: str, most: int = _LONGEST) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
