"""Whether a sign is there, and the newest that it said of itself.

State and birth are retained by the broker: each time the hub connects, it hears them again. What it knew
already is then no news. A `lost` or `off` of a run that is not the last one heard of is old: the broker
says it late, when the sign has long come back.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from telemetry.message.heard import StateHeard
from telemetry.message.messages import ON


@dataclass(frozen=True, slots=True)
class Presence:
    """As it is kept; `status` empty: not heard yet. `boot` is that of the last run heard of."""

    status: str = ""
    boot: int = 0
    at_ms: int | None = None


def after_state(was: Presence, heard: StateHeard, at_ms: int) -> Presence:
    """What a state message makes of what was known."""
    old_run = heard.status != ON and bool(was.status) and heard.boot != was.boot
    if old_run or (heard.status, heard.boot) == (was.status, was.boot):
        return was
    return Presence(heard.status, heard.boot, at_ms)


def after_birth(was: Presence, boot: int, at_ms: int) -> Presence:
    """A birth of another run says that the sign was there, whatever late word has replaced its state."""
    return was if was.status and was.boot == boot else Presence(ON, boot, at_ms)


def read_presence(db: sqlite3.Connection, sign: str) -> Presence:
    row = db.execute("SELECT state, boot, state_ms FROM sign WHERE id = ?", (sign,)).fetchone()
    return Presence(*row) if row else Presence()


def store_presence(db: sqlite3.Connection, sign: str, now: Presence) -> None:
    db.execute(
        "INSERT INTO sign (id, state, boot, state_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET state = excluded.state, boot = excluded.boot, state_ms = excluded.state_ms",
        (sign, now.status, now.boot, now.at_ms),
    )


def store_text(db: sqlite3.Connection, what: str, sign: str, text: str, at_ms: int, *, live: bool) -> bool:
    """The newest `birth` or `health` of a sign, as it came; whether it was news: said now, or not known."""
    if what not in ("birth", "health"):
        raise ValueError(f"{what} is not kept so")
    done = db.execute(
        f"INSERT INTO sign (id, {what}, {what}_ms) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"  # noqa: S608  see above
        f" SET {what} = excluded.{what}, {what}_ms = excluded.{what}_ms"
        f" WHERE ? OR sign.{what} IS NOT excluded.{what}",
        (sign, text, at_ms, live),
    )
    return bool(done.rowcount)
