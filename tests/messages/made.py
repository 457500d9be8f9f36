"""One genuine message of each kind, and what hypothesis makes of intervals and vehicles."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from speedsign.calibration.record import Kind, Verdict
from speedsign.model import Cell, ClockQuality, Direction, DisplayState, Interval, Vehicle, VehicleRecord
from telemetry.calibration.proof import proof_of
from telemetry.message import messages
from telemetry.message.messages import Ack, Identity
from tests.telemetry.calibrations import record
from tests.telemetry.samples import BAUSKA, QUARTER, T0, passed

SIGN = "bauska-3"
EPOCH = "0123456789abcdef"
WHO = Identity(SIGN, "0.2.0", "ops243", "max-2", "c0ffee")

INTERVAL = Interval(
    T0,
    900,
    871.5,
    ClockQuality.OK,
    3,
    2,
    (
        Cell(Direction.APPROACHING, DisplayState.SHOWN, {48: 2, 51: 1}, {51: 1}),
        Cell(Direction.RECEDING, DisplayState.DARK, {44: 1}),
    ),
    scaled=True,
)
VEHICLES = [passed(50.46 + step, T0 + timedelta(seconds=17.3 * step)) for step in range(5)]
HEALTH: dict[str, Any] = {
    "at": 1_777_878_000,
    "clk": "ok",
    "up_s": 3600,
    "day": {"until": 1_777_878_000, "vehicles": 5012, "coverage": 0.998},
    "radar": {"frames_h": 72000.0, "bad": 1},
    "panel": {"mode": "on", "retries": 2},
    "queue": {"agg": 3},
    "machine": {"temp_c": 48.5, "troubles": ["was_under_voltage"], "disk_free": 0.61},
    "faults": ["radar/silent"],
    "calibration": {"state": "valid", "at": 1_777_800_000, "due": "2027-05-04"},
}
PROOFS = tuple(
    replace(proof_of(one), sign="")
    for one in (
        record(1),
        record(2, T0 + timedelta(hours=1), kind=Kind.FORK, verdict=Verdict.FAIL, clock=ClockQuality.UNKNOWN),
    )
)
REPLY: dict[str, Any] = {
    "at": 1_777_878_000,
    "key": "office",
    "counter": 1_777_878_000_123,
    "action": "set",
    "outcome": "pending",
    "difference": ["limit_kmh: 50 -> 30"],
    "confirm_within_s": 600,
    "waits_for": 1_777_877_000_123,
    "intervals": 96,
    "report": {
        "software": "0.1.0",
        "uptime_s": 86_400,
        "clock": "ok",
        "installation": {"site": "Bauska", "limit_kmh": 50},
        "dark": False,
        "tables": ["night"],
        "faults": ["the panel does not answer"],
        "pending": {"counter": 1_777_878_000_000, "undone_in_s": 598},
        "last_24_h": {"vehicles": 3, "approaching": 2, "unknown": 1, "coverage": 0.998},
    },
    "lines": ["INFO: connected"],
    "left_out": 3,
}


def body(kind: str) -> bytes:
    """What waits in the outbox."""
    bodies: dict[str, dict[str, Any]] = {
        messages.AGGREGATE: messages.aggregate(INTERVAL),
        messages.VEHICLES: messages.vehicles(3, VEHICLES),
        messages.PLACE: messages.place(3, 1_777_800_000, BAUSKA, PROOFS),
        messages.GAP: messages.gap([{"kind": "raw", "first": 3, "last": 5, "n": 3}]),
        messages.REPLY: REPLY,
    }
    return messages.encode(bodies[kind])


def sent(kind: str) -> bytes:
    """As it goes over the wire."""
    if kind in messages.RANKS:
        return messages.named(body(kind), kind, SIGN, EPOCH, 7)
    direct: dict[str, dict[str, Any]] = {
        "state": messages.state(messages.ON, 41),
        "birth": messages.birth(WHO, EPOCH, 41, 3, BAUSKA, "00" * 16),
        "health": messages.health(WHO, EPOCH, 41, HEALTH),
        "ack": messages.ack(Ack(EPOCH, 7, ((9, 12), (14, 14)), places_wanted=True)),
    }
    return messages.encode(direct[kind])


def plain(kind: str, payload: bytes) -> bytes:
    """The JSON text of a message."""
    return zlib.decompress(payload) if kind == messages.VEHICLES else payload


def packed(kind: str, text: bytes) -> bytes:
    return zlib.compress(text) if kind == messages.VEHICLES else text


KINDS = (*messages.RANKS, "state", "birth", "health", "ack")


def read(kind: str, payload: bytes) -> object:
    """As the hub reads it, or the sign an ack: ValueError for what is none."""
    match kind:
        case "state":
            return messages.parse_state(payload)
        case "birth":
            return messages.parse_birth(payload, SIGN)
        case "health":
            return messages.parse_health(payload, SIGN)
        case "ack":
            return messages.parse_ack(payload)
    named = messages.parse_named(payload, kind, SIGN)
    match kind:
        case messages.AGGREGATE:
            return messages.parse_aggregate(named.body)
        case messages.VEHICLES:
            return messages.parse_vehicles(named.body)
        case messages.PLACE:
            return messages.parse_place(named.body)
        case messages.GAP:
            return messages.parse_gap(named.body, named.seq)
    return messages.parse_reply(named.body)


# --------------------------------------------------------------------------- made at random


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    counts = draw(st.dictionaries(st.integers(0, 260), st.integers(1, 500), min_size=1, max_size=30))
    suspects = {
        speed: n for speed, n in ((speed, draw(st.integers(0, n))) for speed, n in counts.items()) if n
    }
    return Cell(
        draw(st.sampled_from(Direction)),
        draw(st.sampled_from(DisplayState)),
        counts,
        draw(st.sampled_from([{}, suspects])),
    )


intervals = st.builds(
    Interval,
    start_utc=st.integers(0, 10_000_000).map(lambda quarter: T0 + quarter * QUARTER),
    duration_s=st.just(900),
    measured_s=st.integers(0, 900_000).map(lambda ms: ms / 1000),
    clock=st.sampled_from(ClockQuality),
    installation_id=st.integers(1, 99),
    revision=st.integers(1, 9),
    cells=st.lists(cells(), unique_by=lambda cell: (cell.direction, cell.display), max_size=9).map(tuple),
    scaled=st.booleans(),
).filter(lambda interval: interval.start_utc.year < 9000)

speeds = st.floats(0, 250) | st.integers(0, 2500).map(lambda tenth: tenth / 10)


@st.composite
def records(draw: st.DrawFn) -> VehicleRecord:
    first = T0 + timedelta(milliseconds=draw(st.integers(-(10**9), 10**9)))
    seen = timedelta(milliseconds=draw(st.integers(0, 60_000)))
    return VehicleRecord(
        Vehicle(
            track_id=0,
            direction=draw(st.sampled_from(Direction)),
            t_first_mono_s=0.0,
            t_last_mono_s=seen.total_seconds(),
            speed_kmh=draw(speeds),
            entry_kmh=draw(speeds),
            exit_kmh=draw(speeds),
            max_kmh=draw(speeds),
            readings=draw(st.integers(0, 500)),
            strength=draw(st.none() | st.floats(0, 1e6)),
            length_m=draw(st.none() | st.floats(0, 40)),
            flags=tuple(draw(st.lists(st.sampled_from(["few", "long?", "merged"]), max_size=2, unique=True))),
            radial_kmh=draw(st.none() | speeds),
            along_kmh=draw(st.none() | speeds),
        ),
        first,
        first + seen,
        draw(st.sampled_from(ClockQuality)),
        draw(st.sampled_from(DisplayState)),
        draw(st.sampled_from(["5", "6"])),
        draw(st.sampled_from(["", "within", "over", "too_fast"])),
    )
