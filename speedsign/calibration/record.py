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
FIRST_UTC = datetime(2000, 1, 1, tzinfo=UTC)  # a clock that says less was never set
LAST_UTC = datetime(2200, 1, 1, tzinfo=UTC)
_DEEPEST = 12  # mappings and lists in one another
_GREATEST = 2**63
BY_CONFIG = "config"  # of `Calibration.clock_by`


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
    clock_by: str = ""  # who vouched for the time: BY_CONFIG ([clock] trust = "always"); empty: a time server


def as_json(record: Calibration) -> dict[str, Any]:
    """A mapping for JSON; `of_json` reads it. `clock_by` is there only where it says something."""
    facts = {
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
    return facts | ({"clock_by": record.clock_by} if record.clock_by else {})


def line_of(record: Calibration) -> str:
    """The record as one line of JSON without its newline; ValueError when it is too long or no JSON."""
    line = json.dumps(as_json(record), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if len(line.encode()) > LONGEST_BYTES:
        raise ValueError(f"a calibration of more than {LONGEST_BYTES} bytes cannot be kept")
    return line


def of_json(facts: Mapping[str, Any]) -> Calibration:
    """A record from what `as_json` made; ValueError says what is wrong with it. Unknown keys are left out.

    What is taken can be written, shown and counted with everywhere: every number is finite, every text can
    be encoded, nothing is nested without end.
    """
    try:
        if facts["v"] != VERSION:
            raise ValueError(f"version {facts['v']!r} is not known")
        _check(facts, _DEEPEST)
        due = facts.get("due")
        return Calibration(
            key=_key(facts["key"]),
            kind=Kind(facts["kind"]),
            at_utc=_moment(facts["at"]),
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
            clock_by=_text(facts.get("clock_by", "")),
        )
    except KeyError as error:
        raise ValueError(f"a calibration without {error}") from None
    except TypeError as error:
        raise ValueError(f"no calibration: {error}") from None


def _check(value: object, depth: int) -> None:
    """Raises ValueError for what some reader could not take."""
    if isinstance(value, str):
        _encoded(value)
    elif isinstance(value, int | float):
        if not abs(value) <= _GREATEST:  # not a number is not either
            raise ValueError(f"a number is not from -{_GREATEST} to {_GREATEST}")
    elif isinstance(value, Mapping | list | tuple):
        if not depth:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")
        for one in value:
            _check(one, depth - 1)
        for one in value.values() if isinstance(value, Mapping) else ():
            _check(one, depth - 1)


def _encoded(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair, which JSON can write and nothing can show
        raise ValueError("a text holds half a character") from None


def _moment(value: object) -> datetime:
    moment = datetime.strptime(_text(value), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if not FIRST_UTC <= moment < LAST_UTC:
        raise ValueError(f"{value} is not from {FIRST_UTC.year} to {LAST_UTC.year}")
    return moment


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
