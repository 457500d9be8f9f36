"""What a sign said, read back at the hub: shapes of ours, or ValueError for anything that is not a message.

A message of the outbox is read in two steps: `parse_named` gives its name, which is enough to acknowledge
it, and then its body, which may be refused by itself. Keys that are not known are ignored: a newer sign's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from speedsign.model import Cell, ClockQuality, Direction, DisplayState, Installation, Interval
from telemetry.calibration.proof import Proof
from telemetry.message.calibration import parse_calibration
from telemetry.message.json_text import (
    boot_of,
    decoded,
    epoch_of,
    has,
    inflated,
    listed,
    mapped,
    number,
    plain,
    shown,
    text,
    truth,
    whole,
    zone,
)
from telemetry.message.names import (
    DURATIONS_S,
    GAP_MAX_ENTRIES,
    MESSAGE_MAX_BYTES,
    PLACE_MAX_CALIBRATIONS,
    RANKS,
    STATES,
    VEHICLES,
    VERSION,
)
from telemetry.message.reply import check_reply
from telemetry.rows import FASTEST_KMH

_LAST_S = 253_402_300_799  # the end of the year 9999
_VEHICLES_AT_MOST = 100_000  # in an interval's direction and display state
_KIND = re.compile(r"[a-z]{1,20}", re.ASCII)
_NAME = ("v", "id", "epoch", "seq")
_CLOCKS = {quality.value: quality for quality in ClockQuality}
_DIRECTIONS = {direction.value: direction for direction in Direction}
_DISPLAYS = {display.value: display for display in DisplayState}


# --------------------------------------------------------------------------- names


@dataclass(frozen=True, slots=True)
class Named:
    """A message of the outbox: (sign, epoch, seq) is its name for ever; the body is not looked at yet.

    Whatever the version, a name is a name: it can be acknowledged, or the message would come for ever.
    """

    epoch: str
    seq: int
    version: object
    anything: dict[str, Any]  # besides the name

    @property
    def body(self) -> dict[str, Any]:
        """What stands beside the name; ValueError where it is of another version."""
        if self.version is None:
            raise ValueError("v is missing")
        whole(self.version, "v", VERSION, VERSION)
        return self.anything


def parse_named(payload: bytes, kind: str, sign: str) -> Named:
    """A message that came on `sign`'s topic `kind`, one of RANKS."""
    if kind not in RANKS:
        raise ValueError(f"{shown(kind)} is no kind of message that has a name")
    if kind == VEHICLES:
        if len(payload) > MESSAGE_MAX_BYTES:
            raise ValueError(f"{len(payload)} bytes, where {MESSAGE_MAX_BYTES} are the most")
        payload = inflated(payload, MESSAGE_MAX_BYTES)
    message = decoded(payload, MESSAGE_MAX_BYTES)
    _check_id(message, sign)
    epoch, seq, version = epoch_of(message), whole(has(message, "seq"), "seq", 1), message.get("v")
    return Named(epoch, seq, version, {key: message[key] for key in message if key not in _NAME})


def check_name(message: Mapping[str, Any], sign: str) -> None:
    """Version and id, which stand in every message."""
    whole(has(message, "v"), "v", VERSION, VERSION)
    _check_id(message, sign)


def _check_id(message: Mapping[str, Any], sign: str) -> None:
    if has(message, "id") != sign:
        raise ValueError(f"id {shown(message['id'])} on the topic of {sign}")


# --------------------------------------------------------------------------- state, birth


@dataclass(frozen=True, slots=True)
class StateHeard:
    """Whether a sign is there: `on`, `off` or `lost`, in its so-manieth run."""

    status: str
    boot: int


@dataclass(frozen=True, slots=True)
class Birth:
    """What a sign says of itself at each connect. Without place: it has not begun an installation yet."""

    epoch: str
    boot: int
    software: str
    radar: str
    display: str
    config: str  # a hash
    challenge: str | None  # None: it takes no commands
    place: Place | None
    oldest: int = 0  # lowest seq that it still has; all below is with the hub, or lost. 0: not told


def parse_state(payload: bytes) -> StateHeard:
    message = decoded(payload, MESSAGE_MAX_BYTES)
    whole(has(message, "v"), "v", VERSION, VERSION)
    status = has(message, "s")
    if status not in STATES:
        raise ValueError(f"s {shown(status)} is none of {', '.join(STATES)}")
    return StateHeard(status, whole(has(message, "boot"), "boot"))


def parse_birth(payload: bytes, sign: str) -> Birth:
    message = decoded(payload, MESSAGE_MAX_BYTES)
    check_name(message, sign)
    whole(has(message, "schema"), "schema", VERSION, VERSION)
    software, radar, display, config = (
        text(has(message, name), name, 80) for name in ("sw", "radar", "display", "cfg")
    )
    standing = has(message, "installation")
    return Birth(
        epoch_of(message),
        whole(has(message, "boot"), "boot"),
        software,
        radar,
        display,
        config,
        text(message["challenge"], "challenge", 80) if "challenge" in message else None,
        None if standing is None else _place(mapped(standing, "installation"), 0),
        whole(message["oldest"], "oldest", 1) if "oldest" in message else 0,
    )


# --------------------------------------------------------------------------- where it stood


@dataclass(frozen=True, slots=True)
class Place:
    """An installation by its number at the sign, and from when on (s since 1970; 0: not told)."""

    number: int
    from_s: int
    facts: Installation
    calibrations: tuple[Proof, ...] = ()  # of the sign, which they do not name


def parse_place(body: Mapping[str, Any]) -> Place:
    """Where and how the sign stood from a moment on."""
    from_s = whole(has(body, "from"), "from", 0, _LAST_S)
    place = _place(mapped(has(body, "installation"), "installation"), from_s)
    told = listed(body.get("calibrations", []), "calibrations", PLACE_MAX_CALIBRATIONS)
    proofs = [parse_calibration(mapped(one, "calibrations")) for one in told]
    return replace(place, calibrations=tuple(proof for proof in proofs if proof))


def _place(told: Mapping[str, Any], from_s: int) -> Place:
    facts = Installation(
        site=text(has(told, "site"), "site", 200),
        limit_kmh=whole(has(told, "limit_kmh"), "limit_kmh", 1, 200),
        mounting_angle_deg=float(number(has(told, "angle_deg"), "angle_deg", 0, 89)),
        radar=text(told.get("radar", ""), "radar", 80),
        timezone=zone(has(told, "tz"), "tz"),
        approaching_name=text(has(told, "approaching"), "approaching", 200),
        receding_name=text(has(told, "receding"), "receding", 200),
        rounds=truth(has(told, "rounds"), "rounds"),
        display_profile=text(told.get("profile", ""), "profile", 2000),
    )
    return Place(whole(has(told, "id"), "id", 1), from_s, facts)


# --------------------------------------------------------------------------- gaps, replies


@dataclass(frozen=True, slots=True)
class Dropped:
    """Seqs from first to last are gone for ever; so many of them were messages of this kind."""

    kind: str
    first: int
    last: int
    n: int


def parse_gap(body: Mapping[str, Any], seq: int) -> tuple[Dropped, ...]:
    """What the sign says that it dropped, in the message with this seq; later ones may be among it."""
    found = []
    for entry in listed(has(body, "dropped"), "dropped", GAP_MAX_ENTRIES):
        told = mapped(entry, "dropped")
        kind = has(told, "kind")
        if not isinstance(kind, str) or not _KIND.fullmatch(kind):
            raise ValueError(f"kind {shown(kind)} is no word")
        first = whole(has(told, "first"), "first", 1)
        last = whole(has(told, "last"), "last", first)
        if first <= seq <= last:
            raise ValueError(f"dropped {first} to {last} in message {seq}, which is here")
        found.append(Dropped(kind, first, last, whole(has(told, "n"), "n", 1, last - first + 1)))
    return tuple(found)


def parse_reply(body: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a command; with it whatever a newer sign gives."""
    check_reply(body)
    found: dict[str, Any] = plain(dict(body), "reply")
    return found


# --------------------------------------------------------------------------- intervals


def parse_aggregate(body: bytes | Mapping[str, Any]) -> Interval:
    """An interval back from its message, or from the body that `parse_named` gave."""
    if not isinstance(body, Mapping):
        body = decoded(body, MESSAGE_MAX_BYTES)
        whole(has(body, "v"), "v", VERSION, VERSION)
    duration_s = whole(has(body, "dur"), "dur")
    if duration_s not in DURATIONS_S:
        raise ValueError(f"dur {shown(duration_s)} is none of {DURATIONS_S}")
    start_s = whole(has(body, "start"), "start", 0, _LAST_S)
    if start_s % duration_s:
        raise ValueError(f"start {start_s} is no multiple of dur")
    clock = _word(_CLOCKS, has(body, "clk"), "clk")
    boot = boot_of(body)
    if boot and clock is not ClockQuality.UNKNOWN:
        raise ValueError("a boot where clk is not unknown")
    if "after" in body and not boot:
        raise ValueError("after without boot")
    cells = tuple([_cell(mapped(group, "groups")) for group in listed(has(body, "groups"), "groups", 15)])
    if len({(cell.direction, cell.display) for cell in cells}) != len(cells):
        raise ValueError("a direction and display state comes twice")
    return Interval(
        start_utc=datetime.fromtimestamp(start_s, UTC),
        duration_s=duration_s,
        measured_s=number(has(body, "measured_s"), "measured_s", 0, duration_s),
        clock=clock,
        installation_id=whole(has(body, "installation"), "installation", 1),
        revision=whole(has(body, "rev"), "rev", 1),
        cells=cells,
        scaled=truth(body.get("scaled", False), "scaled"),
        boot=boot,
        stepped=truth(body.get("stepped", False), "stepped"),
        after_utc=(
            datetime.fromtimestamp(whole(body["after"], "after", 0, _LAST_S), UTC)
            if "after" in body
            else None
        ),
    )


def _word(known: Mapping[str, Any], value: object, name: str) -> Any:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} {shown(value)} is none of {', '.join(known)}")
    return known[value]


def _cell(group: Mapping[str, Any]) -> Cell:
    counts = _counts(has(group, "hist"), "hist")
    if sum(counts.values()) != whole(has(group, "n"), "n", 1, _VEHICLES_AT_MOST):
        raise ValueError("n is not the sum of hist.c")
    if max(counts) != whole(has(group, "max"), "max"):
        raise ValueError("max is not the last class of hist")
    suspects = _counts(group["sus"], "sus") if "sus" in group else {}
    if any(n > counts.get(speed, 0) for speed, n in suspects.items()):
        raise ValueError("sus has more vehicles than hist")
    number(has(group, "mean"), "mean", 0, FASTEST_KMH + 1)
    return Cell(
        _word(_DIRECTIONS, has(group, "dir"), "dir"),
        _word(_DISPLAYS, has(group, "display"), "display"),
        counts,
        suspects,
    )


def _counts(value: object, name: str) -> dict[int, int]:
    """{km/h: vehicles} of a histogram; its last class has at least one."""
    told = mapped(value, name)
    whole(has(told, "w"), f"{name}.w", 1, 1)
    low = whole(has(told, "lo"), f"{name}.lo", 0, FASTEST_KMH)
    classes = listed(has(told, "c"), f"{name}.c", FASTEST_KMH + 1 - low)
    counts = {}
    for speed, n in enumerate(classes, low):
        if type(n) is not int or not 0 <= n <= _VEHICLES_AT_MOST:
            raise ValueError(f"{name}.c has {shown(n)}, which is no count")
        if n:
            counts[speed] = n
    if not classes or not classes[-1]:
        raise ValueError(f"{name}.c does not end with a class that has vehicles")
    return counts
