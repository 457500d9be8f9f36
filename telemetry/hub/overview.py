"""How every sign of a hub is: who is alive, how late its numbers are, what is missing. Reads only.

Two things are never said: that a sign is well because nobody heard otherwise, and that numbers are complete
because there are many. Each sign has the age of its last word and of its newest interval, and what it has not
delivered by name.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from telemetry.hub.latest import newest_interval, told_birth
from telemetry.hub.spans import Range, Spans
from telemetry.message.messages import OFF, parse_health
from telemetry.query import Source, reading

DAY_S = 86_400
_STEP_S = 900
_ON_ITS_WAY_S = 300  # so long after its end an interval may still be at the sign
_AHEAD_S = 300  # by how much the clocks of sign and hub may differ before it is said
MOST_REPLIES = 20
MOST_GAPS = 100  # of a sign, named one by one
MOST_STORES = 20  # of a sign, looked at one by one
MOST_LOSSES = 20
NEWS_S = 7 * DAY_S  # so long what was noticed has to be looked at


@dataclass(frozen=True, slots=True)
class StoreOf:
    """One database file of a sign: the newest is in use, others are of cards that were replaced."""

    epoch: str
    first_ms: int
    last_ms: int
    received: int
    duplicates: int
    up_to: int
    highest: int
    missing: int
    gaps: tuple[Range, ...]  # the first of them
    losses: tuple[Loss, ...]  # the newest first
    dropped: dict[str, int]  # kind -> messages that the sign said it dropped
    lost: int  # messages that never came, and the sign has them no more
    refused: int
    refused_kept: int
    clashes: int  # messages that came again with another content
    clash_ms: int | None  # the last of them


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that never came, all of them in a range of numbers."""

    at_ms: int  # when the hub noticed
    kind: str  # empty: not known, the sign has them no more
    first: int
    last: int
    messages: int


@dataclass(frozen=True, slots=True)
class SignNow:
    """One sign; times are ms (`_ms`) or s (`_s`) since 1970. None: not known."""

    sign: str
    state: str  # on, off, lost; empty: not heard yet
    state_ms: int | None
    heard_ms: int | None  # its last word of any kind
    first_ms: int | None = None  # its first word that has a name
    site: str = ""
    timezone: str = "UTC"
    software: str = ""
    interval_end_s: int | None = None  # of the newest one with a believable time
    ahead_s: int | None = None  # where the end of the newest one lies in the future: when that is
    counted: bool = False  # whether there is any interval
    coverage: float | None = None  # of the last 24 h, 0 to 1
    vehicles: int = 0  # in the last 24 h
    health: dict[str, Any] = field(default_factory=dict)
    health_ms: int | None = None
    clock_ok: bool | None = None
    stores: tuple[StoreOf, ...] = ()  # the newest of them, the newest first
    stores_known: int = 0  # how many there are
    dropped: int = 0  # messages, of all stores, as the next two
    lost: int = 0
    refused: int = 0
    dropped_ms: int | None = None  # when the newest was noticed
    lost_ms: int | None = None
    clash_ms: int | None = None
    replies: tuple[dict[str, Any], ...] = ()  # the newest first

    @property
    def waiting(self) -> int | None:
        """Messages in its outbox when it last told; health names no queue where nothing waits."""
        return sum(self.health.get("queue", {}).values()) if self.health else None

    @property
    def missing(self) -> int:
        """Messages that the hub knows of and has not got, of the store that is in use."""
        return self.stores[0].missing if self.stores else 0

    @property
    def faults(self) -> list[str]:
        return list(self.health.get("faults", ()))

    def late_s(self, now_s: float) -> float | None:
        """How old its newest interval is."""
        return None if self.interval_end_s is None else max(0.0, now_s - self.interval_end_s)

    def _is_new(self, now_s: float) -> bool:
        """Whether its first interval cannot be here yet."""
        return self.first_ms is not None and now_s - self.first_ms / 1000 < _STEP_S + _ON_ITS_WAY_S

    def troubles(self, now_s: float, late_s: float) -> list[str]:
        """What somebody should look at, a word each."""
        age_s = self.late_s(now_s)
        lately_ms = 1000 * (now_s - NEWS_S)
        found = {
            "lost": self.state == "lost",
            "never counted": not self.counted and not self._is_new(now_s),
            "late": age_s is not None and age_s > late_s and self.state != OFF,
            "ahead": self.ahead_s is not None,
            "silent": self.state == "on" and (self.heard_ms is None or now_s - self.heard_ms / 1000 > late_s),
            "missing": self.missing > (self.waiting or 0),
            "dropped": self.dropped > 0 and (self.dropped_ms or 0) >= lately_ms,
            "never came": self.lost > 0 and (self.lost_ms or 0) >= lately_ms,
            "copy": self.clash_ms is not None and self.clash_ms >= lately_ms,
            "refused": self.refused > 0,
            "clock": self.clock_ok is False,
            "faults": bool(self.faults),
        }
        return [word for word, so in found.items() if so]


def read_signs(source: Source, now_ms: int, only: str | None = None) -> list[SignNow]:
    """Every sign that was heard, by name; or one. Blocking; raises StoreError."""
    with reading(source) as db:
        names = db.execute("SELECT id FROM sign UNION SELECT sign FROM source ORDER BY 1").fetchall()
        return [_read_sign(db, name, now_ms) for (name,) in names if only in (None, name)]


def _read_sign(db: sqlite3.Connection, sign: str, now_ms: int) -> SignNow:
    row = db.execute(
        "SELECT state, state_ms, birth, birth_ms, health, health_ms FROM sign WHERE id = ?", (sign,)
    ).fetchone()
    state, state_ms, birth, birth_ms, health, health_ms = row or ("", None, None, None, None, None)
    stores = tuple(_stores(db, sign))
    heard = [at for at in (state_ms, birth_ms, health_ms, *(one.last_ms for one in stores)) if at is not None]
    newest, ahead = _newest_ends(db, sign, now_ms // 1000)
    place = db.execute(
        "SELECT site, timezone FROM installation WHERE sign = ? AND limit_kmh > 0"
        " ORDER BY facts_seq IS NULL, from_ms DESC, id DESC LIMIT 1",
        (sign,),
    ).fetchone()
    coverage, vehicles = _last_day(db, sign, now_ms // 1000)
    body, clock_ok = _health(sign, health)
    told = told_birth(sign, birth)
    known, refused, clash_ms, first_ms = db.execute(
        "SELECT count(*), total(refused), max(clash_ms), min(first_ms) FROM source WHERE sign = ?", (sign,)
    ).fetchone()
    dropped, dropped_ms = _lost(db, sign, "kind != ''")
    lost, lost_ms = _lost(db, sign, "kind = ''")
    return SignNow(
        sign=sign,
        state=state,
        state_ms=state_ms,
        heard_ms=max(heard, default=None),
        first_ms=first_ms,
        site=place[0] if place else "",
        timezone=place[1] if place else "UTC",
        software=told.software if told else "",
        interval_end_s=newest,
        ahead_s=ahead,
        counted=newest is not None or _counted(db, sign),
        coverage=coverage,
        vehicles=vehicles,
        health=body,
        health_ms=health_ms,
        clock_ok=clock_ok,
        stores=stores,
        stores_known=known,
        dropped=dropped,
        lost=lost,
        refused=int(refused),
        dropped_ms=dropped_ms,
        lost_ms=lost_ms,
        clash_ms=clash_ms,
        replies=tuple(_replies(db, sign)),
    )


def _newest_ends(db: sqlite3.Connection, sign: str, now_s: int) -> tuple[int | None, int | None]:
    """Ends of the newest interval that can have been, and of the newest of all where that one cannot."""
    newest = newest_interval(db, sign)
    if newest is None or newest[1] <= now_s + _AHEAD_S:
        return newest and newest[1], None
    believed = newest_interval(db, sign, now_s)
    return believed and believed[1], newest[1]


def _stores(db: sqlite3.Connection, sign: str) -> Iterator[StoreOf]:
    rows = db.execute(
        "SELECT id, epoch, first_ms, last_ms, received, duplicates, up_to, refused, clashes, clash_ms"
        " FROM source WHERE sign = ? ORDER BY last_ms DESC, id DESC LIMIT ?",
        (sign, MOST_STORES),
    ).fetchall()
    for number, epoch, first_ms, last_ms, received, duplicates, up_to, refused, clashes, clash_ms in rows:
        ranges = db.execute(
            "SELECT first_seq, last_seq FROM span WHERE source_id = ? ORDER BY first_seq", (number,)
        )
        spans = Spans(up_to, [(first, last) for first, last in ranges])
        never = dict(
            db.execute(
                "SELECT kind, total(messages) FROM loss WHERE source_id = ? GROUP BY kind", (number,)
            ).fetchall()
        )
        kept = db.execute("SELECT count(*) FROM refused WHERE source_id = ?", (number,)).fetchone()[0]
        losses = db.execute(
            "SELECT at_ms, kind, first_seq, last_seq, messages FROM loss WHERE source_id = ?"
            " ORDER BY id DESC LIMIT ?",
            (number, MOST_LOSSES),
        )
        yield StoreOf(
            epoch,
            first_ms,
            last_ms,
            received,
            duplicates,
            up_to,
            spans.highest,
            spans.missing,
            tuple(spans.gaps()[:MOST_GAPS]),
            tuple(Loss(*row) for row in losses),
            {kind: int(n) for kind, n in never.items() if kind},
            int(never.get("", 0)),
            refused,
            kept,
            clashes,
            clash_ms,
        )


def _lost(db: sqlite3.Connection, sign: str, which: str) -> tuple[int, int | None]:
    """Messages that never came, and when the hub noticed the newest of them."""
    n, at_ms = db.execute(
        "SELECT total(messages), max(at_ms) FROM source JOIN loss ON source_id = source.id"  # noqa: S608  ours
        f" WHERE sign = ? AND {which}",
        (sign,),
    ).fetchone()
    return int(n), at_ms


def _last_day(db: sqlite3.Connection, sign: str, now_s: int) -> tuple[float | None, int]:
    """Measured share of the last 24 h that can be here by now, or since it stands; vehicles in them."""
    until_s = now_s - _ON_ITS_WAY_S
    until_s -= until_s % _STEP_S
    began = db.execute(
        "SELECT min(from_ms) FROM installation WHERE sign = ? AND facts_seq IS NOT NULL", (sign,)
    ).fetchone()[0]
    if began is None:
        return None, 0
    from_s = until_s - DAY_S
    inside = (
        "interval.installation_id IN (SELECT id FROM installation WHERE sign = ? AND facts_seq IS NOT NULL)"
        " AND start_s >= ? AND start_s < ?"
    )
    bounds = (sign, from_s, until_s)
    measured_s = db.execute(f"SELECT total(measured_s) FROM interval WHERE {inside}", bounds).fetchone()[0]  # noqa: S608
    vehicles = db.execute(
        "SELECT coalesce(sum(length(speeds)), 0) FROM cell JOIN interval ON interval.id = interval_id"  # noqa: S608
        f" WHERE {inside}",
        bounds,
    ).fetchone()[0]
    known_s = until_s - max(from_s, began // 1000)
    return (min(1.0, measured_s / known_s) if known_s > 0 else None), vehicles


def _counted(db: sqlite3.Connection, sign: str) -> bool:
    found = db.execute(
        "SELECT 1 FROM interval WHERE installation_id IN"
        " (SELECT id FROM installation WHERE sign = ?) LIMIT 1",
        (sign,),
    )
    return found.fetchone() is not None


def _health(sign: str, text: str | None) -> tuple[dict[str, Any], bool | None]:
    """Its parts, and whether the sign's clock was right; a newer sign's health may not be readable."""
    if text is None:
        return {}, None
    try:
        found = parse_health(text.encode(), sign)
    except ValueError:
        return {}, None
    return dict(found.body), found.clock_ok


def _replies(db: sqlite3.Connection, sign: str) -> Iterator[dict[str, Any]]:
    rows = db.execute(
        "SELECT at_ms, body FROM reply WHERE sign = ? ORDER BY number DESC LIMIT ?",
        (sign, MOST_REPLIES),
    )
    for at_ms, body in rows:
        yield {"heard_ms": at_ms, **json.loads(body)}
