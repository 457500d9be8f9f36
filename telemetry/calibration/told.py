"""A calibration in words for a terminal: one line each, or one of them whole. English, for the technician."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from speedsign.calibration.record import BY_CONFIG, Calibration
from speedsign.model import ClockQuality
from telemetry.calibration.keeping import Doubt
from telemetry.calibration.log import Line

WIDTH = 80
KEY_DIGITS = 8  # enough to name a record
_RUNS = 40  # shown of one record
DOUBTED = "! the file and the database do not say the same of it: see --full with its key"
_DOUBTS = {
    Doubt.OTHER_IN_FILE: "the file has another content under this key; this is the database's",
    Doubt.NOT_IN_FILE: "its line is gone from the file: it is in the database alone",
    Doubt.CHAIN: "a line of the file before it, or its own, was changed or removed",
}
HEAD = f"{'key':<8} {'when':<17} {'what':<10} {'verdict':<9} {'who':<18} next due"


def line_of(record: Calibration, zone: tzinfo, *, doubted: bool = False) -> str:
    """One line of at most 80 columns; a time that nobody vouched for is followed by a question mark."""
    mark = "!" if doubted else " "
    due = record.due.isoformat() if record.due else ""
    return (
        f"{record.key[:KEY_DIGITS]}{mark}{_when(record, zone):<17} {record.kind.value:<10}"
        f" {record.verdict.value:<9} {_cut(_plain(record.by), 18):<18} {due}"
    ).rstrip()


def _when(record: Calibration, zone: tzinfo) -> str:
    doubt = "?" if record.clock is ClockQuality.UNKNOWN else ""
    return f"{record.at_utc.astimezone(zone):%Y-%m-%d %H:%M}{doubt}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "~"


def _plain(text: str) -> str:
    """On one line, without anything that steers a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def whole(
    record: Calibration, place: Line | None, zone: tzinfo, doubts: Sequence[Doubt] = ()
) -> Iterator[str]:
    """Everything of one record, in lines of at most 80 columns but for values that are longer."""
    yield f"{record.kind.value} {record.key}: {record.verdict.value}"
    for doubt in doubts:
        yield from textwrap.wrap(f"! {_DOUBTS[doubt]}", WIDTH)
    if record.sentence:
        yield from textwrap.wrap(_plain(record.sentence), WIDTH)
    yield ""
    for name, value in _facts(record, place, zone):
        yield from _wrapped(name, value)
    for title, values in (("device", record.device), ("result", record.result)):
        yield from _mapping(title, values)
    yield from _changes(record)
    yield from _runs(record.runs)


def _facts(record: Calibration, place: Line | None, zone: tzinfo) -> Iterator[tuple[str, str]]:
    by_config = record.clock_by == BY_CONFIG
    vouched = {
        ClockQuality.OK: "the config vouched for the clock" if by_config else "the clock was synchronised",
        ClockQuality.CORRECTED: "put right after the clock was synchronised",
        ClockQuality.UNKNOWN: "nobody vouched for the clock",
    }
    local = record.at_utc.astimezone(zone).isoformat(timespec="seconds")
    utc = record.at_utc.astimezone(UTC).strftime("%H:%M:%S")
    yield "when", f"{local} ({utc} UTC); {vouched[record.clock]}"
    yield "by", record.by
    yield "tool", record.tool
    yield "sign", f"{record.sign}, {record.site}" if record.site else record.sign
    yield "driver", f"{record.driver}; mounting angle {record.mounting_angle_deg:g} degrees"
    yield "next due", record.due.isoformat() if record.due else "none"
    yield "note", record.note
    if place is not None:
        yield "file", f"line {place.number}, sha256 {place.sha256}"


def _wrapped(name: str, value: str) -> list[str]:
    if not value:
        return []
    return textwrap.wrap(
        _plain(value), WIDTH, initial_indent=f"{name:<10}", subsequent_indent=" " * 10, break_long_words=False
    )


def _mapping(title: str, values: Mapping[str, Any]) -> Iterator[str]:
    if values:
        yield ""
        yield f"{title}:"
        for name, value in values.items():
            yield from textwrap.wrap(
                f"{name}: {_value(value)}", WIDTH, initial_indent="  ", subsequent_indent="    "
            )


def _changes(record: Calibration) -> Iterator[str]:
    """Before -> after, each key of the config once."""
    names = list(dict.fromkeys((*record.before, *record.after)))
    if names:
        yield ""
        yield "before -> after:"
        for name in names:
            old, new = (_value(side.get(name)) for side in (record.before, record.after))
            yield f"  {name}: {old}" + ("" if old == new else f" -> {new}")


def _runs(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not runs:
        return
    yield ""
    yield f"{len(runs)} run:" if len(runs) == 1 else f"{len(runs)} runs:"
    for number, run in enumerate(runs[:_RUNS], 1):
        text = ", ".join(f"{name} {_value(value)}" for name, value in run.items())
        yield from textwrap.wrap(text, WIDTH, initial_indent=f"{number:>4}  ", subsequent_indent=" " * 6)
    if len(runs) > _RUNS:
        yield f"      and {len(runs) - _RUNS} more: --json has them all"


def _value(value: Any) -> str:
    """A number without its noise, a list or mapping as JSON would have it, in short."""
    if isinstance(value, float):
        return f"{value:g}" if abs(value) >= 1000 else f"{round(value, 4):g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        shown = [_value(one) for one in value[:8]]
        return "[" + ", ".join(shown) + (f", and {len(value) - 8} more" if len(value) > 8 else "") + "]"
    return "none" if value is None else _plain(str(value))
