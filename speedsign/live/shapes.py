"""The lines of the live socket: one JSON object each, `event` says of what kind, `t_s` when.

`t_s` is the machine's monotonic clock (seconds since it started), the same for everybody on this machine.
docs/integrator.md lists every kind and key; a new key may come, none goes or changes its meaning without
a new number in `hello.live`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from speedsign.model import Direction, Fault, RadarEvent, Reading, Rejected, Reply, Restarted, Vehicle
from speedsign.tracking.params import TrackingParams

LIVE = 1  # the number in `hello`: what a client has to know
MAX_LINE = 65_536  # bytes; a longer one is none of ours

Line = dict[str, Any]


def encode(line: Mapping[str, object]) -> bytes:
    """One line for the wire."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode(data: bytes) -> Line | None:
    """A line from the wire; None: it is none of ours."""
    try:
        line = json.loads(data.decode())
        if b"\\u" in data:
            encode(line)  # half a character, which no terminal and no file takes, is a ValueError
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and isinstance(line.get("event"), str) else None


# --------------------------------------------------------------------------- from the sign


def line_of(event: RadarEvent) -> Line | None:
    """What the radar has said; None: nothing to tell (it sees nothing)."""
    match event:
        case Reading():
            return {
                "event": "reading",
                "t_s": rounded(event.t_mono_s, 4),
                "direction": event.direction.value,
                "speed_kmh": rounded(event.speed_kmh),
                "strength": rounded(event.strength),
                "range_m": rounded(event.range_m),
                "rank": event.rank,
            }
        case Rejected():
            return rejected(event.t_mono_s, event.reason)
        case Reply():
            return {"event": "reply", "t_s": rounded(event.t_mono_s, 4), "values": dict(event.values)}
        case Restarted():
            return {"event": "restarted", "t_s": rounded(event.t_mono_s, 4), "text": event.text}
    return None


def rejected(t_mono_s: float, reason: str) -> Line:
    """What must not be used, and why."""
    return {"event": "rejected", "t_s": rounded(t_mono_s, 4), "reason": reason}


def left_out(reading: Reading, params: TrackingParams) -> Line | None:
    """Why the tracker does not look at a reading, with the key that says so; None: it does."""
    if reading.speed_kmh < params.min_speed_kmh:
        reason = f"slower than [tracking] min_speed_kmh = {params.min_speed_kmh:g}"
    elif reading.speed_kmh > params.max_speed_kmh:
        reason = f"faster than [tracking] max_speed_kmh = {params.max_speed_kmh:g}"
    else:
        return None
    return rejected(reading.t_mono_s, reason)


def passed(vehicle: Vehicle, t_mono_s: float, display: str | None = None, zone: str | None = None) -> Line:
    """A vehicle that has passed; `display` is what it got to see (`DisplayState`), None: not known here."""
    return {
        "event": "vehicle",
        "t_s": rounded(t_mono_s, 4),
        "id": vehicle.track_id,
        "direction": vehicle.direction.value,
        "t_first_s": rounded(vehicle.t_first_mono_s, 4),
        "t_last_s": rounded(vehicle.t_last_mono_s, 4),
        "speed_kmh": rounded(vehicle.speed_kmh),
        "entry_kmh": rounded(vehicle.entry_kmh),
        "exit_kmh": rounded(vehicle.exit_kmh),
        "max_kmh": rounded(vehicle.max_kmh),
        "readings": vehicle.readings,
        "strength": rounded(vehicle.strength),
        "length_m": rounded(vehicle.length_m),
        "flags": list(vehicle.flags),
        "radial_kmh": rounded(vehicle.radial_kmh),
        "along_kmh": rounded(vehicle.along_kmh),
        "display": display,
        "zone": zone,
    }


def fault_line(fault: Fault) -> Line:
    """One fault of `state`."""
    return {"device": fault.device, "code": fault.code, "text": fault.text}


def rounded(value: float | None, digits: int = 3) -> float | None:
    """As it is written: more digits say nothing and cost a slow link."""
    return None if value is None else round(value, digits)


# --------------------------------------------------------------------------- and back


def event_of(line: Line) -> RadarEvent | None:
    """What the radar had said; None: the line is of another kind, or has not what it must have."""
    try:
        t_s = _number(line["t_s"])
        match line["event"]:
            case "reading":
                return Reading(
                    t_s,
                    _number(line["speed_kmh"]),
                    Direction(line["direction"]),
                    _number_or_none(line["strength"]),
                    _number_or_none(line["range_m"]),
                    int(line["rank"]),
                )
            case "rejected":
                return Rejected(t_s, str(line["reason"]))
            case "reply":
                return Reply(t_s, {str(key): str(value) for key, value in line["values"].items()})
            case "restarted":
                return Restarted(t_s, str(line["text"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    return None


def vehicle_of(line: Line) -> Vehicle | None:
    """The vehicle of a line; None: the line is of another kind, or has not what it must have."""
    if line["event"] != "vehicle":
        return None
    try:
        return Vehicle(
            track_id=int(line["id"]),
            direction=Direction(line["direction"]),
            t_first_mono_s=_number(line["t_first_s"]),
            t_last_mono_s=_number(line["t_last_s"]),
            speed_kmh=_number(line["speed_kmh"]),
            entry_kmh=_number(line["entry_kmh"]),
            exit_kmh=_number(line["exit_kmh"]),
            max_kmh=_number(line["max_kmh"]),
            readings=int(line["readings"]),
            strength=_number_or_none(line["strength"]),
            length_m=_number_or_none(line["length_m"]),
            flags=tuple(map(str, line["flags"])),
            radial_kmh=_number_or_none(line["radial_kmh"]),
            along_kmh=_number_or_none(line["along_kmh"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _number(value: object) -> float:
    """A number that is one, or TypeError, ValueError, OverflowError."""
    found = float(value)  # type: ignore[arg-type]  # what cannot be one is a TypeError
    if not math.isfinite(found):
        raise ValueError("not finite")
    return found


def _number_or_none(value: object) -> float | None:
    return None if value is None else _number(value)
