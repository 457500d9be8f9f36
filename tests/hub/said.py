"""What signs say, as the hub hears it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from speedsign.model import Cell, ClockQuality, Direction, DisplayState, Installation, Interval
from telemetry.hub.port import Heard
from telemetry.message import messages
from telemetry.message.messages import Identity
from tests.telemetry.samples import BAUSKA, T0

SIGN = "bauska-1"
EPOCH, OTHER = "0123456789abcdef", "fedcba9876543210"
NOW_MS = 1_777_900_000_000
IN, OUT = Direction.APPROACHING, Direction.RECEDING
HERE = replace(BAUSKA, display_profile="speed over 10 km/h")


def named(
    kind: str,
    seq: int,
    body: Mapping[str, object],
    *,
    sign: str = SIGN,
    epoch: str = EPOCH,
    at_ms: int = NOW_MS,
) -> Heard:
    payload = messages.named(messages.encode(body), kind, sign, epoch, seq)
    return Heard(sign, kind, payload, at_ms)


def interval(
    start: datetime = T0,
    n: int = 3,
    *,
    revision: int = 1,
    measured_s: float = 900.0,
    installation: int = 1,
    clock: ClockQuality = ClockQuality.OK,
) -> Interval:
    """With `n` approaching vehicles at 50 km/h and one receding at 61 km/h."""
    cells = (
        Cell(IN, DisplayState.SHOWN, {50: n}, {50: 1}),
        Cell(OUT, DisplayState.BLANK, {61: 1}),
    )
    return Interval(start, 900, measured_s, clock, installation, revision, cells if n else ())


def agg(seq: int, of: Interval | None = None, *, sign: str = SIGN, epoch: str = EPOCH) -> Heard:
    return named("agg", seq, messages.aggregate(of or interval()), sign=sign, epoch=epoch)


def quarter(number: int, n: int = 3, **more: object) -> Interval:
    return replace(interval(T0 + number * timedelta(minutes=15), n), **more)  # type: ignore[arg-type]


def place(
    seq: int,
    facts: Installation = HERE,
    number: int = 1,
    *,
    begins: datetime = T0,
    sign: str = SIGN,
    epoch: str = EPOCH,
) -> Heard:
    body = messages.place(number, int(begins.timestamp()), facts)
    return named("place", seq, body, sign=sign, epoch=epoch)


def gap(seq: int, *entries: tuple[str, int, int], sign: str = SIGN, epoch: str = EPOCH) -> Heard:
    dropped = [{"kind": kind, "first": a, "last": b, "n": b - a + 1} for kind, a, b in entries]
    return named("gap", seq, messages.gap(dropped), sign=sign, epoch=epoch)


def state(
    status: str, boot: int = 1, *, sign: str = SIGN, retained: bool = False, at_ms: int = NOW_MS
) -> Heard:
    return Heard(sign, "state", messages.encode(messages.state(status, boot)), at_ms, retained)


def birth(
    boot: int = 1,
    *,
    sign: str = SIGN,
    epoch: str = EPOCH,
    facts: Installation | None = HERE,
    number: int = 1,
    retained: bool = False,
    at_ms: int = NOW_MS,
    oldest: int | None = None,
) -> Heard:
    who = Identity(sign, "0.2.0", "ops243", "dm56a04", "c0ffee")
    body = messages.birth(who, epoch, boot, number if facts else None, facts, oldest=oldest)
    return Heard(sign, "birth", messages.encode(body), at_ms, retained)


def health(body: Mapping[str, object], *, sign: str = SIGN, epoch: str = EPOCH, at_ms: int = NOW_MS) -> Heard:
    told = {"v": 1, "id": sign, "epoch": epoch, "boot": 1, "at": NOW_MS // 1000, "clk": "ok", **body}
    return Heard(sign, "health", messages.encode(told), at_ms)
