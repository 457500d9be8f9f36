"""The record of a calibration on one page, to be filed: who measured what with what result.

It is the installer's record and says so. As a document it becomes a PDF like any report; `certificate_json`
is the same for programs, with all runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from speedsign.calibration.drive_by import TOLERANCE_KMH, TOLERANCE_PART, TOLERANCE_TO_KMH
from speedsign.calibration.record import (
    BY_CONFIG,
    PROVES_SPEED,
    Calibration,
    Kind,
    Verdict,
    as_json,
    line_of,
)
from speedsign.language import Language
from speedsign.model import ClockQuality
from telemetry.calibration.keeping import Doubt
from telemetry.calibration.log import Line
from telemetry.report import calibrated, sentence
from telemetry.report.certificate_reference import given, of_radar, reference, source
from telemetry.report.certificate_runs import Estimate, cut, estimate, is_number, runs_table, text
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
_LONGEST_DEVICE = 480  # letters: more would leave no room for the runs
MOST_RUNS = 24  # on the page; the file has all


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a record is: its line in the file, None: in the database alone; and what does not fit there."""

    line: Line | None
    doubts: tuple[Doubt, ...] = ()


def certificate(
    record: Calibration,
    kept: Kept,
    zone: ZoneInfo,
    words: Language,
    *,
    made: str,
    made_at: datetime | None = None,
    runs: int = MOST_RUNS,
) -> Document:
    """At most `runs` runs are shown."""
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
        blocks=tuple(_blocks(record, kept, zone, words, runs)),
        made=made,
        made_at=made_at,
        keywords=(words.say("calibration"), words.say("speed")),
        facts=(("key", record.key), ("sha256", sha256_of(record))),
    )


def sha256_of(record: Calibration) -> str:
    """Of the record as compact JSON, as the file has it but for what is said there of the line before."""
    return hashlib.sha256(line_of(record).encode()).hexdigest()


def certificate_json(record: Calibration, kept: Kept, words: Language) -> dict[str, Any]:
    """For programs: the whole record, its sha256, its place in the file's chain (None: not in the file)."""
    place = kept.line
    return {
        "certificate": VERSION,
        "record": as_json(record),
        "sha256": sha256_of(record),
        "log": None
        if place is None
        else {"line": place.number, "sha256": place.sha256, "previous": place.previous},
        "doubts": [{"what": doubt.value, "text": in_doubt(doubt, words)} for doubt in kept.doubts],
        "clock_trusted": record.clock is not ClockQuality.UNKNOWN,
        "clock_by": _clock_by(record),
        "listened": None if record.kind is not Kind.DRIVE_BY else not given(record),
        "language": words.code,
        "verdict": verdict(record, words),
        "statement": " ".join(statement(words)),
    }


def _clock_by(record: Calibration) -> str | None:
    if record.clock is ClockQuality.UNKNOWN:
        return None
    return record.clock_by or "synchronised"


def in_doubt(doubt: Doubt, words: Language) -> str:
    """What the file and the database of the sign do not say alike."""
    told = {
        Doubt.OTHER_IN_FILE: words.say(
            "Caution: the file of calibrations and the database of the sign contradict each other on this"
            " record; what stands here is the database's."
        ),
        Doubt.NOT_IN_FILE: words.say(
            "Caution: this record is in the database of the sign, but its line is gone from the file of"
            " calibrations."
        ),
        Doubt.CHAIN: words.say(
            "Caution: in the file of calibrations this line, or one before it, was changed or removed later."
        ),
    }
    return told[doubt]


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


def _blocks(record: Calibration, kept: Kept, zone: ZoneInfo, words: Language, runs: int) -> Iterator[Block]:
    yield Figures(tuple(_figures(record, words)))
    told = [verdict(record, words), *(in_doubt(doubt, words) for doubt in kept.doubts)]
    told += (
        [words.say("The speeds were given as numbers: no radar was listened to.")] if given(record) else []
    )
    yield Quote(" ".join((*told, *statement(words))))
    yield _circumstances(record, zone, words)
    if changes := _changes(record):
        columns = (
            Column("setting", words.say("Setting"), Holds.TEXT),
            Column("before", words.say("Before"), Holds.TEXT),
            Column("after", words.say("After"), Holds.TEXT),
        )
        yield Table("changes", words.say("Settings before and after"), columns, changes)
    yield from runs_table(record, words, runs)
    yield from map(Paragraph, _tolerance(record, words))
    yield Paragraph(_fingerprint(record, kept.line, words))


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
        yield Figure(_mean_error(record, words), error[0], Holds.CHANGE, _range(error, 2, words))
    elif mean := estimate(record.result, "mean_kmh"):
        yield Figure(words.say("Mean of the readings"), mean[0], Holds.SPEED, _range(mean, 2, words))
    if record.due is not None:
        yield Figure(words.say("Next check due"), words.short_day(record.due), Holds.TEXT)
    elif proved and record.clock is ClockQuality.UNKNOWN:
        remark = words.say("the clock was not sure")
        yield Figure(words.say("Next check due"), None, Holds.TEXT, remark)


def _mean_error(record: Calibration, words: Language) -> str:
    at_kmh = record.result.get("at_kmh")
    if not is_number(at_kmh):
        return words.say("Mean error")
    return words.say("Mean error at {kmh} km/h", kmh=words.decimal(at_kmh, 0))


def _range(of: Estimate, digits: int, words: Language) -> str:
    return words.say(
        "95 % range: {low} to {high}", low=words.decimal(of[1], digits), high=words.decimal(of[2], digits)
    )


def _circumstances(record: Calibration, zone: ZoneInfo, words: Language) -> Table:
    columns = (
        Column("what", words.say("What"), Holds.TEXT),
        Column("is", words.say("On record"), Holds.TEXT),
    )
    rows = [(name, cut(text)) for name, text in _facts(record, zone, words) if text]
    if record.result and record.kind not in PROVES_SPEED:
        told = "; ".join(f"{name}: {text(value)}" for name, value in record.result.items())
        rows.append((words.say("Result"), cut(told, _LONGEST_DEVICE)))
    if device := of_radar(record):
        told = "; ".join(f"{name}: {text(value)}" for name, value in device.items())
        rows.append((words.say("What it said of itself and is set to"), cut(told, _LONGEST_DEVICE)))
    return Table("circumstances", words.say("Who, when and with what"), columns, tuple(rows))


def _facts(record: Calibration, zone: ZoneInfo, words: Language) -> Iterator[tuple[str, str]]:
    local = record.at_utc.astimezone(zone)
    if record.clock is ClockQuality.UNKNOWN:
        sure = words.say("nobody vouched for the clock")
    elif record.clock_by == BY_CONFIG:
        sure = words.say("the config of the sign vouched for the clock")
    else:
        sure = words.say("the clock was synchronised")
    yield words.say("Done by"), record.by
    yield (
        words.say("When"),
        f"{words.short_day(local)} {words.clock(local)} ({record.at_utc:%H:%M} UTC); {sure}",
    )
    yield words.say("Site"), record.site
    yield words.say("Sign"), record.sign
    device = words.say("Panel") if record.kind in (Kind.PANEL, Kind.BRIGHTNESS) else words.say("Radar")
    yield device, record.driver
    yield words.say("True speed by"), reference(record, words)
    yield words.say("Speeds of the sign from"), source(record, words)
    yield words.say("Mounting angle"), f"{words.decimal(record.mounting_angle_deg)}°"
    yield words.say("Program"), record.tool
    yield words.say("Remark"), record.note


def _changes(record: Calibration) -> tuple[tuple[Value, ...], ...]:
    names = dict.fromkeys((*record.before, *record.after))
    return tuple(
        (cut(name), cut(text(record.before.get(name))), cut(text(record.after.get(name)))) for name in names
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
