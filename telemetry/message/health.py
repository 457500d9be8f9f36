"""How a sign is, read back: only what is known and as agreed, so that it can be shown as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telemetry.message.checks import Check, between, counters, day, object_of, texts, word
from telemetry.message.heard import check_name
from telemetry.message.json_text import decoded, epoch_of, has, mapped, text, truth, whole
from telemetry.message.names import MESSAGE_MAX_BYTES

_KINDS_AT_MOST = 12
_WORDS_AT_MOST = 20
_LAST_S = 253_402_300_799


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


def _counts(value: object, name: str) -> dict[str, int]:
    """{kind of message: how many}."""
    found = mapped(value, name)
    if len(found) > _KINDS_AT_MOST:
        raise ValueError(f"{name} has more than {_KINDS_AT_MOST} kinds")
    return {word(kind, name): whole(n, name) for kind, n in found.items()}


_words = texts(_WORDS_AT_MOST, 40)
_SHARE, _AMOUNT = between(0, 1), between(0, 1e12)
_PARTS: dict[str, Check] = {
    "at": whole,
    "clk": word,
    "up_s": whole,
    "machine_up_s": whole,
    "day": object_of(until=whole, vehicles=whole, coverage=_SHARE),
    "radar": object_of(frames_h=_AMOUNT, **counters("bad", "overflow", "reopened", "restarts", "unanswered")),
    "panel": object_of(
        mode=word, **counters("retries", "timeouts", "bad_replies", "mismatches", "reconnects")
    ),
    "store": object_of(mb=_AMOUNT, **counters("waiting", "retries", "dropped", "lost", "rejected")),
    "mqtt": object_of(
        **counters("connections", "connections_ended", "refused", "refused_messages", "nobody_listens"),
        **counters("rebuilt", "ack_age_s", "queue_kb"),
    ),
    "queue": _counts,
    "dropped": _counts,
    "machine": object_of(
        temp_c=between(-273, 1000),
        troubles=_words,
        supply_v=between(-1000, 1000),
        battery_percent=between(0, 100),
        mains=truth,
        disk_free_mb=_AMOUNT,
        disk_free=_SHARE,
        memory_mb=_AMOUNT,
    ),
    "faults": _words,
    "commands": object_of(**counters("taken", "refused", "ignored")),
    "calibration": object_of(state=word, at=whole, due=day),
    "clock": object_of(**counters("boots", "vehicles", "known")),
}
