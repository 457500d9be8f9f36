"""One calibration, written down: who measured what with which radar, what came out, when it is due again.

The same record stands in the database and, a line of JSON each, in an append-only file beside it, which
outlives the database. Records are never changed; a wrong one is followed by a right one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from speedsign.model import ClockQuality

VERSION = 1
LONGEST_BYTES = 1_000_000  # of a record as JSON: hundreds of passages with their readings
_LONGEST_TEXT = 2000


class Kind(StrEnum):
    """What was done."""

    ANGLE = "angle"  # mounting angle, from geometry or from traffic
    DRIVE_BY = "drive-by"  # a vehicle of known speed
    FORK = "fork"  # a tuning fork before the radar
    DIRECTION = "direction"  # which way is approaching
    PANEL = "panel"  # pictures, and what a person saw
    BRIGHTNESS = "brightness"  # by eye, a point of the curve


PROVES_SPEED = frozenset({Kind.DRIVE_BY, Kind.FORK})  # the kinds that say whether speeds are right


class Verdict(StrEnum):
    """What came of it."""

    PASS = "pass"  # noqa: S105  a verdict
    FAIL = "fail"
    UNDECIDED = "undecided"  # too little was measured, or it was broken off
    DONE = "done"  # something was set; nothing to judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A record. Mappings hold what JSON can: texts, numbers, true, false, None, lists, mappings."""

    key: str  # 32 hexadecimal digits, its name for ever
    kind: Kind
    at_utc: datetime  # whole seconds
    clock: ClockQuality  # UNKNOWN: nobody vouched for `at_utc`
    by: str  # who, as typed
    tool: str  # "speedsign 0.2.0"
    sign: str  # [sign] id
    site: str
    driver: str  # of the radar; of the panel where that was looked at
    mounting_angle_deg: float  # that the sign divides by from now on
    device: Mapping[str, Any] = field(default_factory=dict)  # what it said of itself, and what it is set to
    before: Mapping[str, Any] = field(default_factory=dict)  # keys of the config ("radar.mounting_angle_deg")
    after: Mapping[str, Any] = field(default_factory=dict)  # the same keys, as they are now
    runs: Sequence[Mapping[str, Any]] = ()  # what was measured, raw
    result: Mapping[str, Any] = field(default_factory=dict)  # what was made of it, intervals included
    verdict: Verdict = Verdict.DONE
    sentence: str = ""  # the verdict in words, English
    due: date | None = None  # None: no next one, or the clock was not to be believed
    note: str = ""  # what the person had to say


def as_json(record: Calibration) -> dict[str, Any]:
    """A mapping for JSON; `of_json` reads it."""
    return {
        "v": VERSION,
        "key": record.key,
        "kind": record.kind.value,
        "at": record.at_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "clock": record.clock.value,
        "by": record.by,
        "tool": record.tool,
        "sign": record.sign,
        "site": record.site,
        "driver": record.driver,
        "mounting_angle_deg": record.mounting_angle_deg,
        "device": dict(record.device),
        "before": dict(record.before),
        "after": dict(record.after),
        "runs": [dict(run) for run in record.runs],
        "result": dict(record.result),
        "verdict": record.verdict.value,
        "sentence": record.sentence,
        "due": record.due.isoformat() if record.due else None,
        "note": record.note,
    }


def line_of(record: Calibration) -> str:
    """The record as one line of JSON without its newline; ValueError when it is too long or no JSON."""
    line = json.dumps(as_json(record), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if len(line.encode()) > LONGEST_BYTES:
        raise ValueError(f"a calibration of more than {LONGEST_BYTES} bytes cannot be kept")
    return line


def of_json(facts: Mapping[str, Any]) -> Calibration:
    """A record from what `as_json` made; ValueError says what is wrong with it. Unknown keys are left out."""
    try:
        if facts["v"] != VERSION:
            raise ValueError(f"version {facts['v']!r} is not known")
        due = facts.get("due")
        return Calibration(
            key=_key(facts["key"]),
            kind=Kind(facts["kind"]),
            at_utc=datetime.strptime(facts["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
            clock=ClockQuality(facts["clock"]),
            by=_text(facts["by"]),
            tool=_text(facts["tool"]),
            sign=_text(facts["sign"]),
            site=_text(facts["site"]),
            driver=_text(facts["driver"]),
            mounting_angle_deg=_angle(facts["mounting_angle_deg"]),
            device=_mapping(facts["device"]),
            before=_mapping(facts["before"]),
            after=_mapping(facts["after"]),
            runs=tuple(_mapping(run) for run in facts["runs"]),
            result=_mapping(facts["result"]),
            verdict=Verdict(facts["verdict"]),
            sentence=_text(facts["sentence"]),
            due=None if due is None else date.fromisoformat(due),
            note=_text(facts["note"]),
        )
    except KeyError as error:
        raise ValueError(f"a calibration without {error}") from None
    except TypeError as error:
        raise ValueError(f"no calibration: {error}") from None


def _key(value: object) -> str:
    text = _text(value)
    if len(text) != 32 or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"key {text!r} is not 32 hexadecimal digits")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError(f"{str(value)[:40]!r} is no text of at most {_LONGEST_TEXT} characters")
    return value


def _angle(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 60:
        raise ValueError(f"mounting_angle_deg {value!r} is not 0 to 60")
    return float(value)


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{str(value)[:40]!r} is no mapping")  # noqa: TRY004  bad content of a file
    return value
