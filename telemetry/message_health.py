"""How a sign is, read back: only what is known and as agreed, so that it can be shown as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.message_heard import check_name
from telemetry.message_json import decoded, epoch_of, has, listed, mapped, number, text, truth, whole
from telemetry.message_names import MESSAGE_MAX_BYTES

_KINDS_AT_MOST = 12
_WORDS_AT_MOST = 20
_LAST_S = 253_402_300_799

Check = Callable[[object, str], object]


@dataclass(frozen=True, slots=True)
class Health:
    """How a sign is. `body` as telemetry.health builds it; every part of it may be missing."""

    epoch: str
    boot: int
    at_s: int  # by the sign's clock
    clock_ok: bool
    body: dict[str, Any]


def parse_health(payload: bytes, sign: str) -> Health:
    """A health message from `sign`; ValueError for anything that is not one."""
    message = decoded(payload, MESSAGE_MAX_BYTES)
    check_name(message, sign)
    body = {name: check(message[name], name) for name, check in _PARTS.items() if name in message}
    clock = text(has(message, "clk"), "clk", 20)
    return Health(
        epoch_of(message),
        whole(has(message, "boot"), "boot"),
        whole(has(message, "at"), "at", 0, _LAST_S),
        clock == "ok",
        body,
    )


def _between(low: float, high: float) -> Check:
    return lambda value, name: number(value, name, low, high)


def _word(value: object, name: str) -> str:
    return text(value, name, 40)


def _words(value: object, name: str) -> list[str]:
    return [_word(one, name) for one in listed(value, name, _WORDS_AT_MOST)]


def _counts(value: object, name: str) -> dict[str, int]:
    """{kind of message: how many}."""
    found = mapped(value, name)
    if len(found) > _KINDS_AT_MOST:
        raise ValueError(f"{name} has more than {_KINDS_AT_MOST} kinds")
    return {_word(kind, name): whole(n, name) for kind, n in found.items()}


def _object(**parts: Check) -> Check:
    """An object of which only these are read, each where it is there."""

    def check(value: object, name: str) -> Mapping[str, object]:
        found = mapped(value, name)
        return {key: read(found[key], f"{name}.{key}") for key, read in parts.items() if key in found}

    return check


def _counters(*names: str) -> dict[str, Check]:
    return dict.fromkeys(names, whole)


_SHARE, _AMOUNT = _between(0, 1), _between(0, 1e12)
_PARTS: dict[str, Check] = {
    "at": whole,
    "clk": _word,
    "up_s": whole,
    "machine_up_s": whole,
    "day": _object(until=whole, vehicles=whole, coverage=_SHARE),
    "radar": _object(frames_h=_AMOUNT, **_counters("bad", "overflow", "reopened", "restarts", "unanswered")),
    "panel": _object(
        mode=_word, **_counters("retries", "timeouts", "bad_replies", "mismatches", "reconnects")
    ),
    "store": _object(mb=_AMOUNT, **_counters("waiting", "retries", "dropped", "lost", "rejected")),
    "mqtt": _object(
        **_counters("connections", "connections_ended", "refused", "refused_messages", "nobody_listens"),
        **_counters("rebuilt", "ack_age_s", "queue_kb"),
    ),
    "queue": _counts,
    "dropped": _counts,
    "machine": _object(
        temp_c=_between(-273, 1000),
        troubles=_words,
        supply_v=_between(-1000, 1000),
        battery_percent=_between(0, 100),
        mains=truth,
        disk_free_mb=_AMOUNT,
        disk_free=_SHARE,
        memory_mb=_AMOUNT,
    ),
    "faults": _words,
}
