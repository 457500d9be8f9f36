"""What a sign says over MQTT, as compact JSON; telemetry.message_models describes the same for everyone else.

Built from plain dicts: the daemon does not load pydantic for it. Topics are speedsign/1/{sign}/up/….
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def topic(sign: str, what: str) -> str:
    """The topic of a message from the sign.

    >>> topic("bauska-3", "agg")
    'speedsign/1/bauska-3/up/agg'
    """
    return f"speedsign/{VERSION}/{sign}/up/{what}"


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


def aggregate(sign: str, epoch: str, seq: int, interval: Interval) -> dict[str, object]:
    """One closed interval. (id, epoch, seq) is its name: the same name twice is the same message twice.

    `measured_s` has ms; `mean` is of the integer classes as counted. No vehicle: no group.
    """
    return {
        "v": VERSION,
        "id": sign,
        "epoch": epoch,
        "seq": seq,
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
