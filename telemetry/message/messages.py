"""What a sign and a hub say over MQTT, as compact JSON; telemetry.message.models describes it for others.

Built from plain dicts: the daemon does not load pydantic for it. Topics are speedsign/1/{sign}/up/… from the
sign and speedsign/1/{sign}/down/… to it. What is said is built here and read back by telemetry.message.heard.

What must not be lost waits in the outbox as a body without a name; `named` puts (id, epoch, seq) before it
when it is sent, so that a store that turns out to be a copy can go on under an epoch of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from speedsign.model import Cell, Installation, Interval
from telemetry.calibration.proof import Proof
from telemetry.message.health import Health, parse_health
from telemetry.message.heard import (
    Birth,
    Dropped,
    Named,
    Place,
    StateHeard,
    parse_aggregate,
    parse_birth,
    parse_gap,
    parse_named,
    parse_place,
    parse_reply,
    parse_state,
)
from telemetry.message.json_text import decoded, encode, epoch_of, has, listed, shown, text, whole
from telemetry.message.names import (
    ACK_MAX_BYTES,
    ACK_MAX_RANGES,
    AGGREGATE,
    COMMAND_MAX_BYTES,
    GAP,
    GAP_MAX_ENTRIES,
    LOST,
    MESSAGE_MAX_BYTES,
    OFF,
    ON,
    PLACE,
    RANKS,
    REPLY,
    STATES,
    VEHICLES,
    VERSION,
    down_topic,
    topic,
)
from telemetry.message.vehicles import VEHICLES_AT_MOST, Batch, parse_vehicles, vehicles

__all__ = [
    "ACK_MAX_BYTES",
    "ACK_MAX_RANGES",
    "AGGREGATE",
    "COMMAND_MAX_BYTES",
    "GAP",
    "GAP_MAX_ENTRIES",
    "LOST",
    "MESSAGE_MAX_BYTES",
    "OFF",
    "ON",
    "PLACE",
    "RANKS",
    "REPLY",
    "STATES",
    "VEHICLES",
    "VEHICLES_AT_MOST",
    "VERSION",
    "Ack",
    "Batch",
    "Birth",
    "Dropped",
    "Health",
    "Identity",
    "Named",
    "Place",
    "StateHeard",
    "ack",
    "aggregate",
    "birth",
    "down_topic",
    "encode",
    "gap",
    "health",
    "named",
    "parse_ack",
    "parse_aggregate",
    "parse_birth",
    "parse_gap",
    "parse_health",
    "parse_named",
    "parse_place",
    "parse_reply",
    "parse_state",
    "parse_vehicles",
    "place",
    "state",
    "topic",
    "vehicles",
]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is speaking; which run of the daemon it is says the store (StoreFacts.boot)."""

    sign: str
    software: str
    radar: str = ""
    display: str = ""
    config: str = ""  # a hash, to see from afar whether the config changed


def named(body: bytes, kind: str, sign: str, epoch: str, seq: int) -> bytes:
    """A body of the outbox as it is sent: a JSON object that begins with its name; vehicles as zlib."""
    name = encode({"v": VERSION, "id": sign, "epoch": epoch, "seq": seq})
    message = name if body == b"{}" else name[:-1] + b"," + body[1:]
    return zlib.compress(message, 9) if kind == VEHICLES else message


# --------------------------------------------------------------------------- without the outbox


def state(status: str, boot: int) -> dict[str, object]:
    """Retained: on, off after a clean stop, lost as the will."""
    return {"v": VERSION, "s": status, "boot": boot}


def birth(
    who: Identity,
    epoch: str,
    boot: int,
    installation_id: int | None,
    installation: Installation | None,
    challenge: str | None = None,
    oldest: int | None = None,
) -> dict[str, object]:
    """Retained, at each connect: what is needed to read the sign's other messages.

    `challenge`: what a command must repeat while this sign's clock is not trusted; left out where no
    command is taken. `oldest`: the lowest seq that still waits; the hub need not wait for a lower one.
    """
    message: dict[str, object] = {
        "v": VERSION,
        "id": who.sign,
        "epoch": epoch,
        "boot": boot,
        "sw": who.software,
        "schema": VERSION,
        "radar": who.radar,
        "display": who.display,
        "cfg": who.config,
        "installation": _installation(installation_id, installation),
    }
    message |= {} if challenge is None else {"challenge": challenge}
    return message | ({} if oldest is None else {"oldest": oldest})


def health(who: Identity, epoch: str, boot: int, body: Mapping[str, object]) -> dict[str, object]:
    """How the sign is, each hour; `body` as telemetry.health makes it. Only the newest is of interest."""
    return {"v": VERSION, "id": who.sign, "epoch": epoch, "boot": boot, **body}


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
        "radar": facts.radar,
        "profile": facts.display_profile,
    }


# --------------------------------------------------------------------------- bodies of the outbox


def place(number: int, from_s: int, facts: Installation, proofs: Sequence[Proof] = ()) -> dict[str, object]:
    """Where and how the sign stood from a moment on; told again when something about it was put right.

    `proofs`: the newest calibrations of the sign, with the place where it stands now.
    """
    message: dict[str, object] = {"from": from_s, "installation": _installation(number, facts)}
    return message | ({"calibrations": [_calibration(proof) for proof in proofs]} if proofs else {})


def _calibration(proof: Proof) -> dict[str, object]:
    """Without who made it: names of people stay at the sign."""
    told: dict[str, object] = {
        "key": proof.key,
        "at": int(proof.at_utc.timestamp()),
        "clk": proof.clock.value,
        "kind": proof.kind.value,
        "verdict": proof.verdict.value,
        "site": proof.site[:200],
        "driver": proof.driver[:80],
        "angle_deg": proof.mounting_angle_deg,
    }
    return told | ({"due": proof.due.isoformat()} if proof.due else {})


def gap(dropped: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """What the sign dropped: entries of {"kind", "first", "last", "n"}; all from first to last is gone."""
    return {"dropped": list(dropped)}


def aggregate(interval: Interval) -> dict[str, object]:
    """One closed interval, without its name (`named`).

    `measured_s` has ms; `mean` is of the integer classes as counted. No vehicle: no group. `boot`, `after`,
    `scaled`, `stepped` and a group's `sus` are there only where they say something. One of an undated boot
    that got its time is told once more, without vehicles and measured 0: it is withdrawn.
    """
    message: dict[str, object] = {
        "rev": interval.revision,
        "start": int(interval.start_utc.timestamp()),
        "dur": interval.duration_s,
        "measured_s": round(interval.measured_s, 3),
        "clk": interval.clock.value,
        "installation": interval.installation_id,
        "groups": [_group(cell) for cell in interval.cells if cell.n],
    }
    message |= {"boot": interval.boot} if interval.boot else {}
    message |= {"after": int(interval.after_utc.timestamp())} if interval.after_utc else {}
    message |= {"stepped": True} if interval.stepped else {}
    return message | ({"scaled": True} if interval.scaled else {})


def _group(cell: Cell) -> dict[str, object]:
    group: dict[str, object] = {
        "dir": cell.direction.value,
        "display": cell.display.value,
        "n": cell.n,
        "mean": round(sum(speed * n for speed, n in cell.counts.items()) / cell.n, 2),
        "max": max(speed for speed, n in cell.counts.items() if n),
        "hist": _histogram(cell.counts),
    }
    return group | ({"sus": _histogram(cell.suspects)} if any(cell.suspects.values()) else {})


def _histogram(counts: Mapping[int, int]) -> dict[str, object]:
    seen = [speed for speed, n in counts.items() if n]
    low, high = min(seen), max(seen)
    return {"w": 1, "lo": low, "c": [counts.get(speed, 0) for speed in range(low, high + 1)]}


# --------------------------------------------------------------------------- the hub's word


@dataclass(frozen=True, slots=True)
class Ack:
    """What the hub has stored: every seq up to `up_to`, and these ranges above it."""

    epoch: str
    up_to: int
    also: tuple[tuple[int, int], ...] = ()  # ascending, without overlap
    places_wanted: bool = False  # counts came of installations that the hub does not know


def ack(told: Ack) -> dict[str, object]:
    """To the sign; of very many ranges the first ones, which are the most urgent to close."""
    message: dict[str, object] = {"v": VERSION, "epoch": told.epoch, "up_to": told.up_to}
    if told.also:
        message["also"] = [list(one) for one in told.also[:ACK_MAX_RANGES]]
    if told.places_wanted:
        message["need"] = "places"
    return message


def parse_ack(payload: bytes) -> Ack:
    """Strictly; ValueError for anything else, whatever it is. Unknown keys are ignored: a newer hub's."""
    message = decoded(payload, ACK_MAX_BYTES)
    whole(message.get("v", VERSION), "v", VERSION, VERSION)
    up_to = whole(has(message, "up_to"), "up_to")
    also, above = [], up_to
    for told in listed(message.get("also", []), "also", ACK_MAX_RANGES):
        if len(listed(told, "also", 2)) != 2:
            raise ValueError(f"also {shown(told)} is no range")
        first = whole(told[0], "also", above + 1)
        above = whole(told[1], "also", first)
        also.append((first, above))
    need = text(message.get("need", ""), "need", 40)
    return Ack(epoch_of(message), up_to, tuple(also), need == "places")
