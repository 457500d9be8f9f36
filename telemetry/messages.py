"""What a sign says over MQTT, as compact JSON; telemetry.message_models describes the same for everyone else.

Built from plain dicts: the daemon does not load pydantic for it. Topics are speedsign/1/{sign}/up/… from the
sign and speedsign/1/{sign}/down/… to it.

What must not be lost waits in the outbox as a body without a name; `named` puts (id, epoch, seq) before it
when it is sent, so that a store that turns out to be a copy can go on under an epoch of its own.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from speedsign.model import Cell, ClockQuality, Direction, DisplayState, Installation, Interval

VERSION = 1  # of topics and messages alike

ON, OFF, LOST = "on", "off", "lost"  # the words of the state message


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is speaking. `boot` names one run of the daemon, so that a late "lost" of an earlier one shows."""

    sign: str
    boot: int
    software: str
    radar: str = ""
    display: str = ""
    config: str = ""  # a hash, to see from afar whether the config changed


# A row's kind in the outbox is the last word of its topic.
PLACE = "place"  # where and how the sign stands: an installation
AGGREGATE = "agg"  # one closed interval
VEHICLES = "raw"  # single vehicles, in batches
GAP = "gap"  # what was dropped
REPLY = "reply"  # what became of a command
# Sent as they are, without the outbox: state, birth, health.

RANKS = {REPLY: 0, GAP: 0, PLACE: 0, AGGREGATE: 1, VEHICLES: 2}  # what goes first when much waits

ACK_MAX_BYTES = 4096
COMMAND_MAX_BYTES = 4096
ACK_MAX_RANGES = 64


def topic(sign: str, what: str) -> str:
    """The topic of a message from the sign.

    >>> topic("bauska-3", "agg")
    'speedsign/1/bauska-3/up/agg'
    """
    return f"speedsign/{VERSION}/{sign}/up/{what}"


def down_topic(sign: str, what: str) -> str:
    """The topic of a message to the sign: `ack` or `cmd`.

    >>> down_topic("bauska-3", "ack")
    'speedsign/1/bauska-3/down/ack'
    """
    return f"speedsign/{VERSION}/{sign}/down/{what}"


def named(body: bytes, kind: str, sign: str, epoch: str, seq: int) -> bytes:
    """A body of the outbox as it is sent: a JSON object that begins with its name; vehicles as zlib."""
    name = encode({"v": VERSION, "id": sign, "epoch": epoch, "seq": seq})
    message = name if body == b"{}" else name[:-1] + b"," + body[1:]
    return zlib.compress(message, 9) if kind == VEHICLES else message


def encode(message: Mapping[str, object]) -> bytes:
    """Compact JSON, UTF-8; NaN and infinity are refused (ValueError)."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def state(status: str, boot: int) -> dict[str, object]:
    """Retained: on, off after a clean stop, lost as the will."""
    return {"v": VERSION, "s": status, "boot": boot}


def birth(
    who: Identity, epoch: str, installation_id: int | None, installation: Installation | None
) -> dict[str, object]:
    """Retained, at each connect: what is needed to read the sign's other messages."""
    return {
        "v": VERSION,
        "id": who.sign,
        "epoch": epoch,
        "boot": who.boot,
        "sw": who.software,
        "schema": VERSION,
        "radar": who.radar,
        "display": who.display,
        "cfg": who.config,
        "installation": _installation(installation_id, installation),
    }


def _installation(number: int | None, facts: Installation | None) -> dict[str, object] | None:
    if number is None or facts is None:
        return None
    return {
        "id": number,
        "site": facts.site,
        "limit_kmh": facts.limit_kmh,
        "angle_deg": facts.mounting_angle_deg,
        "tz": facts.timezone,
        "approaching": facts.approaching_name,
        "receding": facts.receding_name,
        "rounds": facts.rounds,
    }


def place(number: int, from_s: int, facts: Installation) -> dict[str, object]:
    """Where and how the sign stood from a moment on; told again when something about it was put right."""
    return {"from": from_s, "installation": _installation(number, facts)}


def gap(dropped: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """What the sign dropped: entries of {"kind", "first", "last", "n"}; every seq from first to last is gone."""
    return {"dropped": list(dropped)}


@dataclass(frozen=True, slots=True)
class Ack:
    """What the hub has stored: every seq up to `up_to`, and these ranges above it."""

    epoch: str
    up_to: int
    also: tuple[tuple[int, int], ...] = ()
    places_wanted: bool = False  # counts came of installations that the hub does not know


def ack(told: Ack) -> dict[str, object]:
    message: dict[str, object] = {"v": VERSION, "epoch": told.epoch, "up_to": told.up_to}
    if told.also:
        message["also"] = [list(one) for one in told.also[:ACK_MAX_RANGES]]
    if told.places_wanted:
        message["need"] = "places"
    return message


def parse_ack(payload: bytes) -> Ack:
    """Strictly; ValueError for anything else, whatever it is. Unknown keys are ignored: a newer hub's."""
    raise NotImplementedError


def aggregate(interval: Interval) -> dict[str, object]:
    """One closed interval, without its name (`named`).

    `measured_s` has ms; `mean` is of the integer classes as counted. No vehicle: no group.
    """
    return {
        "rev": interval.revision,
        "start": int(interval.start_utc.timestamp()),
        "dur": interval.duration_s,
        "measured_s": round(interval.measured_s, 3),
        "clk": interval.clock.value,
        "installation": interval.installation_id,
        "groups": [_group(cell) for cell in interval.cells if cell.n],
    }


def _group(cell: Cell) -> dict[str, object]:
    seen = [speed for speed, n in cell.counts.items() if n]
    low, high = min(seen), max(seen)
    return {
        "dir": cell.direction.value,
        "display": cell.display.value,
        "n": cell.n,
        "mean": round(sum(speed * n for speed, n in cell.counts.items()) / cell.n, 2),
        "max": high,
        "hist": {"w": 1, "lo": low, "c": [cell.counts.get(speed, 0) for speed in range(low, high + 1)]},
    }


def parse_aggregate(body: bytes) -> Interval:
    """An interval back from its message; ValueError for anything that is not one."""
    try:
        return _interval(json.loads(body))
    except (KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise ValueError(f"not an aggregate message: {error!r}") from error


def _interval(message: Mapping[str, Any]) -> Interval:
    if message["v"] != VERSION:
        raise ValueError(f"message version {message['v']!r} is not known")
    return Interval(
        start_utc=datetime.fromtimestamp(message["start"], UTC),
        duration_s=_whole(message["dur"]),
        measured_s=_measured_s(message["measured_s"]),
        clock=ClockQuality(message["clk"]),
        installation_id=_whole(message["installation"]),
        revision=_whole(message["rev"]),
        cells=tuple(_cell(group) for group in message["groups"]),
    )


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value


def _measured_s(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise ValueError(f"{value!r} is not a time in seconds")
    return value


def _cell(group: Mapping[str, Any]) -> Cell:
    low = group["hist"]["lo"]
    if group["hist"]["w"] != 1:
        raise ValueError("only classes of 1 km/h are known")
    counts = {_whole(low) + step: _whole(n) for step, n in enumerate(group["hist"]["c"]) if n}
    return Cell(Direction(group["dir"]), DisplayState(group["display"]), counts)
