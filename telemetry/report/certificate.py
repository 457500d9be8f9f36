"""The record of a calibration on one page, to be filed: who measured what with what result.

It is the installer's record and says so. As a document it becomes a PDF like any report; `certificate_json`
is the same for programs, with all runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from speedsign.calibration.drive_by import TOLERANCE_KMH, TOLERANCE_PART, TOLERANCE_TO_KMH
from speedsign.calibration.record import PROVES_SPEED, Calibration, Kind, Verdict, as_json, line_of
from speedsign.language import Language
from speedsign.model import ClockQuality
from telemetry.calibration.log import Line
from telemetry.report import calibrated, sentence
from telemetry.report.document import (
    Block,
    Column,
    Document,
    Figure,
    Figures,
    Paragraph,
    Quote,
    Table,
    Value,
)
from telemetry.report.document import Kind as Holds

VERSION = 1
_LONGEST, _LONGEST_DEVICE = 160, 480  # letters of a value: more would leave no room for the runs
MOST_RUNS = 24  # on the page; the file has all

Estimate = tuple[float, float, float]  # value, and its 95 % interval


def certificate(
    record: Calibration,
    place: Line | None,
    zone: ZoneInfo,
    words: Language,
    *,
    made: str,
    made_at: datetime | None = None,
    runs: int = MOST_RUNS,
) -> Document:
    """`place`: its line in the file, None: in the database alone; at most `runs` runs are shown."""
    where = record.site or record.sign
    return Document(
        title=words.say("Calibration record: {site}", site=where),
        subtitle="; ".join(
            (
                calibrated.kind(record.kind, words),
                words.day(record.at_utc.astimezone(zone).date()),
                record.sign,
            )
        ),
        language=words.code,
        blocks=tuple(_blocks(record, place, zone, words, runs)),
        made=made,
        made_at=made_at,
        keywords=(words.say("calibration"), words.say("speed")),
        facts=(("key", record.key), ("sha256", sha256_of(record))),
    )


def sha256_of(record: Calibration) -> str:
    """Of the record as compact JSON, as the file has it but for what is said there of the line before."""
    return hashlib.sha256(line_of(record).encode()).hexdigest()


def certificate_json(record: Calibration, place: Line | None, words: Language) -> dict[str, Any]:
    """For programs: the whole record, its sha256, its place in the file's chain (None: not in the file)."""
    return {
        "certificate": VERSION,
        "record": as_json(record),
        "sha256": sha256_of(record),
        "log": None
        if place is None
        else {"line": place.number, "sha256": place.sha256, "previous": place.previous},
        "clock_trusted": record.clock is not ClockQuality.UNKNOWN,
        "language": words.code,
        "verdict": verdict(record, words),
        "statement": " ".join(statement(words)),
    }


def statement(words: Language) -> tuple[str, ...]:
    """What this paper is not."""
    return (
        words.say(
            "This is the record of the person who installed or serviced the sign. It is no verification by an"
            " authority and replaces none."
        ),
        sentence.legal(words),
    )


def verdict(record: Calibration, words: Language) -> str:
    """The verdict in a sentence."""
    if record.kind not in PROVES_SPEED:
        told = {
            Verdict.PASS: words.say("What was checked is as it should be."),
            Verdict.FAIL: words.say("What was checked is not as it should be."),
            Verdict.UNDECIDED: words.say("What was measured decides nothing."),
            Verdict.DONE: words.say("This was set; there is nothing to judge."),
        }
    else:
        told = {
            Verdict.PASS: words.say("The speeds of the sign were within the tolerance."),
            Verdict.FAIL: words.say("The speeds of the sign were outside the tolerance."),
            Verdict.UNDECIDED: words.say("Whether the speeds of the sign are within the tolerance is open."),
            Verdict.DONE: words.say("The speeds of the sign were checked."),
        }
    return told[record.verdict]


# --------------------------------------------------------------------------- the page


def _blocks(
    record: Calibration, place: Line | None, zone: ZoneInfo, words: Language, runs: int
) -> Iterator[Block]:
    yield Figures(tuple(_figures(record, words)))
    yield Quote(" ".join((verdict(record, words), *statement(words))))
    yield _circumstances(record, zone, words)
    if changes := _changes(record):
        columns = (
            Column("setting", words.say("Setting"), Holds.TEXT),
            Column("before", words.say("Before"), Holds.TEXT),
            Column("after", words.say("After"), Holds.TEXT),
        )
        yield Table("changes", words.say("Settings before and after"), columns, changes)
    if record.runs:
        yield _runs(record, words, runs)
    for text in _tolerance(record, words):
        yield Paragraph(text)
    yield Paragraph(_fingerprint(record, place, words))


def _figures(record: Calibration, words: Language) -> Iterator[Figure]:
    proved = record.kind in PROVES_SPEED
    title = words.say("Result")
    yield Figure(title, calibrated.verdict(record.verdict, words), Holds.TEXT)
    if factor := estimate(record.result, "factor"):
        yield Figure(
            words.say("Measured over true speed"),
            words.decimal(factor[0], 3),
            Holds.TEXT,
            _range(factor, 3, words),
        )
    if error := estimate(record.result, "mean_error_kmh"):
        yield Figure(words.say("Mean error"), error[0], Holds.CHANGE, _range(error, 2, words))
    elif mean := estimate(record.result, "mean_kmh"):
        yield Figure(words.say("Mean of the readings"), mean[0], Holds.SPEED, _range(mean, 2, words))
    if record.due is not None:
        yield Figure(words.say("Next check due"), words.short_day(record.due), Holds.TEXT)
    elif proved and record.clock is ClockQuality.UNKNOWN:
        remark = words.say("the clock was not sure")
        yield Figure(words.say("Next check due"), None, Holds.TEXT, remark)


def estimate(result: Mapping[str, Any], name: str) -> Estimate | None:
    """A value with its interval: {"value", "low", "high"}, or `name`, `name`_low and `name`_high."""
    told = result.get(name)
    if isinstance(told, Mapping):
        found = [told.get(part) for part in ("value", "low", "high")]
    else:
        stem, unit = (name[: -len("_kmh")], "_kmh") if name.endswith("_kmh") else (name, "")
        found = [told, *(_first(result, stem, part, unit) for part in ("low", "high"))]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in found):
        return None
    value, low, high = (float(one) for one in found if one is not None)
    return value, low, high


def _first(result: Mapping[str, Any], stem: str, part: str, unit: str) -> Any:
    """mean_low_kmh, or where there is but one interval low_kmh."""
    return result.get(f"{stem}_{part}{unit}", result.get(f"{part}{unit}") if unit else None)


def _range(of: Estimate, digits: int, words: Language) -> str:
    return words.say(
        "95 % range: {low} to {high}", low=words.decimal(of[1], digits), high=words.decimal(of[2], digits)
    )


def _circumstances(record: Calibration, zone: ZoneInfo, words: Language) -> Table:
    columns = (
        Column("what", words.say("What"), Holds.TEXT),
        Column("is", words.say("On record"), Holds.TEXT),
    )
    rows = [(name, _cut(text)) for name, text in _facts(record, zone, words) if text]
    if record.device:
        told = "; ".join(f"{name}: {_text(value)}" for name, value in record.device.items())
        rows.append((words.say("What it said of itself and is set to"), _cut(told, _LONGEST_DEVICE)))
    return Table("circumstances", words.say("Who, when and with what"), columns, tuple(rows))


def _facts(record: Calibration, zone: ZoneInfo, words: Language) -> Iterator[tuple[str, str]]:
    local = record.at_utc.astimezone(zone)
    sure = (
        words.say("nobody vouched for the clock")
        if record.clock is ClockQuality.UNKNOWN
        else words.say("the clock was synchronised")
    )
    yield words.say("Done by"), record.by
    yield (
        words.say("When"),
        f"{words.short_day(local)} {words.clock(local)} ({record.at_utc:%H:%M} UTC); {sure}",
    )
    yield words.say("Site"), record.site
    yield words.say("Sign"), record.sign
    device = words.say("Panel") if record.kind in (Kind.PANEL, Kind.BRIGHTNESS) else words.say("Radar")
    yield device, record.driver
    yield words.say("Mounting angle"), f"{words.decimal(record.mounting_angle_deg)}°"
    yield words.say("Program"), record.tool
    yield words.say("Remark"), record.note


def _changes(record: Calibration) -> tuple[tuple[Value, ...], ...]:
    names = dict.fromkeys((*record.before, *record.after))
    return tuple(
        (_cut(name), _cut(_text(record.before.get(name))), _cut(_text(record.after.get(name))))
        for name in names
    )


def _tolerance(record: Calibration, words: Language) -> Iterator[str]:
    if record.kind is Kind.DRIVE_BY:
        yield words.say(
            "Tolerance: {kmh} km/h up to {to} km/h, {share} above, for the mean error.",
            kmh=f"±{words.decimal(TOLERANCE_KMH, 0)}",
            to=words.decimal(TOLERANCE_TO_KMH, 0),
            share=f"±{words.percent(TOLERANCE_PART, 0)}",
        )
    elif record.kind is Kind.FORK:
        allowed = record.result.get("tolerance_kmh")
        if isinstance(allowed, int | float):
            yield words.say("Tolerance: {kmh} km/h.", kmh=f"±{words.decimal(allowed, 1)}")


def _fingerprint(record: Calibration, place: Line | None, words: Language) -> str:
    """So that a paper can be told from another one."""
    told = words.say("Record: {key}; SHA-256: {sha256}.", key=record.key, sha256=sha256_of(record))
    if place is None:
        return told
    line = words.say("Line in the file of calibrations: {line}.", line=place.number)
    return f"{told} {line}"


# --------------------------------------------------------------------------- runs


def _runs(record: Calibration, words: Language, most: int) -> Table:
    shown = record.runs[:most]
    columns = list(_columns(record, words))
    rows = tuple(
        (number, *(_number(_of_run(run, column.key, record)) for column in columns))
        for number, run in enumerate(shown, 1)
    )
    left = len(record.runs) - len(shown)
    notes = (words.say_n("and {n} more", "and {n} more", left),) if left else ()
    heads = (Column("run", words.say("Run"), Holds.COUNT), *columns)
    return Table("runs", words.say("What was measured"), heads, rows, notes)


def _columns(record: Calibration, words: Language) -> Iterator[Column]:
    """Of what is known to be told of runs, what these runs tell; else by the names that they have."""
    names = list(dict.fromkeys(name for run in record.runs for name in run))
    known = {
        "reference_kmh": words.say("True speed, km/h"),
        "expected_kmh": words.say("Expected, km/h"),
        "measured_kmh": words.say("Measured, km/h"),
        "speed_kmh": words.say("Speed, km/h"),
    }
    for name, title in known.items():
        if name in names:
            yield Column(name, title, Holds.SPEED)
    if {"reference_kmh", "measured_kmh"} <= set(names):
        yield Column("error_kmh", words.say("Error, km/h"), Holds.CHANGE)
        if estimate(record.result, "factor"):
            yield Column("residual_kmh", words.say("Residual, km/h"), Holds.CHANGE)
    elif not set(known) & set(names):
        for name in names[:5]:
            yield Column(name, name, Holds.TEXT)


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
    return _cut(_text(value), 24)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{round(value, 4):g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(one)}" for name, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_text(one) for one in value)
    return "–" if value is None else str(value)


def _cut(text: str, most: int = _LONGEST) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
