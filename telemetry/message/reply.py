"""A sign's answer to a command, looked at before anybody is shown it: what is known of it is as agreed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telemetry.message.checks import Check, between, counters, object_of, texts, word
from telemetry.message.json_text import has, text, truth, whole

LAST_S = 253_402_300_799
NAME, TITLE, LINE = 80, 200, 4000  # characters
FEW, LINES = 100, 500
WITHIN_S = 86_400  # of a change that waits: how far its end can lie ahead, or behind by a clock that hung


def check_reply(body: Mapping[str, Any]) -> None:
    """ValueError for what is none; what an action gives may be missing, but is what it is meant to be."""
    whole(has(body, "at"), "at", 0, LAST_S)
    whole(has(body, "counter"), "counter")
    _name(has(body, "key"), "key")
    for name in ("action", "outcome"):
        word(has(body, name), name)
    for name, check in _PARTS.items():
        if name in body:
            check(body[name], name)


def _name(value: object, name: str) -> str:
    return text(value, name, NAME)


def _title(value: object, name: str) -> str:
    return text(value, name, TITLE)


def _line(value: object, name: str) -> str:
    return text(value, name, LINE)


def _until(value: object, name: str) -> int:
    return whole(value, name, -WITHIN_S, WITHIN_S)


_titles, _lines = texts(FEW, TITLE), texts(LINES, LINE)
_counted = object_of(**counters("vehicles", "approaching", "receding", "unknown"), coverage=between(0, 1))
_PARTS: dict[str, Check] = {
    "reason": _name,
    "text": _line,
    "difference": _lines,
    "lines": _lines,
    **counters("confirm_within_s", "waits_for", "intervals", "left_out"),
    "report": object_of(
        software=_name,
        clock=word,
        installation=object_of(site=_title, limit_kmh=whole),
        display_profile=_line,
        **counters("uptime_s", "limit_kmh"),
        dark=truth,
        tables=_titles,
        study=_title,
        faults=_titles,
        remote=_titles,
        pending=object_of(counter=whole, undone_in_s=_until),
        last_24_h=_counted,
        last_7_d=_counted,
    ),
}
