"""How a sign is, as it tells it each hour: the body of a health message, at most 1 KB.

Pure: what goes in was gathered elsewhere (speedsign.sign_health). What is not known is left out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from speedsign.errors import StoreError
from speedsign.machine import MachineFacts
from speedsign.model import Fault
from telemetry.calibration.proof import Standing
from telemetry.clock_past import ClockPast
from telemetry.database import open_for_reading
from telemetry.message.json_text import encode

DAY_S = 86_400
LONGEST_BYTES = 870  # and the name before it: 1 KB
_LEAST_FIRST = (
    *("panel", "commands", "radar", "store", "dropped", "mqtt", "machine", "queue"),
    *("calibration", "clock", "faults", "day"),
)
_STEP_S = 900  # the last day begins and ends with a quarter of an hour
_CODES_AT_MOST = 12
_WORD_AT_MOST = 20
_CODE_AT_MOST = 40  # as messages have it
_COUNT_AT_MOST = 10**12

# What is told of each device's counters.
_RADAR = ("bad", "overflow", "reopened", "restarts", "unanswered")
_PANEL = ("retries", "timeouts", "bad_replies", "mismatches", "reconnects")
_STORE = ("waiting", "retries", "dropped", "lost", "rejected")
_MQTT = ("connections", "connections_ended", "refused", "refused_messages", "nobody_listens", "rebuilt")
_QUEUE, _DROPPED = "queue_", "dropped_"  # of the publisher's: followed by the kind of message
_COMMANDS, _REFUSED = ("taken", "ignored"), "refused_"
_QUEUE_BYTES, _ACK_AGE = "queue_bytes", "last_ack_age_s"


@dataclass(frozen=True, slots=True)
class LastDay:
    """What was counted and measured in 24 h of whole quarters, or since the sign stands."""

    until_s: int  # seconds since 1970
    vehicles: int
    coverage: float | None  # 0 to 1; None: it has only just begun


@dataclass(frozen=True, slots=True)
class Vitals:
    """What is known of a sign at one moment."""

    at_s: int  # seconds since 1970, by its clock
    clock_ok: bool
    up_s: float  # of the daemon
    machine_up_s: float
    faults: Sequence[Fault] = ()
    radar: Mapping[str, int] = field(default_factory=dict)  # counters since the daemon's start
    frames_per_h: float | None = None  # since the last health message
    panel: Mapping[str, int] | None = None  # None: there is no panel
    panel_mode: str = ""  # on, dark (by plan), unknown: not under control
    store: Mapping[str, int] = field(default_factory=dict)
    store_bytes: int | None = None  # of the database's file
    mqtt: Mapping[str, int] = field(default_factory=dict)
    machine: MachineFacts = field(default_factory=MachineFacts)
    day: LastDay | None = None
    commands: Mapping[str, int] = field(default_factory=dict)  # counters since the daemon's start
    calibration: Standing | None = None
    clock: ClockPast | None = None


def health_body(now: Vitals) -> dict[str, object]:
    """The message but for its name and boot (telemetry.message.messages.health)."""
    return _fitting(_all(now))


def _fitting(body: dict[str, object]) -> dict[str, object]:
    """Without what matters least, where numbers that grew for years leave no room for it."""
    for name in _LEAST_FIRST:
        if len(encode(body)) <= LONGEST_BYTES:
            break
        body.pop(name, None)
    return body


def _all(now: Vitals) -> dict[str, object]:
    return {
        "at": now.at_s,
        "clk": "ok" if now.clock_ok else "unknown",
        "up_s": round(now.up_s),
        "machine_up_s": round(now.machine_up_s),
    } | _known(
        day=_day(now.day),
        radar=_known(frames_h=_rounded(now.frames_per_h, 0)) | _some(now.radar, _RADAR),
        panel=None if now.panel is None else {"mode": now.panel_mode} | _some(now.panel, _PANEL),
        store=_known(mb=_mega(now.store_bytes)) | _some(now.store, _STORE),
        mqtt=_mqtt(now.mqtt),
        queue=_of_kinds(now.mqtt, _QUEUE),
        dropped=_of_kinds(now.mqtt, _DROPPED),
        machine=_machine(now.machine),
        faults=_codes(now.faults),
        commands=_commands(now.commands),
        calibration=_calibration(now.calibration),
        clock=_clock(now.clock),
    )


def _known(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value not in (None, {})}


def _day(day: LastDay | None) -> dict[str, object] | None:
    if day is None:
        return None
    known = {"until": day.until_s, "vehicles": day.vehicles}
    return known | _known(coverage=_rounded(day.coverage, 4))


def _calibration(standing: Standing | None) -> dict[str, object] | None:
    if standing is None:
        return None
    return {"state": standing.state.value} | _known(
        at=None if standing.at_utc is None else max(int(standing.at_utc.timestamp()), 0),
        due=None if standing.due is None else standing.due.isoformat(),
    )


def _clock(past: ClockPast | None) -> dict[str, object] | None:
    """What never got its time; nothing where all did."""
    if past is None or not past.boots:
        return None
    known = _known(known=None if past.known_s is None else max(past.known_s, 0))
    return {"boots": _count(past.boots), "vehicles": _count(past.vehicles)} | known


def _machine(facts: MachineFacts) -> dict[str, object]:
    return _known(
        temp_c=_rounded(facts.temperature_c, 1),
        troubles=None if facts.troubles is None else list(facts.troubles),
        supply_v=_rounded(facts.supply_v, 2),
        battery_percent=facts.battery_percent,
        mains=facts.on_mains,
        disk_free_mb=_mega(facts.disk_free_bytes),
        disk_free=_rounded(facts.disk_free_share, 3),
        memory_mb=_mega(facts.memory_bytes),
    )


def _mqtt(counters: Mapping[str, int]) -> dict[str, object]:
    """The age of the hub's last word is left out where there was none since the start."""
    age_s, size_bytes = counters.get(_ACK_AGE, -1), counters.get(_QUEUE_BYTES)
    return _some(counters, _MQTT) | _known(
        ack_age_s=None if age_s < 0 else _count(age_s),
        queue_kb=None if size_bytes is None else _count(-(-size_bytes // 1000)),
    )


def _commands(counters: Mapping[str, int]) -> dict[str, object]:
    """Messages taken, refused for whatever reason, and not looked at in a flood; nothing while all are 0."""
    refused = sum(n for name, n in counters.items() if name.startswith(_REFUSED))
    found = {name: counters.get(name, 0) for name in _COMMANDS} | {"refused": refused}
    return {name: _count(n) for name, n in found.items()} if any(found.values()) else {}


def _some(counters: Mapping[str, int], names: Sequence[str]) -> dict[str, object]:
    return {name: _count(counters[name]) for name in names if name in counters}


def _of_kinds(counters: Mapping[str, int], prefix: str) -> dict[str, object]:
    told = {
        name.removeprefix(prefix): _count(n)
        for name, n in counters.items()
        if name.startswith(prefix) and name != _QUEUE_BYTES
    }
    return {kind[:_WORD_AT_MOST]: n for kind, n in sorted(told.items())[:_CODES_AT_MOST]}


def _count(value: int) -> int:
    return min(max(value, 0), _COUNT_AT_MOST)


def _codes(faults: Sequence[Fault]) -> list[str]:
    """Each kind of fault once: the sentences are the technician's, and stay at the sign."""
    codes = dict.fromkeys(f"{one.device[:_WORD_AT_MOST]}/{one.code}"[:_CODE_AT_MOST] for one in faults)
    return list(codes)[:_CODES_AT_MOST]


def _mega(n_bytes: int | None) -> float | None:
    return None if n_bytes is None else round(n_bytes / 1e6, 1)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits or None)


# --------------------------------------------------------------------------- looking back


def last_day(path: Path, now_s: int) -> LastDay | None:
    """From a sign's database; None when it cannot be read. Blocking; never raises StoreError."""
    with contextlib.suppress(StoreError):
        return _last_day(path, now_s)
    return None


def _last_day(path: Path, now_s: int) -> LastDay | None:
    until_s = now_s - now_s % _STEP_S
    own = "installation_id IN (SELECT id FROM installation WHERE origin = 'measured' AND source_id IS NULL)"
    span = f"start_s >= ? AND start_s + duration_s <= ? AND {own}"
    with contextlib.closing(open_for_reading(path)) as db:
        stands_ms = db.execute(
            "SELECT min(from_ms) FROM installation WHERE origin = 'measured' AND source_id IS NULL"
        ).fetchone()[0]
        if stands_ms is None:
            return None
        since_s = max(until_s - DAY_S, -(-stands_ms // (1000 * _STEP_S)) * _STEP_S)
        (measured_s,) = db.execute(
            f"SELECT coalesce(sum(measured_s), 0) FROM interval WHERE {span}",  # noqa: S608  ours
            (since_s, until_s),
        ).fetchone()
        (vehicles,) = db.execute(
            "SELECT coalesce(sum(length(speeds)), 0) FROM interval"  # noqa: S608  ours
            f" JOIN cell ON cell.interval_id = interval.id WHERE {span}",
            (since_s, until_s),
        ).fetchone()
    length_s = until_s - since_s
    return LastDay(until_s, vehicles, min(measured_s / length_s, 1.0) if length_s > 0 else None)
